"""A proxy on loopback for every host: it answers with what it was sent."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler

from support.loopback import Loopback


class _Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet: the second of two waits for an acknowledgement

    def do_GET(self) -> None:
        authorization = self.headers.get("authorization")
        body = json.dumps({"target": self.path, "authorization": authorization}).encode() + b"\n"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """No log."""


class Echo(Loopback):
    """The proxy.

    Only ``http`` is seen that way. Of a netrc and of rattler's store the host decides, and not the
    scheme, so a question about ``https`` can be asked with ``http``.
    """

    def __init__(self) -> None:
        super().__init__(_Echo)
