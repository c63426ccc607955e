"""The quick client: which calls are the agent's, and what it makes of an answer."""

from __future__ import annotations

import _socket
import os
import posix
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from credlatch import cli
from credlatch.agent import client, control, place, wire
from credlatch.errors import AgentError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from credlatch.caller import Caller

BUILD = "b"
BAZEL = 10.0  # seconds after which Bazel kills a helper


def test_it_gives_up_before_bazel_does_and_after_a_call_has() -> None:
    from credlatch.caller import PATIENCE

    assert PATIENCE < client.LONGEST < BAZEL
    assert client.PATIENCE < 2.0


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Both ends of a connection, the agent's second."""
    with_agent, with_client = socket.socketpair()
    with with_agent, with_client:
        yield with_agent, with_client


ANSWER = wire.answer(0, b"out", b"err")


@pytest.mark.parametrize("pulses", [0, 1, 5])
@pytest.mark.parametrize("cut", [*range(1, len(ANSWER))])
def test_an_answer_comes_in_whatever_pieces(
    pair: tuple[socket.socket, socket.socket], pulses: int, cut: int
) -> None:
    ours, agents = pair
    data = wire.PULSE * pulses + ANSWER
    agents.sendall(data[:cut])
    later = threading.Timer(0.002, agents.sendall, [data[cut:]])
    later.start()
    try:
        received = client._receive(ours, forever())
    finally:
        later.join()
    assert received is not None
    assert wire.unpack(received) == [b"\0", b"out", b"err"]


def forever() -> float:
    import time

    return time.monotonic() + 60


