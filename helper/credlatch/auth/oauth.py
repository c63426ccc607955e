"""OAuth 2.0 refresh tokens (RFC 6749, section 6), as rattler sends them."""

from __future__ import annotations

from credlatch.auth import Auth, HttpRequest, TokenResponse
from credlatch.credential import Secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.auth import Flow
    from credlatch.request import Request


class OAuthRefresh(Auth):
    """An OAuth 2.0 refresh token, sent to its token endpoint.

    Attributes:
        client_id: whose the token is.
        audience: whom the fresh token is to be for; None: whomever the server has by default.
    """

    # A server may rotate it or not: nobody says beforehand. So it is sent once in a call, and again
    # by a later one.
    single_use = False

    def __init__(
        self, secret: Secret, server: str, client_id: str, remedy: str, audience: str | None = None
    ) -> None:
        super().__init__(secret, server, remedy)
        self.client_id = client_id
        self.audience = audience

    def flow(self, request: Request, now: float) -> Flow:  # noqa: ARG002 - one token for all
        """One POST. Without ``expires_in`` a token's end is unknown, and rattler keeps null."""
        from credlatch.auth import responses

        form = {
            "grant_type": "refresh_token",
            "refresh_token": self.secret.reveal(),
            "client_id": self.client_id,
        }
        if self.audience is not None:
            form["audience"] = self.audience
        response = yield HttpRequest("POST", self.server, form=form)
        said = responses.read(self, response, responses.BearerTokens)
        # A token of another type (RFC 6749, 7.1) is of no use in our header, nor is it to rattler;
        # the refresh token that came with it counts all the same.
        is_bearer = said.token_type is None or said.token_type.lower() == "bearer"
        return TokenResponse(
            Secret(said.access_token if is_bearer else ""),
            Secret(said.refresh_token) if said.refresh_token else None,
            responses.end(said.expires_in, response.at),
        )
