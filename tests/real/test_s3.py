"""S3 with real servers: what the frozen program signs is what MinIO and versitygw verify."""

from __future__ import annotations

import bz2
import collections
import io
import json
import subprocess
import sys
import tarfile
import time
from functools import partial
from typing import TYPE_CHECKING

import pytest
from botocore.auth import HmacV1QueryAuth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from credlatch import url as urls
from credlatch.auth import sigv4
from credlatch.credential import AccessKey, Secret
from support import s3_urls
from support.agent import agent_of, bazel_get
from support.program import TIMEOUT
from support.s3_servers import AWS, ID, REGION, SECRET, Key, S3Server

if TYPE_CHECKING:
    from pathlib import Path

    from support.agent import Agent
    from support.home import Home
    from support.internet import Internet
    from support.program import Program

COUNT, KEYS = 1000, 240


def options(bucket: str, endpoint: str, *, path: bool, region: str = REGION) -> str:
    return (
        f'[s3-options."{bucket}"]\nendpoint-url = "{endpoint}"\nregion = "{region}"\n'
        f"force-path-style = {'true' if path else 'false'}\n"
    )


def headers(program: Program, url: str, cwd: Path | None = None) -> dict[str, str]:
    """What Bazel gets of the frozen program."""
    answer = program("get", stdin=json.dumps({"uri": url}).encode(), cwd=cwd)
    assert answer.err == ""
    said: dict[str, list[str]] = answer.json()["headers"]
    return {name: value for name, (value,) in said.items()}


# A thousand URLs


def asked(agent: Agent, url: str) -> dict[str, str]:
    """The headers that the frozen program's agent gives for a URL."""
    fields = list(bazel_get("https://a.example/", str(agent.home.path)))
    fields[4] = json.dumps({"uri": url}).encode()
    answer = agent.ask(*fields)
    assert answer is not None, url
    assert answer[0] == 0, (url, answer)
    said: dict[str, list[str]] = json.loads(answer[1])["headers"]
    return {name: value for name, (value,) in said.items()}


# What each server refuses of them, by kind and status: of names that stand twice in a query each
# sorts the values in a way of its own, and MinIO has no objects with dots or nothing for a segment.
REFUSED = {
    "minio": {
        (s3_urls.ODD, 400): 42,
        (s3_urls.REPEATED, 400): 2,
        (s3_urls.REPEATED, 403): 15,
    },
    "versitygw": {(s3_urls.REPEATED, 403): 3},
}


class Buckets:
    """Three buckets of a server: in the path, in the host, and with a session's key.

    Args:
        server: whose.
        home: whose stores and configuration name them.
    """

    def __init__(self, server: S3Server, home: Home) -> None:
        self._server = server
        session = server.session() if server.name == "minio" else server.root
        self.keys = {"in-path": server.root, "in-host": server.root, "of.session": session}
        self._bases = {
            "in-path": f"{server.url}/in-path/",
            "in-host": server.domain.replace("://", "://in-host.") + "/",
            "of.session": f"{server.url}/of.session/",
        }
        home.write_rattler({f"s3://{name}": key.stored for name, key in self.keys.items()})
        home.write(
            ".pixi/config.toml",
            options("in-path", server.url, path=True)
            + options("in-host", server.domain, path=False)
            + options("of.session", server.url, path=True),
        )
        self._places: dict[str, str] = {}

    def fill(self, keys: list[str]) -> None:
        """Put objects there, each in one of them; each has its own key for contents."""
        for bucket in self.keys:
            self._server.put(f"/{bucket}")
        names = list(self.keys)
        self._places = {key: names[at % len(names)] for at, key in enumerate(keys)}
        for key, bucket in self._places.items():
            # MinIO has no such names.
            if self._server.name == "versitygw" or not s3_urls.is_odd(key):
                self._server.put(f"/{bucket}/{key}", key.encode())

    def bucket(self, case: s3_urls.Made) -> str:
        """Where a URL's object is."""
        return self._places[case.key]

    def url(self, case: s3_urls.Made) -> str:
        """The whole URL."""
        return self._bases[self.bucket(case)] + case.text


