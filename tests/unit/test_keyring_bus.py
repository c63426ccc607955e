"""A D-Bus that is busy, silent, lying or another user's, for a process and for one that serves."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from credlatch import url as urls
from credlatch.caller import Caller
from credlatch.credential import Basic, Secret
from credlatch.errors import StoreError
from credlatch.shared_cache import SharedCache
from credlatch.stores.rattler import RattlerStore
from credlatch.system.keyring import bus as bus_of_ours
from support import false_bus
from support.callers import caller_of
from support.false_bus import FalseBus
from support.found import secret, sure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.home import Home

HOST = "o.example"
URL = urls.parse(f"https://{HOST}/x")
LOGIN = Basic("u", Secret("s3cret"))
TOKEN = '{"BearerToken":"t"}'
STORED = '{"BasicHTTP":{"username":"u","password":"old"}}'
SHORT = 0.15  # seconds that are left of a call, where it is to wait to its end
root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to be two users")


@contextmanager
def bus_of(home: Home, uid: int | None = None, mode: int = 0o700) -> Iterator[FalseBus]:
    """A bus that the home's environment names; its socket's path must be short."""
    with tempfile.TemporaryDirectory(prefix="fb-") as folder:
        Path(folder).chmod(mode)
        with FalseBus(Path(folder) / "bus", uid=uid) as bus:
            home.env["DBUS_SESSION_BUS_ADDRESS"] = bus.address
            yield bus


@pytest.fixture
def bus(home: Home) -> Iterator[FalseBus]:
    """The bus of the test's home."""
    with bus_of(home) as bus:
        yield bus


@pytest.fixture(params=["own process", "guest"])
def caller(
    home: Home,
    bus: FalseBus,  # noqa: ARG001 - the home's environment names it
    request: pytest.FixtureRequest,
) -> Iterator[Caller]:
    """Whoever calls, in a process of their own and as a guest of one that serves several."""
    shared = SharedCache() if request.param == "guest" else None
    caller = Caller(dict(home.env), str(home.path), shared, is_guest=shared is not None)
    yield caller
    caller.close()
    if shared is not None:
        shared.close()


def get(caller: Caller) -> str | None:
    """The secret that is answered; the keyring is let go."""
    return secret(RattlerStore(caller).find(URL))


