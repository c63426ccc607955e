"""Entra, Azure Artifacts and a container registry, as far as logins go.

Each verifies what it is sent. Entra takes client secrets, and tokens of one other issuer's by that
issuer's key; the others take what Entra, or they themselves, have signed, for them alone.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
import urllib.parse
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from support.found import sure

if TYPE_CHECKING:
    from support.internet import Answer, Internet, Visit

TENANT = "11111111-2222-3333-4444-555555555555"
CLIENT = "66666666-7777-8888-9999-000000000000"
CLIENT_SECRET = "a~secret+of/the=application"
LOGIN = "login.microsoftonline.com"
REGISTRY = "crate.azurecr.io"
PACKAGES = "pkgs.dev.azure.com"
SESSIONS = "vssps.dev.azure.com"
AUDIENCES = {
    "https://storage.azure.com/.default": "https://storage.azure.com",
    "https://containerregistry.azure.net/.default": "https://containerregistry.azure.net",
    "499b84ac-1321-427f-aa17-267ca6975798/.default": "499b84ac-1321-427f-aa17-267ca6975798",
}
STORAGE, REGISTRIES, DEVOPS = AUDIENCES.values()
NOBODY = "00000000-0000-0000-0000-000000000000"
ASSERTED = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class Issuer:
    """Another issuer of identity tokens: of a CI, or of a cluster."""

    url = "https://ci.example"
    subject = "repo:team/product:ref:refs/heads/main"

    def __init__(self) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def token(self, **claims: Any) -> str:
        """An identity token for Entra; ``claims`` are other ones than its usual."""
        now = int(time.time())
        body = {"iss": self.url, "sub": self.subject, "aud": "api://AzureADTokenExchange"}
        signed = _unsigned({"alg": "RS256"}, body | {"nbf": now - 5, "exp": now + 300} | claims)
        signature = self._key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{_b64(signature)}"

    def claims(self, token: str) -> dict[str, Any] | None:
        """What a token says that it has signed; None for any other."""
        signed, _, signature = token.rpartition(".")
        proof = _raw(signature), signed.encode(), padding.PKCS1v15(), hashes.SHA256()
        try:
            self._key.public_key().verify(*proof)
        except InvalidSignature:
            return None
        return claims_of(token)


class Azure:
    """All of them, at their real names.

    Args:
        internet: where they are put.
        issuer: whose tokens the application trusts.

    Attributes:
        secrets: client secrets, and the number with which Entra refuses one; 0: it takes it.
        certificate: whose key signs for the application; None: no certificate's.
        fails: what Entra answers instead, where that is set.
        lifetime: seconds that tokens are good for.
        challenge: the headers with which Azure Artifacts refuses.
        pats: tokens that Azure Artifacts takes as a password.
        public: containers and feeds that everybody may read.
        pulls: repositories that may be pulled.
        ahead: seconds by which Azure's clock is ahead of ours.
    """

    def __init__(self, internet: Internet, issuer: Issuer | None = None) -> None:
        self.issuer = issuer
        self.secrets = {CLIENT_SECRET: 0}
        self.certificate: rsa.RSAPublicKey | None = None
        self.fails: Answer | None = None
        self.lifetime = 3_599
        self.ahead = 0
        self.pats = {"a-pat"}
        self.public: set[str] = set()
        self.pulls = {"team/one", "team/blobs/two"}
        self.challenge = {
            "WWW-Authenticate": f"Bearer authorization_uri=https://{LOGIN}/{TENANT}, "
            'Basic realm="https://pkgsprodweu1.pkgs.visualstudio.com/", TFS-Federated',
            "X-VSS-AuthorizationEndpoint": f"https://{SESSIONS}/org/",
        }
        internet.hosts |= {
            LOGIN: self.entra,
            PACKAGES: self.packages,
            "org.pkgs.visualstudio.com": self.packages,
            SESSIONS: self.sessions,
            "*.blob.core.windows.net": self.blobs,
            REGISTRY: self.registry,
        }

    def token(self, audience: str, **claims: Any) -> str:
        """An access token of Entra's."""
        now = int(time.time()) + self.ahead
        usual: dict[str, Any] = {
            "iss": f"https://sts.windows.net/{TENANT}/",
            "tid": TENANT,
            "aud": audience,
        }
        usual |= {"idtyp": "app", "roles": [], "nbf": now - 5, "iat": now}
        return _signed(usual | {"exp": now + self.lifetime} | claims)

    def entra(self, visit: Visit) -> Answer:
        """The token endpoint of a tenant."""
        form = visit.form
        if self.fails is not None:
            return self.fails
        if visit.method == "GET":
            return self._discovered(visit)
        if (visit.method, visit.path) != ("POST", f"/{TENANT}/oauth2/v2.0/token"):
            return _refused("invalid_request", 900023)
        if form.get("grant_type") != "client_credentials":
            return _refused("unsupported_grant_type", 70003)
        if form.get("client_id") != CLIENT:
            return _refused("unauthorized_client", 700016)
        if form.get("scope") not in AUDIENCES:
            return _refused("invalid_resource", 500011)
        if "client_assertion" in form:
            number = self._refuses(form)
        else:
            number = self.secrets.get(form.get("client_secret", ""), 7000215)
        if number:
            return _refused("invalid_client", number)
        token = self.token(AUDIENCES[form["scope"]])
        return 200, {}, {"token_type": "Bearer", "expires_in": self.lifetime, "access_token": token}

    def _discovered(self, visit: Visit) -> Answer:
        """What Microsoft's SDK asks before it sends anything."""
        if visit.path == "/common/discovery/instance":
            names = {"preferred_network": LOGIN, "preferred_cache": LOGIN, "aliases": [LOGIN]}
            end = f"https://{LOGIN}/{TENANT}/v2.0/.well-known/openid-configuration"
            return 200, {}, {"tenant_discovery_endpoint": end, "metadata": [names]}
        if visit.path != f"/{TENANT}/v2.0/.well-known/openid-configuration":
            return _refused("invalid_tenant", 90002)
        tenant = f"https://{LOGIN}/{TENANT}"
        ends = {"token_endpoint": f"{tenant}/oauth2/v2.0/token", "issuer": f"{tenant}/v2.0"}
        return 200, {}, ends | {"authorization_endpoint": f"{tenant}/oauth2/v2.0/authorize"}

    def metadata(self, visit: Visit) -> Answer:
        """A machine's metadata service, which gives tokens of the machine's own identity."""
        if visit.headers.get("metadata") != "true":
            return 400, {}, {"error": "invalid_request"}
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(visit.target).query))
        said = {"access_token": self.token(query["resource"]), "expires_in": str(self.lifetime)}
        return 200, {}, said | {"token_type": "Bearer", "resource": query["resource"]}

    def _refuses(self, form: dict[str, str]) -> int:
        if self.certificate is not None:
            return 0 if self._is_signed(form["client_assertion"]) else 700027
        claims = None if self.issuer is None else self.issuer.claims(form["client_assertion"])
        if form.get("client_assertion_type") != ASSERTED or "client_secret" in form:
            return 900144
        if claims is None:
            return 50013
        now = time.time() + self.ahead
        rules = {
            700211: claims["iss"] == Issuer.url,
            700212: claims["aud"] == "api://AzureADTokenExchange",
            700213: claims["sub"] == Issuer.subject,
            700024: claims["nbf"] <= now < claims["exp"],
        }
        return next((number for number, holds in rules.items() if not holds), 0)

    def _is_signed(self, assertion: str) -> bool:
        """Whether the application has signed an assertion about itself, for here and now."""
        signed, _, signature = assertion.rpartition(".")
        head = json.loads(_raw(signed.partition(".")[0]))
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), hashes.SHA256.digest_size)
        way = pss if head["alg"] == "PS256" else padding.PKCS1v15()
        claims = claims_of(assertion)
        try:
            sure(self.certificate).verify(_raw(signature), signed.encode(), way, hashes.SHA256())
        except InvalidSignature:
            return False
        here = f"https://{LOGIN}/{TENANT}/oauth2/v2.0/token"
        is_own = claims["iss"] == claims["sub"] == CLIENT and claims["aud"] == here
        return is_own and bool(claims["exp"] > time.time() + self.ahead)

    def packages(self, visit: Visit) -> Answer:
        """A feed: for a token of Entra's of an application, or one that is no identity's."""
        scheme, _, value = visit.authorization.partition(" ")
        if not scheme and any(f"/{feed}/" in visit.path for feed in self.public):
            return 200, {}, {"index": 1}
        if scheme == "Basic":
            value = base64.b64decode(value).decode().partition(":")[2]
        own = value in self.pats and scheme == "Basic"
        said = _verified(value)
        entra = said.get("aud") == DEVOPS and "scp" not in said
        session = said.get("aud") == "sessions" and scheme == "Basic"
        return (200, {}, {"index": 1}) if own or entra or session else (401, self.challenge, {})

    def blobs(self, visit: Visit) -> Answer:
        """An account: a header counts, also where none is needed."""
        container = visit.path.split("/")[1]
        if not visit.authorization:
            code = "BlobNotFound" if container in self.public else "ResourceNotFound"
            if container in self.public and "missing" not in visit.path:
                return 206, {}, b"x"
            return 404, {"x-ms-error-code": code}, {}
        said = _verified(visit.authorization.removeprefix("Bearer "))
        known = said.get("aud") == STORAGE and visit.headers.get("x-ms-version", "") > "2017-11-09"
        return (200, {}, b"x") if known and visit.host.startswith("account") else (401, {}, {})

    def sessions(self, visit: Visit) -> Answer:
        """Makes a token for packages of a user's one."""
        target = "/org/_apis/Token/SessionTokens?api-version=5.0-preview.1"
        said = _verified(visit.authorization.removeprefix("Bearer "))
        wanted = visit.json.get("scope") if visit.body else None
        if (visit.method, visit.target) != ("POST", target) or wanted != "vso.packaging":
            return 400, {}, {}
        if said.get("aud") != DEVOPS or "scp" not in said:
            return 401, {}, {}
        now = int(time.time())
        return 200, {}, {"token": _signed({"aud": "sessions", "iat": now, "exp": now + 3_600})}

    def registry(self, visit: Visit) -> Answer:
        """A registry, and the tokens that it gives."""
        form = visit.form if visit.method == "POST" else {}
        now = int(time.time()) + self.ahead
        if visit.path == "/oauth2/exchange":
            said = _verified(form.get("access_token", ""))
            rules = [form.get("grant_type") == "access_token", form.get("service") == REGISTRY]
            rules += [form.get("tenant", TENANT) == said.get("tid"), said.get("aud") == REGISTRIES]
            if not all(rules):
                return 401, {}, {"errors": [{"code": "UNAUTHORIZED"}]}
            refresh = {"aud": REGISTRY, "grant_type": "refresh_token", "iat": now}
            return 200, {}, {"refresh_token": _signed(refresh | {"exp": now + 3 * self.lifetime})}
        if visit.path == "/oauth2/token":
            return self._narrowed(visit, form, now)
        realm = f"https://{REGISTRY}/oauth2/token"
        challenge = {"WWW-Authenticate": f'Bearer realm="{realm}",service="{REGISTRY}"'}
        said = _verified(visit.authorization.removeprefix("Bearer "))
        repository = said.get("repository") if said.get("aud") == REGISTRY else None
        pulled = repository is not None and visit.path.startswith(f"/v2/{repository}/")
        return (200, {}, {"layer": 1}) if pulled else (401, challenge, {})

    def _narrowed(self, visit: Visit, form: dict[str, str], now: int) -> Answer:
        """An access token for one repository: asked as by Docker, or with a form."""
        if visit.method == "GET":
            query = urllib.parse.urlsplit(visit.target).query
            form = dict(urllib.parse.parse_qsl(query))
            login = base64.b64decode(visit.authorization.removeprefix("Basic ")).decode()
            user, _, token = login.partition(":")
            allowed = user == NOBODY
        else:
            token, allowed = (
                form.get("refresh_token", ""),
                form.get("grant_type") == "refresh_token",
            )
        said = _verified(token)
        kind, _, rest = form.get("scope", "").partition(":")
        repository, _, actions = rest.rpartition(":")
        allowed = allowed and said.get("grant_type") == "refresh_token"
        allowed = allowed and said.get("aud") == form.get("service") == REGISTRY
        if not allowed or kind != "repository" or repository not in self.pulls:
            return 401, {}, {"errors": [{"code": "UNAUTHORIZED"}]}
        access = {"aud": REGISTRY, "repository": repository, "actions": actions, "iat": now}
        return 200, {}, {"access_token": _signed(access | {"exp": now + 4_500})}


