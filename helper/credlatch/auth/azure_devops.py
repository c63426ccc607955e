"""Azure DevOps' session tokens: a user's access token is exchanged for one for packages alone.

As github.com/microsoft/artifacts-keyring and artifacts-credprovider do it.
"""

from __future__ import annotations

from credlatch import jwt
from credlatch.auth import Auth, HttpRequest, TokenResponse, responses
from credlatch.credential import Basic, Secret
from credlatch.structs import msgspec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.auth import Flow
    from credlatch.request import Request

_PATH = "/_apis/Token/SessionTokens?api-version=5.0-preview.1"


class _Session(msgspec.Struct):
    token: str


def is_user(token: Secret) -> bool:
    """Whether an access token of Entra's is a user's; an application's has roles, and no scopes."""
    claims = jwt.claims(token.reveal()) or {}
    return "scp" in claims and claims.get("idtyp") != "app"


class SessionExchange(Auth):
    """A user's access token.

    Args:
        secret: the token.
        sessions: the URL below which it is exchanged: one of Microsoft's own.
        user: the user name beside what it is exchanged for.
        lasts: until when that is good, where it does not say so itself.
    """

    single_use = False
    repeatable = True

    def __init__(self, secret: Secret, sessions: str, user: str, lasts: int | None) -> None:
        super().__init__(secret, sessions + _PATH, "run `az login`")
        self._user = user
        self._lasts = lasts

    def flow(self, request: Request, now: float) -> Flow:  # noqa: ARG002 - one token for all
        """One POST."""
        response = yield HttpRequest(
            "POST",
            self.server,
            json={"scope": "vso.packaging", "displayName": "credlatch"},
            headers={
                "Authorization": f"Bearer {self.secret.reveal()}",
                "X-TFS-FedAuthRedirect": "Suppress",
            },
        )
        token = Secret(responses.read(self, response, _Session).token)
        ends = jwt.expiry(token.reveal()) or self._lasts
        return TokenResponse(token, expires=ends, credential=Basic(self._user, token))
