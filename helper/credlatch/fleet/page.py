"""Where Prometheus asks a renewer: one page of metrics, and one that says that it lives.

It has no secret and takes no word from anybody. Whoever knocks slowly, or often, waits; the renewer
does not.
"""

from __future__ import annotations

import selectors
import socket
import sys
import time

from credlatch.errors import UsageError
from credlatch.fleet.metrics import KIND
from credlatch.system import files, threads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

_LONGEST = 8_192  # bytes of a request's head
_SLOWEST = 5.0  # seconds for one request, from its first byte to our last
_MOST = 32  # that are read or answered at once
_STEP = 0.2  # seconds after which it is seen that it is to end
_HEAD = (
    "HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nCache-Control: no-store\r\n"
    "X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n"
)
_OK, _NOT_FOUND, _NOT_ALLOWED = "200 OK", "404 Not Found", "405 Method Not Allowed"


class Page:
    """Such a server; a context manager, at whose end it is gone.

    Args:
        metrics: gives what it shows.
        address: ``HOST:PORT``, ``[HOST]:PORT`` for IPv6; port 0: any.

    Attributes:
        url: where it is.

    Raises:
        UsageError: the address is none, or it cannot be had.
    """

    def __init__(self, metrics: Callable[[], str], address: str) -> None:
        host, port = _place(address)
        self._metrics = metrics
        self._is_over = False
        self._socket = socket.socket(
            socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM
        )
        try:
            if sys.platform == "win32":  # where another program could listen at the same port
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
            else:
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind((host, port))
            self._socket.listen(_MOST)
            self._socket.setblocking(False)
        except OSError as error:
            self._socket.close()
            raise UsageError(
                f"no metrics can be had at {address} ({files.reason(error)}): is the port in use?"
            ) from None
        port = self._socket.getsockname()[1]
        self.url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def __enter__(self) -> Self:
        self._thread = threads.start(self._run)
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over = True
        self._thread.join()
        self._socket.close()

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._socket, selectors.EVENT_READ)
            while not self._is_over:
                for key, _ in selector.select(_STEP):
                    if key.data is None:
                        self._accept(selector)
                    elif key.data.socket.fileno() >= 0:  # it has not made room a moment ago
                        self._go_on(selector, key.data)
                _drop_slow(selector)
            for key in list(selector.get_map().values()):
                if key.data is not None:
                    key.data.socket.close()

    def _accept(self, selector: selectors.BaseSelector) -> None:
        try:
            connection, _ = self._socket.accept()
        except OSError:
            time.sleep(_STEP / 10)  # who knocked has gone, or no descriptor is left
            return
        waiting = [key.data for key in selector.get_map().values() if key.data is not None]
        for oldest in waiting[: max(0, len(waiting) - _MOST + 1)]:
            _end(selector, oldest)
        connection.setblocking(False)
        visit = _Visit(connection, time.monotonic() + _SLOWEST)
        selector.register(connection, selectors.EVENT_READ, visit)

    def _go_on(self, selector: selectors.BaseSelector, visit: _Visit) -> None:
        """Read or write as much as there is to be now."""
        try:
            if visit.answer:
                visit.answer = visit.answer[visit.socket.send(visit.answer) :]
                if not visit.answer:
                    visit.socket.shutdown(socket.SHUT_WR)
                    _end(selector, visit)
                return
            chunk = visit.socket.recv(_LONGEST)
        except BlockingIOError:
            return
        except OSError:
            _end(selector, visit)
            return
        visit.head += chunk
        if b"\r\n\r\n" in visit.head:
            visit.answer = self._answer(visit.head)
            selector.modify(visit.socket, selectors.EVENT_WRITE, visit)
        elif not chunk or len(visit.head) >= _LONGEST:
            _end(selector, visit)

    def _answer(self, head: bytes) -> bytes:
        method, _, rest = head.partition(b" ")
        path = rest.partition(b" ")[0].partition(b"?")[0]
        status, body = _OK, ""
        if method not in {b"GET", b"HEAD"}:
            status = _NOT_ALLOWED
        elif path == b"/metrics":
            body = self._metrics()
        elif path != b"/healthz":
            status = _NOT_FOUND
        data = body.encode()
        begin = _HEAD.format(status, KIND, len(data)).encode()
        return begin if method == b"HEAD" else begin + data


class _Visit:
    def __init__(self, connection: socket.socket, end: float) -> None:
        self.socket = connection
        self.end = end
        self.head = b""
        self.answer = b""


def _end(selector: selectors.BaseSelector, visit: _Visit) -> None:
    selector.unregister(visit.socket)
    visit.socket.close()


def _drop_slow(selector: selectors.BaseSelector) -> None:
    now = time.monotonic()
    for key in list(selector.get_map().values()):
        if key.data is not None and key.data.end < now:
            _end(selector, key.data)


def _place(address: str) -> tuple[str, int]:
    """The address and the port: no name, which might be another machine's tomorrow."""
    from ipaddress import ip_address

    host, _, port = address.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    try:
        host = "127.0.0.1" if host == "localhost" else str(ip_address(host))
        number = int(port) if port.isascii() and port.isdecimal() else -1
    except ValueError:
        number = -1
    if not 0 <= number < 1 << 16:
        raise UsageError(
            f"{address[:80]!r} is no address for metrics: 127.0.0.1:9464, or 0.0.0.0:9464 for all"
        )
    return host, number