def test_a_thousand_urls_however_they_are_spelt_are_served(
    s3_server: S3Server, home: Home, frozen: Program
) -> None:
    buckets = Buckets(s3_server, home)
    cases = s3_urls.made(11, COUNT, KEYS)
    buckets.fill(list(dict.fromkeys(case.key for case in cases)))
    refused: dict[tuple[str, int], list[str]] = collections.defaultdict(list)
    with agent_of(frozen) as agent:
        agent.warm()
        for case in cases:
            url = buckets.url(case)
            signed = asked(agent, url)
            has_token = buckets.keys[buckets.bucket(case)].token is not None
            assert ("x-amz-security-token" in signed) == has_token
            answer = s3_server.get(url, signed)
            if (answer.status, answer.body) != (200, case.key.encode()):
                refused[case.kind, answer.status].append(f"{url} {answer.body[:300]!r}")
    counted = {kind: len(each) for kind, each in refused.items()}
    assert counted == REFUSED[s3_server.name], json.dumps(
        {str(kind): each[:5] for kind, each in refused.items()}, indent=1
    )


# What else servers look at


@pytest.fixture
def bucket(s3_server: S3Server, home: Home) -> str:
    """A URL of an object in a bucket whose key the home has, and where it is."""
    s3_server.put("/bucket")
    s3_server.put("/bucket/libstdc++ 1.0/a.conda", b"conda")
    home.write_rattler({"s3://bucket": s3_server.root.stored})
    home.write(".pixi/config.toml", options("bucket", s3_server.url, path=True))
    return f"{s3_server.url}/bucket/libstdc++%201.0/a.conda"


def test_range_and_what_else_clients_add_stays_theirs(
    s3_server: S3Server, frozen: Program, bucket: str
) -> None:
    signed = headers(frozen, bucket)
    more = {"Range": "bytes=1-2", "User-Agent": "Bazel/8", "Accept": "*/*"}
    assert s3_server.get(bucket, {**signed, **more}).body == b"on"
    assert s3_server.get(bucket, signed).body == b"conda"  # and once more


def test_a_signature_is_of_no_use_for_anything_else(
    s3_server: S3Server, frozen: Program, bucket: str
) -> None:
    signed = headers(frozen, bucket)
    assert s3_server.get(bucket, {}).status == 403
    for url, method in (
        (f"{bucket}x", "GET"),
        (f"{s3_server.url}/bucket/", "GET"),
        (bucket, "PUT"),
    ):
        assert s3_server.get(url, signed, method).status == 403
    altered = {**signed, "Authorization": signed["Authorization"][:-1] + "x"}
    assert s3_server.get(bucket, altered).status in {400, 403}


def test_the_region_is_the_one_that_is_configured_and_a_wrong_one_is_told_by_the_server(
    s3_server: S3Server, home: Home, frozen: Program, bucket: str
) -> None:
    home.write(".pixi/config.toml", options("bucket", s3_server.url, path=True, region="mars-1"))
    answer = s3_server.get(bucket, headers(frozen, bucket))
    assert answer.status == 400
    assert b"region" in answer.body


@pytest.mark.parametrize(("late", "status"), [(-840, 200), (840, 200), (-960, 403), (960, 403)])
def test_a_signature_holds_for_longer_than_clients_are_told(
    s3_server: S3Server, bucket: str, late: float, status: int
) -> None:
    key = AccessKey(ID, Secret(SECRET))
    made = sigv4.signed(urls.parse(bucket), key, REGION, now=time.time() + late)
    signed = {name: value.reveal() for name, value in made.items()}
    assert s3_server.get(bucket, signed).status == status


