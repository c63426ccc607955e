"""What mints, what signs and what answers a challenge: one file and one row each (CONTRIBUTING.md).

The resolver, the single flight and the sender are the program's own; the servers are on loopback.
"""

from __future__ import annotations

import base64
import itertools
import json
import threading
import time
from typing import TYPE_CHECKING

import pytest

from credlatch import url as urls
from credlatch.caller import Caller
from credlatch.errors import LoginError, RenewalError
from credlatch.protocols import bazel
from credlatch.renew import tokens
from credlatch.request import Request
from credlatch.resolve import Resolver
from credlatch.shared_cache import SharedCache
from credlatch.stores.order import ORDER
from examples.codeartifact import CodeArtifactStore
from examples.oci import OciStore
from examples.s3 import S3Store
from support.answering import Answering
from support.found import sure
from support.registry_tokens import SERVICE, RegistryTokens

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.answering import Answer
    from support.loopback import Recorded

ROWS = (("oci", OciStore), *ORDER, ("codeartifact", CodeArtifactStore), ("s3", S3Store))
HALF_A_DAY = 43_200


class Client:
    """One that asks as Bazel does; with what earlier calls left, where they leave something."""

    def __init__(self, environ: dict[str, str], shared: SharedCache | None = None) -> None:
        self.environ = {"HOME": "/nowhere", **environ}
        self.keep = shared

    def headers(self, url: str, ahead: float = 0.0) -> dict[str, list[str]]:
        caller = Caller(self.environ, "/", self.keep)
        caller.put_off(60)  # for a machine that is busy
        request = bazel.parse(json.dumps({"uri": url}).encode())
        resolution = Resolver(caller, ROWS, ahead=ahead).resolve(request)
        said: dict[str, dict[str, list[str]]] = json.loads(bazel.render(resolution))
        return said["headers"]

    def at_once(self, urls: list[str]) -> list[object]:
        """What many threads get that ask at the same moment, each for one of the URLs."""
        got: list[object] = []
        ready = threading.Barrier(len(urls))

        def ask(url: str) -> None:
            ready.wait(60)
            try:
                got.append(self.headers(url))
            except RenewalError as error:
                got.append(str(error))

        threads = [threading.Thread(target=ask, args=(url,)) for url in urls]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        return got


