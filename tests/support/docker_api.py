"""A daemon that lets everybody log in to Docker Hub: the Hub itself is out of a test's reach."""

from __future__ import annotations

import base64
import json
import socketserver
import tempfile
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

HUB = "https://index.docker.io/v1/"


class LenientDaemon:
    """The part of Docker's API that ``docker login`` and ``docker pull`` need.

    Attributes:
        host: what DOCKER_HOST must be to speak to it.
        logins: what clients wanted to log in with.
        pulls: the account with which clients wanted to pull, for each pull.
    """

    def __init__(self, host: str) -> None:
        self.host = host
        self.logins: list[dict[str, Any]] = []
        self.pulls: list[dict[str, Any]] = []


class _Http(socketserver.ThreadingUnixStreamServer):
    def __init__(self, socket: Path, owner: LenientDaemon) -> None:
        self.owner = owner
        super().__init__(str(socket), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Http

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self._send({"IndexServerAddress": HUB} if self.path.endswith("/info") else {})

    do_HEAD = do_GET  # noqa: N815 - the name is http.server's

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if "/images/create" in self.path:
            account = base64.urlsafe_b64decode(self.headers["X-Registry-Auth"])
            self.server.owner.pulls.append(json.loads(account))
            return self._send({"status": "pulled"})
        self.server.owner.logins.append(json.loads(body))
        return self._send({"Status": "Login Succeeded", "IdentityToken": ""})

    def _send(self, answer: dict[str, str]) -> None:
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("API-Version", "1.41")
        self.send_header("OSType", "linux")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


@pytest.fixture
def lenient_daemon() -> Iterator[LenientDaemon]:
    """A daemon to whom every login to Docker Hub is right."""
    with tempfile.TemporaryDirectory(prefix="docker-api-") as folder:
        socket = Path(folder) / "sock"
        owner = LenientDaemon(f"unix://{socket}")
        with _Http(socket, owner) as http:
            thread = threading.Thread(target=http.serve_forever, args=(0.05,))
            thread.start()
            try:
                yield owner
            finally:
                http.shutdown()
                thread.join()