def test_bazel_is_told_ten_minutes(frozen: Program, bucket: str) -> None:
    before = int(time.time())
    said = frozen.bazel(bucket).json()["expires"]
    ends = int(time.mktime(time.strptime(said, "%Y-%m-%dT%H:%M:%SZ")) - time.timezone)
    assert before + 600 <= ends <= time.time() + 600


@pytest.mark.parametrize("signer", [S3SigV4QueryAuth, HmacV1QueryAuth])
def test_a_redirect_to_a_signed_url_gets_no_header_and_is_served(
    s3_server: S3Server, frozen: Program, bucket: str, signer: type
) -> None:
    request = AWSRequest("GET", bucket.replace("+", "%2B"))
    credentials = Credentials(ID, SECRET)
    if signer is S3SigV4QueryAuth:
        signer(credentials, "s3", REGION, expires=300).add_auth(request)
    else:
        request.auth_path = "/bucket/libstdc++%201.0/a.conda"
        signer(credentials, expires=300).add_auth(request)
    assert headers(frozen, bucket)
    assert headers(frozen, request.url) == {}
    # What would be sent beside it is refused; version 2 is one that versitygw does not know.
    if signer is S3SigV4QueryAuth:
        assert s3_server.get(request.url, {}).body == b"conda"
        assert s3_server.get(request.url, headers(frozen, bucket)).status in {400, 403}


# A conda channel


_QUERY = """
import asyncio, json, os, sys
from rattler import Gateway
from rattler.networking import AuthenticationMiddleware, Client
from rattler.networking.middleware import S3Config, S3Middleware
from rattler.package_streaming import download_bytes

async def main(bucket, endpoint, region, packages):
    options = S3Config(endpoint, region, "path")
    client = Client([AuthenticationMiddleware(), S3Middleware({bucket: options})])
    gateway = Gateway(client=client, cache_dir=sys.argv[1])
    found = await gateway.query([f"s3://{bucket}"], ["noarch"], ["tiny"])
    for record in sum(found, []):
        data = await download_bytes(client, record.url)
        print(record.name.normalized, record.version, len(data), flush=True)

asyncio.run(main(*json.load(sys.stdin)))
os._exit(0)
"""
PACKAGE = "tiny-1.0-0.tar.bz2"


def package() -> bytes:
    """A conda package with nothing in it but its name."""
    index = {"name": "tiny", "version": "1.0", "build": "0", "build_number": 0, "subdir": "noarch"}
    text = json.dumps({**index, "depends": [], "arch": None, "platform": None}).encode()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        entry = tarfile.TarInfo("info/index.json")
        entry.size = len(text)
        archive.addfile(entry, io.BytesIO(text))
    return bz2.compress(packed.getvalue())


@pytest.fixture
def channel(minio: S3Server, home: Home) -> Path:
    """A workspace whose manifest says where a channel's bucket is; rattler's store has its key."""
    data = package()
    record = {"name": "tiny", "version": "1.0", "build": "0", "build_number": 0, "depends": []}
    record |= {"subdir": "noarch", "size": len(data)}
    repodata = {"info": {"subdir": "noarch"}, "packages": {PACKAGE: record}, "packages.conda": {}}
    minio.put("/channel")
    minio.put("/channel/noarch/repodata.json", json.dumps(repodata).encode())
    minio.put(f"/channel/noarch/{PACKAGE}", data)
    home.write_rattler({"s3://channel": minio.root.stored})
    said = options("channel", minio.url, path=True).replace("[s3", "[workspace.s3")
    home.write("work/pixi.toml", f'[workspace]\nchannels = ["s3://channel"]\n{said}', mode=0o644)
    return home.path / "work"


