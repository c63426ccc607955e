"""Where the browser comes back to: one page on this machine, for one login (RFC 8252, 7.3).

Any page of any site, and any program of this machine, can knock. What does not bring the state that
went to the provider gets a refusal and changes nothing, however slowly or often it comes.
"""

from __future__ import annotations

import time
from urllib.parse import parse_qsl, urlsplit

from credlatch.errors import LoginError, UsageError
from credlatch.system.files import reason
from credlatch.system.visitors import Visitors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol, Self

    from credlatch.system.visitors import Visit

    class Pasted(Protocol):
        """What a person types, whose browser cannot come back here by itself."""

        def fileno(self) -> int:
            """What can be waited for until they have typed something."""

        def line(self) -> str | None:
            """A line, once it is whole; None: it is not yet."""

        def refuse(self) -> None:
            """Tell them that it was not what they were asked for."""


ADDRESS = "127.0.0.1"
_HERE = {ADDRESS: ADDRESS, "localhost": ADDRESS, "::1": "::1"}
_LONGEST = 16_384  # bytes of a request's head: a code may be long
_SLOWEST = 10.0  # seconds for a request to come
_STEP = 0.2  # seconds after which a person is looked to again
_PAGE = (
    "<!doctype html><html lang=en><meta charset=utf-8><title>credlatch</title>"
    "<body style='font:1.2em system-ui;margin:4em auto;max-width:32em'><h1>{}</h1><p>{}</p>"
)
_HEAD = (
    "HTTP/1.1 {}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\n"
    "Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\nX-Content-Type-Options: nosniff\r\n"
    "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; "
    "frame-ancestors 'none'\r\nConnection: close\r\n\r\n"
)
_DONE = "200 OK", "Back to the terminal", "This page has done its part, and can be closed."
_NOT_OURS = "400 Bad Request", "Nothing to see here", "No login of credlatch's leads here."


class Listener:
    """Waits for a browser; a context manager, at whose end it is gone.

    Args:
        redirect: the URL that the provider knows, where that is a certain one: http, on this
            machine, at any port if it has none.

    Attributes:
        redirect: the URL that it is at.

    Raises:
        UsageError: ``redirect`` is no such URL.
        LoginError: the port is taken.
    """

    def __init__(self, redirect: str = f"http://{ADDRESS}") -> None:
        address, port, self._path = _place(redirect)
        try:
            self._visitors = Visitors(address, port, longest=_LONGEST, slowest=_SLOWEST)
        except OSError as error:
            raise LoginError(
                f"no browser can come back to {redirect} ({reason(error)}): is the port in use?"
            ) from None
        name = urlsplit(redirect).netloc.removesuffix(f":{port}")
        self._host = f"{name}:{self._visitors.port}"
        self.redirect = f"http://{self._host}{self._path}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._visitors.close()

    def returned(
        self,
        state: str,
        seconds: float,
        is_over: Callable[[], bool] = lambda: False,
        pasted: Pasted | None = None,
    ) -> dict[str, str] | None:
        """What a browser brings back; None: none came in time.

        Args:
            state: what it has to bring, by which it is known.
            seconds: for which it is waited for.
            is_over: asked again and again whether it is not waited for any more.
            pasted: the person, who may bring the URL that a browser elsewhere was sent to.
        """
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not is_over():
            for visit in self._visitors.look(min(left, _STEP), pasted):
                if (found := self._heard(visit, state)) is not None:
                    return found
            if pasted is not None and self._visitors.has_other:
                try:
                    found = _typed(pasted, state)
                except EOFError:  # they type no more, and a browser may still come
                    found = pasted = None
                if found is not None:
                    return found
        return None

    def _heard(self, visit: Visit, state: str) -> dict[str, str] | None:
        """What a visitor has brought; None: nothing of use."""
        found = self._brought(visit.head, state) if visit.is_whole else None
        self._visitors.answer(visit, _page(*(_NOT_OURS if found is None else _DONE)))
        return found

    def _brought(self, head: bytes, state: str) -> dict[str, str] | None:
        """The parameters of the provider's answer; None: it is not that."""
        first, *rows = head.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
        words = first.split(" ")
        fields = [row.partition(":") for row in rows]
        hosts = [value.strip() for name, _, value in fields if name.lower() == "host"]
        if len(words) != len(("GET", "target", "HTTP/1.1")) or words[0] != "GET":
            return None
        path, _, query = words[1].partition("?")
        # A name that has been made to lead here is another host (DNS rebinding).
        if hosts != [self._host] or path != (self._path or "/"):
            return None
        return _parameters(query, state)


def _parameters(query: str, state: str) -> dict[str, str] | None:
    """What a provider has put into a URL; None: it is not for this login."""
    import hmac

    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=32, errors="strict")
    except ValueError:
        return None
    found = dict(pairs)
    if len(found) != len(pairs):  # RFC 6749, 3.1: none may be there twice
        return None
    brought = found.get("state", "").encode(errors="replace")
    return found if hmac.compare_digest(brought, state.encode()) else None


def _place(redirect: str) -> tuple[str, int, str]:
    """The address, port and path of a URL on this machine; port 0: any."""
    try:
        parts = urlsplit(redirect)
        address, port = _HERE[parts.hostname or ""], parts.port or 0
    except (ValueError, KeyError):
        address, port = "", 0
    if not address or parts.scheme != "http" or "@" in parts.netloc or parts.query:
        raise UsageError(
            "the redirect URI has to be on this machine, as http://127.0.0.1:8000/callback"
        )
    return address, port, parts.path


def _typed(pasted: Pasted, state: str) -> dict[str, str] | None:
    """What a person has brought, likewise.

    Raises:
        EOFError: they type no more.
    """
    line = pasted.line()
    if line is None or not line.strip():
        return None
    # A browser may show, and copy, less of the place, or one with https: the state tells.
    found = _parameters(line.strip().partition("?")[2].partition("#")[0], state)
    if found is None:
        pasted.refuse()
    return found


def _page(status: str, title: str, text: str) -> bytes:
    """An answer, which fits into what the system keeps for one: no reader is waited for."""
    body = _PAGE.format(title, text).encode()
    return _HEAD.format(status, len(body)).encode() + body