def test_what_follows_an_answer_is_not_part_of_it(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    pair[1].sendall(ANSWER + wire.PULSE + ANSWER)
    received = client._receive(pair[0], forever())
    assert received is not None
    assert wire.unpack(received) == [b"\0", b"out", b"err"]


@pytest.mark.parametrize(
    "data",
    [
        b"x",
        wire.PULSE + b"x",
        wire.ANSWERED + b"\xff\xff\xff\xff",
        wire.ANSWERED + (wire.LONGEST + 1).to_bytes(4, "big"),
    ],
)
def test_what_is_no_agent(pair: tuple[socket.socket, socket.socket], data: bytes) -> None:
    pair[1].sendall(data)
    with pytest.raises(ValueError, match="no agent"):
        client._receive(pair[0], forever())


@pytest.mark.parametrize("data", [wire.DECLINED, wire.PULSE * 3 + wire.DECLINED])
def test_an_agent_that_does_not_serve_the_call(
    pair: tuple[socket.socket, socket.socket], data: bytes
) -> None:
    pair[1].sendall(data)
    assert client._receive(pair[0], forever()) is None


@pytest.mark.parametrize("data", [b"", wire.PULSE, ANSWER[:-1], ANSWER[:3]])
def test_an_agent_that_has_gone_or_hangs(
    pair: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch, data: bytes
) -> None:
    monkeypatch.setattr(client, "PATIENCE", 0.05)
    pair[1].sendall(data)
    with pytest.raises(TimeoutError):
        client._receive(pair[0], forever())
    pair[1].sendall(data)
    pair[1].shutdown(socket.SHUT_WR)
    with pytest.raises(OSError):  # noqa: PT011 - whichever: the call goes on
        client._receive(pair[0], forever())


def test_signs_of_life_count_only_until_the_end(
    pair: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    import time

    monkeypatch.setattr(client, "PATIENCE", 30.0)
    pair[1].sendall(wire.PULSE)
    begin = time.monotonic()
    with pytest.raises(OSError):  # noqa: PT011 - whichever: the call goes on
        client._receive(pair[0], begin + 0.1)
    assert time.monotonic() - begin < 10


# Whom it tells what.


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """Who listens where the caller's own agent would."""
    with (
        tempfile.TemporaryDirectory(prefix="cl-", dir="/tmp") as runtime,
        socket.socket(socket.AF_UNIX) as listener,
    ):
        (Path(runtime) / "credlatch").mkdir(mode=0o700)
        listener.bind(f"{runtime}/credlatch/{BUILD}.sock")
        listener.listen()
        listener.setblocking(False)
        opened: list[_socket.socket] = []
        begin = _socket.socket.__init__

        class Opened(_socket.socket):
            def __init__(self, *args: Any, **more: Any) -> None:
                begin(self, *args, **more)  # socket.socket's calls this one as well
                opened.append(self)

        monkeypatch.setattr(_socket, "socket", Opened)
        monkeypatch.setitem(posix.environ, b"XDG_RUNTIME_DIR", runtime.encode())
        for name in (b"CREDLATCH_AGENT", client.ASKED.encode()):
            monkeypatch.delitem(posix.environ, name, raising=False)
        yield listener
        for each in opened:
            each.close()


def asked(listener: socket.socket, why: str, chosen: bytes = b"") -> bytes | None:
    """What whoever listens has been told; None: nobody has even connected."""
    with pytest.raises(OSError, match=why):
        client._ask(BUILD, chosen, b"bazel", b"{}")
    try:
        connection = listener.accept()[0]
    except BlockingIOError:
        return None
    with connection:
        connection.setblocking(False)
        try:
            return connection.recv(100_000)
        except BlockingIOError:
            return b""


def test_its_own_agent_is_told_the_environment(listener: socket.socket) -> None:
    told = asked(listener, "timed out")
    assert told is not None
    assert b"XDG_RUNTIME_DIR=" in told


@pytest.mark.parametrize("what", ["open folder", "folder is a link", "socket is a link", "file"])
def test_where_others_may_have_put_something_nobody_is_connected_to(
    listener: socket.socket, what: str
) -> None:
    path = Path(listener.getsockname())
    moved = path.parent.parent / "moved"
    if what == "open folder":
        path.parent.chmod(0o755)
    elif what == "folder is a link":
        path.parent.rename(moved)
        path.parent.symlink_to(moved)
    else:
        path.rename(moved)
        path.symlink_to(moved) if what == "socket is a link" else path.touch()
    assert asked(listener, "no socket, or another user's link") is None


@pytest.mark.parametrize("named", [False, True])
def test_another_user_who_listens_is_told_nothing(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch, *, named: bool
) -> None:
    path = listener.getsockname()
    if named:
        Path(path).parent.chmod(0o1777)
    monkeypatch.setattr(place, "uid_of", lambda _: os.getuid() + 1_815_001)
    assert asked(listener, "it is another user's", path.encode() if named else b"") == b""


def test_who_is_named_is_told_the_question_alone(listener: socket.socket) -> None:
    told = asked(listener, "timed out", listener.getsockname().encode())
    assert told == wire.request(wire.FORWARDED, b"bazel", b"{}")


@pytest.fixture
def frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the frozen program has it."""
    monkeypatch.setitem(sys._xoptions, "utf8 credlatch", BUILD)
    monkeypatch.setattr(client, "warning", None)
    monkeypatch.delitem(posix.environ, client.ASKED.encode(), raising=False)


@pytest.mark.usefixtures("frozen")
@pytest.mark.parametrize(
    ("chosen", "why"),
    [
        (b"/nonexistent/a.sock", "No such file or directory"),
        (b"/", "it is no socket, or another user's link"),
        (b"relative", "it is neither on, off nor an absolute path"),
        (b"off", None),
        (b"on", None),
        (b"", None),
    ],
)
def test_what_is_named_and_does_not_answer_is_a_warning(
    monkeypatch: pytest.MonkeyPatch, chosen: bytes, why: str | None
) -> None:
    monkeypatch.setitem(posix.environ, b"XDG_RUNTIME_DIR", b"/nonexistent")
    monkeypatch.setitem(posix.environ, b"CREDLATCH_AGENT", chosen)
    assert client.ask(b"bazel", b"{}") is None
    said = f"no answer from CREDLATCH_AGENT={chosen.decode()} ({why}): this machine's logins count"
    assert client.warning == (None if why is None else said)
    (caller,) = callers_of(monkeypatch, client.began)
    assert caller.warnings == ([] if why is None else [said])


def callers_of(monkeypatch: pytest.MonkeyPatch, *began: float | None) -> list[Caller]:
    """Whom the command line takes its calls to come from, when the quick client has asked."""
    calls: list[Caller] = []

    def noted(caller: Caller) -> int:
        calls.append(caller)
        return 0

    monkeypatch.setattr(cli, "_person", noted)
    monkeypatch.setattr(sys, "argv", ["credlatch", "--version"])
    for each in began:
        monkeypatch.setattr(client, "began", each)
        assert cli.main() == 0
    return calls


def test_what_the_agent_has_used_up_is_not_given_again(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = callers_of(monkeypatch, time.monotonic() - 8.5, None)
    assert calls[0].left(9.0) <= 0.5
    assert calls[1].left(9.0) > 0.5


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


def test_run_from_source_there_is_no_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["credlatch", "get"])
    monkeypatch.setattr(client, "_ask", lambda *_: pytest.fail("it was asked"))
    monkeypatch.setattr(client, "began", None)  # the test's own, and undone
    assert "utf8 credlatch" not in sys._xoptions
    client.answer()
    assert client.began is None


def test_a_call_began_when_the_process_before_us_did(monkeypatch: pytest.MonkeyPatch) -> None:
    """The single file tells the folder, which tells nobody else."""
    name = client.BEGAN.encode()

    def begin(told: str | None) -> float | None:
        environ = {} if told is None else {name: told.encode()}
        monkeypatch.setattr("posix.environ", environ)
        began = client._begin()
        assert environ == {}
        return began

    now = time.monotonic()
    assert begin(repr(now - 3.5)) == now - 3.5
    for other in (None, "", "x", "nan", "inf", repr(now + 60), repr(now - 3_600), "-1"):
        assert begin(other) is None
