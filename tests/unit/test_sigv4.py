"""AWS Signature Version 4: the published vectors, and what botocore makes of the same requests."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import random
from types import SimpleNamespace
from typing import TYPE_CHECKING
from urllib.parse import quote

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from credlatch import url as urls
from credlatch.auth import sha256, sigv4
from credlatch.credential import AccessKey, Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

EMPTY = hashlib.sha256(b"").hexdigest()
AWS = AccessKey("AKIAIOSFODNN7EXAMPLE", Secret("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"))
AWS_MOMENT = 1_369_353_600.0  # 20130524T000000Z
OURS = AccessKey(
    "AKIDEXAMPLE", Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"), Secret("tok/+=")
)
MOMENT = 1_795_262_400.0  # 20261121T120000Z


def signature(headers: Mapping[str, Secret]) -> str:
    return headers["Authorization"].reveal().rpartition("=")[2]


@pytest.mark.parametrize(
    ("path", "headers", "expected"),
    [
        (
            "?lifecycle",
            {},
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
        ),
        (
            "?max-keys=2&prefix=J",
            {},
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        ),
        (
            "test.txt",
            {"Range": "bytes=0-9"},
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        ),
    ],
)
def test_the_examples_of_s3_s_reference(path: str, headers: dict[str, str], expected: str) -> None:
    url = urls.parse(f"https://examplebucket.s3.amazonaws.com/{path}")
    made = sigv4.signed(url, AWS, "us-east-1", now=AWS_MOMENT, payload=EMPTY, headers=headers)
    assert signature(made) == expected
    assert made["x-amz-date"].reveal() == "20130524T000000Z"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "https://bucket.s3.eu-west-1.amazonaws.com/a/libstdc++%201.0.tar.gz",
            "5c065825b9f622e8ec8984cf25847addb1c5fa4181018ce26c86ffdd77085bbd",
        ),
        (
            "https://127.0.0.1:9000/bucket/é%2Fx?versionId=3%2B4&x=a+b",
            "03e2b9798b59967abf39aeda2c8bb908e5e3187424bd3e9d6eda92957b729d13",
        ),
    ],
)
def test_what_verifying_servers_take(url: str, expected: str) -> None:
    made = sigv4.signed(urls.parse(url), OURS, "eu-west-1", now=MOMENT)
    assert signature(made) == expected
    shown = {name: value.reveal() for name, value in made.items() if name != "Authorization"}
    assert shown == {
        "x-amz-date": "20261121T120000Z",
        "x-amz-content-sha256": "UNSIGNED-PAYLOAD",
        "x-amz-security-token": "tok/+=",
    }


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("/b/libstdc++.so", "/b/libstdc%2b%2B.so"),
        ("/b/q!@$&'()*,;:=.txt", "/b/q%21%40%24%26%27%28%29%2A%2C%3B%3A%3D.txt"),
        ("/b/s%2Fl.txt", "/b/s/l.txt"),
        ("/b/%70lain%7e.txt", "/b/plain~.txt"),
        ("/b/é", "/b/%C3%A9"),
        ("/b/100%", "/b/100%25"),
        ("/b/100%zz%4", "/b/100%25zz%254"),
        ("/b?x=a+b", "/b?x=a%20b"),
        ("/b?x=a/b&list-type=2", "/b?list-type=2&x=a%2fb"),
        ("/b?&a=1&&uploads&", "/b?a=1&uploads="),
        ("/b?a==", "/b?a=%3D"),
        ("/b?x=~!*", "/b?x=%7E%21%2A"),
    ],
)
def test_one_request_has_one_signature_however_it_is_spelt(one: str, other: str) -> None:
    first, second = (
        signature(sigv4.signed(urls.parse(f"https://h.example{path}"), OURS, "r", now=MOMENT))
        for path in (one, other)
    )
    assert first == second


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("/b//a", "/b/a"),
        ("/b/./a", "/b/a"),
        ("/b/c/../a", "/b/a"),
        ("/b/%2e%2e/a", "/a"),
        ("/b/a+b", "/b/a%20b"),
        ("/b/a", "/b/a/"),
        ("/b?x=1", "/b?X=1"),
        ("/b%3Fx=1", "/b?x=1"),
        ("/b?x=1%26y=2", "/b?x=1&y=2"),
    ],
)
def test_other_keys_have_other_signatures(one: str, other: str) -> None:
    first, second = (
        signature(sigv4.signed(urls.parse(f"https://h.example{path}"), OURS, "r", now=MOMENT))
        for path in (one, other)
    )
    assert first != second


def test_all_that_is_signed_changes_the_signature() -> None:
    url = urls.parse("https://h.example/b/k")
    base = {"now": MOMENT, "method": "GET", "service": "s3", "headers": None}

    def made(key: AccessKey = OURS, region: str = "r", at: str = url.text, **other: object) -> str:
        return signature(sigv4.signed(urls.parse(at), key, region, **{**base, **other}))  # type: ignore[arg-type] # rows

    found = [
        made(),
        made(AccessKey("AKIDEXAMPLE", Secret("another"), OURS.token)),
        made(AccessKey(OURS.id, OURS.secret)),
        made(AccessKey(OURS.id, OURS.secret, Secret("another"))),
        made(region="s"),
        made(at="https://h.example:8443/b/k"),
        made(at="https://i.example/b/k"),
        made(now=MOMENT + 1),
        made(method="HEAD"),
        made(service="ecr"),
        made(payload=EMPTY),
        made(headers={"x-amz-meta-a": "b"}),
    ]
    assert len(set(found)) == len(found)
    assert made(at="https://H.example:443/b/k") == made(at="https://u:p@h.example/b/k#f") == made()


def test_no_secret_is_shown() -> None:
    made = sigv4.signed(urls.parse("https://h.example/"), OURS, "r", now=MOMENT)
    assert set(map(repr, made.values())) == {"****"}


class Peer:
    """botocore's own signer, at our moment."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        now = dt.datetime.fromtimestamp(MOMENT, dt.UTC).replace(tzinfo=None)
        monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: now)

    def headers(
        self,
        url: str,
        key: AccessKey,
        region: str,
        service: str,
        **posted: object,
    ) -> dict[str, str]:
        request = AWSRequest(**{"method": "GET", "url": url, **posted})
        # As a client with Config(s3={"payload_signing_enabled": False}) has it.
        config = SimpleNamespace(s3={"payload_signing_enabled": False})
        request.context["client_config"] = config
        token = None if key.token is None else key.token.reveal()
        theirs = Credentials(key.id, key.secret.reveal(), token)
        kind = botocore.auth.S3SigV4Auth if service == "s3" else botocore.auth.SigV4Auth
        kind(theirs, service, region).add_auth(request)
        return {name.lower(): value for name, value in request.headers.items()}


