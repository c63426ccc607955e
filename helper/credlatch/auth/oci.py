"""A registry's tokens: its challenge, and the server that this names.

distribution.github.io/distribution/spec/auth/token and …/oauth, as docker/cli, containerd and crane
do it. The scope is the caller's (``credlatch.oci``): what a challenge says of it is that of the URL
that was asked, and some registries name a made-up one.
"""

from __future__ import annotations

from credlatch import clock, jwt
from credlatch.auth import Auth, HttpRequest, TokenResponse, realms
from credlatch.credential import IDENTITY_TOKEN_USER, Basic, Credential, Secret
from credlatch.errors import LoginError, RenewalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.auth import Flow, HttpResponse
    from credlatch.auth.responses import RegistryTokens
    from credlatch.request import Request
    from credlatch.url import Url

LIFETIME = 60  # seconds of a token whose server does not say it (distribution's specification)
ANONYMOUS = 2.0  # seconds for each server where there is no login: mostly in vain
CLIENT = "credlatch"  # as OAuth's client_id
_LASTS = 900  # seconds for which it is remembered what a registry wants
_NONE = 300  # seconds, likewise, that it wants nothing, or is none
_UNKNOWN = 20  # seconds, likewise, that it did not answer
_OPEN, _REFUSED = 200, 401
_LATER, _BROKEN = frozenset({408, 429}), 500
_DENIED = frozenset({400, 401, 403, 404})
_NO_POST = frozenset({404, 405})
_EPOCH = 1970


class Challenge(Credential):
    """What a registry wants of its clients: kept as a token is, and never sent.

    Attributes:
        realm: the token server's URL; empty: it names none.
        service: what the registry is called there.
        basic: whether it takes a login as it is.
        is_open: whether it serves those who send nothing.
        why: why all that is not known, for it gave no answer.
    """

    __slots__ = ("basic", "is_open", "realm", "service", "why")

    def __init__(
        self,
        realm: str = "",
        service: str = "",
        *,
        basic: bool = False,
        is_open: bool = False,
        why: str = "",
    ) -> None:
        super().__init__(Secret(f"challenge {[realm, service, basic, is_open, why]!a}"))
        self.realm = realm
        self.service = service
        self.basic = basic
        self.is_open = is_open
        self.why = why


class RegistryChallenge(Auth):
    """One GET without a login, which a registry refuses, and says what it wants.

    Args:
        registry: a URL there.
        patience: seconds to wait for it; None: as long as the call may take.
    """

    single_use = False
    repeatable = True
    anonymous = True

    def __init__(self, registry: Url, patience: float | None) -> None:
        super().__init__(Secret(""), f"{registry.scheme}://{registry.netloc}/v2/", "")
        self.patience = patience

    def cache_key(self, request: Request) -> str:  # noqa: ARG002 - one for all of the registry
        """How long it was waited for: who waits for longer learns more."""
        return str(self.patience)

    def flow(self, request: Request, now: float) -> Flow:  # noqa: ARG002 - likewise
        """A challenge; an empty one for what is no registry's refusal."""
        try:
            response = yield HttpRequest("GET", self.server, redirects=True)
        except RenewalError as failure:
            return _kept(Challenge(why=str(failure)), now + _UNKNOWN)
        if response.status in _LATER or response.status >= _BROKEN:
            why = f"{self.shown} is not ready (HTTP {response.status})"
            return _kept(Challenge(why=why), response.at + _UNKNOWN)
        if response.status != _REFUSED:
            is_open = response.status == _OPEN
            return _kept(Challenge(is_open=is_open), response.at + _NONE)
        return _kept(wanted(response), response.at + _LASTS)


def _kept(challenge: Challenge, end: float) -> TokenResponse:
    return TokenResponse(challenge.secret, expires=int(end), credential=challenge)


def wanted(response: HttpResponse) -> Challenge:
    """What a refusal asks for; an empty challenge where that is nothing of a registry's."""
    from credlatch.auth import challenges

    said = challenges.parse(response.headers.get("www-authenticate", ""))
    basic = any(each.scheme == "basic" for each in said)
    for each in said:
        if each.scheme == "bearer" and each.parameters.get("realm"):
            realm, service = (each.parameters.get(name, "") for name in ("realm", "service"))
            return Challenge(realm, service, basic=basic)
    return Challenge(basic=basic)