def shorten(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    # What keeps a login puts off the end of the call, and not that of a step.
    for name, seconds in (("GRACE", 0.05), ("OPENING", SHORT), ("PATIENCE", SHORT)):
        monkeypatch.setattr(bus_of_ours, name, seconds)
    monkeypatch.setattr("credlatch.system.keyring.secret_service.PATIENCE", SHORT)
    caller.deadline = time.monotonic() + SHORT


@pytest.fixture
def short(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call, and each step of one, that has not much time."""
    shorten(caller, monkeypatch)


def save(caller: Caller) -> None:
    RattlerStore(caller).save(HOST, LOGIN)


def erase(caller: Caller) -> bool:
    return RattlerStore(caller).delete(HOST)


def file(home: Home) -> Path:
    return home.path / ".rattler/credentials.json"


def test_a_good_one_answers(bus: FalseBus, caller: Caller) -> None:
    bus.add("rattler", HOST, TOKEN)
    assert get(caller) == "t"
    assert caller.warnings == []


# ---- busy for a moment: the answer is right ----


def test_a_queue_that_is_full_for_a_moment_is_waited_in(bus: FalseBus, caller: Caller) -> None:
    bus.add("rattler", HOST, TOKEN)
    answers: list[str | None] = []
    with bus.full():
        thread = threading.Thread(target=lambda: answers.append(get(caller)))
        thread.start()
        time.sleep(0.5)
        assert answers == []
    thread.join()
    assert answers == ["t"]
    assert caller.warnings == []


def test_steps_that_take_long_are_waited_for(bus: FalseBus, caller: Caller) -> None:
    bus.add("rattler", HOST, TOKEN)
    bus.next("AUTH", 1.3)  # jeepney alone waits for one second
    for step in ("Hello", "SearchItems", "OpenSession", "GetSecret"):
        bus.next(step, 0.3)
    assert get(caller) == "t"


@pytest.mark.parametrize("step", ["AUTH", "Hello", "SearchItems"])
@pytest.mark.parametrize("fault", [false_bus.HANGS_UP, false_bus.LIMITS, false_bus.NO_REPLY])
def test_what_fails_for_a_moment_is_asked_again(
    bus: FalseBus, caller: Caller, step: str, fault: str
) -> None:
    bus.add("rattler", HOST, TOKEN)
    bus.next(step, *([false_bus.HANGS_UP] * 2 if step == "AUTH" else [fault] * 2))
    assert get(caller) == "t"
    assert caller.warnings == []


@pytest.mark.parametrize("step", ["OpenSession", "GetSecret"])
def test_a_connection_that_breaks_before_a_secret_has_come_is_made_anew(
    bus: FalseBus, caller: Caller, step: str
) -> None:
    bus.add("rattler", HOST, TOKEN)
    bus.next(step, false_bus.HANGS_UP)
    assert get(caller) == "t"
    assert (bus.connections, caller.warnings) == (2, [])


# ---- for longer than a call: a failure, and nothing else ----

ALWAYS = [
    ("AUTH", false_bus.SILENT),
    ("AUTH", false_bus.HANGS_UP),
    ("Hello", false_bus.SILENT),
    ("Hello", false_bus.HANGS_UP),
    ("Hello", false_bus.FLOODS),
    ("Hello", false_bus.LIMITS),
    ("Hello", "org.freedesktop.DBus.Error.AccessDenied"),
    ("SearchItems", false_bus.SILENT),
    ("SearchItems", false_bus.HANGS_UP),
    ("SearchItems", false_bus.FLOODS),
    ("SearchItems", false_bus.LIMITS),
    ("SearchItems", "org.freedesktop.DBus.Error.Spawn.ChildExited"),
    ("SearchItems", "org.freedesktop.DBus.Error.TimedOut"),
]


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize(("step", "fault"), ALWAYS)
def test_a_bus_that_does_not_answer_is_a_failure_and_hides_nothing_else(
    home: Home, bus: FalseBus, caller: Caller, step: str, fault: str
) -> None:
    bus.always(step, fault)
    with pytest.raises(StoreError) as raised:
        get(caller)
    assert "\n" not in str(raised.value)
    home.write_rattler({HOST: {"BearerToken": "of the file"}})
    connections, asked = bus.connections, list(bus.asked)
    assert get(caller) == "of the file"
    if fault == false_bus.SILENT:
        assert (bus.connections, bus.asked) == (connections, asked)  # it is not waited for again
        assert caller.warnings == [str(raised.value)]


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("caller", ["own process"], indirect=True)
@pytest.mark.parametrize("change", [save, erase])
@pytest.mark.parametrize(("step", "fault"), ALWAYS)
def test_a_busy_bus_makes_no_login_go_to_a_file_and_no_erased_one_stay(
    home: Home,
    bus: FalseBus,
    caller: Caller,
    change: Callable[[Caller], object],
    step: str,
    fault: str,
) -> None:
    bus.add("rattler", HOST, STORED)
    bus.always(step, fault)
    with pytest.raises(StoreError) as raised:
        change(caller)
    assert "s3cret" not in str(raised.value)
    assert not file(home).exists()
    assert [kept for _, kept in bus.items.values()] == [STORED]


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("step", ["ReadAlias", "CreateItem", "OpenSession", "Get"])
@pytest.mark.parametrize("fault", [false_bus.NO_REPLY, false_bus.UNKNOWN, false_bus.HANGS_UP])
def test_a_service_that_fails_while_a_login_is_kept_leaves_none_in_the_file(
    home: Home, bus: FalseBus, caller: Caller, step: str, fault: str
) -> None:
    bus.always(step, fault)
    with pytest.raises(StoreError) as raised:
        save(caller)
    assert "s3cret" not in str(raised.value)
    assert not file(home).exists()


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("ask", [get, save, erase])
def test_a_queue_that_stays_full_is_a_failure(
    home: Home, bus: FalseBus, caller: Caller, ask: Callable[[Caller], object]
) -> None:
    with bus.full(), pytest.raises(StoreError, match="D-Bus"):
        ask(caller)
    assert not file(home).exists()


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("step", ["OpenSession", "GetSecret", "Get"])
@pytest.mark.parametrize(
    "fault", [false_bus.SILENT, false_bus.HANGS_UP, false_bus.FLOODS, false_bus.UNKNOWN]
)
def test_an_item_that_cannot_be_read_is_a_failure(
    bus: FalseBus, caller: Caller, step: str, fault: str
) -> None:
    bus.add("rattler", HOST, TOKEN)
    bus.always(step, fault)
    with pytest.raises(StoreError):
        get(caller)


@pytest.mark.parametrize("caller", ["guest"], indirect=True)
def test_a_lent_connection_that_cannot_be_opened_anew_stays_a_failure(
    home: Home, bus: FalseBus, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert get(caller) is None  # which leaves a connection for the next call
    caller.close()
    shorten(caller, monkeypatch)
    bus.always("SearchItems", false_bus.HANGS_UP)
    bus.always("AUTH", false_bus.HANGS_UP)
    for ask in (get, save, erase, save):
        with pytest.raises(StoreError):
            ask(caller)
    assert not file(home).exists()


# ---- nobody is asked anything ----


@pytest.mark.parametrize(("step", "change"), [("CreateItem", save), ("Delete", erase)])
def test_a_service_that_wants_to_ask_the_user_is_locked(
    home: Home, bus: FalseBus, caller: Caller, step: str, change: Callable[[Caller], object]
) -> None:
    bus.always(step, false_bus.PROMPTS)
    if change is erase:
        bus.add("rattler", HOST, STORED)
    with pytest.raises(StoreError, match="locked"):
        change(caller)
    assert "Prompt" not in bus.asked
    assert not file(home).exists()


# ---- absent: there is none, and that is no failure ----


@pytest.mark.parametrize("name", ["ServiceUnknown", "NameHasNoOwner", "Spawn.ServiceNotFound"])
def test_a_bus_without_a_secret_service_is_like_none(
    home: Home, bus: FalseBus, caller: Caller, name: str
) -> None:
    bus.always("SearchItems", f"org.freedesktop.DBus.Error.{name}")
    bus.always("ReadAlias", f"org.freedesktop.DBus.Error.{name}")
    assert get(caller) is None
    save(caller)
    assert file(home).exists()
    assert erase(caller)


def test_of_several_addresses_the_first_that_is_there_counts(
    home: Home, bus: FalseBus, caller: Caller
) -> None:
    bus.add("rattler", HOST, TOKEN)
    assert isinstance(caller.environ, dict)
    caller.environ["DBUS_SESSION_BUS_ADDRESS"] = (
        f"tcp:host=a;unix:path={home.path}/no;{bus.address}"
    )
    assert get(caller) == "t"
    assert caller.warnings == []


@pytest.mark.parametrize("path", ["/dev/null", "/dev/null/bus", "/" + "x" * 200, "%00"])
def test_where_no_bus_can_be_there_is_none(home: Home, path: str) -> None:
    home.env["DBUS_SESSION_BUS_ADDRESS"] = f"unix:path={path}"
    caller = caller_of(home)
    assert get(caller) is None
    assert len(caller.warnings) == 1


# ---- another user's ----


@root
@pytest.mark.parametrize("guest", [True, False])
def test_another_user_s_bus_gets_and_gives_nothing(home: Home, *, guest: bool) -> None:
    with bus_of(home, uid=65_533) as bus:
        bus.add("rattler", HOST, TOKEN)
        shared = SharedCache() if guest else None
        caller = Caller(dict(home.env), str(home.path), shared, is_guest=guest)
        assert get(caller) is None
        (warning,) = caller.warnings
        assert "another user" in warning
        save(caller)
        assert bus.asked == []
        assert len(bus.items) == 1
    assert file(home).exists()


def keyring_of(uid: int, caller: Caller) -> object:
    """What a process of another user's has for a keyring."""
    os.seteuid(uid)
    try:
        return caller.keyring()
    finally:
        os.seteuid(0)


@root
def test_another_user_s_bus_in_a_closed_folder_is_no_failure(home: Home) -> None:
    # As after `su`, which keeps the variable of whoever calls it.
    with bus_of(home):
        caller = caller_of(home)
        assert keyring_of(65_533, caller) is None
        assert "another user" in caller.warnings[0]


@root
def test_a_bus_of_one_s_own_that_is_closed_is_a_failure(home: Home) -> None:
    with bus_of(home, 65_533, 0o755) as bus:
        os.chown(bus.path, 65_533, 65_533)
        bus.path.chmod(0)
        with pytest.raises(StoreError, match="D-Bus"):
            keyring_of(65_533, caller_of(home))


def test_of_doubled_items_the_one_that_rattler_made_is_left(bus: FalseBus, caller: Caller) -> None:
    bus.add("rattler", HOST, STORED, target="default")
    bus.add("rattler", HOST, STORED)
    bus.add("rattler", "other.example", STORED)
    save(caller)
    left = [kept for kept, _ in bus.items.values() if kept["username"] == HOST]
    assert left == [{"service": "rattler", "username": HOST}]
    assert len(bus.items) == 2


# ---- the call's time ----


@pytest.mark.parametrize("step", ["AUTH", "Hello"])
def test_no_step_of_a_greeting_takes_longer_than_what_is_left_of_the_call(
    bus: FalseBus, caller: Caller, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    for name in ("OPENING", "PATIENCE"):
        monkeypatch.setattr(bus_of_ours, name, 60.0)
    bus.always(step, false_bus.SILENT)
    caller.deadline = time.monotonic() + SHORT
    begin = time.monotonic()
    with pytest.raises(StoreError, match="does not answer"):
        caller.keyring()
    assert time.monotonic() - begin < 30


def test_a_greeting_that_trickles_is_not_waited_for_to_its_end(
    bus: FalseBus, caller: Caller
) -> None:
    bus.always("AUTH", false_bus.TRICKLES)
    caller.deadline = time.monotonic() + 1.0
    with pytest.raises(StoreError, match="does not answer"):
        caller.keyring()
    assert bus.trickled < false_bus.MOST


def test_a_service_that_hangs_is_asked_no_more_in_that_call(
    bus: FalseBus, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    ask = bus_of_ours.Bus.send_and_get_reply

    def counted(self: Any, message: object, *, timeout: float | None = None) -> object:
        asked.append(message)
        return ask(self, message, timeout=timeout)

    monkeypatch.setattr(bus_of_ours.Bus, "send_and_get_reply", counted)
    bus.always("SearchItems", false_bus.SILENT)
    keyring = sure(caller.keyring())
    monkeypatch.setattr(bus_of_ours, "PATIENCE", 0.6)
    counts = set()
    for _ in range(3):
        with pytest.raises(StoreError, match="has not answered in time"):
            keyring.find("rattler")
        counts.add(len(asked))
    assert len(counts) == 1


def test_an_answer_that_is_larger_than_any_may_be_is_read_no_further(
    bus: FalseBus, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    bus.add("rattler", HOST, f'{{"BearerToken":"{"t" * 100_000}"}}')
    assert get(caller) == "t" * 100_000
    monkeypatch.setattr(bus_of_ours, "_MOST", 50_000)
    with pytest.raises(StoreError, match="has not answered in time"):
        get(caller)


def test_what_begins_after_the_call_s_time_gets_half_a_second_and_no_more(
    bus: FalseBus, caller: Caller
) -> None:
    bus.add("rattler", HOST, TOKEN)
    keyring = sure(caller.keyring())
    caller.deadline = time.monotonic() - 1.0
    assert get(caller) == "t"
    for number in range(20):
        bus.add("many", str(number), "s")
    bus.always("GetSecret", 0.2)
    with pytest.raises(StoreError, match="answered"):
        keyring.find("many")


def test_a_connection_that_is_lent_again_has_the_time_of_its_new_call(
    home: Home, bus: FalseBus
) -> None:
    bus.add("rattler", HOST, TOKEN)
    shared = SharedCache()
    for over in (True, False):
        caller = Caller(dict(home.env), str(home.path), shared)
        assert caller.keyring() is not None
        if over:
            caller.deadline = time.monotonic() - 1.0
            assert get(caller) == "t"
            time.sleep(0.6)
        else:
            bus.always("SearchItems", 0.8)
            assert get(caller) == "t"
        caller.close()
    assert bus.connections == 1
    shared.close()
