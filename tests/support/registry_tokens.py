"""The token server of a registry with ``auth.token``: who may pull is decided here.

It speaks both ways of asking: GET with Basic, and POST with ``grant_type``. With ``offline_token``
it also issues an identity token, which is what docker calls a refresh token.
"""

from __future__ import annotations

import base64
import hmac
import json
import secrets
import time
import urllib.parse
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from support.certificates import builder
from support.loopback import Handler, Loopback, Recorded

if TYPE_CHECKING:
    from collections.abc import Callable

ISSUER = "tokens.test"
SERVICE = "registry.test"
LIFETIME = 300  # seconds that a registry token is good for


def _b64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class Signer:
    """An RSA key with a certificate that vouches for itself, and the JWTs it signs."""

    def __init__(self) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, ISSUER)])
        self._certificate = (
            builder(name, name, self._key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(self._key, hashes.SHA256())
        )

    @property
    def pem(self) -> bytes:
        """The certificate, for the registry's ``rootcertbundle``."""
        return self._certificate.public_bytes(serialization.Encoding.PEM)

    def jwt(self, claims: dict[str, Any]) -> str:
        """The claims as an RS256 token that carries its certificate."""
        der = self._certificate.public_bytes(serialization.Encoding.DER)
        head = {"typ": "JWT", "alg": "RS256", "x5c": [base64.b64encode(der).decode()]}
        signed = ".".join(_b64url(json.dumps(part).encode()) for part in (head, claims))
        signature = self._key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{_b64url(signature)}"


class RegistryTokens(Loopback):
    """The token server, running while its ``with`` block does.

    Attributes:
        requests: everything that was asked, in order of arrival.
        admits: says whether a user name and a secret are right; a test may replace it.
        allows: says whether a user may read and write a repository, likewise; nobody's name is
            empty.
    """

    def __init__(self) -> None:
        self.requests: list[Recorded] = []
        self.admits: Callable[[str, str], bool] = lambda *_: False
        self.allows: Callable[[str, str], bool] = _every_user
        self.signer = Signer()
        self._identities: dict[str, str] = {}
        super().__init__(_Handler)
        self.url += "/token"

    def admit_only(self, user: str, secret: str) -> None:
        """Let this user in and nobody else, forget all identity tokens and what was asked."""
        self.admits = lambda u, s: hmac.compare_digest(
            f"{u}:{s}".encode(), f"{user}:{secret}".encode()
        )
        self.allows = _every_user
        self._identities.clear()
        self.requests.clear()

    def grants(self) -> list[str]:
        """How each request asked: ``GET``, or the grant type of a POST."""
        return [r.form["grant_type"] if r.method == "POST" else r.method for r in self.requests]

    def answer(self, request: Recorded) -> dict[str, Any] | None:
        """The tokens that a request gets; None when it is refused."""
        self.requests.append(request)
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(request.target).query))
        asked = request.form if request.method == "POST" else query
        if asked.get("service") != SERVICE:
            return None
        if asked.get("grant_type") == "refresh_token":
            user = self._identities.get(asked.get("refresh_token", ""))
            given = {"refresh_token": asked.get("refresh_token", "")}
        else:
            user = self._admitted(request, asked)
            offline = asked.get("offline_token") == "true" or asked.get("access_type") == "offline"
            given = {"refresh_token": self.identity(user)} if user and offline else {}
        scopes = asked.get("scope", "").split()
        readable = [one for one in scopes if user is not None and self._allowed(user, one)]
        if user is None or (not readable and (scopes or not user)):
            return None
        token = self.registry_token(user, readable)
        return {"token": token, "access_token": token, "expires_in": LIFETIME, **given}

    def _admitted(self, request: Recorded, asked: dict[str, str]) -> str | None:
        if asked.get("grant_type") == "password":
            user, secret = asked.get("username", ""), asked.get("password", "")
        else:
            kind, _, value = request.authorization.partition(" ")
            if not kind:
                return ""
            if kind != "Basic":
                return None
            user, _, secret = base64.b64decode(value).decode().partition(":")
        return user if self.admits(user, secret) else None

    def identity(self, user: str) -> str:
        """A fresh identity token of a user's."""
        token = f"identity-{secrets.token_hex(16)}"
        self._identities[token] = user
        return token

    def _allowed(self, user: str, scope: str) -> bool:
        return self.allows(user, scope.split(":")[1])

    def registry_token(self, user: str, scopes: list[str]) -> str:
        """A token for a user, as the registry takes it; scopes as ``repository:NAME:pull``."""
        now = int(time.time())
        access = []
        for one in scopes:
            kind, name, actions = one.split(":", 2)
            access.append({"type": kind, "name": name, "actions": actions.split(",")})
        return self.signer.jwt(
            {
                "iss": ISSUER,
                "sub": user,
                "aud": SERVICE,
                "iat": now,
                "nbf": now - 10,
                "exp": now + LIFETIME,
                "jti": secrets.token_hex(8),
                "access": access,
            }
        )


def _every_user(user: str, _: str) -> bool:
    return bool(user)


class _Handler(Handler):
    def respond(self, request: Recorded) -> None:
        answer = self.server.owner.answer(request)
        refusal = {"details": "incorrect username or password"}
        self.send(200 if answer else 401, answer or refusal)
