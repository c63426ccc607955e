"""Who gives tokens to a person who logs in: an OpenID provider, or any OAuth server that says so.

OpenID Connect Discovery 1.0 and RFC 8414. What it names must be https, or on this machine where it
is so itself: a provider elsewhere has no business there.
"""

from __future__ import annotations

from credlatch import url as urls
from credlatch.auth import Auth, HttpRequest, TokenResponse, responses
from credlatch.credential import Secret
from credlatch.errors import LoginError, RenewalError, RequestError
from credlatch.structs import decoded, msgspec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator

    from credlatch.auth import HttpResponse
    from credlatch.url import Url

CLIENT = "rattler"  # as pixi has it, where nobody says another
SCOPES = ("openid", "profile", "offline_access")  # likewise
_MORE = {"prefix.dev": ("channel:read", "channel:upload")}  # likewise, by the provider's host
_OPENID = "/.well-known/openid-configuration"
_OAUTH = "/.well-known/oauth-authorization-server"
_SUCCESS = range(200, 300)
_PKCE = "S256"


class Metadata(msgspec.Struct):
    """What a provider says of itself, as far as it counts here."""

    issuer: str
    token_endpoint: str
    authorization_endpoint: str | None = None
    device_authorization_endpoint: str | None = None
    revocation_endpoint: str | None = None
    scopes_supported: list[str] | None = None
    code_challenge_methods_supported: list[str] | None = None
    authorization_response_iss_parameter_supported: bool = False

    @property
    def has_device_grant(self) -> bool:
        """Whether a person may log in on another device (RFC 8628)."""
        return self.device_authorization_endpoint is not None

    @property
    def has_code_grant(self) -> bool:
        """Whether a browser on this machine may come back with a code, which PKCE protects.

        A server that does not say which methods it knows may still heed this one (RFC 7636, 5).
        """
        methods = self.code_challenge_methods_supported
        return self.authorization_endpoint is not None and (methods is None or _PKCE in methods)

    def scope(self, wanted: tuple[str, ...]) -> str:
        """What is asked for: what a person wants, or else what of the usual the provider knows."""
        known, more = self.scopes_supported, _MORE.get(urls.parse(self.issuer).host, ())
        usual = [each for each in (*SCOPES, *more) if known is None or each in known]
        return " ".join(wanted or usual)


class Discovery(Auth):
    """Reads what a provider says of itself.

    Args:
        issuer: its URL.
    """

    anonymous = True
    repeatable = True
    single_use = False
    gives = "what an OpenID provider says of itself"

    def __init__(self, issuer: Url) -> None:
        super().__init__(Secret(""), issuer.text, "")
        self._issuer = issuer

    def finding(self) -> Generator[HttpRequest, HttpResponse, Metadata | None]:
        """The flow; None: it is none.

        Raises:
            RenewalError: it cannot be asked, or says what must not be believed.
        """
        root, path = f"{self._issuer.scheme}://{self._issuer.netloc}", self._issuer.path.rstrip("/")
        places = dict.fromkeys((f"{path}{_OPENID}", f"{_OAUTH}{path}"))
        for place in places:
            response = yield HttpRequest("GET", root + place, redirects=True)
            if response.status not in _SUCCESS:
                continue
            try:
                said = decoded(response.body, Metadata)
            except (msgspec.MsgspecError, RecursionError):
                continue  # a page for everything that is not found
            return self._checked(said)
        return None

    def _checked(self, said: Metadata) -> Metadata:
        """What is said, if it is of the issuer (OpenID Connect Discovery, 4.3; RFC 8414, 3.3)."""
        if said.issuer.rstrip("/") != self._issuer.text.rstrip("/"):
            raise RenewalError(
                f"{self.shown} says that it is {_shown(said.issuer)}: "
                "name that one with --issuer, if it is who you mean"
            )
        named = (
            said.token_endpoint,
            said.authorization_endpoint,
            said.device_authorization_endpoint,
            said.revocation_endpoint,
        )
        for text in named:
            if text is not None:
                self._see_that_it_is_safe(text)
        return said

    def _see_that_it_is_safe(self, text: str) -> None:
        try:
            url = urls.absolute(text)
        except RequestError as error:
            raise RenewalError(f"{self.shown} names a URL that cannot be used: {error}") from None
        if "#" in text or has_userinfo(text):  # RFC 6749, 3.1; and who reads it is misled
            raise RenewalError(f"{self.shown} names {url.shown} with a fragment, or a user's name")
        is_here = self._issuer.may_be_loopback and url.may_be_loopback
        if not is_here and (url.scheme != "https" or url.may_be_loopback):
            raise RenewalError(f"{self.shown} names {url.shown}, which is no https elsewhere")


