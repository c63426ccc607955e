"""What a token server's answer says and means, without I/O."""

from __future__ import annotations

from math import isnan

from credlatch import clock, jwt, structs
from credlatch.errors import LoginError, RenewalError
from credlatch.structs import msgspec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeVar

    from credlatch.auth import Auth, HttpResponse, TokenResponse

    T = TypeVar("T")

_SUCCESS = range(200, 300)
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


class Token(msgspec.Struct):
    """An access token (RFC 6749, section 5.1)."""

    access_token: str


class RefreshToken(msgspec.Struct):
    """A refresh token alone."""

    refresh_token: str


class Tokens(Token):
    """A token, and the refresh token for next time."""

    refresh_token: str | None = None


class BearerTokens(Tokens):
    """Likewise, of a type, and with an end."""

    token_type: str | None = None
    expires_in: msgspec.Raw = msgspec.Raw(b"null")


class RegistryTokens(msgspec.Struct):
    """A registry's token, under either name (distribution.github.io/distribution/spec/auth)."""

    token: str | None = None
    access_token: str | None = None
    expires_in: msgspec.Raw = msgspec.Raw(b"null")
    issued_at: object = None


def read(auth: Auth, response: HttpResponse, kind: type[T]) -> T:
    """What a server's answer says.

    Args:
        auth: what was sent.
        response: what came back.
        kind: what its JSON is to hold.

    Raises:
        RenewalError: the server refuses.
        ValueError: the body is something else.
    """
    if response.status not in _SUCCESS:
        raise refusal(auth, response.status, _said(response.body))
    return decoded(response.body, kind)


def end(expires_in: msgspec.Raw, now: float) -> int | None:
    """When a token ends; None where that is not said in a way to be understood.

    What else was said counts all the same: the next refresh token would be lost with it.
    """
    try:
        # Not strict: some servers write the number of seconds as a string.
        seconds = structs.decoded(expires_in, float, strict=False)
    except msgspec.MsgspecError:
        return None
    return None if isnan(seconds) else clock.moment(now + max(0.0, seconds))


def decoded(body: bytes, kind: type[T]) -> T:
    """What a body says; raises ValueError where that is something else, without a word of it."""
    try:
        return structs.decoded(body, kind)
    except (msgspec.MsgspecError, RecursionError):
        raise ValueError("it is not what was expected") from None  # its own text quotes the body


def error_code(body: bytes) -> str:
    """The standard's error code in a body; empty: there is none."""
    code = _said(body)
    return code if is_code(code) else ""


def is_code(text: str) -> bool:
    """Whether a text is one of the standard's error codes, which may be shown."""
    return text in _CODES


def _said(body: bytes) -> str:
    try:
        said = decoded(body, object)
    except ValueError:
        return ""
    code = said.get("error") if isinstance(said, dict) else None
    return code if isinstance(code, str) else ""


def refusal(auth: Auth, status: int, error: str = "") -> RenewalError:
    """What a status other than success means.

    Args:
        auth: what was sent.
        status: the HTTP status.
        error: OAuth's error code (RFC 6749, section 5.2), where the body had one.
    """
    said = f"HTTP {status}" + (f", {error}" if error in _CODES else "")
    again = RenewalError(f"{auth.shown} could not renew the token ({said}): try again")
    if error in _PASSING:
        return again
    # A 403 without a word of OAuth's comes from a firewall as often as from the server.
    if error in {"invalid_grant", "invalid_token"} or status in auth.refusals:
        return LoginError(f"{auth.shown} {auth.refused} ({said}): {auth.remedy}")
    return again


def checked(auth: Auth, fresh: TokenResponse, now: float) -> RenewalError | None:
    """Why a fresh token cannot be used, or None."""
    token = fresh.token.reveal()
    ends = fresh.expires if fresh.expires is not None else jwt.expiry(token)
    if not fresh.token.fits_a_header:
        return RenewalError(f"{auth.shown} answered with a token that no header can carry")
    if ends is not None and ends <= now:
        return RenewalError(
            f"{auth.shown} answered with a token that has already expired "
            "(is this machine's clock right?)"
        )
    return None
