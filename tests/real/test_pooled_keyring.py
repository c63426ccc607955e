"""A process that answers many calls keeps a connection to the keyring, and asks it each time."""

from __future__ import annotations

import gc
import json
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
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

    from credlatch.system.keyring.bus import Left
    from support.home import Home
    from support.secret_service import SecretService

HOST = "o.example"
URL = urls.parse(f"https://{HOST}/x")


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
    import secretstorage

    connection = service.connect()
    try:
        (item,) = secretstorage.search_items(connection, {"service": "rattler", "username": HOST})
        item.set_secret(json.dumps({"BearerToken": token}).encode())
    finally:
        connection.close()


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

    def get(self) -> str | None:
        """What one call is answered."""
        caller = self.caller()
        try:
            entry = RattlerStore(caller).find(URL)
        finally:
            caller.close()
            self.warnings += caller.warnings
        if entry is None:
            return None
        assert entry.credential is not None
        return entry.credential.secret.reveal()


@pytest.fixture
def process(home: Home, shared: SharedCache, secret_service: SecretService) -> Process:
    add(secret_service, "t")
    return Process(home, shared)


def test_two_calls_open_one_connection_and_one_session(
    process: Process, opened: list[str], asked: list[str]
) -> None:
    assert (process.get(), process.get()) == ("t", "t")
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
    assert process.get() == "t"
    own = Caller(secret_service.env, "/")
    keyring = own.keyring()
    assert keyring is not None
    assert keyring.delete("rattler", HOST)
    own.close()
    assert process.get() is None


def test_a_keyring_that_was_restarted_is_asked_anew_and_nobody_notices(
    process: Process, secret_service: SecretService, opened: list[str], asked: list[str]
) -> None:
    assert process.get() == "t"
    secret_service.end()
    secret_service.start()
    assert process.get() == "t"
    assert process.warnings == []
    assert len(opened) == 1  # the bus has not gone
    assert asked.count("OpenSession") == 2


def test_a_keyring_that_is_restarted_within_a_call_is_asked_anew_and_nobody_notices(
    process: Process, secret_service: SecretService, opened: list[str]
) -> None:
    assert process.get() == "t"
    caller = process.caller()
    keyring = caller.keyring()
    assert keyring is not None
    assert keyring.usernames("rattler") == [HOST]
    secret_service.end()
    secret_service.start()
    secret = keyring.get("rattler", HOST)
    assert secret is not None
    assert "t" in secret.reveal()
    caller.close()
    assert process.get() == "t"
    assert len(opened) == 1


def test_a_bus_that_was_restarted_is_connected_to_anew_and_nobody_notices(
    process: Process, secret_service: SecretService, opened: list[str]
) -> None:
    assert process.get() == "t"
    secret_service.end_bus()
    secret_service.start_bus()
    secret_service.start()
    assert process.get() == "t"
    assert process.warnings == []
    assert len(opened) == 2


def test_a_bus_that_has_been_replaced_is_left_though_it_still_answers(
    process: Process, secret_service: SecretService, opened: list[str]
) -> None:
    assert process.get() == "t"
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
    assert process.get() == "t"
    real = Api.secret

    def secret(self: Api, item: str) -> bytes:
        monkeypatch.setattr(Api, "secret", real)
        secret_service.end()
        secret_service.start()
        return real(self, item)

    monkeypatch.setattr(Api, "secret", secret)
    assert process.get() == "t"
    assert len(opened) == 2


def test_a_bus_that_is_restarted_within_a_call_is_connected_to_anew_and_nobody_notices(
    process: Process, secret_service: SecretService
) -> None:
    assert process.get() == "t"
    caller = process.caller()
    keyring = caller.keyring()
    assert keyring is not None
    secret_service.end_bus()
    secret_service.start_bus()
    secret_service.start()
    assert keyring.usernames("rattler") == [HOST]
    caller.close()
    assert caller.warnings == []


