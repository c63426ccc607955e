"""Servers that take a CI's identity for a token of their own, each in its own way.

Each checks what it is sent as the real one does: the fields, their encoding, and the identity token
by its issuer's published keys. Which one is asked, the path says.
"""

from __future__ import annotations

import json
import time
import urllib.parse
from typing import TYPE_CHECKING, Any

from support.jwt import make_jwt
from support.oidc import RefusedTokenError, Verifier

if TYPE_CHECKING:
    from support.internet import Answer, Visit

_GRANT = {
    "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
    "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
}
LASTS = 1800  # seconds


class Kind:
    """One kind of server.

    Attributes:
        field: the field that has the identity token.
        json: whether JSON is sent, or a form.
        fields: what is sent besides: all, and nothing else.
        audience: for whom the identity token has to be.
    """

    def __init__(
        self, field: str, audience: str, fields: dict[str, str], *, json: bool = True
    ) -> None:
        self.field = field
        self.audience = audience
        self.fields = fields
        self.json = json


KINDS = {
    "/oauth/token": Kind("subject_token", "https://sts.example", _GRANT, json=False),
    "/__api__/token": Kind("subject_token", "https://ppm.example", _GRANT, json=False),
    "/access/api/v1/oidc/token": Kind(
        "subject_token", "https://acme.jfrog.example", {**_GRANT, "provider_name": "ci"}
    ),
    "/v2/openid/acme": Kind("oidc_token", "https://cloudsmith.example", {"service_slug": "builds"}),
    "/_/oidc/mint-token": Kind("token", "https://pypi.example", {}),
    "/v1/trusted-access/acme": Kind("token", "pyx:trusted-access", {}),
}


class Exchanges:
    """All of them.

    Attributes:
        issued: the tokens that were given, with the path that they were asked at.
        refused: why others were not.
        visits: how often any was asked.
        answer: what all say instead, where a test wants that.
        audiences: for whom the identity has to be, by path, where that is another than of KINDS.
    """

    def __init__(self, issuer: str) -> None:
        self._verifier = Verifier(issuer)
        self.issued: list[tuple[str, str]] = []
        self.refused: list[str] = []
        self.visits = 0
        self.answer: Answer | None = None
        self.audiences: dict[str, str] = {}

    def __call__(self, visit: Visit) -> Answer:
        """Answer."""
        self.visits += 1
        if self.answer is not None:
            return self.answer
        kind = KINDS.get(visit.path)
        if kind is None or visit.method != "POST":
            return 404, {}, {}
        try:
            identity = self._identity(kind, visit)
            audience = self.audiences.get(visit.path, kind.audience)
            claims = self._verifier.claims(identity, audience)
        except RefusedTokenError as error:
            self.refused.append(str(error))
            return 401, {}, {"error": "invalid_grant", "error_description": visit.body.decode()}
        assert claims["repository"] == "example/demo"
        return self._given(visit.path)

    def _identity(self, kind: Kind, visit: Visit) -> str:
        wanted = "application/json" if kind.json else "application/x-www-form-urlencoded"
        if visit.headers.get("content-type") != wanted or visit.authorization:
            raise RefusedTokenError("its headers")
        body: dict[str, Any] = (
            json.loads(visit.body)
            if kind.json
            else dict(urllib.parse.parse_qsl(visit.body.decode(), strict_parsing=True))
        )
        identity = body.pop(kind.field, "")
        if body != kind.fields:
            raise RefusedTokenError(f"its fields: {sorted(body)}")
        return str(identity)

    def _given(self, path: str) -> Answer:
        """A token, as the server at this path gives it."""
        number = len(self.issued) + 1
        end = int(time.time()) + LASTS
        token = f"token-{number}"
        if path == "/access/api/v1/oidc/token":
            token = make_jwt(end, sub="jfac@01h/users/ci-reader", n=number)
        elif path in {"/v2/openid/acme", "/__api__/token"}:
            token = make_jwt(end, n=number)  # whose end nobody else tells
        self.issued.append((path, token))
        oauth = {
            "access_token": token,
            "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
            "token_type": "Bearer",
        }
        said: dict[str, tuple[int, dict[str, Any]]] = {
            "/oauth/token": (200, {**oauth, "expires_in": LASTS}),
            "/__api__/token": (200, oauth),
            "/access/api/v1/oidc/token": (200, {**oauth, "expires_in": LASTS}),
            "/v2/openid/acme": (201, {"token": token}),
            "/_/oidc/mint-token": (200, {"success": True, "token": token, "expires": end}),
            "/v1/trusted-access/acme": (200, {"token": token, "expires_in": LASTS}),
        }
        status, body = said[path]
        return status, {}, body
