"""An issuer of identity tokens, the CIs that hand them out, and what checks them.

The issuer is oidc-provider, as its own process; whoever checks a token has nothing of it but its
address, and reads the keys that it publishes.
"""

from __future__ import annotations

import base64
import json
import subprocess
import time
import urllib.parse
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from support.components import need

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.internet import Answer, Visit

LIVES = 300  # seconds
BRIEF = 1  # seconds: a token that has ended a moment later
_OF_THE_JOB = "of-the-job"
_PATIENCE = 60.0  # seconds


def _asked(url: str, form: dict[str, str] | None = None) -> Any:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    body = None if form is None else urllib.parse.urlencode(form).encode()
    with opener.open(url, body, _PATIENCE) as answer:
        return json.load(answer)


class Issuer:
    """Who signs identity tokens.

    Attributes:
        url: its address, which is the ``iss`` of its tokens.
    """

    def __init__(self, url: str) -> None:
        self.url = url

    def token(self, audience: str, seconds: int = LIVES) -> str:
        """A fresh token for an audience, good for so long."""
        form = {
            "grant_type": "client_credentials",
            "client_id": f"job-{seconds}",
            "client_secret": "of-the-ci",
            "resource": audience,
        }
        token: str = _asked(f"{self.url}/token", form)["access_token"]
        return token


@contextmanager
def issuer() -> Iterator[Issuer]:
    """An issuer of one's own."""
    with _started("oidc-issuer") as url:
        yield Issuer(url)


@contextmanager
def provider(access: int = 600, device: int = 300) -> Iterator[str]:
    """The URL of a provider of one's own that people log in to.

    Args:
        access: seconds for which its access tokens are good.
        device: likewise its device codes.
    """
    with _started("oidc-login", str(access), str(device)) as url:
        yield url


@contextmanager
def _started(*words: str) -> Iterator[str]:
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [need("node"), need(words[0]), *words[1:]],
        stdin=pipe,
        stdout=pipe,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            assert url.startswith("http://127.0.0.1:"), f"{words[0]} does not start"
            yield url
        finally:
            process.kill()


class Ci:
    """A CI whose jobs may ask for their identity: as GitHub has it, and Azure DevOps.

    Attributes:
        asked: for which audience each was asked for; "" where that was not said.
        seconds: how long the next ones are good for.
        audience: for whom they are instead; None: for whom they are asked.
        status: with which it answers in place of one; None: it gives them.
    """

    GITHUB = "run-actions-1.example"
    AZURE = "dev.azure.example"

    def __init__(self, issuer: Issuer) -> None:
        self._issuer = issuer
        self.asked: list[str] = []
        self.seconds = LIVES
        self.audience: str | None = None
        self.status: int | None = None

    def github(self, visit: Visit) -> Answer:
        """``GET …?api-version=2.0&audience=A``, with the job's own bearer token."""
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(visit.target).query))
        fits = visit.method == "GET" and query.get("api-version") == "2.0"
        if not fits or visit.authorization != f"bearer {_OF_THE_JOB}":
            return 401, {}, {"message": "the job is not known"}
        return self._answer("value", query.get("audience", ""))

    def azure(self, visit: Visit) -> Answer:
        """``POST …/oidctoken?api-version=7.1``, for the one audience that it has."""
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(visit.target).query))
        fits = visit.method == "POST" and query.get("api-version") == "7.1"
        if not fits or visit.authorization != f"Bearer {_OF_THE_JOB}":
            return 401, {}, {}
        return self._answer("oidcToken", "api://AzureADTokenExchange")

    def _answer(self, field: str, audience: str) -> Answer:
        self.asked.append(audience)
        if self.status is not None:
            return self.status, {}, {}
        return 200, {}, {field: self._issuer.token(self.audience or audience, self.seconds)}

    @property
    def github_job(self) -> dict[str, str]:
        """The variables of a job at GitHub."""
        return {
            "GITHUB_ACTIONS": "true",
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"https://{self.GITHUB}/1/idtoken?api-version=2.0",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": _OF_THE_JOB,
        }

    @property
    def azure_job(self) -> dict[str, str]:
        """Those of a step at Azure DevOps."""
        return {
            "TF_BUILD": "True",
            "SYSTEM_OIDCREQUESTURI": f"https://{self.AZURE}/o/_apis/distributedtask/oidctoken",
            "SYSTEM_ACCESSTOKEN": _OF_THE_JOB,
        }


class RefusedTokenError(Exception):
    """A token is not what it should be; the text says why."""


class Verifier:
    """Checks tokens by what an issuer publishes; each may come once.

    Args:
        issuer: whose tokens are taken: its address.
    """

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer
        self._seen: set[str] = set()

    def claims(self, token: str, audience: str) -> dict[str, Any]:
        """What a token says.

        Raises:
            RefusedTokenError: it is not the issuer's, not for the audience, not good any more, or
                was here before.
        """
        try:
            head, said, signature = (_decoded(part) for part in token.split("."))
            header, claims = json.loads(head), json.loads(said)
        except ValueError:
            raise RefusedTokenError("it is no JWT") from None
        if header.get("alg") != "RS256":
            raise RefusedTokenError(f"alg {header.get('alg')}")
        signed = token.rpartition(".")[0].encode()
        try:
            self._key(header["kid"]).verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
        except (InvalidSignature, KeyError):
            raise RefusedTokenError("its signature") from None
        named = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
        now = time.time()
        for what, fits in {
            "iss": claims["iss"] == self._issuer,
            "aud": audience in named,
            "exp": claims["exp"] > now,
            "iat": claims["iat"] <= now + 1,
            "jti, which was here before": claims["jti"] not in self._seen,
        }.items():
            if not fits:
                raise RefusedTokenError(what)
        self._seen.add(claims["jti"])
        found: dict[str, Any] = claims
        return found

    def _key(self, name: str) -> rsa.RSAPublicKey:
        """A key that the issuer publishes now (OpenID Connect Discovery)."""
        place = _asked(f"{self._issuer}/.well-known/openid-configuration")["jwks_uri"]
        (found,) = [each for each in _asked(place)["keys"] if each["kid"] == name]
        numbers = (int.from_bytes(_decoded(found[part])) for part in ("e", "n"))
        return rsa.RSAPublicNumbers(*numbers).public_key()


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


@pytest.fixture(scope="module")
def sso() -> Iterator[str]:
    """A provider of all tests of a file."""
    with provider(access=3600) as url:
        yield url
