"""The whole answer to a ``get``: what is written where, and how the call ends.

No input or output of its own: what a command writes in its own process, the agent sends to another.
"""

from __future__ import annotations

from credlatch.errors import CredlatchError, ElsewhereError
from credlatch.lines import line
from credlatch.resolve import Resolver

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller
    from credlatch.request import Request
    from credlatch.resolve import Resolution

BAZEL, DOCKER = "bazel", "docker"


class Answer:
    """What a client gets.

    Attributes:
        status: the exit status.
        out: for standard output.
        err: for standard error.
        request: what was asked; None when it could not be understood.
        resolution: what was found; None when nothing was.
        failure: why there is no answer, or None.
    """

    __slots__ = ("err", "failure", "out", "request", "resolution", "status")

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


def protocol_of(stdin: bytes) -> str:
    """Which protocol a bare ``get`` speaks: Bazel's request is a JSON object, Docker's is a key.

    A key may begin with a bracket: ``[::1]:5000``.
    """
    return BAZEL if stdin.lstrip()[:1] in (b"{", b"") else DOCKER


def get(protocol: str, stdin: bytes, caller: Caller) -> Answer:
    """Answer a request of one protocol.

    Raises:
        ElsewhereError: only the caller's own process can answer it.
    """
    return (_docker if protocol == DOCKER else _bazel)(stdin, caller)


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
