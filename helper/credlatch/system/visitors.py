"""A port of this machine's at which requests come in, where nobody keeps the next one out.

Any page of any site, and any program, can knock. Who is slow is dropped after a time, and who has
waited longest makes room when there are too many; nothing blocks.
"""

from __future__ import annotations

import selectors
import socket
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Protocol, Self

    class HasFileno(Protocol):
        """What can be waited for beside them."""

        def fileno(self) -> int:
            """What the system knows it by."""


MOST = 32  # that are read or answered at once
_PAUSE = 0.02  # seconds, where nobody can be let in


class Visit:
    """One of them.

    Attributes:
        head: as much of the request as has come; what is not whole when it is told of stays so.
    """

    def __init__(self, connection: socket.socket, end: float) -> None:
        self.socket = connection
        self.end = end
        self.head = b""
        self.answer = b""

    @property
    def is_whole(self) -> bool:
        """Whether its head has an end."""
        return b"\r\n\r\n" in self.head


class Visitors:
    """All of them; a context manager, at whose end they and the port are gone.

    Args:
        address: an IP address of this machine's.
        port: 0: any.
        longest: bytes of a request's head.
        slowest: seconds for a request, from when it is let in to the last byte of its answer.

    Attributes:
        port: the port that it is.
        has_other: whether at the last look there was something beside them.

    Raises:
        OSError: it cannot be had.
    """

    def __init__(self, address: str, port: int, *, longest: int, slowest: float) -> None:
        self._longest = longest
        self._slowest = slowest
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        try:
            if sys.platform == "win32":  # where another program could listen at the same port
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
            else:  # where a port whose last connection has just ended could not be had
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind((address, port))
            self._socket.listen(MOST)
            self._socket.setblocking(False)
        except OSError:
            self._socket.close()
            raise
        self.port = int(self._socket.getsockname()[1])
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._socket, selectors.EVENT_READ)
        self._beside: HasFileno | None = None
        self.has_other = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End all."""
        for visit in self._visits():
            visit.socket.close()
        self._selector.close()
        self._socket.close()

    def look(self, seconds: float, beside: HasFileno | None = None) -> Iterator[Visit]:
        """Who has asked, each to be answered or ended.

        Args:
            seconds: for which somebody is waited for.
            beside: what else is waited for, until it is left out.
        """
        self._wait_beside(beside)
        self.has_other = False
        for key, _ in self._selector.select(seconds):
            visit = key.data
            if key.fileobj is self._socket:
                self._let_in()
            elif visit is None:
                self.has_other = True
            elif visit.socket.fileno() >= 0 and self._has_come(visit):  # or has just made room
                yield visit
        now = time.monotonic()
        for visit in self._visits():
            if visit.end < now:
                self.end(visit)

    def answer(self, visit: Visit, data: bytes) -> None:
        """Answer one, as fast as it reads."""
        visit.answer = data
        self._selector.modify(visit.socket, selectors.EVENT_WRITE, visit)
        self._speak(visit)

    def end(self, visit: Visit) -> None:
        """Have one go."""
        self._selector.unregister(visit.socket)
        visit.socket.close()

    def _wait_beside(self, other: HasFileno | None) -> None:
        if other is self._beside:
            return
        if self._beside is not None:
            self._selector.unregister(self._beside)
        if other is not None:
            self._selector.register(other, selectors.EVENT_READ)
        self._beside = other

    def _visits(self) -> list[Visit]:
        keys = self._selector.get_map() or {}  # none, once it is closed
        return [key.data for key in keys.values() if key.data is not None]

    def _let_in(self) -> None:
        try:
            connection, _ = self._socket.accept()
        except OSError:
            time.sleep(_PAUSE)  # who knocked has gone, or no descriptor is left
            return
        waiting = self._visits()
        for oldest in waiting[: max(0, len(waiting) - MOST + 1)]:
            self.end(oldest)
        connection.setblocking(False)
        visit = Visit(connection, time.monotonic() + self._slowest)
        self._selector.register(connection, selectors.EVENT_READ, visit)

    def _has_come(self, visit: Visit) -> bool:
        """Read or write as much as there is to be now; whether its request can be answered."""
        if visit.answer:
            self._speak(visit)
            return False
        try:
            chunk = visit.socket.recv(self._longest)
        except BlockingIOError:
            return False
        except OSError:
            chunk = b""
        visit.head += chunk
        return visit.is_whole or not chunk or len(visit.head) >= self._longest

    def _speak(self, visit: Visit) -> None:
        try:
            visit.answer = visit.answer[visit.socket.send(visit.answer) :]
            if not visit.answer:
                visit.socket.shutdown(socket.SHUT_WR)
        except BlockingIOError:
            return
        except OSError:
            visit.answer = b""
        if not visit.answer:
            self.end(visit)
