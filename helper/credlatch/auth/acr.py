"""Azure Container Registry: an access token of Entra's, exchanged for a login of the registry's.

github.com/Azure/acr/blob/main/docs/AAD-OAuth.md.
"""

from __future__ import annotations

from credlatch import jwt
from credlatch.auth import Auth, HttpRequest, TokenResponse
from credlatch.credential import Basic, Secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.auth import Flow
    from credlatch.request import Request

# Docker's user name for a refresh token of the registry's, which says who it is for.
USER = "00000000-0000-0000-0000-000000000000"


class AcrExchange(Auth):
    """An access token of Entra's, for a registry's refresh token: a login for Docker.

    Args:
        secret: the access token.
        registry: the registry's host.
        remedy: what a person does when it is refused.
    """

    single_use = False
    repeatable = True

    def __init__(self, secret: Secret, registry: str, remedy: str) -> None:
        super().__init__(secret, f"https://{registry}/oauth2/exchange", remedy)
        self.registry = registry

    def flow(self, request: Request, now: float) -> Flow:  # noqa: ARG002 - one token for all
        """One POST. The token is a JWT, and has its end in it."""
        from credlatch.auth import responses

        form = {
            "grant_type": "access_token",
            "service": self.registry,
            "access_token": self.secret.reveal(),
        }
        tenant = (jwt.claims(self.secret.reveal()) or {}).get("tid")
        if isinstance(tenant, str):
            form["tenant"] = tenant
        response = yield HttpRequest("POST", self.server, form=form)
        token = Secret(responses.read(self, response, responses.RefreshToken).refresh_token)
        return TokenResponse(token, credential=Basic(USER, token))
