"""The quick client: a ``get`` that the agent answers, before anything else of us is imported.

The frozen program's loader runs it first of all (build/first.py), with ``wire``, ``place`` and the
table of clients. At that moment Python finds what is built into the interpreter or beside it, and
these four by their full names: not even ``__future__`` or their own package (``_socket`` and
``resource`` are files of their own). Whatever goes wrong, the call goes on in this process.
"""

import sys

from credlatch.clients import question

TYPE_CHECKING = False
if TYPE_CHECKING:
    import _socket

PATIENCE = 0.5  # seconds without a sign of life after which the agent counts as hung
# Seconds for all of it, whatever signs of life there are: a call itself gives up after nine, and
# Bazel kills it after ten.
LONGEST = 9.4
BEGAN = "_CREDLATCH_BEGAN"  # a variable of the process before us, for the same call: when it asked
_OLD = 60.0  # seconds after which that is another call's
# A variable that says: the process before us, for the same call, has asked. Its value is the
# warning, or NO_WARNING.
ASKED = "_CREDLATCH_ASKED"
NO_WARNING = "1"
MAX_STDIN = 1024 * 1024  # bytes
_CHUNK = 65_536
_HEAD = 5  # bytes of an answer before its fields: that it is one, and their length

taken: bytes | None = None
"""What has been read of standard input, when the call goes on in this process."""
began: float | None = None
"""When somebody was asked, on the clock of ``time.monotonic``; None: nobody was.

What that has cost is not given again to what comes after. A start that takes long, on a busy
machine, does not count: who has no time for a late answer has ended us, and others take it.
"""

has_asked = False
"""Whether somebody was there to be asked, when the call goes on."""

warning: str | None = None
"""Why what CREDLATCH_AGENT names has not answered; None: it has, or names nothing."""


def answer() -> None:
    """End the process with the agent's answer, if there is one."""
    global began  # noqa: PLW0603 - see its docstring
    began = _begin()
    asked = question(sys.argv)
    reply = None if asked is None else ask(*asked)
    if reply is None:
        return
    status, out, err = reply
    import posix

    try:  # noqa: SIM105 - contextlib cannot be imported here
        _write(2, err)
    except OSError:
        pass  # the answer counts
    try:
        _write(1, out)
    except BrokenPipeError:
        pass  # the reader has gone, and needs no answer
    except OSError:
        return
    posix._exit(status)


def ask(asked: bytes, request: bytes | None) -> tuple[int, bytes, bytes] | None:
    """The answer of the agent that is there for this call, or of the one that it names.

    Args:
        asked: the protocol, as ``clients.question`` has it.
        request: what is asked; None: what standard input says.

    Returns:
        The exit status, standard output and standard error; None when there is no answer.
    """
    global warning  # noqa: PLW0603 - see its docstring
    build = sys._xoptions.get("utf8 credlatch")
    if sys.platform == "win32" or not isinstance(build, str):
        return None
    import posix

    chosen: bytes = posix.environ.get(b"CREDLATCH_AGENT", b"")
    try:
        return _ask(build, chosen, asked, request)
    # Not only OSError: nothing at all that happens here may end the call.
    except Exception as error:  # noqa: BLE001
        if chosen not in {b"", b"on"}:
            why = getattr(error, "strerror", None) or str(error) or type(error).__name__
            path = chosen.decode("utf-8", "backslashreplace")
            warning = f"no answer from CREDLATCH_AGENT={path} ({why}): this machine's logins count"
    return None


def forbid_cores() -> None:
    """Have a crash write no secret to a file, nor hand it to a program that collects cores.

    To Linux a limit of 0 means no file alone; 1 means no program either (do_coredump in
    fs/coredump.c), and is too small for a file. Where the hard limit is 0, it stays 0.
    """
    if sys.platform == "win32":
        return
    import resource

    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    soft = 1 if hard and sys.platform == "linux" else 0
    resource.setrlimit(resource.RLIMIT_CORE, (soft, hard))


def _begin() -> float | None:
    """When the process before us has asked, for the same call; None: there was none."""
    if sys.platform == "win32":
        return None
    import posix
    import time

    told = posix.environ.pop(BEGAN.encode(), None)
    if told is None:
        return None
    posix.unsetenv(BEGAN.encode())  # what we start is another call
    now = time.monotonic()
    try:
        before = float(told)
    except ValueError:
        return None
    return before if now - _OLD < before <= now else None


