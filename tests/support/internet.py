"""Every host of the network, as a test says: a proxy on loopback, and an authority of its own.

Whoever asks by ``HTTPS_PROXY`` and trusts ``SSL_CERT_FILE`` speaks to the hosts of a test by their
real names, in TLS with certificates for these. A host that no test has is not reached.
"""

from __future__ import annotations

import http.client
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from support.certificates import Authority
from support.loopback import Handler, Loopback, Recorded

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from pathlib import Path

    Answer = tuple[int, dict[str, str], bytes | dict[str, Any]]  # status, headers, body or JSON

_OF_THE_CONNECTION = {"connection", "keep-alive", "transfer-encoding", "proxy-connection"}
_PORTS = {"https": 443, "http": 80}
PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY")


@dataclass(frozen=True)
class Visit(Recorded):
    """A request, and to whom; its path and target are the host's own."""

    scheme: str
    host: str
    port: int

    @property
    def url(self) -> str:
        """The whole URL."""
        place = self.host if self.port == _PORTS[self.scheme] else f"{self.host}:{self.port}"
        return f"{self.scheme}://{place}{self.target}"


class Internet(Loopback):
    """Such a proxy, running while its block does.

    Args:
        folder: for the authority's files; it is made.

    Attributes:
        hosts: what answers, by host: ``a.example``; ``*.example`` stands for all below it, and
            ``*`` for every other one. A function answers; None: it takes a request and is silent;
            a port: the server there answers, which is sent the request as it came.
        authority: the file of the authority that all of them are certified by.
        visits: the requests, in order of arrival, to hosts that there are.
        asked: ``host:port`` of each connection that was asked for, whether there is one or not.
    """

    def __init__(self, folder: Path) -> None:
        self.hosts: dict[str, Callable[[Visit], Answer] | int | None] = {}
        self.visits: list[Visit] = []
        self.asked: list[str] = []
        self.stopping = threading.Event()
        self._authority = Authority(folder)
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._certifying = threading.Lock()
        self.authority = self._authority.file
        super().__init__(_Handler)

    @property
    def environ(self) -> dict[str, str]:
        """What has a program go here for all but loopback."""
        return {
            "HTTPS_PROXY": self.url,
            "HTTP_PROXY": self.url,
            "NO_PROXY": "127.0.0.1,localhost",
            "SSL_CERT_FILE": str(self.authority),
        }

    def to(self, host: str) -> list[Visit]:
        """The requests to one host."""
        return [each for each in self.visits if each.host == host]

    def server(self, host: str) -> str | None:
        """Under which name of ``hosts`` a host is; None: there is none."""
        _, _, above = host.partition(".")
        names = [host]
        while above:
            names.append(f"*.{above}")
            _, _, above = above.partition(".")
        return next((name for name in (*names, "*") if name in self.hosts), None)

    def certified(self, host: str) -> ssl.SSLContext:
        """What a host speaks TLS with."""
        with self._certifying:
            if host not in self._contexts:
                self._contexts[host] = self._authority.server(host)
            return self._contexts[host]

    def __exit__(self, *error: object) -> None:
        self.stopping.set()
        super().__exit__(*error)


class _Handler(Handler):
    """A connection to the proxy, and what comes through it."""

    through: tuple[str, int] | None = None  # the host and port of a CONNECT

    def do_CONNECT(self) -> None:  # noqa: N802 - the name is http.server's
        owner: Internet = self.server.owner
        host, _, port = self.path.rpartition(":")
        host = host.strip("[]").lower()
        owner.asked.append(self.path)
        if owner.server(host) is None:
            self.send(502)
            return
        self.send_response_only(200)
        self.end_headers()
        self.through = host, int(port)
        secure = self.server.speak_tls(self.connection, owner.certified(host))
        self.connection = secure
        secure.do_handshake()
        self.rfile, self.wfile = secure.makefile("rb"), secure.makefile("wb")
        self.close_connection = False

    def finish(self) -> None:
        try:
            super().finish()
        finally:  # also where the client has gone
            if self.through:
                self.server.shutdown_request(self.connection)

    def respond(self, request: Recorded) -> None:
        owner: Internet = self.server.owner
        target = request.target
        if self.through is not None:
            scheme, (host, port) = "https", self.through
        else:
            scheme, _, rest = target.partition("://")
            place, slash, target = rest.partition("/")
            target = slash + target
            name, _, number = place.partition(":")
            host, port = name.lower(), int(number or 80)
            owner.asked.append(f"{host}:{port}")
        name = owner.server(host) or ""
        if name not in owner.hosts:
            self.send(502)
            return
        facts = {**vars(request), "target": target}
        visit = Visit(**facts, scheme=scheme, host=host, port=port)
        owner.visits.append(visit)
        answer = owner.hosts[name]
        if answer is None:
            owner.stopping.wait()
            self.close_connection = True
        elif isinstance(answer, int):
            self._forward(visit, answer)
        else:
            status, headers, content = answer(visit)
            self.send(status, content, headers)

    def _forward(self, visit: Visit, port: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            connection.putrequest(
                visit.method, visit.target, skip_host=True, skip_accept_encoding=True
            )
            for name, value in visit.headers.items():
                if name not in _OF_THE_CONNECTION:
                    connection.putheader(name, value)
            if visit.body and "content-length" not in visit.headers:
                connection.putheader("Content-Length", str(len(visit.body)))
            connection.endheaders(visit.body)
            response = connection.getresponse()
            body = response.read()
        finally:
            connection.close()
        self.close_connection = True
        self.send_response_only(response.status, response.reason)
        for name, value in response.getheaders():
            if name.lower() not in _OF_THE_CONNECTION:
                self.send_header(name, value)
        if response.chunked:
            self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
