"""Google's servers of tokens, in a test's own network: each verifies what it is sent.

The wire is that of the pages that ``helper/credlatch/auth/google*.py`` name, and of google-auth:
``oauth2.googleapis.com``, ``sts.googleapis.com``, ``iamcredentials.googleapis.com``, and a registry
that tells whether it takes a token. A service account's assertion is verified with the public half
of its key, an AWS identity with the secret that has signed it.
"""

from __future__ import annotations

import base64
import itertools
import json
import time
import urllib.parse
from datetime import UTC, datetime
from email.utils import formatdate
from functools import cache
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from credlatch import url as urls
from credlatch.auth import sigv4
from credlatch.credential import AccessKey, Secret

if TYPE_CHECKING:
    from support.internet import Answer, Internet, Visit
    from support.loopback import Recorded

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
IAM_SCOPE = "https://www.googleapis.com/auth/iam"  # enough to act as another account
AUDIENCE = "//iam.googleapis.com/projects/7/locations/global/workloadIdentityPools/p/providers/q"
EMAIL = "builder@project.iam.gserviceaccount.com"
TARGET = "target@project.iam.gserviceaccount.com"
ACTS = (
    "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/"
    f"{TARGET}:generateAccessToken"
)
CLIENT = {"client_id": "764086051850-x.apps.googleusercontent.com", "client_secret": "d-FL95Q19"}
REFRESH = "1//0refresh"
SUBJECT = "eyJ.subject.token"
AWS = AccessKey("AKIDEXAMPLE", Secret("wJalrXUtnFEMI/K7MDENG+bPxRfi"), Secret("session/+="))
_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:"
ID_TOKEN = f"{_TOKEN_TYPE}jwt"
AWS_TYPE = "urn:ietf:params:aws:token-type:aws4_request"
SCOPES = {SCOPE, IAM_SCOPE}
_SKEW = 300


@cache
def key() -> rsa.RSAPrivateKey:
    """The service account's key, made once."""
    return rsa.generate_private_key(65_537, 2048)


def pem(of: rsa.RSAPrivateKey | None = None) -> str:
    """It, or another one, as Google writes it into a file."""
    return (
        (of or key())
        .private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        .decode()
    )


# The files of Application Default Credentials, as Google's tools write them.


def user_file(**more: object) -> dict[str, Any]:
    """Of ``gcloud auth application-default login``."""
    return {**CLIENT, "refresh_token": REFRESH, "type": "authorized_user", "account": "", **more}


def service_account_file(**more: object) -> dict[str, Any]:
    """Of ``gcloud iam service-accounts keys create``."""
    return {
        "type": "service_account",
        "project_id": "project",
        "private_key_id": "k1",
        "private_key": pem(),
        "client_email": EMAIL,
        "client_id": "1",
        "auth_uri": "https://accounts.google.com/o/oauth2/auth",
        "token_uri": "https://oauth2.googleapis.com/token",
        "universe_domain": "googleapis.com",
        **more,
    }


def federated_file(source: dict[str, Any], **more: object) -> dict[str, Any]:
    """Of ``gcloud iam workload-identity-pools create-cred-config``."""
    return {
        "type": "external_account",
        "audience": AUDIENCE,
        "subject_token_type": ID_TOKEN,
        "token_url": "https://sts.googleapis.com/v1/token",
        "credential_source": source,
        **more,
    }


def impersonating_file(source: dict[str, Any], **more: object) -> dict[str, Any]:
    """Of ``gcloud auth application-default login --impersonate-service-account``."""
    return {
        "type": "impersonated_service_account",
        "service_account_impersonation_url": ACTS,
        "delegates": [],
        "source_credentials": source,
        **more,
    }


def aws_source() -> dict[str, Any]:
    """An AWS identity, as ``create-cred-config --aws`` writes it."""
    place = "http://169.254.169.254/latest"
    return {
        "environment_id": "aws1",
        "region_url": f"{place}/meta-data/placement/availability-zone",
        "url": f"{place}/meta-data/iam/security-credentials",
        "imdsv2_session_token_url": f"{place}/api/token",
        "regional_cred_verification_url": (
            "https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15"
        ),
    }


