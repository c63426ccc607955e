"""A process that answers many calls keeps a connection to the keyring, and asks it each time."""

from __future__ import annotations

import gc
import json
import threading
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import secretstorage
from jeepney import HeaderFields

from credlatch import url as urls
from credlatch.caller import Caller
from credlatch.credential import Basic, Secret
from credlatch.errors import StoreError
from credlatch.shared_cache import SharedCache
from credlatch.stores.rattler import RattlerStore
from credlatch.system import memory
from credlatch.system.keyring import pool
from credlatch.system.keyring import secret_service as bus
from credlatch.system.keyring.bus import PATIENCE, Bus, connect
from credlatch.system.keyring.secret_service_api import Api

if TYPE_CHECKING:
    from collections.abc import Iterator

    from credlatch.system.keyring import Keyring
    from credlatch.system.keyring.bus import Left
    from support.home import Home
    from support.secret_service import SecretService

HOST = "o.example"


@pytest.fixture
def shared() -> Iterator[SharedCache]:
    """What calls leave for each other, and nothing open at the end."""
    shared = SharedCache()
    yield shared
    shared.close()


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The address of each connection that was opened."""
    addresses: list[str] = []
    real = connect

    def noted(address: str, left: Left) -> Bus:
        addresses.append(address)
        return real(address, left)

    monkeypatch.setattr(bus, "connect", noted)
    return addresses


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The name of each method that was called on the bus, once the connection stood."""
    names: list[str] = []
    real = Bus.send_and_get_reply

    def noted(self: Bus, message: Any, **limit: Any) -> Any:
        names.append(message.header.fields[HeaderFields.member])
        return real(self, message, **limit)

    monkeypatch.setattr(Bus, "send_and_get_reply", noted)
    return names


def add(service: SecretService, token: str, host: str = HOST) -> None:
    attributes = {"service": "rattler", "username": host}
    service.add(f"keyring:{host}@rattler", attributes, json.dumps({"BearerToken": token}))


def change(service: SecretService, token: str) -> None:
    """Change the item as another program does."""
    with closing(service.connect()) as connection:
        (item,) = secretstorage.search_items(connection, {"service": "rattler", "username": HOST})
        item.set_secret(json.dumps({"BearerToken": token}).encode())


class Process:
    """A process that serves callers of one home.

    Attributes:
        warnings: of all calls.
    """

    def __init__(self, home: Home, shared: SharedCache) -> None:
        self.warnings: list[str] = []
        self._home = home
        self._shared = shared

    def caller(self) -> Caller:
        return Caller(dict(self._home.env), str(self._home.path), self._shared)

    @contextmanager
    def call(self) -> Iterator[tuple[Caller, Keyring]]:
        """A call that has its keyring."""
        caller = self.caller()
        keyring = caller.keyring()
        assert keyring is not None
        yield caller, keyring
        caller.close()

    def get(self, url: str = f"https://{HOST}/x") -> str | None:
        """What one call is answered."""
        caller = self.caller()
        try:
            entry = RattlerStore(caller).find(urls.parse(url))
        finally:
            caller.close()
            self.warnings += caller.warnings
        if entry is None:
            return None
        assert entry.credential is not None
        return entry.credential.secret.reveal()


@pytest.fixture
def fresh(home: Home, shared: SharedCache, secret_service: SecretService) -> Process:
    """One that has not been called."""
    add(secret_service, "t")
    return Process(home, shared)


@pytest.fixture
def process(fresh: Process, opened: list[str], asked: list[str]) -> Process:
    """One that has answered a call."""
    assert (opened, asked) == ([], [])
    assert fresh.get() == "t"
    return fresh


def test_two_calls_open_one_connection_and_one_session(
    process: Process, opened: list[str], asked: list[str]
) -> None:
    assert process.get() == "t"
    assert len(opened) == 1
    assert asked.count("OpenSession") == 1


def test_what_another_program_changes_is_what_the_very_next_call_gets(
    process: Process, secret_service: SecretService, opened: list[str]
) -> None:
    for token in ("a", "b", "c"):
        change(secret_service, token)
        assert process.get() == token
    assert len(opened) == 1


def test_what_another_program_deletes_is_gone_for_the_very_next_call(
    process: Process, secret_service: SecretService
) -> None:
    own = Caller(secret_service.env, "/")
    keyring = own.keyring()
    assert keyring is not None
    assert keyring.delete("rattler", HOST)
    own.close()
    assert process.get() is None


@pytest.mark.parametrize(("bus", "connections"), [(False, 1), (True, 2)])
def test_what_was_restarted_is_asked_anew_and_nobody_notices(
    process: Process,
    secret_service: SecretService,
    opened: list[str],
    asked: list[str],
    *,
    bus: bool,
    connections: int,
) -> None:
    secret_service.restart(bus=bus)
    assert process.get() == "t"
    assert process.warnings == []
    assert len(opened) == connections
    assert asked.count("OpenSession") == 2


@pytest.mark.parametrize("bus", [False, True])
def test_what_is_restarted_within_a_call_is_asked_anew_and_nobody_notices(
    process: Process, secret_service: SecretService, opened: list[str], *, bus: bool
) -> None:
    with process.call() as (caller, keyring):
        if not bus:
            assert keyring.usernames("rattler") == [HOST]
        secret_service.restart(bus=bus)
        assert keyring.usernames("rattler") == [HOST]
        secret = keyring.get("rattler", HOST)
        assert secret is not None
        assert "t" in secret.reveal()
    assert caller.warnings == []
    assert process.get() == "t"
    assert len(opened) == (2 if bus else 1)


