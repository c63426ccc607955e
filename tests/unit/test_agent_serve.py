"""The agent's socket: there when it listens, gone when it ends, and never another's."""

from __future__ import annotations

import errno
import os
import signal
import socket
import stat
import tempfile
import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from credlatch.agent import serve, start, wire
from credlatch.agent.by_socket import SocketListener, identity
from credlatch.agent.server import Server
from support.found import sure

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def path() -> Iterator[bytes]:
    """A short one: a socket's may have a hundred bytes."""
    with tempfile.TemporaryDirectory(prefix="credlatch-", dir="/tmp") as folder:
        yield os.fsencode(folder) + b"/a.sock"


def listening(path: bytes) -> SocketListener:
    return SocketListener(path, {os.getuid()})


def can_connect(path: bytes) -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(path)
        except OSError:
            return False
        return True


def test_it_takes_the_place_of_what_a_dead_one_left(path: bytes) -> None:
    for _ in range(2):
        with closing(listening(path)):
            assert can_connect(path)
            assert stat.S_IMODE(os.stat(path).st_mode) & 0o077 == 0
            assert os.listdir(os.path.dirname(path)) == [b"a.sock"]
        assert not can_connect(path)


def test_what_was_left_aside_is_no_hindrance(path: bytes) -> None:
    Path(os.fsdecode(path) + ".new").touch()
    with closing(listening(path)):
        assert can_connect(path)


def test_where_nothing_can_be_made_nothing_stays_open(path: bytes) -> None:
    os.mkdir(path)
    with pytest.raises(OSError, match="directory"):
        listening(path)
    with pytest.raises(OSError, match="too long"):
        listening(path + b"x" * 100)
    with pytest.raises(FileNotFoundError):
        listening(path + b"/not/there")


def test_a_socket_is_told_from_the_one_before(path: bytes) -> None:
    assert identity(path) is None
    with closing(listening(path)):
        first = sure(identity(path))
        with closing(listening(path)):
            assert identity(path) not in {None, first}


class Ending(Server):
    """A server that ends at once, and what happens before."""

    def __init__(self, path: bytes, *, signalled: int = 0, replaced: bool = False) -> None:
        self.listener = listening(path)
        super().__init__(self.listener, lambda *_: b"", None, lambda: None)
        self.others: list[SocketListener] = []
        self.finished = 0
        self._path = path
        self._signalled = signalled
        self._replaced = replaced

    def run(self) -> None:
        if self._replaced:
            self.others.append(listening(self._path))
        if self._signalled:
            signal.raise_signal(self._signalled)
            pytest.fail("it goes on")

    def finish(self) -> None:
        super().finish()
        self.finished += 1


@pytest.fixture
def process() -> Iterator[None]:
    """Its handlers of signals, and the size of its threads, as they are outside of this test."""
    size = threading.stack_size()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
    threading.stack_size(size)


@pytest.mark.usefixtures("process")
@pytest.mark.parametrize("signalled", [0, signal.SIGINT, signal.SIGTERM])
def test_at_the_end_its_socket_is_gone(path: bytes, signalled: int) -> None:
    server = Ending(path, signalled=signalled)
    told = []
    serve.run_until_signalled(server, server.listener, lambda: told.append(can_connect(path)))
    assert identity(path) is None
    assert server.finished == 1
    assert told == [True]
    assert threading.stack_size() == 1024 * 1024  # as many may be asking at once


@pytest.mark.usefixtures("process")
@pytest.mark.parametrize("signalled", [0, signal.SIGTERM])
def test_one_that_is_another_s_by_then_stays(path: bytes, signalled: int) -> None:
    server = Ending(path, signalled=signalled, replaced=True)
    serve.run_until_signalled(server, server.listener)
    assert can_connect(path)
    for other in server.others:
        other.close()


def refuses(*_: object) -> None:
    raise OSError(errno.EROFS, os.strerror(errno.EROFS))


@pytest.mark.usefixtures("process")
@pytest.mark.parametrize("name", ["unlink", "lstat"])
def test_what_has_begun_is_seen_through_where_its_socket_cannot_be_removed(
    path: bytes, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    server = Ending(path)
    with monkeypatch.context() as patched:
        patched.setattr(os, name, refuses)
        serve.run_until_signalled(server, server.listener)
    assert server.finished == 1
    assert identity(path) is not None
    assert not can_connect(path)


def test_it_ends_when_it_is_told_to_whatever_becomes_of_its_socket(
    path: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(listening(path)) as listener:
        agent = serve.Agent(listener, "b", None)
        monkeypatch.setattr(os, "unlink", refuses)
        assert agent.answer(wire.STOP, [])
        agent._server.run()  # and returns


def test_its_log_begins_with_the_call_that_has_started_it(
    path: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(start.FIRST, "2030-01-01T00:00:00Z bazel a.example netrc answered")
    with closing(listening(path)) as listener:
        agent = serve.Agent(listener, "b", 0.0)
        assert agent._log.text() == "2030-01-01T00:00:00Z bazel a.example netrc answered\n"
    assert start.FIRST not in os.environ
