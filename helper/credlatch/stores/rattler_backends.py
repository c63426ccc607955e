"""The two kinds of place where rattler keeps its entries: a JSON file, and the system's keyring.

Every method raises StoreError where the place is broken, and AbsentError where it is not there.
"""

from __future__ import annotations

from credlatch import quick_json
from credlatch.credential import Secret
from credlatch.errors import AbsentError, AmbiguousError, StoreError
from credlatch.stores import rattler_format
from credlatch.system import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from credlatch.auth import TokenResponse
    from credlatch.caller import Caller
    from credlatch.renew.cache import PendingWrite
    from credlatch.system.keyring import Keyring

    T = TypeVar("T")


SERVICE = "rattler"
# Seconds that a store or erase waits for others: Docker, git and people have no limit of their own.
LOCK_PATIENCE = 120.0


class FileBackend:
    """A JSON file: an object of host and value.

    Entries that are not understood are kept, and one that is damaged does not spoil the others.

    Args:
        path: the file.
        caller: whose it is.
        by: whose configuration names it, where that is another user (sudo): only in that user's own
            folders it is written.
    """

    def __init__(self, path: str, caller: Caller, by: int | None = None) -> None:
        self.id = path
        self._by = by
        self.location = path
        self._path = path
        self._caller = caller
        self._read: dict[str, Any] | None = None

    @property
    def lock_path(self) -> str:
        """Beside the file that is written, so that one file with two names has one lock."""
        from credlatch.system import owners

        return owners.real_path(self._path, self._by) + ".lock"

    def entries(self, *, again: bool = False) -> dict[str, Any]:
        """All keys and values, as they were read first or are now.

        What was read ``again`` is the reader's to change; other calls may have the rest, too.
        """
        if again:
            text = self._caller.read(self._path)
            self._read = _parse(text or "", self._path)
        elif self._read is None:
            self._read = self._caller.document(self._path, _parse) or {}
        return self._read

    def get(self, key: str) -> object | None:
        """The value under a key, or None."""
        return self.entries().get(key)

    def every(self, key: str) -> list[object]:
        """The value under a key, if there is one."""
        entries = self.entries()
        return [entries[key]] if key in entries else []

    def put(self, key: str, value: dict[str, Any]) -> None:
        """Keep a value."""
        self._change(key, value)

    def see_room(self) -> None:
        """See that the file can be read, and another put in its place."""
        from credlatch.system import locks
        from credlatch.system.atomic_write import AtomicWrite

        try:
            with locks.Exclusive(self.lock_path, self._caller.left(LOCK_PATIENCE)):
                size = len(rattler_format.dumped(self.entries(again=True)))
                AtomicWrite(self._path, size).abandon()
        except OSError as error:
            raise StoreError(f"{self._path} cannot be written: {files.reason(error)}") from None

    def delete(self, key: str) -> bool:
        """Forget a key; False if there was none, and then nothing is written."""
        return self.take(key) is not None

    def take(self, key: str) -> object | None:
        """Forget a key, and give what was there, as the last renewal has left it."""
        return self._change(key, None) if key in self.entries(again=True) else None

    def _change(self, key: str, value: dict[str, Any] | None) -> object | None:
        """Write it, or without a value take it out; what was there before."""
        from credlatch.system import locks

        try:
            with locks.Exclusive(self.lock_path, self._caller.left(LOCK_PATIENCE)):
                entries = self.entries(again=True)
                before: object | None = entries.pop(key, None)
                if value is None and before is None:
                    return None
                if value is not None:
                    entries[key] = value
                data = rattler_format.dumped(entries)  # first: what is begun is finished
                from credlatch.system.atomic_write import AtomicWrite

                AtomicWrite(self._path).commit(data)
                return before
        except OSError as error:
            raise StoreError(f"{self._path} cannot be written: {files.reason(error)}") from None

    def prepare(self, key: str, sent: Secret) -> PendingWrite:
        """Room for a renewed value. The lock is the caller's to hold."""
        from credlatch.renew.cache import PendingFile

        def content(fresh: TokenResponse) -> bytes | None:
            entries = self.entries(again=True)
            value = rattler_format.renewed(entries.get(key), sent, fresh)
            return None if value is None else rattler_format.dumped({**entries, key: value})

        size = len(rattler_format.dumped(self.entries(again=True)))
        return PendingFile(self._path, content, size)


def _parse(text: str, path: str) -> dict[str, Any]:
    if not text or text.isspace():
        return {}
    try:
        value = quick_json.loads(text)
    except ValueError as error:
        raise StoreError(
            f"{path} is not JSON ({error}): mend it, or move it away and log in again"
        ) from None
    if not isinstance(value, dict):
        raise StoreError(f"{path} is not a JSON object: mend it, or move it away and log in again")
    return value