def test_a_bus_that_has_been_replaced_is_left_though_it_still_answers(
    process: Process, secret_service: SecretService, opened: list[str]
) -> None:
    secret_service.socket.unlink()
    secret_service.start_bus()
    secret_service.start()
    change(secret_service, "of the new one")
    assert process.get() == "of the new one"
    assert len(opened) == 2


def test_a_keyring_that_is_replaced_before_it_gives_a_secret_is_asked_for_it_again(
    process: Process,
    opened: list[str],
    secret_service: SecretService,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = Api.secret

    def secret(self: Api, item: str) -> bytes:
        monkeypatch.setattr(Api, "secret", real)
        secret_service.restart()
        return real(self, item)

    monkeypatch.setattr(Api, "secret", secret)
    assert process.get() == "t"
    assert len(opened) == 2


def test_nothing_is_written_over_a_connection_that_may_have_died(
    process: Process, secret_service: SecretService, opened: list[str]
) -> None:
    with process.call() as (caller, _):
        secret_service.restart(bus=True)
        RattlerStore(caller).save("new.example", Basic("bob", Secret("p")))
    names = sorted(item.names["username"] for item in secret_service.items(service="rattler"))
    assert names == ["new.example", HOST]
    assert len(opened) == 2


def test_what_a_call_has_read_it_writes_back_over_the_same_connection(
    process: Process, secret_service: SecretService, opened: list[str]
) -> None:
    with process.call() as (_, keyring):
        assert keyring.get("rattler", HOST) is not None
        keyring.put("rattler", HOST, Secret('{"BearerToken":"new"}'))
    assert [item.secret for item in secret_service.items()] == ['{"BearerToken":"new"}']
    assert process.get() == "new"
    assert len(opened) == 1


def test_a_bus_that_has_gone_is_warned_of_as_by_a_process_of_the_caller_s_own(
    process: Process, home: Home, secret_service: SecretService
) -> None:
    url = urls.parse(f"https://{HOST}/x")
    home.write_rattler({HOST: {"BearerToken": "of the file"}})
    with process.call() as (within, _):
        secret_service.end_bus()
        assert process.get() == "of the file"
        (warning,) = process.warnings
        for caller in (Caller(dict(home.env), str(home.path)), within):
            assert RattlerStore(caller).find(url) is not None
            assert caller.warnings == [warning]


def test_a_keyring_that_hung_in_one_call_is_asked_again_in_the_next(
    process: Process, secret_service: SecretService, opened: list[str]
) -> None:
    with secret_service.stopped():
        begin = time.monotonic()
        with pytest.raises(StoreError, match="not answered"):
            process.get()
        assert time.monotonic() - begin < 2 * PATIENCE  # waited for once
    assert process.get() == "t"
    assert len(opened) == 2


def test_a_locked_keyring_is_an_answer_and_no_reason_to_connect_anew(
    process: Process, secret_service: SecretService, opened: list[str]
) -> None:
    secret_service.lock()
    with pytest.raises(StoreError, match="locked"):
        process.get()
    secret_service.unlock()
    assert process.get() == "t"
    assert len(opened) == 1


def test_sixteen_threads_at_once_get_right_answers_and_leave_no_more_connections(
    fresh: Process, secret_service: SecretService, opened: list[str]
) -> None:
    before = secret_service.connections()
    barrier = threading.Barrier(16)
    answers: list[str | None] = []

    def run() -> None:
        for _ in range(5):
            barrier.wait()
            answers.append(fresh.get())

    threads = [threading.Thread(target=run) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == ["t"] * 80
    assert len(opened) <= 16
    assert secret_service.connections() - before == len(opened)


def test_no_more_connections_are_kept_than_the_limit_says(
    fresh: Process, shared: SharedCache, secret_service: SecretService
) -> None:
    before = secret_service.connections()
    callers = [fresh.caller() for _ in range(pool.MOST + 4)]
    assert all(caller.keyring() is not None for caller in callers)
    assert secret_service.connections() - before == pool.MOST + 4
    for caller in callers:
        caller.close()
    assert secret_service.connections() - before == pool.MOST
    shared.close()
    assert secret_service.connections() == before


def test_what_is_given_back_after_the_end_is_closed(
    fresh: Process, shared: SharedCache, secret_service: SecretService
) -> None:
    before = secret_service.connections()
    with fresh.call():
        shared.close()
        assert secret_service.connections() == before + 1
    assert secret_service.connections() == before


def test_a_connection_that_nobody_uses_is_closed(
    fresh: Process,
    shared: SharedCache,
    secret_service: SecretService,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = secret_service.connections()
    assert fresh.get() == "t"
    shared.tidy()
    assert secret_service.connections() == before + 1
    monkeypatch.setattr(pool, "IDLE", 0.0)
    shared.tidy()
    assert secret_service.connections() == before


def test_a_keyring_of_many_logins_costs_no_question_for_each(
    process: Process, secret_service: SecretService, asked: list[str]
) -> None:
    for number in range(40):
        add(secret_service, str(number), f"{number}.example")
    asked.clear()
    assert process.get() == "t"
    assert len(asked) < 10
    add(secret_service, "of the wildcard", "*.wild.example")
    assert process.get("https://a.b.wild.example/") == "of the wildcard"


def test_many_gets_leave_no_memory_behind(process: Process) -> None:
    for _ in range(200):
        assert process.get() == "t"
    gc.collect()
    before = memory.resident()
    for _ in range(600):
        process.get()
    gc.collect()
    assert memory.resident() - before < 300 * 1024
