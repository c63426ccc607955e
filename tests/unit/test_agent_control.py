"""Asking the agent about itself, and who is at the other end of a connection."""

from __future__ import annotations

import errno
import os
import socket
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from credlatch.agent import control, place, transport, wire
from credlatch.errors import AgentError

if TYPE_CHECKING:
    from collections.abc import Iterator

BUILD = "b"


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Both ends of a connection."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """Who listens where the caller's own agent would."""
    with (
        tempfile.TemporaryDirectory(prefix="cl-", dir="/tmp") as runtime,
        socket.socket(socket.AF_UNIX) as listener,
    ):
        (Path(runtime) / "credlatch").mkdir(mode=0o700)
        listener.bind(f"{runtime}/credlatch/{BUILD}.sock")
        listener.listen()
        listener.setblocking(False)
        yield listener


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("open folder", " is open to others: chmod 700 "),
        ("no socket", " is no socket of yours: remove it"),
        ("another user", " is answered by another user: remove it"),
    ],
)
def test_nobody_else_is_asked_how_the_agent_is(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch, what: str, said: str
) -> None:
    path = Path(listener.getsockname())
    monkeypatch.setattr(place, "socket", lambda *_: os.fsencode(path))
    if what == "open folder":
        path.parent.chmod(0o755)
    elif what == "no socket":
        path.unlink()
        path.touch()
    else:
        monkeypatch.setattr(place, "uid_of", lambda _: os.getuid() + 1)
    with pytest.raises(AgentError, match=f"{path.parent}.*{said}"):
        control.ask(BUILD, wire.STOP)
    if what != "another user":
        with pytest.raises(BlockingIOError):
            listener.accept()
    else:
        with listener.accept()[0] as connection:
            assert connection.recv(1) == b""


@pytest.mark.parametrize("error", [errno.EMFILE, errno.ENFILE, errno.EIO])
def test_what_we_lack_ourselves_is_no_agent_that_listens(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    path = os.fsencode(listener.getsockname())
    monkeypatch.setattr(place, "socket", lambda *_: path)
    assert transport.listens(BUILD)

    def lacks(*_: object) -> None:
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(socket, "socket", lacks)
    with pytest.raises(AgentError, match="whether an agent is running cannot be told: "):
        transport.listens(BUILD)


def test_the_user_at_the_other_end(pair: tuple[socket.socket, socket.socket]) -> None:
    assert place.uid_of(pair[0]) == os.getuid()


def test_where_nobody_tells_who_is_there(
    pair: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "sunos5")
    assert place.uid_of(pair[0]) is None


@pytest.mark.parametrize("uid", [0, 501, 4_294_967_294])
def test_macos_tells_it_at_the_same_place(monkeypatch: pytest.MonkeyPatch, uid: int) -> None:
    """``struct xucred``: a version, the user, a number of groups and sixteen of them."""
    told = b"".join(n.to_bytes(4, sys.byteorder) for n in (0, uid, 1, *range(20, 36)))

    class Connection:
        def getsockopt(self, level: int, option: int, size: int) -> bytes:
            assert (level, option) == (0, 1)
            assert size >= len(told)
            return told

    monkeypatch.setattr(sys, "platform", "darwin")
    assert place.uid_of(Connection()) == uid  # type: ignore[arg-type] # all that is asked of it
