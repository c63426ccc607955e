"""How the token server of the tests speaks HTTP, rightly and wrongly."""

from __future__ import annotations

import base64
import enum
import json
import socket
import sys
import threading
import time
import urllib.parse
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ssl

    from support.token_server import TokenServer

TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"


class Fault(enum.Enum):
    """A way of answering wrongly. The second word: whether the refresh token is used up by it."""

    STATUS_500 = "500", False
    STATUS_401 = "401", False
    INVALID_GRANT = "400 invalid_grant", False
    HTML = "200 with a web page", False
    REDIRECT = "a redirect to .redirect_to", False
    ENDLESS = "a body without end, as fast as it is read", True
    DRIP = "a body without end, a byte at a time: no single read times out", True
    HANG = "reads the request and never answers", True
    CLOSE = "reads the request and closes the connection", True
    EXPIRED = "a token that has already ended", True
    GARBAGE_JSON = "half a JSON object", True
    CRLF_TOKEN = "a token with CR LF in it", True
    NO_TOKEN = "an answer without any token", True

    @property
    def spends(self) -> bool:
        """Whether the server has used up the refresh token by the time the fault shows."""
        return self.value[1]


@dataclass(frozen=True)
class Recorded:
    """One request, as it arrived."""

    method: str
    path: str  # without the query
    target: str  # the whole request target: a proxy sees an absolute URL here
    headers: dict[str, str]  # names in lower case
    body: bytes
    at: float = field(default_factory=time.monotonic)

    @property
    def form(self) -> dict[str, str]:
        """The body as a form."""
        return dict(urllib.parse.parse_qsl(self.body.decode(), keep_blank_values=True))

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class Http(ThreadingHTTPServer):
    request_queue_size = 1024  # hundreds of helpers may arrive at once
    daemon_threads = False

    def __init__(self, owner: TokenServer, port: int, tls: ssl.SSLContext | None) -> None:
        self.owner = owner
        self._open: set[socket.socket] = set()
        self._tracking = threading.Lock()
        super().__init__(("127.0.0.1", port), Handler)
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
    protocol_version = "HTTP/1.1"
    server: Http

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        request, _ = self._received()
        if not request.path.startswith("/protected/"):
            return self._send(404, {"error": "not_found"})
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        if scheme == "Basic":
            value = base64.b64decode(value).decode().partition(":")[2]
        if value and value == self.server.owner.current_access_token:
            return self._send(200, {"ok": True})
        return self._send(401, {"error": "unauthorized"}, {"WWW-Authenticate": "Bearer"})

    def do_POST(self) -> None:
        request, fault = self._received()
        owner = self.server.owner
        owner.stopping.wait(owner.delay)
        while not (owner.answering.wait(0.02) or owner.stopping.is_set()):
            pass
        if fault is not None and not fault.spends:
            return self._fail(fault)
        refusal = self._refusal(request)
        if refusal is not None:
            return self._send(*refusal)
        if fault in (Fault.EXPIRED, Fault.CRLF_TOKEN) or fault is None:
            answer = owner.issue(fault)
            if request.path == "/auth/cli/refresh":
                answer.setdefault("refresh_token", request.json["refresh_token"])
                answer = {k: answer[k] for k in ("access_token", "refresh_token")}
            elif request.path != "/token":
                answer = {"access_token": answer["access_token"]}
            return self._send(200, answer)
        return self._fail(fault)

    def _received(self) -> tuple[Recorded, Fault | None]:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        path = urllib.parse.urlsplit(self.path).path
        assert self.command is not None
        request = Recorded(self.command, path, self.path, headers, body)
        return request, self.server.owner.record(request)

    def _refusal(self, request: Recorded) -> tuple[int, dict[str, str]] | None:
        """Why a request is refused; None when it is right. Uses up its refresh token."""
        spend = self.server.owner.spend
        form = request.form if request.path in ("/token", "/__api__/token") else {}
        kind = form.get("grant_type")
        refusal: tuple[int, dict[str, str]] | None = None
        match request.path:
            case "/token" if kind != "refresh_token" or "client_id" not in form:
                refusal = 400, {"error": "invalid_request"}
            case "/token" if not spend(form.get("refresh_token", "")):
                refusal = 400, {"error": "invalid_grant"}
            case "/auth/cli/refresh" if not spend(request.json["refresh_token"]):
                refusal = 401, {"detail": "refresh token was already used"}
            case "/auth/cli/access-token" if "authorization" not in request.headers:
                refusal = 401, {"detail": "API key missing"}
            case "/__api__/token" if kind != TOKEN_EXCHANGE or not form.get("subject_token"):
                refusal = 400, {"error": "invalid_request"}
            case "/token" | "/auth/cli/refresh" | "/auth/cli/access-token" | "/__api__/token":
                pass
            case _:
                refusal = 404, {"error": "not_found"}
        return refusal

    def _fail(self, fault: Fault) -> None:
        match fault:
            case Fault.STATUS_500:
                self._send(500, {"error": "server_error"})
            case Fault.STATUS_401:
                self._send(401, {"error": "unauthorized"})
            case Fault.INVALID_GRANT:
                self._send(400, {"error": "invalid_grant"})
            case Fault.HTML:
                self._send(
                    200, b"<!doctype html><title>Sign in to the network</title>", kind="html"
                )
            case Fault.REDIRECT:
                owner = self.server.owner
                self._send(owner.redirect_status, b"", {"Location": owner.redirect_to})
            case Fault.GARBAGE_JSON:
                self._send(200, b'{"access_token": "eyJ')
            case Fault.NO_TOKEN:
                self._send(200, {"token_type": "Bearer"})
            case Fault.ENDLESS | Fault.DRIP:
                self._never_end(fault)
            case Fault.HANG:
                self.server.owner.stopping.wait()
                self.close_connection = True
            case _:
                self.close_connection = True

    def _never_end(self, fault: Fault) -> None:
        size, pause = (1 << 16, 0.0) if fault is Fault.ENDLESS else (1, 0.2)
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(b'{"access_token": "')
        while not self.server.owner.stopping.wait(pause):
            self.wfile.write(b"a" * size)

    def _send(
        self,
        status: int,
        answer: dict[str, Any] | bytes,
        headers: dict[str, str] | None = None,
        kind: str = "json",
    ) -> None:
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.close_connection = True
        self.send_response(status)
        self.send_header("Content-Type", "text/html" if kind == "html" else "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
