"""What Azure answers those who send nothing: everything, where everybody may read.

With a header, a public container or feed refuses whoever is not known there. And a feed tells the
tenant, and the server that a user's token is exchanged with.
"""

from __future__ import annotations

from credlatch import url as urls
from credlatch.auth import Auth, HttpRequest, TokenResponse
from credlatch.auth.entra import AUTHORITIES, is_tenant
from credlatch.credential import Credential, Secret
from credlatch.errors import RenewalError, RequestError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.auth import Flow, HttpResponse
    from credlatch.request import Request
    from credlatch.url import Url

PATIENCE = 2.0  # seconds
_LASTS = 900  # seconds for which it is remembered
_UNKNOWN = 20  # seconds, likewise, that there was no answer
_SERVED = frozenset({200, 206, 304, 416})
_NOT_FOUND = 404
_SESSIONS = frozenset({"vssps.dev.azure.com", "app.vssps.dev.azure.com", "vssps.visualstudio.com"})
_BELOW = ".vssps.visualstudio.com"
_NOBODY = "00000000-0000-0000-0000-000000000000"  # a tenant that is none


class Answered(Credential):
    """What came back: kept as a token is, and never sent.

    Attributes:
        is_open: whether everybody may read.
        authority: the URL of whom a token is to be from; empty: it names none.
        sessions: the URL of who exchanges a user's token; empty: it names none.
    """

    __slots__ = ("authority", "is_open", "sessions")

    def __init__(self, *, is_open: bool = False, authority: str = "", sessions: str = "") -> None:
        super().__init__(Secret(f"answered {[is_open, authority, sessions]!a}"))
        self.is_open = is_open
        self.authority = authority
        self.sessions = sessions


class AzureChallenge(Auth):
    """One GET without a login.

    Args:
        url: what is asked for.
        place: what the answer is the same for: a container, or a feed.
    """

    single_use = False
    repeatable = True
    anonymous = True
    patience = PATIENCE

    def __init__(self, url: Url, place: str) -> None:
        super().__init__(Secret(""), f"{url.scheme}://{url.netloc}/", "")
        self._url = url.text
        self._place = place

    def cache_key(self, request: Request) -> str:  # noqa: ARG002 - the URL has chosen the place
        """The place."""
        return self._place

    def flow(self, request: Request, now: float) -> Flow:  # noqa: ARG002 - likewise
        """No answer is as one that says nothing."""
        headers = {"Range": "bytes=0-0", "X-TFS-FedAuthRedirect": "Suppress"}
        try:
            response = yield HttpRequest("GET", self._url, headers=headers)
        except RenewalError:
            return _kept(Answered(), now + _UNKNOWN)
        return _kept(_answered(response), response.at + _LASTS)


def _kept(answered: Answered, end: float) -> TokenResponse:
    return TokenResponse(answered.secret, expires=int(end), credential=answered)


def _answered(response: HttpResponse) -> Answered:
    from credlatch.auth import challenges

    # Of a private container, even that it has no such blob is not told.
    code = response.headers.get("x-ms-error-code")
    missing = response.status == _NOT_FOUND and code == "BlobNotFound"
    if response.status in _SERVED or missing:
        return Answered(is_open=True)
    said = challenges.parse(response.headers.get("www-authenticate", ""))
    named = (each.parameters.get("authorization_uri") for each in said if each.scheme == "bearer")
    return Answered(
        authority=next(filter(None, named), ""),
        sessions=response.headers.get("x-vss-authorizationendpoint", ""),
    )


def tenant(answered: Answered, place: str) -> str | None:
    """The tenant that is named; None where there is none.

    Raises:
        RenewalError: another authority than Microsoft's is named.
    """
    if not answered.authority:
        return None
    authority = _server(answered.authority)
    named = "" if authority is None else authority.path.split("/")[1]
    if authority is None or authority.host not in AUTHORITIES or not is_tenant(named):
        raise RenewalError(
            f"{place} names an authority that is none of Microsoft's: nothing is sent "
            "there; see that the host is who you mean"
        )
    return None if named == _NOBODY else named


def sessions(answered: Answered, place: str) -> str:
    """The URL below which tokens are exchanged, without a slash at its end; empty: there is none.

    Raises:
        RenewalError: another place than Microsoft's is named.
    """
    if not answered.sessions:
        return ""
    server = _server(answered.sessions)
    if server is None or not exchanges(server) or server.text.partition("?")[1]:
        raise RenewalError(
            f"{place} would have tokens exchanged by a server that is none of Azure DevOps': "
            "nothing is sent there; see that the host is who you mean"
        )
    return server.text.rstrip("/")


def exchanges(server: Url) -> bool:
    """Whether it is one of the servers that exchange a user's token for packages."""
    is_one = server.host in _SESSIONS or server.host.endswith(_BELOW)
    return is_one and server.scheme == "https" and server.default_port


def _server(text: str) -> Url | None:
    try:
        server = urls.absolute(text)
    except RequestError:
        return None
    return server if server.scheme == "https" and server.default_port else None