def _value(secret: Secret) -> object:
    """What an item holds; None where it is not JSON."""
    try:
        return quick_json.loads(secret.reveal())
    except ValueError:
        return None


class KeyringBackend:
    """The system's keyring: service ``rattler``, the host as user name, the value as JSON."""

    id = "keyring"
    location = "the keyring (service rattler)"

    def __init__(self, caller: Caller) -> None:
        # Beside rattler's own file, whatever the caller's other folders are: one keyring, one lock.
        self.lock_path = caller.in_home(".rattler", "keyring.lock")
        self._caller = caller
        self._names: list[str] | None = None
        self._listed = False

    def _keyring(self) -> Keyring:
        keyring = self._caller.keyring()
        if keyring is None:
            raise AbsentError("there is no keyring")
        return keyring

    def get(self, key: str) -> dict[str, Any] | None:
        """The value under a key, or None; None also where there is no keyring."""
        keyring = self._caller.keyring()
        if keyring is None:
            return None
        # One list of names costs less than asking for each of a dozen keys.
        if not self._listed:
            self._names = keyring.usernames(SERVICE)
            self._listed = True
        if self._names is not None and key not in self._names:
            return None
        secret = keyring.get(SERVICE, key)
        if secret is None:
            return None
        value = _value(secret)
        if not isinstance(value, dict):
            remedy = rattler_format.remedy(key)
            raise StoreError(f"the entry {key!r} in {self.location} is damaged: {remedy}")
        return value

    def every(self, key: str) -> list[object]:
        """The values of all items for a key."""
        try:
            value = self.get(key)
        except AmbiguousError:
            found = self._keyring().find(SERVICE)
            return [_value(secret) for name, secret in found if name == key]
        return [] if value is None else [value]

    def entries(self) -> dict[str, object]:
        """All keys and values, where the keyring can list them."""
        keyring = self._caller.keyring()
        if keyring is None:
            return {}
        return {name: _value(secret) for name, secret in keyring.find(SERVICE)}

    def put(self, key: str, value: dict[str, Any]) -> None:
        """Keep a value, in the item that rattler made if there is one."""
        self._exclusively(lambda keyring: self.replace(key, value, keyring))

    def see_room(self) -> None:
        """See that the keyring is there, and open."""
        self._keyring().see_that_it_is_open()

    def replace(self, key: str, value: dict[str, Any], keyring: Keyring | None = None) -> None:
        """Keep a value. The lock is the caller's to hold."""
        secret = Secret(rattler_format.dumped(value).decode())
        (keyring or self._keyring()).put(SERVICE, key, secret)
        self._listed = False

    def delete(self, key: str) -> bool:
        """Forget a key, in however many items it is."""
        return self._exclusively(lambda keyring: keyring.delete(SERVICE, key))

    def take(self, key: str) -> object | None:
        """Likewise, and give what was there, as the last renewal has left it."""

        def taken(keyring: Keyring) -> object | None:
            self._listed = False
            values = self.every(key)
            return (values or [{}])[0] if keyring.delete(SERVICE, key) else None

        return self._exclusively(taken)

    def _exclusively(self, change: Callable[[Keyring], T]) -> T:
        """Two that look and then write at once would leave two items, and rattler reads neither."""
        from credlatch.system import locks

        keyring = self._keyring()
        try:
            with locks.Exclusive(self.lock_path, self._caller.left(LOCK_PATIENCE)):
                return change(keyring)
        except OSError as error:
            raise StoreError(f"{self.lock_path} cannot be locked: {files.reason(error)}") from None

    def prepare(self, key: str, sent: Secret) -> PendingWrite:
        """The item, unlocked and readable."""
        if self.get(key) is None:
            remedy = rattler_format.remedy(key)
            raise StoreError(f"the entry {key!r} has gone from {self.location}: {remedy}")
        return _PendingItem(self, key, sent)


class _PendingItem:
    """Room in the keyring, which has no end."""

    def __init__(self, backend: KeyringBackend, key: str, sent: Secret) -> None:
        self._backend = backend
        self._key = key
        self._sent = sent

    def commit(self, fresh: TokenResponse) -> None:
        """Update the item in place. The lock is the caller's to hold."""
        value = rattler_format.renewed(self._backend.get(self._key), self._sent, fresh)
        if value is not None:
            self._backend.replace(self._key, value)

    def abandon(self) -> None:
        """Nothing was begun."""
