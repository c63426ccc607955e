"""Connections to the Secret Service that stay open between calls.

A connection costs a greeting and, for its first secret, a key agreement. That is all that is kept:
what a keyring holds is asked for each time.
"""

from __future__ import annotations

import os
import threading
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.system.keyring.bus import Left
    from credlatch.system.keyring.secret_service import SecretService

MOST = 16  # connections that are kept for one address
IN_ALL = 64  # and for all
IDLE = 300.0  # seconds after which one that nobody has used is closed


class Connection:
    """One connection, lent to one call at a time.

    Args:
        address: the bus's address.
        left: the seconds that a step of the call may take, of as many as it is given.

    Raises:
        AbsentError: there is no bus of the caller's.
        StoreError: there is one, and it cannot be asked.

    Attributes:
        service: the Secret Service at its other end.
        used: whether an earlier call has had it.
    """

    __slots__ = ("_socket", "address", "returned", "service", "used")

    def __init__(self, address: str, left: Left) -> None:
        from credlatch.system.keyring.secret_service import SecretService

        self.address = address
        self._socket = _socket_at(address)  # before it is connected to, so that no change is missed
        self.service: SecretService = SecretService(address, left)
        self.used = False
        self.returned = 0.0

    def is_good(self) -> bool:
        """Whether it leads where its address leads now. It may be dead all the same."""
        return self._socket == _socket_at(self.address)


class Pool:
    """The connections that no call has at the moment; for any number of threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: list[Connection] = []  # what was given back last is last
        self._closed = False

    def lend(self, address: str, left: Left) -> Connection:
        """A connection to a bus, which is the borrower's alone until it is given back.

        Raises:
            AbsentError: there is no bus of the caller's.
            StoreError: there is one, and it cannot be asked.
        """
        self.tidy()
        while (kept := self._take(address)) is not None:
            if kept.is_good():
                kept.used = True
                kept.service.serve(left)
                return kept
            kept.service.close()
        return Connection(address, left)

    def give_back(self, connection: Connection) -> None:
        """Keep a connection for the next call, unless it has failed."""
        connection.returned = time.monotonic()
        with self._lock:
            same = sum(1 for kept in self._kept if kept.address == connection.address)
            full = same >= MOST or len(self._kept) >= IN_ALL
            if not (full or self._closed or connection.service.broken):
                self._kept.append(connection)
                return
        connection.service.close()

    def tidy(self) -> None:
        """Close those that have not been used for long."""
        oldest = time.monotonic() - IDLE
        with self._lock:
            idle = [kept for kept in self._kept if kept.returned < oldest]
            if idle:
                self._kept = [kept for kept in self._kept if kept.returned >= oldest]
        for kept in idle:
            kept.service.close()

    def close(self) -> None:
        """Close them all, and those that are lent when they are given back."""
        with self._lock:
            kept, self._kept = self._kept, []
            self._closed = True
        for each in kept:
            each.service.close()

    def _take(self, address: str) -> Connection | None:
        with self._lock:
            for at in reversed(range(len(self._kept))):
                if self._kept[at].address == address:
                    return self._kept.pop(at)
        return None


def path_of(address: str) -> str | None:
    """The path in a bus's address, with a zero byte before an abstract one; None: it has none."""
    from jeepney.bus import get_bus

    try:
        path: str = get_bus(address)
    # An address may be anything; one that is no good is refused when it is opened.
    except Exception:  # noqa: BLE001
        return None
    return path


def _socket_at(address: str) -> tuple[int, int] | None:
    """Which file a bus's address leads to; None where it is no file, or there is none."""
    path = path_of(address)
    if path is None:
        return None
    try:
        status = os.stat(path)
    except (OSError, ValueError):  # ValueError: it begins with a zero byte, as abstract ones do
        return None
    return status.st_dev, status.st_ino
