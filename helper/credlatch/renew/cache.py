"""Where a token is kept that was fetched, and what it is fetched under."""

from __future__ import annotations

import os

from credlatch.renew import notes
from credlatch.system import locks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from credlatch.auth import TokenResponse
    from credlatch.renew.tokens import KeptToken
    from credlatch.request import Request
    from credlatch.stores import Entry

    class PendingWrite(Protocol):
        """Room for a renewed entry, where the old one was read."""

        def commit(self, fresh: TokenResponse) -> None:
            """Keep it.

            Raises:
                StoreError, OSError: it could not be kept; the old one stands.
            """

        def abandon(self) -> None:
            """Leave the old one."""

    class TokenCache(Protocol):
        """What the single flight needs of where a token is kept: a store, or memory."""

        def read(self, entry: Entry, request: Request) -> Entry:
            """What a store has found, with the token that is kept for it."""

        def lock(self, entry: Entry) -> FileLock | KeptToken:
            """The lock under which it is renewed."""

        def prepare(self, entry: Entry) -> PendingWrite:
            """Make sure that a fresh token can be kept, before it is fetched.

            Raises:
                StoreError, OSError: it cannot.
            """


_ROOM = 64 * 1024  # bytes: more than any token server's answer


class PendingFile:
    """Room for a renewed entry in a file. The lock is the caller's to hold.

    Args:
        path: the file.
        content: all that is to be in it, with the fresh token; None: somebody has logged in or out
            meanwhile, and what they left counts. The store's own tool may take no lock, so it reads
            the file once more.
        size: how many bytes there are now, beside the token.
    """

    def __init__(
        self, path: str, content: Callable[[TokenResponse], bytes | None], size: int = 0
    ) -> None:
        from credlatch.system.atomic_write import AtomicWrite

        self._write = AtomicWrite(path, size + _ROOM)
        self._content = content

    def commit(self, fresh: TokenResponse) -> None:
        """Write it."""
        data = self._content(fresh)
        if data is not None:
            self._write.commit(data)

    def abandon(self) -> None:
        """Leave the file."""
        self._write.abandon()


class FileLock:
    """A lock file, and the notes beside it.

    Args:
        path: the lock file.
    """

    def __init__(self, path: str) -> None:
        self._path = path

    def exclusive(self, seconds: float, *, in_turn: bool = True) -> locks.Exclusive:
        """Takes it."""
        return locks.Exclusive(self._path, seconds, in_turn=in_turn)

    def notes(self) -> notes.Notes:
        """What is noted in the file beside it."""
        return notes.FileNotes(self._path)

    def is_noted(self) -> bool:
        """Whether anything is, at next to no cost."""
        return os.path.lexists(notes.path_of(self._path))
