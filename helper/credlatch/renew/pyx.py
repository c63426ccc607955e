"""pyx's refresh tokens and API keys, as uv up to 0.12.6 sends them."""

from __future__ import annotations

import msgspec

from credlatch.credential import Secret
from credlatch.grant import Fresh, PyxApiKey, PyxRefresh
from credlatch.renew.post import Post


class _Answer(msgspec.Struct):
    access_token: str
    refresh_token: str | None = None


def post(grant: PyxRefresh | PyxApiKey) -> Post:
    """The request. Its path replaces that of the API's URL."""
    secret = grant.secret.reveal()
    root = "/".join(grant.server.split("/", 3)[:3])
    if isinstance(grant, PyxApiKey):
        bearer = {"Authorization": f"Bearer {secret}"}
        return Post(f"{root}/auth/cli/access-token", headers=bearer)
    return Post(f"{root}/auth/cli/refresh", json={"refresh_token": secret})


def answer(_grant: PyxRefresh | PyxApiKey, body: bytes, _now: float) -> Fresh:
    """The fresh token; its end stands in the token itself.

    Raises:
        msgspec.MsgspecError: the body is something else.
    """
    said = msgspec.json.decode(body, type=_Answer)
    return Fresh(
        Secret(said.access_token), Secret(said.refresh_token) if said.refresh_token else None
    )