def test_a_channel_in_a_bucket_is_read_by_plain_http_and_by_rattler_with_the_same_store(
    minio: S3Server, home: Home, frozen: Program, channel: Path, tmp_path: Path
) -> None:
    place = f"{minio.url}/channel/noarch"
    signed = headers(frozen, f"{place}/repodata.json", channel)
    repodata = json.loads(minio.get(f"{place}/repodata.json", signed).body)
    (name,) = repodata["packages"]
    assert minio.get(f"{place}/{name}", {}).status == 403
    assert (
        minio.get(f"{place}/{name}", headers(frozen, f"{place}/{name}", channel)).body == package()
    )
    done = subprocess.run(
        [sys.executable, "-c", _QUERY, tmp_path / "cache"],
        input=json.dumps(["channel", minio.url, REGION, None]),
        capture_output=True,
        text=True,
        env={**home.env, "NO_PROXY": "127.0.0.1"},
        timeout=TIMEOUT,
        check=False,
    )
    assert done.stdout.split() == ["tiny", "1.0", str(len(package()))], done.stderr


def test_a_key_of_a_session_is_refused_without_its_token(
    minio: S3Server, home: Home, frozen: Program
) -> None:
    minio.put("/session")
    minio.put("/session/a", b"a")
    session = minio.session()
    home.write(".pixi/config.toml", options("session", minio.url, path=True))
    url = f"{minio.url}/session/a"
    for key, status in ((session, 200), (Key(session.id, session.secret), 403)):
        home.write_rattler({"s3://session": key.stored})
        assert minio.get(url, headers(frozen, url)).status == status


# AWS's own hosts, with AWS's own keys: MinIO stands in for S3


@pytest.fixture
def aws(minio: S3Server, home: Home) -> S3Server:
    """A bucket, and a session's keys in the environment."""
    minio.put("/my.bucket")
    minio.put("/my.bucket/a+b", b"aws")
    key = minio.session()
    home.env |= {"AWS_ACCESS_KEY_ID": key.id, "AWS_SECRET_ACCESS_KEY": key.secret}
    home.env["AWS_SESSION_TOKEN"] = key.token or ""
    return minio


def test_aws_s_keys_sign_for_every_form_of_its_hosts(aws: S3Server, frozen: Program) -> None:
    for host in AWS[:-1]:
        for url in (f"https://{host}/my.bucket/a+b", f"https://my.bucket.{host}/a+b"):
            assert aws.get(url, headers(frozen, url)).body == b"aws", url


def test_a_global_host_s_bucket_is_where_aws_says_and_the_default_where_it_does_not(
    aws: S3Server, frozen: Program, internet: Internet
) -> None:
    url = "https://my.bucket.s3.amazonaws.com/a+b"

    def region() -> str:
        signed = headers(frozen, url)
        if f"/{REGION}/" in signed["Authorization"]:
            assert aws.get(url, signed).body == b"aws"
        return signed["Authorization"].split("/")[2]

    for said, expected in (("eu-west-1", "eu-west-1"), (REGION, REGION), ("", REGION)):
        told = {"x-amz-bucket-region": said}
        internet.hosts["s3.amazonaws.com"] = partial(_refusing, told)
        assert region() == expected
    assert {(each.method, each.target) for each in internet.visits} == {("HEAD", "/my.bucket")}
    assert not any("authorization" in each.headers for each in internet.visits)
    internet.hosts["s3.amazonaws.com"] = None  # it is silent
    assert region() == REGION
    del internet.hosts["s3.amazonaws.com"]
    assert region() == REGION


def _refusing(headers: dict[str, str], _: object) -> tuple[int, dict[str, str], bytes]:
    return 403, headers, b""


def test_a_public_bucket_stays_one_without_an_identity(
    home: Home, frozen: Program, internet: Internet
) -> None:
    url = "https://bucket.s3.amazonaws.com/a"
    assert headers(frozen, url) == {}
    home.env["AWS_ACCESS_KEY_ID"] = "only half of one"
    answer = frozen.bazel(url)
    assert answer.json()["headers"] == {}
    assert "AWS_SECRET_ACCESS_KEY" in answer.err
    assert internet.asked == []
