"""The whole answer to a ``get``, whoever asks: what is written where, and how the call ends.

No input or output of its own: what a command writes in its own process, the agent sends to another.
"""

from __future__ import annotations

import time

from credlatch.clients import CLIENTS
from credlatch.errors import (
    CredlatchError,
    ElsewhereError,
    RenewalError,
    StoreError,
    UnusableError,
)
from credlatch.lines import line, unmarked
from credlatch.protocols import ALWAYS
from credlatch.resolve import Resolver
from credlatch.stores.order import CHAINED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from credlatch.caller import Caller
    from credlatch.clients import Client
    from credlatch.protocols import Question
    from credlatch.request import Request
    from credlatch.resolve import Outcome, Resolution
    from credlatch.stores import Entry
    from credlatch.url import Url


class Answer:
    """What a client gets.

    Attributes:
        status: the exit status.
        out: for standard output.
        err: for standard error.
        request: what was asked; None when it could not be understood.
        outcome: what came of that; None where nothing was asked.
        failure: why there is no answer, or None.
        protocol: in which it was asked.
        seconds: how long it took.
    """

    def __init__(
        self,
        status: int,
        out: bytes,
        err: bytes,
        *,
        request: Request | None = None,
        outcome: Outcome | None = None,
        failure: CredlatchError | None = None,
    ) -> None:
        self.status = status
        self.out = out
        self.err = err
        self.request = request
        self.outcome = outcome
        self.failure = failure
        self.protocol = ""
        self.seconds = 0.0

    @property
    def resolution(self) -> Resolution | None:
        """What was found; None when nothing was."""
        return None if self.outcome is None else self.outcome.resolution


def client_named(name: bytes, asked: bytes) -> Client | None:
    """The client that another process names, or that says a bare ``get``; None: no such here.

    A later version may know more of them, and its request is not to be read as another one's.
    Bazel's request is a JSON object, Docker's is a key, which may begin with a bracket:
    ``[::1]:5000``.
    """
    if name:
        return CLIENTS.get(name.decode(errors="replace"))
    return CLIENTS["bazel" if unmarked(asked).lstrip()[:1] in (b"{", b"") else "docker"]


def get(
    client: Client, asked: bytes, caller: Caller, resolver: Callable[[Caller], Resolver] = Resolver
) -> Answer:
    """Answer a request.

    Args:
        client: whose; for ``clients.BARE``, what is asked tells.
        asked: standard input; of a client that asks by its words, these (``clients.pack``).
        caller: who asks.
        resolver: makes what asks the stores.

    Raises:
        ElsewhereError: only the caller's own process can answer it.
    """
    begin = time.monotonic()
    request = outcome = None
    client = client if client.name else client_named(b"", asked) or client
    try:
        question = client.protocol().parse(asked)
        request = question.request
        if client.narrow is not None and request is not None:
            request = client.narrow()(request, caller)
        outcome = None if request is None else resolver(caller).outcome(request)
        if question.wider and outcome is not None and outcome.resolution is not None:
            _widen(question, request, outcome.resolution, caller)
        answer = _answered(question, outcome, caller)
    except ElsewhereError:
        raise
    except CredlatchError as error:
        answer = failed(client, error, caller, request)
    answer.request, answer.outcome = request, outcome
    answer.protocol = client.name
    answer.seconds = time.monotonic() - begin
    return answer


def _answered(question: Question, outcome: Outcome | None, caller: Caller) -> Answer:
    request = question.request
    if outcome is not None and outcome.resolution is not None:
        try:
            return Answer(0, question.render(outcome.resolution), _warnings(caller))
        except ValueError as error:
            location = outcome.resolution.location
            outcome.fail(UnusableError(f"the credential from {location} cannot be used: {error}"))
    if outcome is not None and outcome.failure is not None:
        raise outcome.failure
    err = _warnings(caller)
    if question.told and request is not None and outcome is not None:
        err = _miss(question, request, outcome, caller) + err
    return Answer(question.status, question.missing, err)


def _miss(question: Question, request: Request, outcome: Outcome, caller: Caller) -> bytes:
    """What a person is told of a miss: one line, or where it was near, or nothing."""
    if request.url is None:
        return b""
    from credlatch import near

    is_always = question.told == ALWAYS
    furthest = near.FAR if is_always else near.NEAR + near.NEAR // 2
    nearest = near.told(request, caller, outcome.trace, furthest=furthest)
    if not (nearest or is_always):
        return b""
    advice = nearest or near.without_login(request.url)
    return line(f"no store has a credential for {request.url.shown}: {advice}")


def _widen(
    question: Question, asked: Request | None, resolution: Resolution, caller: Caller
) -> None:
    """Have a resolution name the widest place for which the stores hold the same, by one rule.

    Each store is asked, and its own rule counts. A helper of somebody else's is asked once at most:
    what it mints is another one each time.
    """
    most = 1 if resolution.store == CHAINED else None
    for request in question.wider[:most]:
        entry = Resolver(caller).standing(request)
        if request.rule.is_divided or asked is None or request.rule.where != asked.rule.where:
            continue
        if entry is not None and _same(entry, resolution.entry):
            resolution.url = request.url
            return


def _same(one: Entry, other: Entry) -> bool:
    if (one.location, one.handle) != (other.location, other.handle):
        return False
    if one.handle:
        return True
    try:
        both = [
            None if each is None else each.headers() for each in (one.credential, other.credential)
        ]
    except ValueError:
        return False
    return both[0] is not None and both[0] == both[1]


def failed(
    client: Client, error: CredlatchError, caller: Caller, request: Request | None = None
) -> Answer:
    """A failure as a client reads it; a warning that says the same is not said."""
    out, err = client.protocol().failure(_of_whom(error, request))
    return Answer(error.exit_status, out, err + _warnings(caller, str(error)), failure=error)


def _of_whom(error: CredlatchError, request: Request | None) -> CredlatchError:
    """A failure that says which host was asked for: a file that is not read is many hosts'.

    A build tool shows one line of a call, and makes a hundred calls.
    """
    url = None if request is None else request.url
    told = str(error)
    if url is None or url.host in told or not isinstance(error, StoreError | RenewalError):
        return error
    return StoreError(f"no credential for {url.netloc}: {told}")


def url_of(client: Client, asked: bytes) -> Url | None:
    """Where a request is for; None when that cannot be understood, or is no web server."""
    try:
        request = client.protocol().parse(asked).request
    except CredlatchError:
        return None
    return None if request is None else request.url


def success(out: bytes, caller: Caller) -> Answer:
    """An answer that nothing was resolved for."""
    return Answer(0, out, _warnings(caller))


def _warnings(caller: Caller, told: str = "") -> bytes:
    return b"".join(line(each) for each in caller.warnings if each != told)
