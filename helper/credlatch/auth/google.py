"""Google's access tokens, of a user's login or of a service account's key (google.aip.dev/auth).

One token is for all of Google's hosts: it has the scope that Google's own helpers for Docker and
pip ask for, and the rights of whoever it is for limit it.
"""

from __future__ import annotations

from credlatch.auth import Auth, HttpRequest, TokenResponse
from credlatch.credential import Basic, Secret
from credlatch.headers import Headers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator

    from credlatch.auth import CommandRequest, Flow, HttpResponse
    from credlatch.errors import RenewalError
    from credlatch.request import Request
    from credlatch.url import Url

    # A token, and when it ends.
    Fetching = Generator[HttpRequest | CommandRequest, HttpResponse, tuple[str, int | None]]

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_IAM_SCOPE = "https://www.googleapis.com/auth/iam"
TOKEN_URI = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
USER = "oauth2accesstoken"  # the user name of a token as a password
LIFE = 3600  # seconds: an assertion lives no longer, and a token does so if nobody says more
_SKEW = 300  # seconds by which clocks may differ before a refusal is put down to that


class Impersonation:
    """A service account that is acted as (IAM Credentials API, ``generateAccessToken``).

    Attributes:
        url: of the method, with the account in it.
        delegates: accounts through which it is allowed.
        lifetime: of a token, in seconds.
    """

    def __init__(self, url: str, delegates: tuple[str, ...] = (), lifetime: int = LIFE) -> None:
        self.url = url
        self.delegates = delegates
        self.lifetime = lifetime

    @property
    def account(self) -> str:
        """The account's name, for a message."""
        name = self.url.rpartition("/")[2].partition(":")[0]
        return name if name.isascii() and name.isprintable() else "the service account"


class GoogleAuth(Auth):
    """Whatever gets such a token.

    Attributes:
        impersonation: the account that is acted as with what was got; None: no other.
    """

    single_use = False
    repeatable = True

    def __init__(self, secret: Secret, server: str, remedy: str) -> None:
        super().__init__(secret, server, remedy)
        self.impersonation: Impersonation | None = None

    @property
    def who(self) -> str:
        """Whose token it is, beside the secret and the server."""
        raise NotImplementedError

    @property
    def scope(self) -> str:
        """What ``fetch`` asks for: to act as another account takes less."""
        return SCOPE if self.impersonation is None else _IAM_SCOPE

    def fetch(self, now: float) -> Fetching:
        """The token that is got without impersonation; raises as ``flow``."""
        raise NotImplementedError

    def servers(self) -> tuple[str, ...]:
        """The URLs that ``fetch`` asks."""
        return (self.server,)

    def cache_key(self, request: Request) -> str:  # noqa: ARG002 - one token for all hosts
        """Whose token it is, and as whom that acts."""
        acts = self.impersonation
        return "\n".join(
            (self.who, *((acts.url, str(acts.lifetime), *acts.delegates) if acts else ()))
        )

    def flow(self, request: Request, now: float) -> Flow:  # noqa: ARG002 - likewise
        """What is needed for the token, and one POST more to act as another account."""
        token, expires = yield from self.fetch(now)
        if self.impersonation is not None:
            token, expires = yield from self._impersonate(token, self.impersonation)
        secret = Secret(token)
        credential = Headers({"Authorization": Secret(f"Bearer {token}")}, Basic(USER, secret))
        return TokenResponse(secret, expires=expires, credential=credential)

    def trusts(self, server: Url) -> bool:
        """Whether it is one of the servers that are asked; raises as of any flow."""
        from credlatch import url

        named = (*self.servers(), *((self.impersonation.url,) if self.impersonation else ()))
        return any(server.origin == url.parse(each).origin for each in named)

    def said(self, response: HttpResponse) -> tuple[str, int | None]:
        """The token in an answer (RFC 6749, 5.1), and its end."""
        from credlatch.auth import responses

        said = responses.read(self, response, responses.BearerTokens)
        return said.access_token, responses.end(said.expires_in, response.at)

    def _impersonate(self, token: str, acts: Impersonation) -> Fetching:
        from credlatch.auth import responses
        from credlatch.structs import msgspec

        body = {
            "delegates": list(acts.delegates),
            "scope": [SCOPE],
            "lifetime": f"{acts.lifetime}s",
        }
        response = yield HttpRequest(
            "POST",
            acts.url,
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
            content=msgspec.json.encode(body),
        )
        if response.status in {403, 404}:
            from credlatch.errors import LoginError

            raise LoginError(
                f"{acts.account} may not be acted as (HTTP {response.status}): have it allowed "
                "with gcloud iam service-accounts add-iam-policy-binding "
                f"{acts.account} --role=roles/iam.serviceAccountTokenCreator --member=…"
            )
        asked = Auth(Secret(""), acts.url, self.remedy)  # whose server a refusal is to name
        said = responses.read(asked, response, dict[str, object])
        made, end = said.get("accessToken"), said.get("expireTime")
        if not isinstance(made, str) or not isinstance(end, str):
            raise ValueError("it is not what was expected")  # noqa: TRY004 - as of any bad answer
        return made, moment(end)


