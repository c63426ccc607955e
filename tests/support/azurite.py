"""Azurite: Microsoft's own emulator of Blob Storage, which takes access tokens of Entra's.

It sees to whom a token is for, from whom, and its end; the signature it does not verify.
"""

from __future__ import annotations

import http.client
import ssl
from contextlib import contextmanager
from typing import TYPE_CHECKING

from support.certificates import authority
from support.components import need
from support.daemon import running

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from support.internet import Answer, Visit

ACCOUNT = "account"
HOST = f"{ACCOUNT}.blob.core.windows.net"
TIMEOUT = 60  # seconds


class Azurite:
    """A storage account that it keeps in memory."""

    def __init__(self, port: int, trusted: Path) -> None:
        self.port = port
        self._context = ssl.create_default_context(cafile=str(trusted))

    def ask(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Answer:
        """Ask as a client of the account's own host does."""
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self.port, context=self._context, timeout=TIMEOUT
        )
        try:
            connection.request(method, target, body, {"Host": HOST, **(headers or {})})
            response = connection.getresponse()
            return response.status, dict(response.getheaders()), response.read()
        finally:
            connection.close()

    def answer(self, visit: Visit) -> Answer:
        """What it answers to a request that the tests' own network brings."""
        own = {"connection", "content-length", "transfer-encoding"}
        sent = {name: value for name, value in visit.headers.items() if name not in own}
        status, headers, body = self.ask(visit.method, visit.target, sent, visit.body or None)
        kept = {name: each for name, each in headers.items() if name.lower().startswith("x-ms-")}
        return status, kept, body


@contextmanager
def azurite(folder: Path) -> Iterator[Azurite]:
    """Run it in a folder, which is made."""
    trusted, _ = authority(folder)
    pem = str(folder / "server.pem")
    command = [need("node"), need("azurite-blob"), "--inMemoryPersistence", "--disableTelemetry"]
    command += ["--oauth", "basic", "--cert", pem, "--key", pem]
    command += ["--blobHost", "127.0.0.1", "--blobPort", "0"]
    log = folder / "log"
    with running(command, log, {"AZURITE_ACCOUNTS": f"{ACCOUNT}:a2V5"}) as daemon:
        yield Azurite(daemon.until(lambda: _port(daemon.said())), trusted)


def _port(said: str) -> int | None:
    """The port that it says it listens on."""
    _, found, rest = said.partition("successfully listens on https://127.0.0.1:")
    line, end, _ = rest.partition("\n")
    return int(line) if found and end else None
