"""Connections to the agent: each is answered or let go, and none holds up another."""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress

import pytest

from credlatch.agent import server, wire
from support.in_memory import until
from support.serving import PATIENCE, echo, rest, running, waiting


def test_each_request_has_its_answer_and_the_end() -> None:
    with running(echo) as it:
        assert it.ask(b"a", b"b") == wire.answer(0, b"Gab", b"")
        assert it.ask(what=wire.STATUS) == wire.answer(0, b"S", b"")
        assert it.ask(b"x" * 3_000_000) == wire.answer(0, b"G" + b"x" * 3_000_000, b"")


GOOD = wire.request(wire.GET, b"field")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GET / HTTP/1.1\r\n\r\n",
        b"CRED\x02" + GOOD[5:],
        GOOD[:3],
        GOOD[: wire.HEAD],
        GOOD[:-1],
        wire.MAGIC + wire.GET + b"\xff\xff\xff\xff",
        wire.MAGIC + wire.GET + b"\0\0\0\1\0",
        wire.MAGIC + wire.GET + b"\0\0\0\5\0\0\0\2x",
    ],
)
def test_what_is_no_request_has_no_answer(data: bytes) -> None:
    with running(echo) as it:
        assert it.tell(data, end=True) == b""
        assert it.ask(b"a") == wire.answer(0, b"Ga", b"")


def test_a_defect_of_ours_is_left_to_the_caller() -> None:
    def fail(_: bytes, __: list[bytes]) -> bytes:
        raise ZeroDivisionError

    with running(fail) as it:
        assert it.ask() == wire.DECLINED


def test_another_user_is_not_heard() -> None:
    heard: list[bytes] = []

    def hear(asks_for: bytes, fields: list[bytes]) -> bytes:
        heard.append(asks_for)
        return echo(asks_for, fields)

    with running(hear, uids={os.getuid() + 1}) as it:
        assert it.ask() == b""
    assert heard == []


def test_signs_of_life_while_it_is_at_work_and_none_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "PULSE", 0.01)
    go = threading.Event()
    with running(waiting(go)) as it, it.connect() as connection:
        request = wire.request(wire.GET, b"a")
        connection.sendall(request[:-1])
        connection.settimeout(0.1)
        with pytest.raises(TimeoutError):
            connection.recv(1)  # it has not been asked yet
        connection.settimeout(PATIENCE)
        connection.sendall(request[-1:])
        for _ in range(3):
            assert connection.recv(1) == wire.PULSE
        go.set()
        assert rest(connection).lstrip(wire.PULSE) == wire.answer(0, b"Ga", b"")


def test_many_at_once_wait_for_none_of_the_others() -> None:
    go = threading.Event()
    with running(waiting(go)) as it:
        slow = [it.connect() for _ in range(50)]
        for connection in slow:
            connection.sendall(wire.request(wire.GET, b"slow"))
        assert it.ask() == wire.answer(0, b"G", b"")
        go.set()
        for connection in slow:
            data = rest(connection)
            assert data.lstrip(wire.PULSE) == wire.answer(0, b"Gslow", b"")
            connection.close()


def test_who_does_not_take_the_answer_holds_up_nobody() -> None:
    large = b"x" * 3_000_000  # far more than a socket holds
    with running(echo) as it, it.connect() as stuck:
        stuck.sendall(wire.request(wire.GET, large))
        stuck.recv(1)  # it is being sent
        begin = time.monotonic()
        for _ in range(10):
            assert it.ask(b"a").lstrip(wire.PULSE) == wire.answer(0, b"Ga", b"")
        assert time.monotonic() - begin < server.PATIENCE / 2


def test_who_says_nothing_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "PATIENCE", 0.1)
    with running(echo) as it, it.connect() as silent:
        assert silent.recv(1) == b""


def test_there_is_a_limit_and_who_comes_then_serves_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MOST", 3)
    go = threading.Event()
    with running(waiting(go)) as it:
        slow = [it.connect() for _ in range(3)]
        for connection in slow:
            connection.sendall(wire.request(wire.GET, b"slow"))
            assert connection.recv(1) == wire.PULSE
        assert it.ask() == b""
        go.set()
        for connection in slow:
            assert b"Gslow" in rest(connection)
            connection.close()
        # Their threads end a moment after their connections.
        deadline = time.monotonic() + PATIENCE
        while not it.ask():
            assert time.monotonic() < deadline


def test_all_requests_together_have_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "ROOM", 10_000)
    with running(echo) as it, it.connect() as slow:
        request = wire.request(wire.GET, b"x" * 8_000)
        slow.sendall(request[:-1])
        until(lambda: it.server._room < 3_000)
        assert not it.ask(b"x" * 8_000)
        assert it.ask(b"a") == wire.answer(0, b"Ga", b"")
        slow.sendall(request[-1:])
        assert rest(slow).lstrip(wire.PULSE) == wire.answer(0, b"G" + b"x" * 8_000, b"")
        deadline = time.monotonic() + PATIENCE
        while not it.ask(b"x" * 8_000):  # a moment later there is room again
            assert time.monotonic() < deadline


def test_who_only_announces_much_keeps_out_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "ROOM", 10_000)
    with running(echo) as it, it.connect() as announcing:
        announcing.sendall(wire.request(wire.GET, b"x" * 3_000_000)[:100])
        for _ in range(10):
            assert it.ask(b"x" * 8_000) == wire.answer(0, b"G" + b"x" * 8_000, b"")


@pytest.mark.parametrize(
    ("use", "what", "size", "answered"),
    [
        (wire.GET, wire.GET, 4_000_000, True),
        (wire.GET, wire.FORWARDED, 60_000, True),
        (wire.GET, wire.FORWARDED, 70_000, False),
        (wire.GET, wire.STOP, 70_000, False),
        (wire.FORWARDED, wire.FORWARDED, 1024 * 1024, True),
        (wire.FORWARDED, wire.FORWARDED, 1024 * 1024 + 5_000, False),
        (wire.FORWARDED, wire.GET, 70_000, False),
        (wire.FORWARDED, wire.GET, 60_000, True),
    ],
)
def test_each_kind_of_request_has_its_limit(
    use: bytes, what: bytes, size: int, *, answered: bool
) -> None:
    with running(echo, use=use) as it:
        assert bool(it.ask(b"x" * size, what=what)) == answered


def test_who_trickles_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "PATIENCE", 0.3)
    with running(echo) as it, it.connect() as trickling:
        sent = 0
        with suppress(ConnectionError):
            for byte in wire.request(wire.GET, b"x" * 1_000):
                trickling.sendall(bytes([byte]))
                sent += 1
                time.sleep(0.02)
        assert sent < 500
