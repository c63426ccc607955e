"""OAuth 2.0 refresh tokens (RFC 6749, section 6), as rattler sends them."""

from __future__ import annotations

from math import isnan

import msgspec

from credlatch import clock
from credlatch.credential import Secret
from credlatch.grant import Fresh, OAuthRefresh
from credlatch.renew.post import Post


class _Answer(msgspec.Struct):
    access_token: str
    token_type: str | None = None
    refresh_token: str | None = None
    expires_in: msgspec.Raw = msgspec.Raw(b"null")


def post(grant: OAuthRefresh) -> Post:
    """The request to the token endpoint."""
    form = {
        "grant_type": "refresh_token",
        "refresh_token": grant.secret.reveal(),
        "client_id": grant.client_id,
    }
    if grant.audience is not None:
        form["audience"] = grant.audience
    return Post(grant.server, form=form)


def answer(_grant: OAuthRefresh, body: bytes, now: float) -> Fresh:
    """The fresh token; without ``expires_in`` its end is unknown, and rattler keeps null.

    Raises:
        msgspec.MsgspecError: the body is not what RFC 6749, section 5.1, says.
    """
    said = msgspec.json.decode(body, type=_Answer)
    # A token of another type (RFC 6749, 7.1) is of no use in our header, nor is it to rattler; the
    # refresh token that came with it counts all the same.
    is_bearer = said.token_type is None or said.token_type.lower() == "bearer"
    return Fresh(
        Secret(said.access_token if is_bearer else ""),
        Secret(said.refresh_token) if said.refresh_token else None,
        _end(said.expires_in, now),
    )


def _end(expires_in: msgspec.Raw, now: float) -> int | None:
    """When a token ends; None where that is not said in a way to be understood.

    What else was said counts all the same: the next refresh token would be lost with it.
    """
    try:
        # Not strict: some servers write the number of seconds as a string.
        seconds = msgspec.json.decode(expires_in, type=float, strict=False)
    except msgspec.MsgspecError:
        return None
    return None if isnan(seconds) else clock.moment(now + max(0.0, seconds))
