"""A company's web servers for Bazel: several hosts behind one TLS port on loopback."""

from __future__ import annotations

from dataclasses import dataclass
from http.client import HTTPSConnection
from typing import TYPE_CHECKING

import pytest

from support.certificates import authority
from support.loopback import Handler, Loopback, Recorded

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator
    from pathlib import Path

HOSTS = ("registry.example.com", "files.example.com", "cdn.example.com", "cache.example.com")
STORAGE = "storage.example.org"  # takes whoever comes with a signed URL, and nobody with a header


@dataclass(frozen=True)
class Visit:
    """One request.

    Attributes:
        method: GET or PUT.
        url: what for.
        authorization: its header of that name; empty without one.
    """

    method: str
    url: str
    authorization: str


class Web(Loopback):
    """The servers.

    Attributes:
        accepts: the Authorization header of each host that wants one.
        files: what is at each URL, where it is not somewhere else.
        elsewhere: where each URL redirects to.
        visits: all requests.
        authority: the certificate to trust them by.
        both: the server's certificate and key.
    """

    def __init__(self, folder: Path) -> None:
        self.accepts: dict[str, str] = {}
        self.files: dict[str, bytes] = {}
        self.elsewhere: dict[str, str] = {}
        self.visits: list[Visit] = []
        self.authority, context = authority(folder, *HOSTS, STORAGE)
        self.both = folder / "server.pem"
        super().__init__(_Handler, tls=context)

    def to(self, host: str) -> list[Visit]:
        """The requests to one host."""
        return [visit for visit in self.visits if visit.url.startswith(f"https://{host}")]


class Connection(HTTPSConnection):
    """A connection to one of the hosts, wherever its name leads otherwise."""

    def __init__(self, host: str, address: tuple[str, int], context: ssl.SSLContext) -> None:
        super().__init__(host, context=context, timeout=60)
        self._address = address
        self._trusted = context

    def connect(self) -> None:
        plain = self._create_connection(self._address)  # type: ignore[attr-defined]
        self.sock = self._trusted.wrap_socket(plain, server_hostname=self.host.partition(":")[0])


class _Handler(Handler):
    def respond(self, request: Recorded) -> None:
        owner: Web = self.server.owner
        host = request.headers["host"]
        url = f"https://{host}{request.target}"
        owner.visits.append(Visit(request.method, url, request.authorization))
        if request.authorization != owner.accepts.get(host, ""):
            # What has a signature in its URL refuses a second one beside it, as S3 does.
            return self.send(401 if host in owner.accepts else 400)
        if request.method == "PUT":
            owner.files[url] = request.body
            return self.send(200)
        if url in owner.elsewhere:
            return self.send(302, headers={"Location": owner.elsewhere[url]})
        return self.send(200 if url in owner.files else 404, owner.files.get(url, b""))


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    """The servers, empty."""
    with Web(tmp_path / "certificates") as servers:
        yield servers
