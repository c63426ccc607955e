"""A server on loopback that answers as a test's function says."""

from __future__ import annotations

import json
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

from support.token_http import Recorded

if TYPE_CHECKING:
    from collections.abc import Callable

    Answer = tuple[int, dict[str, str], dict[str, Any]]  # status, headers, JSON


class Answering(ThreadingHTTPServer):
    """Such a server, running while its block does.

    Args:
        answer: makes the answer to a request.

    Attributes:
        requests: what was asked, in order of arrival.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, answer: Callable[[Recorded], Answer]) -> None:
        self.requests: list[Recorded] = []
        self.answer = answer
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: Answering

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        path = urllib.parse.urlsplit(self.path).path
        request = Recorded(self.command or "", path, self.path, headers, body)
        self.server.requests.append(request)
        status, named, said = self.server.answer(request)
        sent = json.dumps(said).encode()
        self.send_response(status)
        for name, value in {**named, "Content-Length": str(len(sent))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(sent)

    do_POST = do_GET  # noqa: N815 - the name is http.server's
