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

        response = yield exchanging(self.server, self.secret)
        return TokenResponse(Secret(responses.read(self, response, responses.Token).access_token))


def exchanging(server: str, identity: Secret) -> HttpRequest:
    """The request that has a Package Manager give a token of its own for an identity token."""
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "subject_token": identity.reveal(),
        "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
    }
    return HttpRequest("POST", f"{server.rstrip('/')}/__api__/token", form=form)
