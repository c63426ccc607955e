"""Real S3 servers on loopback, which verify every signature: MinIO and versitygw.

Objects are put there with botocore's signer, so that none of ours is on both sides.
"""

from __future__ import annotations

import http.client
import re
import socket
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from support import daemon
from support.components import need

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ID, SECRET = "rootkey", "root secret/+="
REGION = "us-east-1"
DOMAIN = "s3.test"  # below which buckets are hosts, in the Host header alone
# Likewise for MinIO, as AWS has them in that region.
AWS = (
    f"s3.{REGION}.amazonaws.com",
    f"s3.dualstack.{REGION}.amazonaws.com",
    f"s3-fips.{REGION}.amazonaws.com",
    f"s3-fips.dualstack.{REGION}.amazonaws.com",
    "s3.amazonaws.com",
)
_PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))


@dataclass(frozen=True)
class Key:
    """An access key, as rattler's store has it."""

    id: str
    secret: str
    token: str | None = None

    @property
    def stored(self) -> dict[str, dict[str, str | None]]:
        """The value in rattler's file."""
        parts = {"access_key_id": self.id, "secret_access_key": self.secret}
        return {"S3Credentials": {**parts, "session_token": self.token}}


@dataclass(frozen=True)
class Answer:
    """What a server answered."""

    status: int
    body: bytes


class S3Server:
    """A running server.

    Attributes:
        name: minio or versitygw.
        port: on loopback.
        root: its key.
    """

    def __init__(self, name: str, port: int) -> None:
        self.name = name
        self.port = port
        self.root = Key(ID, SECRET)
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    @property
    def url(self) -> str:
        """Its address, below which the first segment is a bucket."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def domain(self) -> str:
        """Its address for buckets that are hosts; nobody resolves it (``get``)."""
        return f"https://{DOMAIN}:{self.port}"

    def get(self, url: str, headers: dict[str, str], method: str = "GET") -> Answer:
        """Ask as it is written: its path and query, its host as Host; what is no ASCII is encoded.

        What is signed of a URL is its host, not its scheme: so the domain is asked without TLS.
        """
        _, _, host, rest = url.split("/", 3)
        target = quote(f"/{rest}", safe=_PRINTABLE)
        return self._ask(method, target, b"", {**headers, "Host": host})

    def put(self, path: str, body: bytes = b"") -> None:
        """Make a bucket, unless it is there, or an object."""
        answer = self._signed("PUT", quote(path, safe="/-_.~"), body)
        assert answer.status == 200 or b"AlreadyOwnedByYou" in answer.body, (path, answer)

    def is_up(self) -> bool:
        """Whether all of it is there: MinIO listens before it knows of sessions."""
        asked = self._session() if self.name == "minio" else self._signed("GET", "/", b"")
        return asked.status == 200

    def _session(self) -> Answer:
        form = b"Action=AssumeRole&Version=2011-06-15&DurationSeconds=3600"
        return self._signed("POST", "/", form, "sts", "application/x-www-form-urlencoded")

    def session(self) -> Key:
        """A key of a session, from MinIO's own STS."""
        answer = self._session()
        found = [
            re.search(rf"<{name}>([^<]+)</{name}>", answer.body.decode())
            for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")
        ]
        key, secret, token = (each[1] for each in found if each is not None)
        return Key(key, secret, token)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _signed(
        self, method: str, target: str, body: bytes, service: str = "s3", kind: str = ""
    ) -> Answer:
        headers = {"Content-Type": kind} if kind else {}
        request = AWSRequest(method, f"{self.url}{target}", headers=headers, data=body)
        signer = S3SigV4Auth if service == "s3" else SigV4Auth
        signer(Credentials(ID, SECRET), service, REGION).add_auth(request)
        given = {**dict(request.headers.items()), "Host": f"127.0.0.1:{self.port}"}
        return self._ask(method, target, body, given)

    def _ask(self, method: str, target: str, body: bytes, headers: dict[str, str]) -> Answer:
        self._connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in headers.items():
            self._connection.putheader(name, value)
        if method not in {"GET", "HEAD"}:
            self._connection.putheader("Content-Length", str(len(body)))
        self._connection.endheaders(body)
        with self._connection.getresponse() as response:
            answer = Answer(response.status, response.read())
        if response.will_close:
            self._connection.close()
        return answer


def _command(name: str, port: int, folder: Path) -> tuple[list[str], dict[str, str]]:
    data = folder / "data"
    data.mkdir()
    address = f"127.0.0.1:{port}"
    if name == "minio":
        domains = ",".join((DOMAIN, *AWS))
        settings = {"MINIO_ROOT_USER": ID, "MINIO_ROOT_PASSWORD": SECRET, "MINIO_DOMAIN": domains}
        also = {"MINIO_BROWSER": "off", "MINIO_REGION": REGION, "HOME": str(folder)}
        return [need(name), "server", "--address", address, str(data)], settings | also
    (folder / "iam").mkdir()
    options = ["--port", address, "--region", REGION, "--virtual-domain", f"{DOMAIN}:{port}"]
    command = [need(name), *options, "--iam-dir", str(folder / "iam"), "posix", str(data)]
    return command, {"ROOT_ACCESS_KEY": ID, "ROOT_SECRET_KEY": SECRET}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def serving(name: str, folder: Path) -> Iterator[S3Server]:
    """Run one of the two, for as long as the block."""
    port = _free_port()
    command, settings = _command(name, port, folder)
    with daemon.running(command, folder / "log", settings) as process:

        def answers() -> bool | None:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
            except OSError:
                return None
            return True if server.is_up() else None

        with closing(S3Server(name, port)) as server:
            process.until(answers)
            yield server


@pytest.fixture(params=["minio", "versitygw"], scope="session")
def s3_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[S3Server]:
    """Each of the two, one after the other."""
    with serving(request.param, tmp_path_factory.mktemp(request.param)) as server:
        yield server


@pytest.fixture(scope="session")
def minio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """MinIO."""
    with serving("minio", tmp_path_factory.mktemp("minio-alone")) as server:
        yield server
