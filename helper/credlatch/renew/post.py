"""What renewing needs of a token server: the request, and the judgement of its answer."""

from __future__ import annotations

from credlatch import jwt
from credlatch.errors import LoginError, RenewalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.grant import Fresh, Grant


# RFC 6749, sections 5.2 and 4.1.2.1; RFC 6750, 3.1; RFC 8693, 2.2.2; RFC 8628, 3.5; OpenID Connect
# Core, 3.1.2.6. Whatever else a server says may repeat what it was sent.
_CODES = frozenset(
    {
        "access_denied", "authorization_pending", "consent_required", "expired_token",
        "insufficient_scope", "interaction_required", "invalid_client", "invalid_grant",
        "invalid_request", "invalid_scope", "invalid_target", "invalid_token", "login_required",
        "server_error", "slow_down", "temporarily_unavailable", "unauthorized_client",
        "unsupported_grant_type", "unsupported_response_type", "unsupported_token_type",
    }
)  # fmt: skip
_PASSING = frozenset({"server_error", "slow_down", "temporarily_unavailable"})


class Post:
    """A request to a token server.

    Attributes:
        url: where it goes.
        form: fields, sent form-encoded; None for none.
        json: an object, sent as JSON; None for none.
        headers: more headers.
    """

    __slots__ = ("form", "headers", "json", "url")

    def __init__(
        self,
        url: str,
        *,
        form: dict[str, str] | None = None,
        json: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        self.url = url
        self.form = form
        self.json = json
        self.headers = headers or {}


def refusal(grant: Grant, status: int, error: str = "") -> RenewalError:
    """What a status other than success means.

    Args:
        grant: what was sent.
        status: the HTTP status.
        error: OAuth's error code (RFC 6749, section 5.2), where the body had one.
    """
    said = f"HTTP {status}" + (f", {error}" if error in _CODES else "")
    again = RenewalError(f"{grant.shown} could not renew the token ({said}): try again")
    if error in _PASSING:
        return again
    # A 403 without a word of OAuth's comes from a firewall as often as from the server.
    if error in {"invalid_grant", "invalid_token"} or status in {400, 401}:
        return LoginError(f"{grant.shown} no longer takes this login ({said}): {grant.advice}")
    return again


def checked(grant: Grant, fresh: Fresh, now: float) -> RenewalError | None:
    """Why a fresh token cannot be used, or None."""
    token = fresh.token.reveal()
    ends = fresh.expires if fresh.expires is not None else jwt.expiry(token)
    if not fresh.token.fits_a_header:
        return RenewalError(f"{grant.shown} answered with a token that no header can carry")
    if ends is not None and ends <= now:
        return RenewalError(
            f"{grant.shown} answered with a token that has already expired "
            "(is this machine's clock right?)"
        )
    return None