@pytest.fixture
def peer(monkeypatch: pytest.MonkeyPatch) -> Peer:
    return Peer(monkeypatch)


LETTERS = "aZ09-_.~ +/%!*'();:@&=$,?#[]é日\U0001f600\"<>\\^`{|}"


def _text(made_up: random.Random, most: int) -> str:
    return "".join(made_up.choices(LETTERS, k=made_up.randint(0, most)))


@pytest.mark.parametrize("seed", range(4))
def test_botocore_signs_the_same_for_encoded_urls(peer: Peer, seed: int) -> None:
    made_up = random.Random(seed)  # noqa: S311 - cases, the same each time
    for _ in range(500):
        host = made_up.choice(
            ["b.s3.eu-west-1.amazonaws.com", "127.0.0.1:9000", "[::1]:9000", "minio.lan:443"]
        )
        pairs = {_text(made_up, 6) or "n": _text(made_up, 8) for _ in range(made_up.randint(0, 3))}
        query = "&".join(f"{quote(a, safe='')}={quote(b, safe='')}" for a, b in pairs.items())
        url = (
            f"https://{host}/{quote(_text(made_up, 24), safe='/-_.~')}" + "?" * bool(query) + query
        )
        key = AccessKey("AK", Secret(_text(made_up, 40)), made_up.choice([None, Secret("t/+=")]))
        ours = sigv4.signed(urls.parse(url), key, "eu-west-1", now=MOMENT)
        theirs = peer.headers(url, key, "eu-west-1", "s3")
        assert {name.lower(): value.reveal() for name, value in ours.items()} == theirs, url


@pytest.mark.parametrize(
    ("url", "service"),
    [
        ("https://api.ecr.eu-west-1.amazonaws.com/", "ecr"),
        ("https://codeartifact.eu-west-1.amazonaws.com/v1/authorization-token?domain=d&a=b", "x"),
        ("https://h.example/a//b/./c/../d%20e/", "execute-api"),
        ("https://h.example//", "execute-api"),
        ("https://h.example/a/..", "execute-api"),
    ],
)
@pytest.mark.parametrize("key", [AWS, OURS])
def test_botocore_signs_calls_of_services_the_same(
    peer: Peer, url: str, service: str, key: AccessKey
) -> None:
    body = b"{}"
    more = {"X-Amz-Target": "A.GetAuthorizationToken", "Content-Type": " application/x;  a=b "}
    ours = sigv4.signed(
        urls.parse(url),
        key,
        "eu-west-1",
        now=MOMENT,
        method="POST",
        service=service,
        payload=hashlib.sha256(body).hexdigest(),
        headers=more,
    )
    posted = {"method": "POST", "data": body, "headers": more}
    theirs = peer.headers(url, key, "eu-west-1", service, **posted)
    assert ours["Authorization"].reveal() == theirs["authorization"]
    assert set(theirs) - set(map(str.lower, ours)) == set(map(str.lower, more))


@pytest.mark.parametrize("length", [0, 1, 31, 63, 64, 65, 128, 1_000])
def test_hashing_is_python_s(length: int) -> None:
    made_up = random.Random(length)  # noqa: S311 - the same each time
    key, message = made_up.randbytes(length), made_up.randbytes(1_000 - length)
    assert sha256.sha256(message).digest() == hashlib.sha256(message).digest()
    assert sha256.hmac(key, message) == hmac.digest(key, message, "sha256")
