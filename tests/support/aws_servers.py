"""AWS's services as far as identities go: what they are sent is verified as AWS verifies it.

Signatures are computed anew by botocore's own signer, the region and service of a signature's scope
are those of the host, dates within five minutes of the server's clock. A refresh token of SSO's is
good for one use.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
import time
import urllib.parse
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

if TYPE_CHECKING:
    from collections.abc import Mapping

    from support.home import Home
    from support.internet import Visit

    Answer = tuple[int, dict[str, str], bytes | dict[str, Any]]

ACCOUNT = "123456789012"
HOSTS = ("*.amazonaws.com", "*.amazonaws.com.cn", "*.api.aws", "*.on.aws", "*.c2s.ic.gov",
         "public.ecr.aws", "ecr-public.aws.com")  # fmt: skip
HALF_A_DAY = 43_200
SKEW = 300  # seconds
_HOSTS = {
    "ecr": r"api\.ecr(?:-fips)?\.([^.]+)\..+|ecr(?:-fips)?\.([^.]+)\.api\..+",
    "ecr-public": r"api\.ecr-public\.(us-east-1)\.amazonaws\.com",
    "codeartifact": r"codeartifact\.([^.]+)\.(?:amazonaws\.com|api\.aws)",
    "sts": r"sts\.([^.]+)\.amazonaws\.com",
    "sso": r"portal\.sso\.([^.]+)\.amazonaws\.com",
    "sso-oidc": r"oidc\.([^.]+)\.amazonaws\.com",
}
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, ?"
    r"SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})"
)
_REGISTRY = re.compile(r"\d{12}\.dkr[.-]ecr(?:-fips)?\.([^.]+)\..+")
_XML = """\
<{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{action}Result>
<Credentials><AccessKeyId>{id}</AccessKeyId><SecretAccessKey>{secret}</SecretAccessKey>
<SessionToken>{token}</SessionToken><Expiration>{end}</Expiration></Credentials>
<AssumedRoleUser><Arn>{arn}</Arn><AssumedRoleId>A:s</AssumedRoleId></AssumedRoleUser>
</{action}Result><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></{action}Response>"""
_XML_ERROR = """\
<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>
<Code>{code}</Code><Message>refused</Message></Error><RequestId>r</RequestId></ErrorResponse>"""


class RefusedError(Exception):
    """A service's code."""

    def __init__(self, code: str, status: int = 400) -> None:
        super().__init__(code)
        self.code = code
        self.status = status


@dataclass
class Key:
    """An access key that the services know."""

    id: str
    secret: str
    token: str | None = None
    who: str = "user"


@dataclass
class Aws:
    """The services, as the hosts of a ``support.internet.Internet``.

    Attributes:
        keys: by their ids.
        clock: seconds by which the services' clock is ahead of this machine's.
        denied: who may do nothing.
        busy: whether it is all too much.
        lives: seconds for which what is given is good.
        sso: the SSO login that counts: its access token, and its refresh token.
        slow: seconds that SSO takes to renew a login.
        also: services at other hosts: each one's service and region.
        calls: what was asked for and given, or refused, in order.
    """

    keys: dict[str, Key] = field(default_factory=dict)
    clock: float = 0.0
    denied: set[str] = field(default_factory=set)
    busy: bool = False
    lives: int = HALF_A_DAY
    sso: tuple[str, str] = ("at-0", "rt-0")
    slow: float = 0.0
    also: dict[str, tuple[str, str]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def key(self, who: str = "user", *, session: bool = False) -> Key:
        """A new key of somebody's."""
        number = len(self.keys)
        made = Key(f"AKID{number:012}", f"secret/{number}+", f"tok/{number}+=" if session else None)
        made.who = who
        self.keys[made.id] = made
        return made

    def __call__(self, visit: Visit) -> Answer:
        """Answer for any host of AWS's."""
        registry = _REGISTRY.fullmatch(visit.host)
        if registry is not None or visit.host in HOSTS:
            return self._registry(visit, "public" if registry is None else registry[1])
        if visit.host.startswith("oidc."):
            time.sleep(self.slow)
        service, region = self.also.get(visit.host) or _service(visit.host)
        dated = {"Date": formatdate(time.time() + self.clock, usegmt=True)}
        with self._lock:
            try:
                said = self._asked(service, visit, region)
                self.calls.append(service)
            except RefusedError as refused:
                self.calls.append(f"{service}: {refused.code}")
                return _refusal(service, refused, dated)
        kind = "text/xml" if isinstance(said, bytes) else "application/json"
        return 200, {**dated, "Content-Type": kind}, said

    def _asked(self, service: str, visit: Visit, region: str) -> dict[str, Any] | bytes:
        if self.busy:
            raise RefusedError("ThrottlingException", 400 if service != "sso" else 429)
        ask = getattr(self, f"_{service.replace('-', '_')}")
        said: dict[str, Any] | bytes = ask(visit, region)
        return said

    # Signed

    def _ecr(self, visit: Visit, region: str) -> dict[str, Any]:
        who = self._signed(visit, "ecr", region)
        _see(visit, "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken")
        place = f"https://{ACCOUNT}.dkr.ecr.{region}.amazonaws.com"
        return {"authorizationData": [{**self._login(who, region), "proxyEndpoint": place}]}

    def _ecr_public(self, visit: Visit, region: str) -> dict[str, Any]:
        who = self._signed(visit, "ecr-public", region)
        _see(visit, "SpencerFrontendService.GetAuthorizationToken")
        return {"authorizationData": self._login(who, "public")}

    def _codeartifact(self, visit: Visit, region: str) -> dict[str, Any]:
        who = self._signed(visit, "codeartifact", region)
        asked = dict(urllib.parse.parse_qsl(visit.target.partition("?")[2]))
        duration = int(asked.pop("duration", HALF_A_DAY))
        if visit.path != "/v1/authorization-token" or asked != {
            "domain": "team",
            "domain-owner": ACCOUNT,
        }:
            raise RefusedError("ResourceNotFoundException", 404)
        assert duration == 0 or 900 <= duration <= HALF_A_DAY
        token = f"ca-{who}-{region}-{duration}"
        return {"authorizationToken": token, "expiration": time.time() + self.lives + 0.123}

    def _sts(self, visit: Visit, region: str) -> bytes:
        form = visit.form
        role = form["RoleArn"].rpartition("/")[2]
        if form["Action"] == "AssumeRole":
            who = self._signed(visit, "sts", region)
        else:
            assert form["Action"] == "AssumeRoleWithWebIdentity"
            assert "authorization" not in visit.headers
            who = form["WebIdentityToken"]
            if not who.startswith("jwt-of-"):
                raise RefusedError("InvalidIdentityToken")
        if f"{who}>{role}" in self.denied:
            raise RefusedError("AccessDenied", 403)
        made = self.key(f"{who}>{role}", session=True)
        end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
        said = _XML.format(**vars(made), action=form["Action"], end=end, arn=form["RoleArn"])
        return said.encode()

    def _signed(self, visit: Visit, service: str, region: str) -> str:
        """Whose signature a request has; raises RefusedError."""
        match = _AUTHORIZATION.fullmatch(visit.authorization)
        if match is None:
            raise RefusedError("MissingAuthenticationToken", 403)
        id_, day, signed_region, signed_service, names, signature = match.groups()
        key = self.keys.get(id_)
        if key is None or visit.headers.get("x-amz-security-token") != key.token:
            raise RefusedError("UnrecognizedClientException")
        date = visit.headers["x-amz-date"]
        at = time.mktime(time.strptime(date, "%Y%m%dT%H%M%SZ")) - time.timezone
        off = abs(at - time.time() - self.clock)
        needed = {"host", "x-amz-date"} | ({"x-amz-security-token"} if key.token else set())
        needed |= {"x-amz-target"} & set(visit.headers)
        if (signed_region, signed_service) != (region, service) or off > SKEW:
            raise RefusedError("InvalidSignatureException")
        if not date.startswith(day) or not needed <= set(names.split(";")):
            raise RefusedError("InvalidSignatureException")
        if _signature(visit, key, date, names.split(";"), (service, region)) != signature:
            raise RefusedError("InvalidSignatureException")
        if key.who in self.denied:
            raise RefusedError("AccessDeniedException")
        return key.who

    def _login(self, who: str, where: str) -> dict[str, Any]:
        token = base64.b64encode(f"AWS:pw-{who}-{where}".encode()).decode()
        return {"authorizationToken": token, "expiresAt": time.time() + self.lives + 0.5}

    # Registries

    def _registry(self, visit: Visit, where: str) -> Answer:
        """A registry: the private ones take a login, the public one a token of its own server's."""
        login = base64.b64decode(visit.authorization.removeprefix("Basic ") or "Og==").decode()
        if visit.path == "/token/":
            user, _, password = login.partition(":")
            assert (user or "AWS") == "AWS"
            return 200, {}, {"token": f"token-of-{password or 'nobody'}", "expires_in": 300}
        if where == "public":
            if visit.authorization.startswith("Bearer token-of-"):
                return 200, {}, b""
            wanted = 'Bearer realm="https://public.ecr.aws/token/",service="public.ecr.aws"'
            return 401, {"WWW-Authenticate": f'{wanted},scope="aws"'}, b""
        if re.fullmatch(f"AWS:pw-[^:]+-{where}", login):
            return 200, {}, b""
        realm = f'Basic realm="https://{visit.host}/",service="ecr.amazonaws.com"'
        return 401, {"WWW-Authenticate": realm}, b""

    # SSO

    def _sso(self, visit: Visit, _: str) -> dict[str, Any]:
        assert visit.path == "/federation/credentials"
        if visit.headers.get("x-amz-sso_bearer_token") != self.sso[0]:
            raise RefusedError("UnauthorizedException", 401)
        asked = dict(urllib.parse.parse_qsl(visit.target.partition("?")[2]))
        if asked["role_name"] in self.denied:
            raise RefusedError("ForbiddenException", 403)
        made = self.key(f"sso>{asked['account_id']}>{asked['role_name']}", session=True)
        end = int((time.time() + 3600) * 1000)
        keys = {"accessKeyId": made.id, "secretAccessKey": made.secret, "sessionToken": made.token}
        return {"roleCredentials": {**keys, "expiration": end}}

    def _sso_oidc(self, visit: Visit, _: str) -> dict[str, Any]:
        said = visit.json
        assert visit.path == "/token"
        assert (said["grantType"], said["clientId"]) == ("refresh_token", "client")
        assert said["clientSecret"] == "client-secret"
        if said["refreshToken"] != self.sso[1]:
            raise RefusedError("InvalidGrantException")
        number = int(self.sso[1].partition("-")[2]) + 1
        self.sso = f"at-{number}", f"rt-{number}"
        return {"accessToken": self.sso[0], "expiresIn": 3600, "refreshToken": self.sso[1]}


def _service(host: str) -> tuple[str, str]:
    for service, pattern in _HOSTS.items():
        match = re.fullmatch(pattern, host)
        if match is not None:
            return service, next(filter(None, match.groups()))
    raise AssertionError(f"nothing of AWS's is at {host}")


def _see(visit: Visit, target: str) -> None:
    assert (visit.method, visit.path, visit.json) == ("POST", "/", {})
    assert visit.headers["x-amz-target"] == target
    assert visit.headers["content-type"] == "application/x-amz-json-1.1"


def _signature(visit: Visit, key: Key, date: str, names: list[str], scope: tuple[str, str]) -> str:
    """What botocore computes for the request as it came."""
    headers = {name: visit.headers[name] for name in names if name != "host"}
    request = AWSRequest(visit.method, visit.url, headers, visit.body)
    request.context["timestamp"] = date
    request.context["payload_signing_enabled"] = True
    signer = SigV4Auth(Credentials(key.id, key.secret, key.token), *scope)
    canonical = signer.canonical_request(request)
    assert f"\nhost:{visit.host}\n" in canonical
    text = signer.string_to_sign(request, canonical)
    return str(signer.signature(text, request))


def _refusal(service: str, refused: RefusedError, dated: dict[str, str]) -> Answer:
    if service == "sts":
        return refused.status, dated, _XML_ERROR.format(code=refused.code).encode()
    if service in {"codeartifact", "sso"}:
        typed = {"x-amzn-ErrorType": f"{refused.code}:http://internal.amazon.com/coral/"}
        return refused.status, {**dated, **typed}, {"message": "refused"}
    if service == "sso-oidc":
        error = {"error": "invalid_grant", "error_description": "Invalid refresh token provided"}
        return refused.status, {**dated, "x-amzn-ErrorType": refused.code}, error
    kind = f"com.amazonaws.common#{refused.code}"
    return refused.status, dated, {"__type": kind, "message": "refused"}


def in_environment(key: Key) -> dict[str, str]:
    """A key as variables have it."""
    pair = {"AWS_ACCESS_KEY_ID": key.id, "AWS_SECRET_ACCESS_KEY": key.secret}
    return {**pair, **({"AWS_SESSION_TOKEN": key.token} if key.token else {})}


def in_profile(name: str, key: Key) -> str:
    """A key as a credentials file has it."""
    return f"[{name}]\naws_access_key_id = {key.id}\naws_secret_access_key = {key.secret}\n"


SSO = f"""\
[profile dev]
sso_session = my
sso_account_id = {ACCOUNT}
sso_role_name = Reader
region = eu-west-1
[sso-session my]
sso_region = eu-west-1
sso_start_url = https://x.awsapps.com/start
"""


def log_in_by_sso(home: Home, ends: float, sso: tuple[str, str] = ("at-0", "rt-0")) -> None:
    """What ``aws sso login`` leaves: a token that ends in so many seconds."""

    def moment(seconds: float) -> str:
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))

    kept: Mapping[str, str] = {
        "startUrl": "https://x.awsapps.com/start",
        "region": "eu-west-1",
        "accessToken": sso[0],
        "expiresAt": moment(ends),
        "clientId": "client",
        "clientSecret": "client-secret",
        "refreshToken": sso[1],
        "registrationExpiresAt": moment(1_000_000),
    }
    name = hashlib.sha1(b"my", usedforsecurity=False).hexdigest()
    home.write(f".aws/sso/cache/{name}.json", json.dumps(kept))
