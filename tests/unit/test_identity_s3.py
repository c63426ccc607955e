"""S3 with AWS's keys: for AWS's own buckets, after a stored key, and in no public one's way."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from credlatch import answers
from credlatch import request as requests
from credlatch import url as urls
from credlatch.auth import HttpResponse, ProgramRequest
from credlatch.caller import Caller
from credlatch.clients import CLIENTS, pack
from credlatch.errors import LoginError
from credlatch.identities import s3
from credlatch.renew import exchange
from credlatch.resolve import Resolver
from credlatch.shared_cache import SharedCache
from support.found import sure
from support.ruled import rule

if TYPE_CHECKING:
    from credlatch.auth import HttpRequest
    from credlatch.resolve import Outcome
    from support.home import Home

AWS = "https://bucket.s3.eu-west-1.amazonaws.com/a"
KEYS = {"AWS_ACCESS_KEY_ID": "AK", "AWS_SECRET_ACCESS_KEY": "sesame"}


def outcome(home: Home, url: str, warned: int = 0, **request: bool) -> Outcome:
    caller = Caller(dict(home.env), str(home.path), SharedCache())
    asked = requests.for_url(urls.parse(url), **request)
    found = Resolver(caller).outcome(asked)
    assert found.failure is None
    assert len(caller.warnings) == warned
    return found


def scope(found: Outcome) -> str | None:
    """Key, region and service of a signature; None: there is none."""
    if found.resolution is None:
        return None
    value = found.resolution.credential.headers()["Authorization"]
    key, _, region, service, _ = value.partition("Credential=")[2].partition(",")[0].split("/")
    return f"{key} {region} {service}"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (AWS, "AK eu-west-1 s3"),
        ("https://s3.cn-north-1.amazonaws.com.cn/bucket/a", "AK cn-north-1 s3"),
        ("https://s3.eu-west-1.amazonaws.com/", None),
        ("https://bucket.minio.example/a", None),
        ("https://storage.googleapis.com/bucket/a", None),
        ("https://sts.eu-west-1.amazonaws.com/", None),
    ],
)
def test_keys_of_the_environment_sign_for_aws_s_buckets(
    home: Home, url: str, expected: str | None
) -> None:
    home.env |= KEYS
    assert scope(outcome(home, url)) == expected


def test_a_key_that_is_kept_for_the_bucket_comes_first(home: Home) -> None:
    home.env |= KEYS
    key = {"access_key_id": "KEPT", "secret_access_key": "s"}
    home.write_rattler({"s3://bucket": {"S3Credentials": key}})
    assert scope(outcome(home, AWS)) == "KEPT eu-west-1 s3"
    assert scope(outcome(home, AWS.replace("bucket", "other"))) == "AK eu-west-1 s3"


def test_without_an_identity_there_is_no_header_and_no_word(home: Home) -> None:
    assert scope(outcome(home, AWS)) is None


@pytest.mark.parametrize("client", ["bazel", "header", "keyring", "token", "git", "docker"])
def test_clients_that_send_no_headers_get_nothing_and_no_failure(home: Home, client: str) -> None:
    home.env |= KEYS
    host = "bucket.s3.eu-west-1.amazonaws.com"
    asked = {
        "bazel": f'{{"uri":"{AWS}"}}'.encode(),
        "git": f"protocol=https\nhost={host}\npath=a\n".encode(),
        "docker": host.encode(),
        "keyring": pack(["get", AWS, "u"]),
    }.get(client, pack([AWS]))
    caller = Caller(dict(home.env), str(home.path))
    answer = answers.get(CLIENTS[client], asked, caller)
    assert answer.failure is None
    assert (answer.resolution is not None) == (client in {"bazel", "header"})
    assert caller.warnings == []


def test_a_signature_ends_with_the_key_and_the_session_s_token_is_sent(home: Home) -> None:
    ends = int(time.time()) + 200
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(ends))
    home.env |= {**KEYS, "AWS_SESSION_TOKEN": "T", "AWS_CREDENTIAL_EXPIRATION": stamp}
    found = sure(outcome(home, AWS).resolution)
    assert found.credential.headers()["x-amz-security-token"] == "T"
    assert ends - 30 <= sure(found.expires) <= ends


@pytest.mark.parametrize(
    ("said", "url", "expected"),
    [
        (
            {"use": ("s3",), "endpoint": "https://m.example"},
            "https://m.example/b/a",
            "AK us-east-1 s3",
        ),
        ({"endpoint": "https://m.example"}, "https://m.example/b/a", None),
        ({"use": ("s3",)}, "https://m.example/b/a", None),
        ({"use": ("s3",), "region": "r"}, "https://storage.googleapis.com/b/a", None),
        ({"region": "eu-south-1"}, "https://bucket.s3.amazonaws.com/a", "AK eu-south-1 s3"),
        (
            {"use": ("s3",), "endpoint": "https://s3.eu-west-1.amazonaws.com"},
            AWS,
            "AK eu-west-1 s3",
        ),
        ({"use": ("rattler",)}, AWS, None),
    ],
)
def test_at_other_servers_a_rule_has_them_sign(
    home: Home, said: dict[str, object], url: str, expected: str | None
) -> None:
    home.env |= KEYS
    rule(home, url, said)
    assert scope(outcome(home, url)) == expected


class Chain:
    """Answers in the place of the SDK and of the network.

    Attributes:
        failure: what the SDK says instead.
        asked: what was asked.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.failure: Exception | None = None
        self.asked: list[str] = []
        monkeypatch.setattr(exchange, "_response", self._response)

    def _response(
        self, asked: HttpRequest | ProgramRequest, *_: object
    ) -> tuple[HttpResponse, str]:
        if isinstance(asked, ProgramRequest):
            self.asked.append(asked.name)
            if self.failure is not None:
                raise self.failure
            ends = int(time.time()) + 3600
            body = f'{{"access_key":"SSO","secret_key":"s","token":"t","expires":{ends}}}'
            return HttpResponse(200, {}, body.encode(), time.time()), "sdk"
        self.asked.append(f"{asked.method} {asked.url}")
        return HttpResponse(403, {"x-amz-bucket-region": "ap-south-1"}, b"", time.time()), "aws"


@pytest.fixture
def chain(home: Home, monkeypatch: pytest.MonkeyPatch) -> Chain:
    home.env["AWS_PROFILE"] = "dev"
    home.write(".aws/config", "[profile dev]\nsso_session = x\n")
    return Chain(monkeypatch)


def test_keys_of_the_chain_are_got_first_and_then_the_region(home: Home, chain: Chain) -> None:
    found = outcome(home, "https://s3.amazonaws.com/bucket/a")
    assert scope(found) == "SSO ap-south-1 s3"
    assert chain.asked == ["aws", "HEAD https://s3.amazonaws.com/bucket"]
    assert sure(found.resolution).credential.headers()["x-amz-security-token"] == "t"


def test_an_identity_that_fails_is_a_warning_and_the_bucket_may_be_public(
    home: Home, chain: Chain
) -> None:
    chain.failure = LoginError("the SSO session has ended: aws sso login --profile dev")
    found = outcome(home, AWS, warned=1)
    assert found.resolution is None


@pytest.mark.parametrize("url", ["https://bucket.s3.eu-west-1.amazonaws.com/", AWS])
def test_what_it_claims_may_be_public(url: str) -> None:
    assert s3.claims(urls.parse(url))
    assert s3.anonymous(urls.parse(url))
