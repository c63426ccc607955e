"""Posit Package Manager's exchange of an identity token (OAuth 2.0 Token Exchange, RFC 8693)."""

from __future__ import annotations

from credlatch.auth import Auth, HttpRequest, TokenResponse
from credlatch.credential import Secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.auth import Flow
    from credlatch.request import Request


class PositIdentity(Auth):
    """An OpenID Connect identity token."""

    single_use = False
    repeatable = True

    def flow(self, request: Request, now: float) -> Flow:  # noqa: ARG002 - one token for all
        """One POST. A token's end stands in it, or nowhere."""
        from credlatch.auth import responses

        form = {
            "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
            "subject_token": self.secret.reveal(),
            "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
        }
        response = yield HttpRequest("POST", f"{self.server.rstrip('/')}/__api__/token", form=form)
        return TokenResponse(Secret(responses.read(self, response, responses.Token).access_token))