def ask_another(asked: bytes, request: bytes) -> tuple[int, bytes, bytes] | None:
    """The answer of another machine's agent, where CREDLATCH_AGENT names one."""
    if sys.platform == "win32":
        return None
    import posix

    chosen: bytes = posix.environ.get(b"CREDLATCH_AGENT", b"")
    return ask(asked, request) if chosen.startswith(b"/") else None


def _ask(
    build: str, chosen: bytes, asked: bytes, request: bytes | None
) -> tuple[int, bytes, bytes] | None:
    import _socket
    import posix
    import time

    from credlatch.agent.place import (
        is_named_socket,
        is_own_socket,
        may_answer,
        mount_namespace,
        socket,
        uid_of,
    )
    from credlatch.agent.wire import FORWARDED, GET, unpack
    from credlatch.agent.wire import request as framed

    global began, taken, has_asked, warning  # noqa: PLW0603 - see their docstrings
    environ: dict[bytes, bytes] = posix.environ
    uid = posix.getuid()
    if chosen == b"off":
        return None
    if (before := environ.get(ASKED.encode())) is not None:
        said = before.decode("utf-8", "backslashreplace")
        warning = None if said == NO_WARNING else said
        return None
    forbid_cores()
    forwarded = chosen.startswith(b"/")
    if not forwarded and chosen not in {b"", b"on"}:
        raise ValueError("it is neither on, off nor an absolute path")
    path = chosen if forwarded else socket(environ, uid, build)
    # Without an agent, standard input is left as it is. What it holds and, to our own, the whole
    # environment go to nobody who has put a socket, or a link to another one, in the agent's place.
    if not (is_named_socket if forwarded else is_own_socket)(path, uid):
        raise OSError("it is no socket, or another user's link")
    if request is None:
        request = taken = _stdin()
    if len(request) > MAX_STDIN:
        return None
    has_asked = True
    if began is None:
        began = time.monotonic()
    deadline = began + LONGEST
    connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    connection.settimeout(PATIENCE)
    connection.connect(path)
    listener = uid_of(connection)
    if listener != uid and not (forwarded and may_answer(path, uid, listener)):
        raise OSError("it is another user's")
    if forwarded:
        question = framed(FORWARDED, asked, request)
    else:
        try:
            cwd = posix.getcwdb()
        except OSError:
            cwd = b"/"
        variables = b"\0".join([name + b"=" + value for name, value in environ.items()])
        question = framed(GET, asked, cwd, mount_namespace(), request, variables)
    connection.sendall(question)
    answered = _receive(connection, deadline)
    if answered is None:
        return None
    status, out, err = unpack(answered)
    return status[0], out, err


def _receive(connection: "_socket.socket", deadline: float) -> bytes | None:
    """The fields of the answer; None when the agent does not serve this call.

    Raises:
        OSError: it gave no sign of life for PATIENCE, has gone, or takes too long.
        ValueError: it is no agent.
    """
    import time

    from credlatch.agent.wire import ANSWERED, DECLINED, PULSE
    from credlatch.agent.wire import LONGEST as MOST

    data = b""
    while True:
        left = deadline - time.monotonic()
        if left <= 0:
            raise OSError("it takes too long")
        connection.settimeout(min(PATIENCE, left))
        chunk = connection.recv(_CHUNK)
        if not chunk:
            raise OSError("it has gone")
        data = data + chunk if data else chunk.lstrip(PULSE)
        if data[:1] == DECLINED:
            return None
        if data and data[:1] != ANSWERED:
            raise ValueError("it is no agent")
        if len(data) >= _HEAD:
            length = int.from_bytes(data[1:_HEAD], "big")
            if length > MOST:
                raise ValueError("it is no agent")
            if len(data) >= _HEAD + length:
                return data[_HEAD : _HEAD + length]


def _stdin() -> bytes:
    """All of standard input, or a little more than MAX_STDIN."""
    import posix

    data = b""
    while len(data) <= MAX_STDIN and (chunk := posix.read(0, _CHUNK)):
        data += chunk
    return data


def _write(descriptor: int, data: bytes) -> None:
    import posix

    while data:
        data = data[posix.write(descriptor, data) :]
