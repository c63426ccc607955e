"""Connections to the Secret Service that stay open between calls.

A connection costs a greeting and, for its first secret, a key agreement. That is all that is kept:
what a keyring holds is asked for each time.
"""

from __future__ import annotations

import threading
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from credlatch.system.keyring.bus import Left
    from credlatch.system.keyring.secret_service import SecretService

MOST = 16  # connections that are kept for one address
IN_ALL = 64  # and for all
IDLE = 300.0  # seconds after which one that nobody has used is closed


class Pool:
    """The connections that no call has at the moment; for any number of threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: list[tuple[float, SecretService]] = []  # since when; the latest is last
        self._closed = False

    def lend(self, address: str, left: Left, warn: Callable[[str], None]) -> SecretService:
        """A connection to a bus, which is the borrower's alone until it is closed.

        Raises:
            AbsentError: there is no bus of the caller's.
            StoreError: there is one, and it cannot be asked.
        """
        from credlatch.system.keyring.secret_service import SecretService

        self.tidy()
        while (kept := self._take(address)) is not None:
            if kept.is_current():
                kept.serve(left, warn)
                return kept
            kept.leave()
        return SecretService(address, left, warn, self)

    def give_back(self, connection: SecretService) -> None:
        """Keep a connection for the next call, unless it has failed."""
        with self._lock:
            same = sum(1 for _, kept in self._kept if kept.address == connection.address)
            full = same >= MOST or len(self._kept) >= IN_ALL
            if not (full or self._closed or connection.broken):
                self._kept.append((time.monotonic(), connection))
                return
        connection.leave()

    def tidy(self) -> None:
        """Close those that have not been used for long."""
        self._close_those_before(time.monotonic() - IDLE)

    def close(self) -> None:
        """Close them all, and those that are lent when they are given back."""
        self._closed = True
        self._close_those_before(float("inf"))

    def _close_those_before(self, moment: float) -> None:
        with self._lock:
            old = [kept for since, kept in self._kept if since < moment]
            self._kept = [each for each in self._kept if each[0] >= moment]
        for each in old:
            each.leave()

    def _take(self, address: str) -> SecretService | None:
        with self._lock:
            for at in reversed(range(len(self._kept))):
                if self._kept[at][1].address == address:
                    return self._kept.pop(at)[1]
        return None