def _refused(error: str, number: int) -> Answer:
    said = f"AADSTS{number}: what was sent is repeated here. Trace ID: 1 Timestamp: 2"
    body = {"error": error, "error_description": said, "error_codes": [number], "trace_id": "1"}
    return 401 if error == "invalid_client" else 400, {}, body


_KEY = b"Azure's own, of these tests"


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _raw(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _unsigned(head: dict[str, str], claims: dict[str, Any]) -> str:
    return ".".join(_b64(json.dumps(part).encode()) for part in (head, claims))


def _signed(claims: dict[str, Any]) -> str:
    text = _unsigned({"alg": "HS256", "typ": "JWT"}, claims)
    return f"{text}.{_b64(hmac.digest(_KEY, text.encode(), hashlib.sha256))}"


def _verified(token: str) -> dict[str, Any]:
    """What a token says that one of these servers has signed; empty for any other."""
    text, _, signature = token.rpartition(".")
    right = _b64(hmac.digest(_KEY, text.encode(), hashlib.sha256))
    return claims_of(token) if hmac.compare_digest(right, signature) else {}


def claims_of(token: str) -> dict[str, Any]:
    """What a token says, whoever has signed it."""
    claims: dict[str, Any] = json.loads(_raw(token.split(".")[1]))
    return claims
