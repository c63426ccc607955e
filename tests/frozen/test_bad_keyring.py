"""A D-Bus that does not do its work: a failure, never a login in the clear or one that stays."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support import false_bus
from support.false_bus import FalseBus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.home import Home
    from support.program import Program

HOST = "r.example"
SECRET = "kept-from-everybody"
KEPT = f'{{"BasicHTTP":{{"username":"bob","password":"{SECRET}"}}}}'
NEW = {"ServerURL": HOST, "Username": "bob", "Secret": f"{SECRET}-new"}


@pytest.fixture
def bus(home: Home) -> Iterator[FalseBus]:
    """The bus of the test's home, with a login; its socket's path must be short."""
    with tempfile.TemporaryDirectory(prefix="fb-") as folder, FalseBus(Path(folder) / "bus") as bus:
        home.env["DBUS_SESSION_BUS_ADDRESS"] = bus.address
        bus.add("rattler", HOST, KEPT)
        yield bus


def in_the_clear(home: Home) -> list[Path]:
    """The files that hold the secret, or the one that was to be stored."""
    return [
        path
        for path in home.path.rglob("*")
        if path.is_file() and SECRET.encode() in path.read_bytes()
    ]


def test_a_bus_that_works_is_written_to_and_nothing_else(
    frozen: Program, home: Home, bus: FalseBus
) -> None:
    assert frozen.docker("get", HOST).json()["Secret"] == SECRET
    assert frozen.docker("store", NEW).code == 0
    assert frozen.docker("get", HOST).json()["Secret"] == NEW["Secret"]
    assert frozen.docker("list").json() == {HOST: "bob"}
    assert frozen.docker("erase", HOST).code == 0
    assert (bus.items, in_the_clear(home)) == ({}, [])


@pytest.mark.parametrize(
    ("step", "fault", "call"),
    [
        ("Hello", false_bus.SILENT, ("get", HOST)),
        ("SearchItems", false_bus.FLOODS, ("store", NEW)),
        ("SearchItems", false_bus.NO_REPLY, ("erase", HOST)),
    ],
)
def test_a_bus_that_is_busy_fails_a_call_in_one_line(
    frozen: Program, home: Home, bus: FalseBus, step: str, fault: str, call: tuple[str, Any]
) -> None:
    bus.always(step, fault)
    kept = dict(bus.items)
    answer = frozen.docker(*call)
    said = answer.out.decode()
    assert (answer.code, said.count("\n")) == (1, 1), answer
    assert "DBUS_SESSION_BUS_ADDRESS" in said, answer
    assert SECRET not in said + answer.err
    assert (bus.items, in_the_clear(home)) == (kept, [])


def test_what_fails_more_than_once_in_a_call_is_told_once(
    frozen: Program, home: Home, bus: FalseBus
) -> None:
    home.write_rattler({HOST: {"BasicHTTP": {"username": "bob", "password": "in a file"}}})
    bus.always("SearchItems", false_bus.FLOODS)
    answer = frozen("keyring", "set", f"https://{HOST}/", "bob", stdin=b"new\n")
    assert (answer.code, answer.err.count("\n")) == (1, 1), answer
    assert "DBUS_SESSION_BUS_ADDRESS" in answer.err, answer


def test_a_service_that_ends_while_it_is_asked_gives_no_answer_and_gets_no_login(
    frozen: Program, home: Home, bus: FalseBus
) -> None:
    bus.always("OpenSession", false_bus.HANGS_UP)
    for action, sent in (("get", HOST), ("store", NEW)):
        answer = frozen.docker(action, sent)
        assert (answer.code, answer.out.count(b"\n")) == (1, 1), (action, answer)
        assert b"the Secret Service failed" in answer.out
        assert b"DBUS_SESSION_BUS_ADDRESS" in answer.out
    assert in_the_clear(home) == []