class UserLogin(GoogleAuth):
    """A refresh token of ``gcloud auth application-default login``.

    Attributes:
        client: the application's id and secret.
        basic: whether these go in a header, as Google's STS wants them, and not in the form.
    """

    def __init__(
        self,
        secret: Secret,
        server: str,
        remedy: str,
        client: tuple[str, Secret],
        *,
        basic: bool = False,
    ) -> None:
        super().__init__(secret, server, remedy)
        self.client = client
        self.basic = basic

    @property
    def who(self) -> str:
        """The application: the refresh token says the rest."""
        return self.client[0]

    def fetch(self, now: float) -> Fetching:  # noqa: ARG002 - nothing is dated
        """One POST; Google's refresh tokens stay as they are."""
        name, secret = self.client
        form = {"grant_type": "refresh_token", "refresh_token": self.secret.reveal()}
        headers = Basic(name, secret).headers() if self.basic else {}
        if not self.basic:
            form |= {"client_id": name, "client_secret": secret.reveal()}
        response = yield HttpRequest("POST", self.server, form=form, headers=headers)
        return self.said(response)


class ServiceAccount(GoogleAuth):
    """A service account's private key (RFC 7523).

    Attributes:
        email: the account's name.
        key_id: the key's.
    """

    def __init__(
        self, secret: Secret, server: str, remedy: str, email: str, key_id: str = ""
    ) -> None:
        super().__init__(secret, server, remedy)
        self.email = email
        self.key_id = key_id

    @property
    def who(self) -> str:
        """The account."""
        return self.email

    def fetch(self, now: float) -> Fetching:
        """One POST, of an assertion that the key has signed."""
        from credlatch.auth import rs256
        from credlatch.errors import LoginError

        at = int(now)
        claims: dict[str, str | int] = {
            "iss": self.email,
            "scope": self.scope,
            "aud": TOKEN_URI,
            "iat": at,
            "exp": at + LIFE,
        }
        header = {"kid": self.key_id} if self.key_id else {}
        try:
            assertion = rs256.token(header, claims, rs256.key(self.secret.reveal()))
        except ValueError as error:
            raise LoginError(f"the key of {self.email} signs nothing: {error}") from None
        form = {
            "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
            "assertion": assertion,
        }
        response = yield HttpRequest("POST", self.server, form=form)
        refused = self._clock(response)
        if refused is not None:
            raise refused
        return self.said(response)

    def _clock(self, response: HttpResponse) -> RenewalError | None:
        """Why an assertion was refused, where this machine's clock explains it."""
        if response.status not in {400, 401}:
            return None
        from credlatch import clock
        from credlatch.errors import RenewalError

        theirs = clock.said(response.headers.get("date"))
        if theirs is None or clock.moment(theirs) is None or abs(theirs - response.at) <= _SKEW:
            return None
        return RenewalError(
            f"{self.shown} takes nothing that is signed at another time: this machine's clock says "
            f"{clock.timestamp(int(response.at))}, and the server's "
            f"{clock.timestamp(int(theirs))}: set the clock"
        )


def moment(text: str) -> int | None:
    """A moment in RFC 3339, in seconds since 1970 UTC; None for anything else."""
    from datetime import UTC, datetime

    from credlatch import clock

    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return clock.moment((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp())
