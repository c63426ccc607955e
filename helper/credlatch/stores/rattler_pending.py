"""Room for a renewed entry of rattler's, where the old one was read.

The lock is the caller's to hold. Rattler takes none, so each reads its place once more at the end.
"""

from __future__ import annotations

from credlatch.stores import rattler_format
from credlatch.system import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.auth import TokenResponse
    from credlatch.credential import Secret
    from credlatch.stores.rattler_backends import FileBackend, KeyringBackend

_ROOM = 64 * 1024  # bytes: more than any token server's answer


class PendingFile:
    """In a file."""

    def __init__(self, backend: FileBackend, key: str, sent: Secret) -> None:
        self._backend = backend
        self._key = key
        self._sent = sent
        size = len(rattler_format.dumped(backend.entries(again=True)))
        self._write = files.AtomicWrite(backend.id, size + _ROOM)

    def commit(self, fresh: TokenResponse) -> None:
        """Put the renewed value in."""
        entries = self._backend.entries(again=True)
        value = rattler_format.renewed(entries.get(self._key), self._sent, fresh)
        if value is not None:
            self._write.commit(rattler_format.dumped({**entries, self._key: value}))

    def abandon(self) -> None:
        """Leave the file."""
        self._write.abandon()


class PendingItem:
    """In the keyring."""

    def __init__(self, backend: KeyringBackend, key: str, sent: Secret) -> None:
        self._backend = backend
        self._key = key
        self._sent = sent

    def commit(self, fresh: TokenResponse) -> None:
        """Update the item in place."""
        value = rattler_format.renewed(self._backend.get(self._key), self._sent, fresh)
        if value is not None:
            self._backend.replace(self._key, value)

    def abandon(self) -> None:
        """Nothing was begun."""