def test_nothing_is_written_over_a_connection_that_may_have_died(
    process: Process, secret_service: SecretService, opened: list[str]
) -> None:
    assert process.get() == "t"
    caller = process.caller()
    assert caller.keyring() is not None
    secret_service.end_bus()
    secret_service.start_bus()
    secret_service.start()
    RattlerStore(caller).save("new.example", Basic("bob", Secret("p")))
    caller.close()
    names = sorted(item.names["username"] for item in secret_service.items(service="rattler"))
    assert names == ["new.example", HOST]
    assert len(opened) == 2


def test_what_a_call_has_read_it_writes_back_over_the_same_connection(
    process: Process, secret_service: SecretService, opened: list[str]
) -> None:
    assert process.get() == "t"
    caller = process.caller()
    keyring = caller.keyring()
    assert keyring is not None
    assert keyring.get("rattler", HOST) is not None
    keyring.put("rattler", HOST, Secret('{"BearerToken":"new"}'))
    caller.close()
    assert [item.secret for item in secret_service.items()] == ['{"BearerToken":"new"}']
    assert process.get() == "new"
    assert len(opened) == 1


def test_a_bus_that_has_gone_is_warned_of_as_by_a_process_of_the_caller_s_own(
    process: Process, home: Home, secret_service: SecretService
) -> None:
    home.write_rattler({HOST: {"BearerToken": "of the file"}})
    assert process.get() == "t"
    within = process.caller()
    assert within.keyring() is not None
    secret_service.end_bus()
    assert process.get() == "of the file"
    (warning,) = process.warnings
    own = Caller(dict(home.env), str(home.path))
    assert RattlerStore(own).find(URL) is not None
    assert own.warnings == [warning]
    assert RattlerStore(within).find(URL) is not None
    assert within.warnings == [warning]
    within.close()


def test_a_keyring_that_hung_in_one_call_is_asked_again_in_the_next(
    process: Process, secret_service: SecretService, opened: list[str]
) -> None:
    assert process.get() == "t"
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
    assert process.get() == "t"
    secret_service.lock()
    with pytest.raises(StoreError, match="locked"):
        process.get()
    secret_service.unlock()
    assert process.get() == "t"
    assert len(opened) == 1


def test_sixteen_threads_at_once_get_right_answers_and_leave_no_more_connections(
    process: Process, secret_service: SecretService, opened: list[str]
) -> None:
    before = secret_service.connections()
    barrier = threading.Barrier(16)
    answers: list[str | None] = []

    def run() -> None:
        for _ in range(5):
            barrier.wait()
            answers.append(process.get())

    threads = [threading.Thread(target=run) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == ["t"] * 80
    assert len(opened) <= 16
    assert secret_service.connections() - before == len(opened)


def test_no_more_connections_are_kept_than_the_limit_says(
    process: Process, shared: SharedCache, secret_service: SecretService
) -> None:
    before = secret_service.connections()
    callers = [process.caller() for _ in range(pool.MOST + 4)]
    assert all(caller.keyring() is not None for caller in callers)
    assert secret_service.connections() - before == pool.MOST + 4
    for caller in callers:
        caller.close()
    assert secret_service.connections() - before == pool.MOST
    shared.close()
    assert secret_service.connections() == before


def test_what_is_given_back_after_the_end_is_closed(
    process: Process, shared: SharedCache, secret_service: SecretService
) -> None:
    before = secret_service.connections()
    caller = process.caller()
    assert caller.keyring() is not None
    shared.close()
    assert secret_service.connections() == before + 1
    caller.close()
    assert secret_service.connections() == before


def test_a_connection_that_nobody_uses_is_closed(
    process: Process,
    shared: SharedCache,
    secret_service: SecretService,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = secret_service.connections()
    assert process.get() == "t"
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
    caller = process.caller()
    entry = RattlerStore(caller).find(urls.parse("https://a.b.wild.example/"))
    caller.close()
    assert entry is not None
    assert entry.credential is not None
    assert entry.credential.secret.reveal() == "of the wildcard"


def test_many_gets_leave_no_memory_behind(process: Process) -> None:
    for _ in range(200):
        assert process.get() == "t"
    gc.collect()
    before = memory.resident()
    for _ in range(600):
        process.get()
    gc.collect()
    assert memory.resident() - before < 300 * 1024