class RegistryToken(Auth):
    """A registry's login, or none, for a token that reads one repository.

    Args:
        registry: a URL there.
        challenge: what it wants.
        login: the login, or an identity token under Docker's user name for one; None: none.
        scope: what the token is for.
        endpoint: the URL of the token server that the user's settings name, or None.

    Raises:
        RenewalError: nothing may be sent to the server that the registry names.
    """

    single_use = False
    repeatable = True

    def __init__(
        self,
        registry: Url,
        challenge: Challenge,
        login: Basic | None,
        scope: str,
        endpoint: str | None = None,
    ) -> None:
        realm = realms.token_server(
            registry, challenge.realm, endpoint, with_login=login is not None
        )
        secret, self._basic = Secret(""), {}
        if login is not None:
            pair = Basic(login.username, login.secret)
            secret = pair.secret if is_identity_token(login) else Secret(_header(pair))
            self._basic = {"Authorization": _header(pair)}
        super().__init__(secret, realm.text, f"log in again: docker login {registry.netloc}")
        self.anonymous = login is None
        self.patience = ANONYMOUS if self.anonymous else None
        self._posts = login is not None and is_identity_token(login)
        self._registry = registry.netloc
        self._fields = {"service": challenge.service} if challenge.service else {}
        self._fields["scope"] = self._scope = scope

    def cache_key(self, request: Request) -> str:  # noqa: ARG002 - the URL has chosen the scope
        """The registry, what it calls itself, and the scope; the secret tells the account."""
        return "\n".join((self._registry, self._fields.get("service", ""), self._scope))

    def flow(self, request: Request, now: float) -> Flow:  # noqa: ARG002 - the server says its end
        """A GET, or for an identity token a POST, where the server knows that."""
        from urllib.parse import urlencode

        response = None
        if self._posts:
            grant = {"grant_type": "refresh_token", "refresh_token": self.secret.reveal()}
            form = {**grant, **self._fields, "client_id": CLIENT}
            response = yield HttpRequest("POST", self.server, form=form)
        if response is None or response.status in _NO_POST:
            joined = f"{self.server}{'&' if '?' in self.server else '?'}{urlencode(self._fields)}"
            response = yield HttpRequest("GET", joined, headers=self._basic)
        return self._made(response)

    def _made(self, response: HttpResponse) -> TokenResponse:
        from credlatch.auth import responses

        if response.status in _DENIED:
            name = self._scope.split(":")[1]
            no_token = f"{self.shown} gives no token to read {name} (HTTP {response.status})"
            if self.anonymous:
                raise LoginError(f"{no_token} without a login: docker login {self._registry}")
            raise LoginError(f"{no_token}: the login is wrong, or may not read it; {self.remedy}")
        said = responses.read(self, response, responses.RegistryTokens)
        token = said.token or said.access_token
        if not token:
            raise ValueError("there is no token")
        return TokenResponse(Secret(token), expires=_end(said, response))


def is_identity_token(login: Basic) -> bool:
    """Whether it is one of Docker's, which the token server alone takes."""
    return login.username == IDENTITY_TOKEN_USER


def _header(pair: Basic) -> str:
    """``Authorization`` for a pair, an identity token's among them."""
    from binascii import b2a_base64

    text = f"{pair.username}:{pair.secret.reveal()}".encode()
    return "Basic " + b2a_base64(text, newline=False).decode("ascii")


def _end(said: RegistryTokens, response: HttpResponse) -> int:
    """When a token ends, as the server says, or else the token itself.

    A server that keeps tokens may have issued it some time ago.
    """
    from credlatch.auth import responses

    ends = responses.end(said.expires_in, response.at)
    own = jwt.expiry(said.token or said.access_token or "") if ends is None else None
    if own is not None:
        return own
    if ends is None or ends <= response.at:
        ends = int(response.at) + LIFETIME
    return ends - _age(said.issued_at, response)


def _age(issued_at: object, response: HttpResponse) -> int:
    """Seconds since a token was issued, both by the server's own clock; 0 where it is not said."""
    from datetime import UTC, datetime

    if not isinstance(issued_at, str):
        return 0
    try:
        issued = datetime.fromisoformat(issued_at)
    except ValueError:
        return 0
    if issued.year <= _EPOCH:  # Go's zero time: nobody has said it
        return 0
    issued = issued if issued.tzinfo is not None else issued.replace(tzinfo=UTC)
    theirs = clock.said(response.headers.get("date"))
    return max(0, int((response.at if theirs is None else theirs) - issued.timestamp()))
