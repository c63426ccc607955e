"""URLs that are signed already: nothing is sent beside that, whoever asks and whatever is kept."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from credlatch import answers
from credlatch import url as urls
from credlatch.clients import CLIENTS, pack
from credlatch.presigned import is_presigned
from credlatch.request import for_login, for_url
from credlatch.resolve import Resolver
from credlatch.stores.order import ORDER
from support.callers import caller_of

if TYPE_CHECKING:
    from support.home import Home

HOST = "b.s3.eu-west-1.amazonaws.com"
SIGNED = {
    "S3": "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=A%2F20261121%2Fr%2Fs3%2Faws4_request"
    "&X-Amz-Date=20261121T120000Z&X-Amz-Expires=300&X-Amz-SignedHeaders=host&X-Amz-Signature=ab",
    "S3, in lower case": "x-amz-signature=ab",
    "S3, without the signature": "response-content-type=a&X-Amz-Algorithm=AWS4-HMAC-SHA256",
    "S3, in percent signs": "X%2DAmz%2Dsignature=ab",
    "S3, version 2": "AWSAccessKeyId=A&Signature=ab%3D&Expires=1795262400",
    "Google": "X-Goog-Algorithm=GOOG4-RSA-SHA256&X-Goog-Signature=ab",
    "Google, version 2": "GoogleAccessId=a%40b&Expires=1&Signature=ab",
    "CloudFront, canned": "Expires=1&Signature=ab&Key-Pair-Id=K",
    "CloudFront, custom": "Policy=ab&Signature=ab&Key-Pair-Id=K",
    "Alibaba": "OSSAccessKeyId=a&Expires=1&Signature=ab",
    "Azure": "sp=r&st=2026-11-21T12:00:00Z&se=2026-11-21T13:00:00Z&spr=https&sv=2024-11-04&sr=b"
    "&sig=ab%3D",
    "Azure, by a policy": "sv=2024-11-04&si=policy&sr=c&sig=ab%3D",
}
OTHERS = [
    "",
    "list-type=2&prefix=x-amz-signature",
    "signature=ab",
    "expires=1",
    "sig=ab",
    "se=1&sv=2",
    "X-Amz-Date=1",
    "x=X-Amz-Signature%3Dab",
    "versionId=sig",
]


@pytest.mark.parametrize("form", SIGNED)
@pytest.mark.parametrize("host", [HOST, "cdn.example", "a.blob.core.windows.net", "127.0.0.1:9000"])
def test_each_form_is_known_wherever_it_is(form: str, host: str) -> None:
    assert is_presigned(urls.parse(f"https://{host}/k?{SIGNED[form]}"))
    assert is_presigned(urls.parse(f"https://{host}/k?a=b&{SIGNED[form]}&c=d#e"))


def test_azure_s_hosts_need_no_version() -> None:
    query = "sig=ab&se=2026-11-21"
    assert is_presigned(urls.parse(f"https://a.blob.core.windows.net/k?{query}"))
    assert is_presigned(urls.parse(f"https://a.dfs.core.chinacloudapi.cn/k?{query}"))
    assert not is_presigned(urls.parse(f"https://a.example/k?{query}"))
    assert not is_presigned(urls.parse(f"https://blob.core.windows.net.evil.example/k?{query}"))


@pytest.mark.parametrize("query", OTHERS)
def test_what_is_no_signature_is_none(query: str) -> None:
    assert not is_presigned(urls.parse(f"https://{HOST}/k?{query}"))


def stores(home: Home) -> None:
    """A login for the host, and a key for the bucket."""
    key = {"access_key_id": "A", "secret_access_key": "S"}
    home.write_rattler(
        {
            HOST: {"BearerToken": "t"},
            "b": {"S3Credentials": key},
            "s3://b": {"S3Credentials": key},
        }
    )
    home.write(
        ".netrc",
        f"machine {HOST} login u password sesame\nmachine c.example login u password sesame",
    )


@pytest.mark.parametrize("form", SIGNED)
def test_a_stored_login_and_a_key_stay_where_they_are(home: Home, form: str) -> None:
    stores(home)
    url = f"https://{HOST}/k?{SIGNED[form]}"
    for host in (HOST, "b.s3.eu-west-2.amazonaws.com", "c.example"):
        for make in (for_url, for_login):
            caller = caller_of(home)
            found = Resolver(caller).resolve(make(urls.parse(f"https://{host}/k")))
            # A key signs for those who send headers.
            assert (found is None) == (make is for_login and "s3.eu-west-2" in host)
            request = make(urls.parse(url.replace(HOST, host)))
            assert Resolver(caller).resolve(request) is None
            assert caller.warnings == []


@pytest.mark.parametrize("client", ["bazel", "header", "token", "keyring"])
def test_whoever_asks_gets_nothing(home: Home, client: str) -> None:
    stores(home)
    url = f"https://c.example/k?{SIGNED['S3']}"
    asked = {
        "bazel": json.dumps({"uri": url}).encode(),
    }.get(client, pack(["get", url, "u"] if client == "keyring" else [url]))
    answer = answers.get(CLIENTS[client], asked, caller_of(home))
    assert answer.resolution is None
    assert answer.failure is None
    assert b"sesame" not in answer.out


def test_a_trace_says_why_no_store_was_asked(home: Home) -> None:
    stores(home)
    url = urls.parse(f"https://{HOST}/k?{SIGNED['S3']}")
    trace = Resolver(caller_of(home)).outcome(for_url(url), every=True).trace
    assert [step.store for step in trace] == [name for name, _ in ORDER]
    assert {step.came for step in trace} == {"not asked"}
    (why,) = (line for step in trace for line in step.reasons())
    assert why.startswith(f"https://{HOST}/k: ")
    assert "signature in its query" in why
    assert "X-Amz-Signature" not in why
