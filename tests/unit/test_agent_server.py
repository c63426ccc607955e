"""Connections to the agent: each is answered or let go, and none holds up another."""

from __future__ import annotations

import os
import socket
import tempfile
import threading
import time
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from credlatch.agent import serve, server, wire
from credlatch.agent.server import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    Answer = Callable[[bytes, list[bytes]], bytes]

PATIENCE = 20.0  # seconds after which a test fails
LONG = 1e9


@pytest.fixture
def path() -> Iterator[Path]:
    """A short one: a socket's may have a hundred bytes."""
    with tempfile.TemporaryDirectory(prefix="credlatch-", dir="/tmp") as folder:
        yield Path(folder) / "a.sock"


def rest(connection: socket.socket) -> bytes:
    """All that is still sent."""
    return b"".join(iter(lambda: connection.recv(65_536), b""))


class Running:
    """A server in a thread.

    Attributes:
        server: the server.
        thread: in which it runs.
    """

    def __init__(self, server: Server, path: Path) -> None:
        self.server = server
        self._path = path
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        self.server.run()
        self.server.finish()

    def connect(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(PATIENCE)
        try:
            connection.connect(str(self._path))
        except OSError:
            connection.close()
            raise
        return connection

    def ask(self, *fields: bytes, what: bytes = wire.GET) -> bytes:
        """All that is sent back."""
        return self.tell(wire.request(what, *fields))

    def tell(self, data: bytes, *, end: bool = False) -> bytes:
        with self.connect() as connection:
            try:
                connection.sendall(data)
                if end:
                    connection.shutdown(socket.SHUT_WR)
                return rest(connection)
            except ConnectionError:
                return b""

    def stop(self) -> None:
        self.server.stop()
        with suppress(OSError):
            self.connect().close()  # it sees that when something happens

    def has_ended(self) -> bool:
        self.thread.join(PATIENCE)
        return not self.thread.is_alive()


@contextmanager
def running(
    path: Path,
    answer: Answer,
    *,
    idle: float | None = None,
    chores: Callable[[], float | None] = lambda: LONG,
    uids: Collection[int] | None = None,
) -> Iterator[Running]:
    listener = serve.listen(os.fsencode(path))
    made = Server(listener, answer, {os.getuid()} if uids is None else uids, idle, chores)
    it = Running(made, path)
    try:
        yield it
    finally:
        it.stop()
        it.thread.join(PATIENCE)
        threading.stack_size(0)
        assert not it.thread.is_alive()


def echo(asks_for: bytes, fields: list[bytes]) -> bytes:
    return wire.answer(0, asks_for + b"".join(fields), b"")


def waiting(go: threading.Event) -> Answer:
    """Answers when it may."""

    def answer(asks_for: bytes, fields: list[bytes]) -> bytes:
        if fields:
            assert go.wait(PATIENCE)
        return echo(asks_for, fields)

    return answer


def test_each_request_has_its_answer_and_the_end(path: Path) -> None:
    with running(path, echo) as it:
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
def test_what_is_no_request_has_no_answer(path: Path, data: bytes) -> None:
    with running(path, echo) as it:
        assert it.tell(data, end=True) == b""
        assert it.ask(b"a") == wire.answer(0, b"Ga", b"")


def test_a_defect_of_ours_is_left_to_the_caller(path: Path) -> None:
    def fail(_: bytes, __: list[bytes]) -> bytes:
        raise ZeroDivisionError

    with running(path, fail) as it:
        assert it.ask() == wire.DECLINED


def test_another_user_is_not_heard(path: Path) -> None:
    heard: list[bytes] = []

    def hear(asks_for: bytes, fields: list[bytes]) -> bytes:
        heard.append(asks_for)
        return echo(asks_for, fields)

    with running(path, hear, uids={os.getuid() + 1}) as it:
        assert it.ask() == b""
    assert heard == []


def test_signs_of_life_while_it_is_at_work_and_none_else(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "PULSE", 0.01)
    go = threading.Event()
    with running(path, waiting(go)) as it, it.connect() as connection:
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


def test_many_at_once_wait_for_none_of_the_others(path: Path) -> None:
    go = threading.Event()
    with running(path, waiting(go)) as it:
        slow = [it.connect() for _ in range(50)]
        for connection in slow:
            connection.sendall(wire.request(wire.GET, b"slow"))
        assert it.ask() == wire.answer(0, b"G", b"")
        go.set()
        for connection in slow:
            data = rest(connection)
            assert data.lstrip(wire.PULSE) == wire.answer(0, b"Gslow", b"")
            connection.close()


def test_who_does_not_take_the_answer_holds_up_nobody(path: Path) -> None:
    large = b"x" * 3_000_000  # far more than a socket holds
    with running(path, echo) as it, it.connect() as stuck:
        stuck.sendall(wire.request(wire.GET, large))
        stuck.recv(1)  # it is being sent
        begin = time.monotonic()
        for _ in range(10):
            assert it.ask(b"a").lstrip(wire.PULSE) == wire.answer(0, b"Ga", b"")
        assert time.monotonic() - begin < server.PATIENCE / 2


def test_who_says_nothing_is_let_go(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "PATIENCE", 0.1)
    with running(path, echo) as it, it.connect() as silent:
        assert silent.recv(1) == b""


def test_there_is_a_limit_and_who_comes_then_serves_itself(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "MOST", 3)
    go = threading.Event()
    with running(path, waiting(go)) as it:
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


def test_it_ends_when_nobody_asks(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "PULSE", 0.01)
    with running(path, echo, idle=0.2) as it:
        assert it.has_ended()


def test_who_looks_at_its_state_does_not_keep_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "PULSE", 0.01)
    left = []
    with running(path, echo, idle=0.5) as it:
        try:
            while it.ask(what=wire.STATUS):
                left.append(it.server.idle_left)
        except OSError:
            pass  # between its end and that of its socket
        assert it.has_ended()
    assert left == sorted(left, key=lambda each: -(each or 0.0))