def has_userinfo(text: str) -> bool:
    """Whether something stands before the host of a URL, which a person may take for the host."""
    rest = text.partition("://")[2]
    return "@" in rest[: urls.authority_end(rest)]


def _shown(text: str) -> str:
    try:
        return urls.parse(text).shown
    except RequestError:
        return "somebody else"


class Client(Auth):
    """Asks a provider for tokens on behalf of a person.

    Args:
        provider: what it says of itself.
        client_id: who asks, as the provider knows us.
        scope: what is asked for.
        audience: for whom the tokens are to be; None: whomever the provider has by default.
    """

    anonymous = True  # what is sent begins with nothing that is kept
    single_use = False
    refused = "refuses this"
    refusals = frozenset({400, 401, 403})

    def __init__(
        self, provider: Metadata, client_id: str, scope: str, audience: str | None = None
    ) -> None:
        super().__init__(Secret(""), provider.issuer, "log in again")
        self.provider = provider
        self.client_id = client_id
        self.scope = scope
        self.audience = audience

    def trusts(self, server: Url) -> bool:
        """The servers that the provider has named."""
        named = (
            self.provider.issuer,
            self.provider.token_endpoint,
            self.provider.device_authorization_endpoint,
            self.provider.revocation_endpoint,
        )
        return any(server.origin == urls.absolute(text).origin for text in named if text)

    def form(self, **fields: str) -> dict[str, str]:
        """A form with these fields, and who asks."""
        audience = {} if self.audience is None else {"audience": self.audience}
        return {**fields, "client_id": self.client_id, **audience}

    def refusal(self, response: HttpResponse) -> RenewalError:
        """Why a provider refuses, and what to do."""
        error = responses.error_code(response.body)
        said = f"HTTP {response.status}" + (f", {error}" if error else "")
        if error in {"invalid_client", "unauthorized_client"}:
            return LoginError(
                f"{self.shown} does not let the client {self.client_id!r} do this ({said}): "
                "name one that is registered there with --client-id"
            )
        what = {
            "access_denied": "the login was denied",
            "expired_token": "the code has expired before the login was done",
            "invalid_scope": f"it does not know all of {self.scope!r}: name others with --scope",
        }.get(error, "the login did not succeed")
        return LoginError(f"{self.shown}: {what} ({said})")

    def tokens(self, response: HttpResponse) -> Granted:
        """The tokens in an answer.

        Raises:
            LoginError: it is a refusal, or something else: what was sent for them is spent.
        """
        if response.status not in _SUCCESS:
            raise self.refusal(response)
        try:
            said = responses.decoded(response.body, _Tokens)
        except ValueError:
            raise LoginError(f"{self.shown} did not answer with tokens: try again") from None
        if said.token_type is not None and said.token_type.lower() != "bearer":
            raise LoginError(f"{self.shown} gives tokens of a type that no header carries")
        fresh = TokenResponse(
            Secret(said.access_token),
            Secret(said.refresh_token) if said.refresh_token else None,
            responses.end(said.expires_in, response.at),
        )
        if (why := responses.checked(self, fresh, response.at)) is not None:
            raise why
        return Granted(fresh, _who(said.id_token or ""))


class _Tokens(responses.BearerTokens):
    id_token: str | None = None


class Granted:
    """What a login has given.

    Attributes:
        fresh: the tokens.
        who: whose they are, as the provider says; empty: it does not. It comes from the provider
            itself, so its signature adds nothing (OpenID Connect Core, 3.1.3.7).
    """

    def __init__(self, fresh: TokenResponse, who: str) -> None:
        self.fresh = fresh
        self.who = who


def _who(id_token: str) -> str:
    from credlatch import jwt
    from credlatch.lines import printable

    said = jwt.claims(id_token) or {}
    for name in ("email", "preferred_username", "name", "sub"):
        value = said.get(name)
        if isinstance(value, str) and value:
            return printable(value, 100)
    return ""
