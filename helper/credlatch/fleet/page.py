"""Where Prometheus asks a renewer: one page of metrics, and one that says that it lives.

It has no secret and takes no word from anybody. Whoever knocks slowly, or often, waits; the renewer
does not.
"""

from __future__ import annotations

from credlatch.errors import UsageError
from credlatch.fleet.metrics import KIND
from credlatch.system import files, threads
from credlatch.system.visitors import Visitors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

_LONGEST = 8_192  # bytes of a request's head
_SLOWEST = 5.0  # seconds for one request, from its first byte to our last
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
        try:
            self._visitors = Visitors(host, port, longest=_LONGEST, slowest=_SLOWEST)
        except OSError as error:
            raise UsageError(
                f"no metrics can be had at {address} ({files.reason(error)}): is the port in use?"
            ) from None
        named = f"[{host}]" if ":" in host else host
        self.url = f"http://{named}:{self._visitors.port}"

    def __enter__(self) -> Self:
        self._thread = threads.start(self._run)
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over = True
        self._thread.join()

    def _run(self) -> None:
        with self._visitors as visitors:
            while not self._is_over:
                for visit in visitors.look(_STEP):
                    if visit.is_whole:
                        visitors.answer(visit, self._answer(visit.head))
                    else:
                        visitors.end(visit)

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
