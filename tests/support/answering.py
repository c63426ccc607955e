"""A server on loopback that answers as a test's function says."""

from __future__ import annotations

import json
import urllib.parse
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

from support.loopback import Loopback, LoopbackServer
from support.token_http import Recorded

if TYPE_CHECKING:
    from collections.abc import Callable

    Answer = tuple[int, dict[str, str], dict[str, Any]]  # status, headers, JSON


class Answering(Loopback):
    """Such a server, running while its block does.

    Args:
        answer: makes the answer to a request.

    Attributes:
        requests: what was asked, in order of arrival.
    """

    def __init__(self, answer: Callable[[Recorded], Answer]) -> None:
        self.requests: list[Recorded] = []
        self.answer = answer
        super().__init__(_Handler)
        self.url = f"http://127.0.0.1:{self.address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: LoopbackServer

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        path = urllib.parse.urlsplit(self.path).path
        request = Recorded(self.command or "", path, self.path, headers, body)
        owner: Answering = self.server.owner
        owner.requests.append(request)
        status, named, said = owner.answer(request)
        sent = json.dumps(said).encode()
        self.send_response(status)
        for name, value in {**named, "Content-Length": str(len(sent))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(sent)

    do_POST = do_GET  # noqa: N815 - the name is http.server's