def basic(user: str, password: str) -> dict[str, list[str]]:
    return {"Authorization": ["Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()]}


# A credential that is minted

REPOSITORY = "https://team-1234.d.codeartifact.eu-west-1.amazonaws.com/pypi/x/simple/"
ANOTHER = "https://crew-1234.d.codeartifact.eu-west-1.amazonaws.com/npm/y/"


@pytest.fixture
def aws() -> Iterator[Answering]:
    """CodeArtifact's API, which gives another token to each who asks."""
    number = itertools.count(1)

    def answer(request: Recorded) -> Answer:
        if request.headers["authorization"] != "Key k":
            return 401, {}, {"message": "k"}
        ends = time.time() + HALF_A_DAY
        return 200, {}, {"authorizationToken": f"t-{next(number)}", "expiration": ends}

    with Answering(answer) as server:
        yield server


def minting(aws: Answering, key: str = "k") -> dict[str, str]:
    return {"CODEARTIFACT_KEY": key, "CODEARTIFACT_API": aws.url}


def test_twenty_calls_at_once_mint_one_token_and_all_have_it(aws: Answering) -> None:
    got = Client(minting(aws), SharedCache()).at_once([REPOSITORY] * 20)
    assert got == [basic("aws", "t-1")] * 20
    (sent,) = aws.requests
    target = "/v1/authorization-token?domain=team&domain-owner=1234"
    assert (sent.method, sent.target) == ("POST", target)


def test_a_minted_token_serves_all_that_it_is_for_and_nothing_else(aws: Answering) -> None:
    shared = SharedCache()
    client = Client(minting(aws), shared)
    for url in (REPOSITORY, f"{REPOSITORY}other/"):
        assert client.headers(url) == basic("aws", "t-1")
    assert client.headers(ANOTHER) == basic("aws", "t-2")
    with pytest.raises(LoginError):
        Client(minting(aws, "another key"), shared).headers(REPOSITORY)
    assert client.headers(REPOSITORY) == basic("aws", "t-1")
    assert Client({}, shared).headers(REPOSITORY) == {}


@pytest.mark.parametrize("status", [200, 500])
def test_a_minted_token_is_renewed_before_its_end_and_else_served_to_its_end(
    aws: Answering, status: int
) -> None:
    client = Client(minting(aws), SharedCache())
    client.headers(REPOSITORY)
    if status == 500:
        aws.answer = lambda _: (500, {}, {})
    served = basic("aws", "t-2" if status == 200 else "t-1")
    assert client.headers(REPOSITORY, ahead=HALF_A_DAY - 60) == served
    assert client.headers(REPOSITORY) == served


@pytest.mark.parametrize(
    ("shared", "minted"),
    [(SharedCache(), (1, 2, 2, 3)), (None, (1, 2, 3, 4))],
    ids=["most", "none"],
)
def test_of_more_tokens_than_are_kept_the_latest_are_and_else_it_is_minted_for_the_call(
    aws: Answering,
    monkeypatch: pytest.MonkeyPatch,
    shared: SharedCache | None,
    minted: tuple[int, ...],
) -> None:
    monkeypatch.setattr(tokens, "MOST", 1)
    client = Client(minting(aws), shared)
    got = [client.headers(url) for url in (REPOSITORY, ANOTHER, ANOTHER, REPOSITORY)]
    assert got == [basic("aws", f"t-{number}") for number in minted]


def test_a_key_that_is_refused_is_refused_once_for_all_and_not_shown(aws: Answering) -> None:
    got = Client(minting(aws, "sesame"), SharedCache()).at_once([REPOSITORY] * 20)
    assert len(got) == 20
    (said,) = {str(each) for each in got}
    assert "no longer takes this login (HTTP 401): set CODEARTIFACT_KEY" in said
    assert "sesame" not in said
    assert len(aws.requests) == 1


def test_what_has_ended_is_forgotten_and_minted_again(
    aws: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = SharedCache()
    client = Client(minting(aws), shared)
    assert client.headers(REPOSITORY) == basic("aws", "t-1")
    shared.tidy()
    assert client.headers(REPOSITORY) == basic("aws", "t-1")
    later = time.time() + HALF_A_DAY
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: later)
        shared.tidy()
    assert client.headers(REPOSITORY) == basic("aws", "t-2")


# A signature

KEY = {"S3_KEY": "AKIAIOSFODNN7EXAMPLE", "S3_SECRET": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}
BUCKET = "https://examplebucket.s3.amazonaws.com"
# AWS's own examples: "Signature Calculations for the Authorization Header", 2013-05-24T00:00:00Z.
PUBLISHED = {
    "/?lifecycle": "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
    "/?max-keys=2&prefix=J": "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
}


@pytest.mark.parametrize(("path", "signature"), PUBLISHED.items())
def test_a_signature_is_the_one_that_s3_computes(path: str, signature: str) -> None:
    entry = sure(S3Store(Caller(KEY, "/")).find(urls.parse(BUCKET)))
    flow = sure(entry.grant).flow(Request(urls.parse(BUCKET + path), ()), 1_369_353_600.0)
    with pytest.raises(StopIteration) as made:
        next(flow)
    headers = made.value.value.credential.headers()
    assert headers["Authorization"].endswith(f",Signature={signature}")
    assert headers["x-amz-date"] == "20130524T000000Z"


def test_a_request_is_signed_with_its_url_and_method_and_nobody_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("credlatch.renew.http.send", None)
    shared = SharedCache()
    client = Client(KEY, shared)
    signed = client.headers(f"{BUCKET}/a?b=c")
    assert set(signed) == {"Authorization", "x-amz-content-sha256", "x-amz-date"}
    assert client.headers(f"{BUCKET}/other")["Authorization"] != signed["Authorization"]
    caller = Caller(client.environ, "/", shared)
    values = set()
    for method in ("GET", "PUT"):
        request = Request(urls.parse(f"{BUCKET}/a?b=c"), (), method=method)
        resolution = sure(Resolver(caller, ROWS).resolve(request))
        assert resolution.expires is not None
        assert time.time() < resolution.expires <= time.time() + 300
        values.add(resolution.credential.headers()["Authorization"])
    assert len(values) == 2


# A challenge


def test_a_registry_s_login_becomes_a_token_without_a_flow_of_the_store_s_own() -> None:
    with RegistryTokens() as tokens:
        tokens.admit_only("u", "p")
        challenge = f'Bearer realm="{tokens.url}",service="{SERVICE}"'
        with Answering(lambda _: (401, {"WWW-Authenticate": challenge}, {})) as registry:
            environ = {"OCI_REGISTRY": registry.url, "OCI_LOGIN": "u:p"}
            url = f"{registry.url}/v2/team/one/blobs/sha256:0"
            got = Client(environ, SharedCache()).at_once([url] * 20)
        assert len({str(each) for each in got}) == 1
        assert "Bearer ey" in str(got[0])
        assert [sent.target for sent in registry.requests] == ["/v2/"]
        assert tokens.grants() == ["GET"]
