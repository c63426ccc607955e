"""The quick client: a ``get`` that the agent answers, before anything else of us is imported.

The frozen program's loader runs it first of all (build/first.py), with ``wire``, ``place`` and
``peer``. At that moment Python finds what is built into the interpreter or beside it, and these
four by their full names: not even ``__future__`` or their own package (``_socket`` and ``resource``
are files of their own). Whatever goes wrong, the call goes on in this process.
"""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import _socket

PATIENCE = 0.5  # seconds without a sign of life after which the agent counts as hung
# Seconds for all of it, whatever signs of life there are: a call itself gives up after nine, and
# Bazel kills it after ten.
LONGEST = 9.4
ASKED = "_CREDLATCH_ASKED"  # a variable that says: the process before us, for the same call, has
MAX_STDIN = 1024 * 1024  # bytes
_CHUNK = 65_536
_HEAD = 5  # bytes of an answer before its fields: that it is one, and their length

taken: bytes | None = None
"""What has been read of standard input, when the call goes on in this process."""


def answer() -> None:
    """End the process with the agent's answer, if there is one."""
    build = sys._xoptions.get("credlatch")
    asked = protocol(sys.argv)
    if sys.platform == "win32" or not isinstance(build, str) or asked is None:
        return
    try:
        reply = _ask(build, asked)
    # Not only OSError: nothing at all that happens here may end the call.
    except Exception:  # noqa: BLE001
        return
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


def protocol(argv: list[str]) -> bytes | None:
    """Which protocol's ``get`` this is, empty for whichever standard input speaks; else None."""
    words = argv[1:]
    if words == ["get"]:
        name = argv[0].rpartition("/")[2]
        if name == "keyring" or name.startswith("git-credential-"):
            return None
        return b"docker" if name.startswith("docker-credential-") else b""
    if words in (["bazel", "get"], ["docker", "get"]):
        return words[0].encode()
    return None


def _ask(build: str, asked: bytes) -> tuple[int, bytes, bytes] | None:
    import _socket
    import posix
    import resource
    import time

    from credlatch.agent.peer import uid_of
    from credlatch.agent.place import socket, world
    from credlatch.agent.wire import FORWARDED, GET, request, unpack

    global taken  # noqa: PLW0603 - see its docstring
    environ: dict[bytes, bytes] = posix.environ
    chosen = environ.get(b"CREDLATCH_AGENT", b"")
    uid = posix.getuid()
    if chosen == b"off" or ASKED.encode() in environ:
        return None
    # A crash must not write secrets to a file.
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    forwarded = chosen.startswith(b"/")
    path = chosen if forwarded else socket(environ, uid, build)
    posix.stat(path)  # without an agent, standard input is left as it is
    stdin = _stdin()
    taken = stdin
    if len(stdin) > MAX_STDIN:
        return None
    deadline = time.monotonic() + LONGEST
    connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    connection.settimeout(PATIENCE)
    connection.connect(path)
    owner = uid_of(connection)
    # A forwarded socket belongs to a container's or a tunnel's root at times.
    if owner != uid and not (forwarded and (owner == 0 or (uid == 0 and owner is not None))):
        return None
    if forwarded:
        question = request(FORWARDED, asked, stdin)
    else:
        try:
            cwd = posix.getcwdb()
        except OSError:
            cwd = b"/"
        variables = b"\0".join([name + b"=" + value for name, value in environ.items()])
        question = request(GET, asked, cwd, world(), stdin, variables)
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
    """
    import time

    from credlatch.agent.wire import ANSWERED, PULSE
    from credlatch.agent.wire import LONGEST as MOST

    data = b""
    while True:
        left = deadline - time.monotonic()
        if left <= 0:
            raise OSError
        connection.settimeout(min(PATIENCE, left))
        chunk = connection.recv(_CHUNK)
        if not chunk:
            raise OSError
        data = data + chunk if data else chunk.lstrip(PULSE)
        if data and data[:1] != ANSWERED:
            return None
        if len(data) >= _HEAD:
            length = int.from_bytes(data[1:_HEAD], "big")
            if length > MOST:
                return None
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