class Google:
    """The servers; a test sets what they do.

    Attributes:
        revoked: refresh tokens and keys are no longer taken.
        clock: seconds by which Google's is ahead of this machine's.
        denied: nobody may act as another account.
        throttled: each answer is a 429.
        subjects: identities that the provider takes.
        tokens: what was issued, and as whom.
        scopes: likewise, and for what.
    """

    def __init__(self, internet: Internet) -> None:
        self.revoked = self.denied = self.throttled = False
        self.clock = 0.0
        self.subjects = {SUBJECT}
        self.tokens: dict[str, str] = {}
        self.scopes: dict[str, str] = {}
        self._numbers = itertools.count(1)
        self.internet = internet
        internet.hosts |= {
            "oauth2.googleapis.com": self._answering({"/token": self._token}),
            "sts.googleapis.com": self._answering(
                {"/v1/token": self._exchange, "/v1/oauthtoken": self._workforce}
            ),
            "iamcredentials.googleapis.com": self._answering(
                {urllib.parse.urlsplit(ACTS).path: self._act}
            ),
        }

    def issued(self, token: str) -> str:
        """As whom a token acts that a registry takes."""
        assert self.scopes[token] == SCOPE
        return self.tokens[token]

    def _answering(self, places: dict[str, Any]) -> Any:
        def answer(visit: Visit) -> Answer:
            headers = {"Date": formatdate(time.time() + self.clock, usegmt=True)}
            if self.throttled:
                return 429, headers, {"error": "rate_limit_exceeded"}
            if visit.path not in places or visit.method != "POST":
                return 404, headers, {"error": {"code": 404, "status": "NOT_FOUND"}}
            status, said = places[visit.path](visit)
            return status, headers, said

        return answer

    def _issue(self, whose: str, scope: str = SCOPE) -> tuple[int, dict[str, Any]]:
        token = f"ya29.{whose.partition('@')[0]}-{next(self._numbers)}"
        self.tokens[token] = whose
        self.scopes[token] = scope
        return 200, {"access_token": token, "expires_in": 3599, "token_type": "Bearer"}

    def _token(self, visit: Visit) -> tuple[int, dict[str, Any]]:
        form = visit.form
        if form.get("grant_type") == "refresh_token":
            if {name: form.get(name) for name in CLIENT} != CLIENT:
                return 401, {"error": "invalid_client"}
            return self._refreshed(form)
        if form.get("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer":
            return 400, {"error": "unsupported_grant_type"}
        why = self._wrong_with(form.get("assertion", ""))
        if why:
            return 400, {"error": "invalid_grant", "error_description": why}
        claims = json.loads(_decoded(form["assertion"].split(".")[1]))
        return self._issue(EMAIL, claims["scope"])

    def _refreshed(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        if self.revoked or form.get("refresh_token") != REFRESH:
            return 400, {
                "error": "invalid_grant",
                "error_description": "Token has been expired or revoked.",
            }
        return self._issue("user")

    def _wrong_with(self, assertion: str) -> str:
        """What is wrong with a service account's assertion; empty: nothing."""
        head, _, rest = assertion.partition(".")
        body, _, signature = rest.partition(".")
        try:
            key().public_key().verify(
                _decoded(signature), f"{head}.{body}".encode(), padding.PKCS1v15(), hashes.SHA256()
            )
        except (InvalidSignature, ValueError):
            return "Invalid JWT Signature."
        header, claims = json.loads(_decoded(head)), json.loads(_decoded(body))
        if header != {"typ": "JWT", "alg": "RS256", "kid": "k1"} or self.revoked:
            return "Invalid JWT Signature."
        now = time.time() + self.clock
        if not now - 3600 - _SKEW < claims["iat"] < now + _SKEW or claims["exp"] < now - _SKEW:
            return "Invalid JWT: Token must be a short-lived token (60 minutes)"
        if claims["exp"] - claims["iat"] > 3600:
            return "Invalid JWT: it lives too long"
        said = (claims["iss"], claims["aud"])
        if said != (EMAIL, "https://oauth2.googleapis.com/token") or claims["scope"] not in SCOPES:
            return "Invalid JWT: iss, aud or scope"
        return ""

    def _exchange(self, visit: Visit) -> tuple[int, dict[str, Any]]:
        form = visit.form
        said = (form.get("grant_type"), form.get("requested_token_type"))
        wanted = "urn:ietf:params:oauth:grant-type:token-exchange", f"{_TOKEN_TYPE}access_token"
        if said != wanted or form.get("scope") not in SCOPES:
            return 400, {"error": "invalid_request"}
        if form.get("audience") != AUDIENCE:
            return 400, {"error": "invalid_target"}
        subject, kind = form.get("subject_token", ""), form.get("subject_token_type")
        is_known = is_aws(subject) if kind == AWS_TYPE else subject in self.subjects
        if self.revoked or not is_known:
            return 400, {"error": "invalid_grant", "error_description": "ID Token is stale"}
        status, token = self._issue("federated", form["scope"])
        return status, {**token, "issued_token_type": f"{_TOKEN_TYPE}access_token"}

    def _workforce(self, visit: Visit) -> tuple[int, dict[str, Any]]:
        pair = base64.b64encode(":".join(CLIENT.values()).encode()).decode()
        if visit.authorization != f"Basic {pair}" or set(visit.form) & set(CLIENT):
            return 401, {"error": "invalid_client"}
        return self._refreshed(visit.form)

    def _act(self, visit: Visit) -> tuple[int, dict[str, Any]]:
        whose = self.tokens.get(visit.authorization.removeprefix("Bearer "))
        if whose is None:
            return 401, {"error": {"code": 401, "status": "UNAUTHENTICATED"}}
        if self.denied:
            why = "Permission 'iam.serviceAccounts.getAccessToken' denied on resource"
            return 403, {"error": {"code": 403, "message": why, "status": "PERMISSION_DENIED"}}
        if visit.json["scope"] != [SCOPE] or visit.json["delegates"]:
            return 400, {"error": {"code": 400, "status": "INVALID_ARGUMENT"}}
        _, said = self._issue(TARGET)
        ends = time.time() + int(visit.json["lifetime"].removesuffix("s"))
        at = datetime.fromtimestamp(int(ends), UTC).isoformat().replace("+00:00", "Z")
        return 200, {"accessToken": said["access_token"], "expireTime": at}


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def is_aws(subject: str) -> bool:
    """Whether an identity is a request to AWS's STS that AWS's key has signed just now."""
    said = json.loads(urllib.parse.unquote(subject))
    headers = {each["key"].lower(): each["value"] for each in said["headers"]}
    at = datetime.strptime(headers["x-amz-date"], "%Y%m%dT%H%M%S%z").timestamp()
    url = urls.parse(said["url"])
    # Google recommends that its own header be signed, too; its library for Python does not.
    names = headers["authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
    target = "x-goog-cloud-target-resource"
    again = sigv4.signed(
        url,
        AWS,
        url.host.split(".")[1],
        now=at,
        method=said["method"],
        service="sts",
        payload="e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        headers={target: AUDIENCE} if target in names else {},
    )
    return (
        abs(at - time.time()) < _SKEW
        and headers[target] == AUDIENCE
        and headers["host"] == url.host
        and _equal(headers, {name.lower(): each.reveal() for name, each in again.items()})
    )


def _equal(headers: dict[str, str], again: dict[str, str]) -> bool:
    """Whether all of these are there; programs put spaces in an Authorization as they like."""
    return all(
        headers.get(name, "").replace(" ", "") == value.replace(" ", "")
        for name, value in again.items()
    )


def metadata(request: Recorded, instance: str = "ya29.instance") -> tuple[int, dict[str, str], Any]:
    """What the metadata service of a machine at Google answers."""
    flavor = {"Metadata-Flavor": "Google", "Server": "Metadata Server for VM"}
    if request.headers.get("metadata-flavor") != "Google" or "x-forwarded-for" in request.headers:
        return 403, flavor, {"error": "Missing Metadata-Flavor:Google header."}
    if request.path != "/computeMetadata/v1/instance/service-accounts/default/token":
        return 404, flavor, {}
    return 200, flavor, {"access_token": instance, "expires_in": 3599, "token_type": "Bearer"}


def aws_metadata(visit: Visit) -> Answer:
    """What that of a machine at AWS answers (IMDSv2)."""
    if visit.method == "PUT" and visit.path == "/latest/api/token":
        known = visit.headers.get("x-aws-ec2-metadata-token-ttl-seconds") == "300"
        return (200, {}, b"imds") if known else (400, {}, b"")
    if visit.headers.get("x-aws-ec2-metadata-token") != "imds":
        return 401, {}, b""
    place = "/latest/meta-data/iam/security-credentials"
    said: dict[str, bytes] = {
        "/latest/meta-data/placement/availability-zone": b"eu-west-1b",
        place: b"role",
        f"{place}/role": json.dumps(
            {
                "Code": "Success",
                "AccessKeyId": AWS.id,
                "SecretAccessKey": AWS.secret.reveal(),
                "Token": AWS.token.reveal() if AWS.token else "",
                "Expiration": "2099-01-01T00:00:00Z",
            }
        ).encode(),
    }
    return (200, {}, said[visit.path]) if visit.path in said else (404, {}, b"")
