"""When a JSON Web Token was issued and ends (RFC 7519), read without verifying: the server will."""

from __future__ import annotations

from binascii import a2b_base64

from credlatch import clock, quick_json

_PARTS = 3


def expiry(token: str) -> int | None:
    """The ``exp`` of a JWT, in whole seconds since 1970 UTC; None if it is no JWT or has none."""
    return moments(token)[1]


def moments(token: str) -> tuple[int | None, int | None]:
    """The ``iat`` and the ``exp`` of a JWT, likewise."""
    parts = token.split(".")
    if len(parts) != _PARTS or not token.startswith("ey"):
        return None, None
    payload = parts[1].translate({ord("-"): "+", ord("_"): "/"})
    try:
        claims = quick_json.loads(a2b_base64(payload + "=" * (-len(payload) % 4)).decode())
    except ValueError:
        return None, None
    if not isinstance(claims, dict):
        return None, None
    return clock.moment(claims.get("iat")), clock.moment(claims.get("exp"))
