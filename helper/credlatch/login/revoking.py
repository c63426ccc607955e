"""Taking a login away: here, and at the provider that gave it (RFC 7009)."""

from __future__ import annotations

import time

from credlatch.auth import Auth, HttpRequest, responses
from credlatch.credential import Secret
from credlatch.errors import RenewalError
from credlatch.renew import exchange

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator

    from credlatch.auth import HttpResponse
    from credlatch.login.standing import Standing

PATIENCE = 20.0  # seconds for the provider
_SUCCESS = range(200, 300)


class Revocation(Auth):
    """A token that its provider is to take no more.

    Args:
        endpoint: the URL for that.
        client_id: whose the token is.
        token: the refresh token, with which all that came of it goes; or the access token.
        hint: which of the two it is.
    """

    single_use = False
    repeatable = True
    gives = "a word on the token"

    def __init__(self, endpoint: str, client_id: str, token: Secret, hint: str) -> None:
        super().__init__(token, endpoint, "")
        self._form = {"token": token.reveal(), "token_type_hint": hint, "client_id": client_id}

    def revoking(self) -> Generator[HttpRequest, HttpResponse, None]:
        """One POST. A token that is not known is one that is revoked (RFC 7009, 2.2).

        Raises:
            RenewalError: the provider refuses.
        """
        response = yield HttpRequest("POST", self.server, form=self._form)
        if response.status not in _SUCCESS:
            error = responses.error_code(response.body)
            said = f"HTTP {response.status}" + (f", {error}" if error else "")
            raise RenewalError(f"{self.shown} did not revoke it ({said})")


class Removed:
    """What has become of a login.

    Attributes:
        is_gone: whether it was still there, and has been taken out.
        revoked: the provider's server that has revoked it; empty: none was asked.
        failure: why that one has not; empty: it has, or was not asked.
    """

    def __init__(self, *, is_gone: bool, revoked: str = "", failure: str = "") -> None:
        self.is_gone = is_gone
        self.revoked = revoked
        self.failure = failure


def removed(standing: Standing) -> Removed:
    """Take a login out of its place, then have it revoked where it says by whom.

    In this order, because what is taken out is what the last renewal has left, and nobody renews it
    any more.

    Raises:
        StoreError: it cannot be taken out, and is not revoked either.
    """
    if standing.backend is None:
        raise TypeError("another tool's")
    value = standing.backend.take(standing.key)
    if value is None:
        return Removed(is_gone=False)
    return revoked(value)


def revoked(value: object) -> Removed:
    """What becomes of a login that has been taken out, at the provider that gave it."""
    revocation = _revocation(value)
    if revocation is None:
        return Removed(is_gone=True)
    try:
        exchange.run(revocation.revoking(), revocation, time.monotonic() + PATIENCE)
    except RenewalError as error:
        return Removed(is_gone=True, failure=str(error))
    return Removed(is_gone=True, revoked=revocation.shown)


def _revocation(value: object) -> Revocation | None:
    """How a value of rattler's is revoked; None: it is not, or says nothing of it."""
    content = value.get("OAuth") if isinstance(value, dict) else None
    if not isinstance(content, dict):
        return None
    endpoint, client = content.get("revocation_endpoint"), content.get("client_id")
    if not (isinstance(endpoint, str) and isinstance(client, str)):
        return None
    for name in ("refresh_token", "access_token"):
        token = content.get(name)
        if isinstance(token, str) and token:
            return Revocation(endpoint, client, Secret(token), name)
    return None