def test_who_asks_keeps_it_and_who_waits_too(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "PULSE", 0.01)
    go = threading.Event()
    with running(path, waiting(go), idle=0.2) as it, it.connect() as slow:
        slow.sendall(wire.request(wire.GET, b"slow"))
        assert slow.recv(1) == wire.PULSE
        time.sleep(0.5)
        assert it.thread.is_alive()
        assert (it.server.idle_left or 0.0) == 0.0
        go.set()
        assert b"Gslow" in rest(slow)
        assert it.has_ended()


def test_without_a_limit_it_never_ends_of_itself(path: Path) -> None:
    with running(path, echo) as it:
        assert it.server.idle_left is None
        assert it.ask() == wire.answer(0, b"G", b"")
        assert it.thread.is_alive()


def test_chores_are_done_when_they_want_to_be(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "PULSE", 0.01)
    times: list[float] = []

    def chores() -> float | None:
        times.append(time.monotonic())
        return 0.1 if len(times) < 5 else None

    with running(path, echo, chores=chores) as it:
        assert it.has_ended()
    assert len(times) == 5
    assert all(after - before >= 0.1 for before, after in pairwise(times))


def test_work_of_its_own_is_waited_for(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "PULSE", 0.01)
    begun, go, done = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        assert go.wait(PATIENCE)
        done.set()

    def chores() -> float:
        if not begun.is_set():
            begun.set()
            made.do(work)
        return LONG

    made = Server(serve.listen(os.fsencode(path)), echo, {os.getuid()}, 0.1, chores)
    it = Running(made, path)
    try:
        assert begun.wait(PATIENCE)
        time.sleep(0.3)
        assert it.thread.is_alive()  # though it is idle
        it.stop()
        time.sleep(0.1)
        assert it.thread.is_alive()
    finally:
        go.set()
        assert it.has_ended()
    assert done.is_set()


def can_connect(it: Running) -> bool:
    try:
        it.connect().close()
    except ConnectionError:
        return False
    return True


def test_at_the_end_what_has_been_asked_is_answered_and_nothing_more(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "PULSE", 0.01)
    go = threading.Event()
    with running(path, waiting(go)) as it, it.connect() as slow:
        slow.sendall(wire.request(wire.GET, b"slow"))
        assert slow.recv(1) == wire.PULSE
        it.stop()
        deadline = time.monotonic() + PATIENCE
        while can_connect(it):
            assert time.monotonic() < deadline
        for _ in range(3):
            assert slow.recv(1) == wire.PULSE
        go.set()
        assert b"Gslow" in rest(slow)
        assert it.has_ended()


def test_the_end_does_not_wait_for_ever(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "PULSE", 0.01)
    monkeypatch.setattr(server, "LAST", 0.1)
    go = threading.Event()

    def work() -> None:
        go.wait(PATIENCE)

    with running(path, echo) as it:
        it.server.do(work)
        it.stop()
        assert it.has_ended()
        go.set()
