"""A web server on loopback, for as long as a ``with`` block."""

from __future__ import annotations

import json
import socket
import sys
import threading
import urllib.parse
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator


@dataclass(frozen=True)
class Recorded:
    """One request, as it arrived."""

    method: str
    path: str  # without the query
    target: str  # the whole request target: a proxy sees an absolute URL here
    headers: dict[str, str]  # names in lower case
    body: bytes

    @property
    def authorization(self) -> str:
        """The header of that name; empty without one."""
        return self.headers.get("authorization", "")

    @property
    def form(self) -> dict[str, str]:
        """The body as a form."""
        return dict(urllib.parse.parse_qsl(self.body.decode(), keep_blank_values=True))

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class LoopbackServer(ThreadingHTTPServer):
    """Waits for its requests when it is closed, and asks no name service.

    Attributes:
        owner: whom its handlers answer for.
    """

    daemon_threads = False
    request_queue_size = 1024  # hundreds of helpers may arrive at once

    def __init__(
        self,
        owner: Any,
        handler: type[BaseHTTPRequestHandler],
        port: int,
        tls: ssl.SSLContext | None,
    ) -> None:
        self.owner = owner
        self._open: set[socket.socket] = set()
        self._tracking = threading.Lock()
        super().__init__(("127.0.0.1", port), handler)
        if tls is not None:
            self.socket = tls.wrap_socket(
                self.socket, server_side=True, do_handshake_on_connect=False
            )

    def server_bind(self) -> None:
        # HTTPServer's own asks the name service for this machine's name.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._tracking:
            self._open.add(request)
        super().process_request(request, client_address)

    def speak_tls(self, request: Any, context: ssl.SSLContext) -> ssl.SSLSocket:
        """Go on with a connection in TLS; who asks for that shakes hands, and closes it."""
        secure = context.wrap_socket(request, server_side=True, do_handshake_on_connect=False)
        with self._tracking:
            self._open.add(secure)
        return secure

    def shutdown_request(self, request: Any) -> None:
        with self._tracking:
            self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """End the connections that are still open, so that their threads end."""
        with self._tracking:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:  # the client was quicker
                    continue

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A client that hangs up is what many tests want: nothing to print.
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """Takes whole requests, for its server's owner to answer."""

    server: LoopbackServer

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        path = urllib.parse.urlsplit(self.path).path
        body = b"".join(self._body())
        if len(body) < int(headers.get("content-length", 0)):
            raise ConnectionResetError("the client has gone amid its request")
        self.respond(Recorded(self.command or "", path, self.path, headers, body))

    do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815 - the names are http.server's

    def respond(self, request: Recorded) -> None:
        """Answer a request."""
        raise NotImplementedError

    def send(
        self,
        status: int,
        content: bytes | dict[str, Any] = b"",
        headers: dict[str, str] | None = None,
    ) -> None:
        """Send an answer, JSON if it is no bytes, and hang up."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        kind = {} if isinstance(content, bytes) else {"Content-Type": "application/json"}
        ends = {"Content-Length": str(len(body)), "Connection": "close"}
        self.close_connection = True
        # A date of its own is not sent beside this machine's.
        begin = self.send_response_only if "Date" in (headers or {}) else self.send_response
        begin(status)
        for name, value in {**kind, **(headers or {}), **ends}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _body(self) -> Iterator[bytes]:
        if self.headers.get("Transfer-Encoding") != "chunked":
            yield self.rfile.read(int(self.headers.get("Content-Length") or 0))
            return
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()


class Loopback:
    """Has a server running while its ``with`` block does.

    Args:
        handler: answers the requests.
        port: where, or anywhere.
        tls: what it speaks TLS with, if it does.

    Attributes:
        port: where it is.
        url: likewise, without a slash at its end.
    """

    def __init__(
        self,
        handler: type[BaseHTTPRequestHandler],
        port: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._server = LoopbackServer(self, handler, port, tls)
        self.port: int = self._server.server_address[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def address(self) -> tuple[str, int]:
        """Where it is, as sockets have it."""
        return "127.0.0.1", self.port

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.hang_up()
        self._server.server_close()  # joins the threads that serve requests
