"""The whole answer to a ``get``: what is written where, and how the call ends.

No input or output of its own: what a command writes in its own process, the agent sends to another.
"""

from __future__ import annotations

import time

from credlatch.errors import CredlatchError, ElsewhereError
from credlatch.lines import line, unmarked
from credlatch.resolve import Resolver

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller
    from credlatch.request import Request
    from credlatch.resolve import Resolution
    from credlatch.url import Url

BAZEL, DOCKER = "bazel", "docker"
GIT, KEYRING, HEADER, TOKEN = "git", "keyring", "header", "token"
_LOGINS = (GIT, KEYRING, HEADER, TOKEN)
_ALL = frozenset((BAZEL, DOCKER, *_LOGINS))


class Answer:
    """What a client gets.

    Attributes:
        status: the exit status.
        out: for standard output.
        err: for standard error.
        request: what was asked; None when it could not be understood.
        resolution: what was found; None when nothing was.
        failure: why there is no answer, or None.
        protocol: in which it was asked.
        seconds: how long it took.
    """

    __slots__ = (
        "err", "failure", "out", "protocol", "request", "resolution", "seconds", "status"
    )  # fmt: skip

    def __init__(
        self,
        status: int,
        out: bytes,
        err: bytes,
        *,
        request: Request | None = None,
        resolution: Resolution | None = None,
        failure: CredlatchError | None = None,
    ) -> None:
        self.status = status
        self.out = out
        self.err = err
        self.request = request
        self.resolution = resolution
        self.failure = failure
        self.protocol = ""
        self.seconds = 0.0


def protocol_of(stdin: bytes) -> str:
    """Which protocol a bare ``get`` speaks: Bazel's request is a JSON object, Docker's is a key.

    A key may begin with a bracket: ``[::1]:5000``.
    """
    return BAZEL if unmarked(stdin).lstrip()[:1] in (b"{", b"") else DOCKER


def protocol_named(name: bytes, stdin: bytes) -> str | None:
    """The protocol that another process names, or that a bare ``get`` speaks; None: no such here.

    A later version may know more of them, and its request is not to be read as another one's.
    """
    protocol = name.decode(errors="replace") or protocol_of(stdin)
    return protocol if protocol in _ALL else None


def get(protocol: str, asked: bytes, caller: Caller) -> Answer:
    """Answer a request of one protocol.

    Args:
        protocol: which.
        asked: standard input; of a client that asks by its arguments, these, with a zero byte
            between two.
        caller: who asks.

    Raises:
        ElsewhereError: only the caller's own process can answer it.
    """
    begin = time.monotonic()
    if protocol in _LOGINS:
        from credlatch import login_answers

        answer = login_answers.get(protocol, asked, caller)
    else:
        answer = (_docker if protocol == DOCKER else _bazel)(asked, caller)
    answer.protocol = protocol
    answer.seconds = time.monotonic() - begin
    return answer


def url_of(protocol: str, asked: bytes) -> Url | None:
    """Where a request is for; None when that cannot be understood, or is no web server."""
    try:
        if protocol in _LOGINS:
            from credlatch import login_answers

            return login_answers.parse(protocol, asked).url
        from credlatch.protocols import bazel, docker

        return (docker.parse_get if protocol == DOCKER else bazel.parse)(asked).url
    except CredlatchError:
        return None


def _bazel(stdin: bytes, caller: Caller) -> Answer:
    from credlatch.protocols import bazel

    request = None
    try:
        request = bazel.parse(stdin)
        resolution = Resolver(caller).resolve(request)
        out = bazel.render(resolution)
    except ElsewhereError:
        raise
    except CredlatchError as error:
        err = _warnings(caller) + line(str(error))
        return Answer(error.exit_status, b"", err, request=request, failure=error)
    return Answer(0, out, _warnings(caller), request=request, resolution=resolution)


def _docker(stdin: bytes, caller: Caller) -> Answer:
    from credlatch.protocols import docker

    request = None
    try:
        request = docker.parse_get(stdin)
        resolution = Resolver(caller).resolve(request)
        if resolution is None:
            nothing = f"{docker.NOT_FOUND}\n".encode()
            return Answer(1, nothing, _warnings(caller), request=request)
        out = docker.render_get(request.keys[0], resolution)
    except ElsewhereError:
        raise
    except CredlatchError as error:
        return docker_failure(error, caller, request)
    return Answer(0, out, _warnings(caller), request=request, resolution=resolution)


def success(out: bytes, caller: Caller) -> Answer:
    """An answer that nothing was resolved for."""
    return Answer(0, out, _warnings(caller))


def docker_failure(error: CredlatchError, caller: Caller, request: Request | None = None) -> Answer:
    """A failure as Docker's clients read it: on standard output."""
    from credlatch.protocols import docker

    # The three wire texts stand alone; everything else says who speaks.
    text = str(error)
    out = f"{text}\n".encode() if text in docker.WIRE_TEXTS else line(text)
    return Answer(error.exit_status, out, _warnings(caller), request=request, failure=error)


def _warnings(caller: Caller) -> bytes:
    return b"".join(map(line, caller.warnings))
