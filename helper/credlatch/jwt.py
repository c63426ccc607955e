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
    said = claims(token)
    if said is None:
        return None, None
    return clock.moment(said.get("iat")), clock.moment(said.get("exp"))


def claims(token: str) -> dict[str, object] | None:
    """What a JWT says; None if it is no JWT."""
    parts = token.split(".")
    if len(parts) != _PARTS or not token.startswith("ey"):
        return None
    payload = parts[1].translate({ord("-"): "+", ord("_"): "/"})
    try:
        said = quick_json.loads(a2b_base64(payload + "=" * (-len(payload) % 4)).decode())
    except ValueError:
        return None
    return said if isinstance(said, dict) else None
