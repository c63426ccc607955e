"""Posit Package Manager's exchange of an identity token (OAuth 2.0 Token Exchange, RFC 8693)."""

from __future__ import annotations

import msgspec

from credlatch.credential import Secret
from credlatch.grant import Fresh, PositIdentity
from credlatch.renew.post import Post


class _Answer(msgspec.Struct):
    access_token: str


def post(grant: PositIdentity) -> Post:
    """The request."""
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "subject_token": grant.secret.reveal(),
        "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
    }
    return Post(f"{grant.server.rstrip('/')}/__api__/token", form=form)


def answer(_grant: PositIdentity, body: bytes, _now: float) -> Fresh:
    """The fresh token, whose end stands in it, or nowhere.

    Raises:
        msgspec.MsgspecError: the body is something else.
    """
    return Fresh(Secret(msgspec.json.decode(body, type=_Answer).access_token))
