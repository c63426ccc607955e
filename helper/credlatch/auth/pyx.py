"""pyx's refresh tokens and API keys, as uv up to 0.12.6 sends them.

The path of a request replaces that of the API's URL. A token's end stands in the token itself.
"""

from __future__ import annotations

from credlatch.auth import Auth, HttpRequest, TokenResponse
from credlatch.credential import Secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.auth import Flow
    from credlatch.request import Request


class _Pyx(Auth):
    def flow(self, request: Request, now: float) -> Flow:  # noqa: ARG002 - one token for all
        """One POST."""
        from credlatch.auth import responses

        response = yield self._post("/".join(self.server.split("/", 3)[:3]))
        said = responses.read(self, response, responses.Tokens)
        return TokenResponse(
            Secret(said.access_token), Secret(said.refresh_token) if said.refresh_token else None
        )

    def _post(self, root: str) -> HttpRequest:
        raise NotImplementedError


class PyxRefresh(_Pyx):
    """A refresh token of pyx, which is taken once."""

    def _post(self, root: str) -> HttpRequest:
        token = {"refresh_token": self.secret.reveal()}
        return HttpRequest("POST", f"{root}/auth/cli/refresh", json=token)


class PyxApiKey(_Pyx):
    """An API key of pyx, which lasts."""

    single_use = False
    repeatable = True

    def _post(self, root: str) -> HttpRequest:
        bearer = {"Authorization": f"Bearer {self.secret.reveal()}"}
        return HttpRequest("POST", f"{root}/auth/cli/access-token", headers=bearer)
