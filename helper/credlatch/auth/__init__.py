"""Ways of authenticating that take more than a stored secret: one file for each.

A flow does no I/O: it yields HTTP requests, or what an SDK or a program is to be asked, is sent the
responses, and returns what it made. A store reads what a flow begins with, and does not act on it;
``renew/`` sends, and keeps what comes.
"""

from __future__ import annotations

from credlatch.credential import Bearer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import TypeAlias

    from credlatch.auth.tls import Tls
    from credlatch.credential import Credential, Secret
    from credlatch.request import Request
    from credlatch.url import Url

    Asked: TypeAlias = "HttpRequest | ProgramRequest | CommandRequest | EngineRequest"
    Flow = Generator[Asked, "HttpResponse", "TokenResponse"]


class Auth:
    """Something that gets a fresh token, or makes what authenticates one request.

    Attributes:
        secret: what it begins with.
        server: the URL that requests go to, or below which they go.
        remedy: what a person does when the secret is no longer taken.
    """

    # Whether the server takes the secret just once. Then a request that was sent and not answered
    # is never repeated: the token may be spent, and a second use can revoke the whole login.
    single_use = True
    # Whether it begins with nothing that anybody must know: a public registry gives such tokens.
    anonymous = False
    # Whether it may be sent again within one call, after a request that was not answered.
    repeatable = False
    # What a server that refuses for good does, in words; and the statuses that say so, where the
    # answer itself does not.
    refused = "no longer takes this login"
    refusals: frozenset[int] = frozenset({400, 401})
    # Seconds that it may take in all; None: as many as the call has.
    patience: float | None = None
    # What its server answers with, in words.
    gives = "a token"

    def __init__(self, secret: Secret, server: str, remedy: str) -> None:
        self.secret = secret
        self.server = server
        self.remedy = remedy

    def cache_key(self, request: Request) -> str | None:  # noqa: ARG002 - by default of none
        """What else a token depends on than the kind, the secret and the server.

        Requests that have the same share a token. None: there is nothing to share, and it is made
        for each request anew. Of no matter where the store that has the secret keeps the token.
        """
        return ""

    def flow(self, request: Request, now: float) -> Flow:
        """Yields what is to be sent or asked, is sent each response, and returns what it made.

        Where a request fails, RenewalError is raised at its ``yield``: a flow that can do without
        the answer catches it.

        Args:
            request: what the client asks for.
            now: in seconds since 1970 UTC.

        Raises:
            RenewalError: a server refuses.
            ValueError: a response is none that such a server gives.
        """
        raise NotImplementedError

    def trusts(self, server: Url) -> bool:
        """Whether a request may go to a server: to its own alone, whatever a response names.

        Raises:
            RequestError: its own address is none.
        """
        from credlatch import url

        return server.origin == url.parse(self.server).origin

    @property
    def shown(self) -> str:
        """The server, as a message shows it."""
        from credlatch import url
        from credlatch.errors import RequestError

        try:
            return url.parse(self.server).shown
        except RequestError:
            return "the token server"


class HttpRequest:
    """A request that a flow wants sent.

    Attributes:
        method: GET, POST, PUT or LIST; or HEAD, whose answer may be a redirect (in the headers).
        url: where it goes.
        form: fields, sent form-encoded; None for none.
        json: an object, sent as JSON; None for none.
        headers: more headers; with ``content``, its type is among them.
        content: another body, as it is; None for none.
        tls: whom to trust, and who we are, where that is not as for any other server.
        metadata: for a metadata service of the machine's own, the seconds that its answer may take:
            it is asked once, in plain http and through no proxy, and gets no secret. None: it is
            for any other server.
        redirects: whether its answer may be a redirect as well; none is followed.
        unread: whether status and headers are all that is wanted: the body is left unread, and may
            be of any size.
    """

    def __init__(  # noqa: PLR0913 - its parts, all but two by name
        self,
        method: str,
        url: str,
        *,
        form: dict[str, str] | None = None,
        json: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
        content: bytes | None = None,
        metadata: float | None = None,
        authorities: str | None = None,
        tls: Tls | None = None,
        redirects: bool = False,
        unread: bool = False,
    ) -> None:
        self.method = method
        self.url = url
        self.form = form
        self.json = json
        self.headers = headers or {}
        self.content = content
        self.authorities = authorities
        self.tls = tls
        self.metadata = metadata
        self.redirects = redirects
        self.unread = unread


class ProgramRequest:
    """What a flow wants an SDK asked: in our own program, run for this question alone.

    It runs as ``credlatch sdk NAME``, with the caller's environment and in the caller's folder, and
    nobody can be asked anything there. Its answer is a response of status 200 whose body is a JSON
    object; where there is none, the flow ends with what the SDK has said.

    Attributes:
        name: which of ``credlatch.sdk``.
        asked: a JSON object.
        seconds: that it may take; then it is killed, with all that it has started.
    """

    def __init__(self, name: str, asked: dict[str, object], seconds: float = 8.0) -> None:
        self.name = name
        self.asked = asked
        self.seconds = seconds


class CommandRequest:
    """What a flow wants a program of the user's asked: on the caller's PATH, or by its whole path.

    It runs with the caller's environment and in the caller's folder. Its standard output is a
    response of status 200; where it fails, the flow ends with what it says.

    Attributes:
        words: its name, and what it is told.
        remedy: what a person does where it fails.
        seconds: that it may take; then it is killed, with all that it has started.
        variables: that it gets besides.
    """

    def __init__(
        self,
        words: tuple[str, ...],
        remedy: str,
        seconds: float = 6.0,
        variables: dict[str, str] | None = None,
    ) -> None:
        self.words = words
        self.remedy = remedy
        self.seconds = seconds
        self.variables = variables or {}


class EngineRequest:
    """What a flow wants read where machines share a login.

    Attributes:
        place: what is read, in words.
        ask: reads it, until a moment on the clock of ``time.monotonic``: a JSON object. It raises
            StoreError or RenewalError.
    """

    def __init__(self, place: str, ask: Callable[[float], bytes]) -> None:
        self.place = place
        self.ask = ask


class HttpResponse:
    """What came back.

    Attributes:
        status: the HTTP status.
        headers: by their names in lower case.
        body: all of it.
        at: when it had come, in seconds since 1970 UTC.
    """

    def __init__(self, status: int, headers: dict[str, str], body: bytes, at: float) -> None:
        self.status = status
        self.headers = headers
        self.body = body
        self.at = at


class TokenResponse:
    """What a flow made.

    Attributes:
        credential: what is sent; a Bearer with the token, where the flow does not say otherwise.
        token: the new access token.
        refresh_token: the grant for next time, where the server replaced it.
        expires: when the token ends, in seconds since 1970 UTC, where the server said so.
    """

    def __init__(
        self,
        token: Secret,
        refresh_token: Secret | None = None,
        expires: int | None = None,
        credential: Credential | None = None,
    ) -> None:
        self.credential = credential or Bearer(token)
        self.token = token
        self.refresh_token = refresh_token
        self.expires = expires
