"""The two kinds of place where rattler keeps its entries: a JSON file, and the system's keyring."""

from __future__ import annotations

import os

from credlatch import quick_json
from credlatch.credential import Secret
from credlatch.errors import AbsentError, StoreError
from credlatch.stores import rattler_format
from credlatch.system import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    from credlatch.caller import Caller
    from credlatch.grant import Fresh
    from credlatch.stores import PendingWrite
    from credlatch.system.keyring import Keyring

    class Backend(Protocol):
        """One place.

        Every method raises StoreError when the place is broken, and AbsentError when it is not
        there at all.
        """

        id: str
        where: str

        @property
        def lock_path(self) -> str:
            """The lock file for its writers."""

        def get(self, key: str) -> object | None:
            """The value under a key, or None."""

        def entries(self) -> dict[str, object]:
            """All keys and values."""

        def put(self, key: str, value: dict[str, Any]) -> None:
            """Keep a value."""

        def delete(self, key: str) -> bool:
            """Forget a key; False if there was none."""

        def prepare(self, key: str, sent: Secret) -> PendingWrite:
            """Room for a renewed value, in place of the one with the refresh token ``sent``."""


SERVICE = "rattler"
LOCK_PATIENCE = 5.0  # seconds that a store or erase waits for another one
_ROOM = 64 * 1024  # bytes: more than any token server's answer


class FileBackend:
    """A JSON file: an object of host and value.

    Entries that are not understood are kept, and one that is damaged does not spoil the others.
    """

    def __init__(self, path: str, caller: Caller, *, takes_logins: bool = True) -> None:
        self.id = path
        self.where = path
        self._takes_logins = takes_logins
        self._path = path
        self._caller = caller
        self._read: dict[str, Any] | None = None

    @property
    def lock_path(self) -> str:
        """Beside the file that is written, so that one file with two names has one lock."""
        return os.path.realpath(self._path) + ".lock"

    def entries(self, *, again: bool = False) -> dict[str, Any]:
        """All keys and values, as they were read first or are now.

        What was read ``again`` is the reader's to change; other calls may have the rest, too.
        """
        if again:
            text = files.read(self._path, self._caller.warn)
            self._read = _parse(text or "", self._path)
        elif self._read is None:
            self._read = self._caller.document(self._path, _parse) or {}
        return self._read

    def get(self, key: str) -> object | None:
        """The value under a key, or None."""
        return self.entries().get(key)

    def put(self, key: str, value: dict[str, Any]) -> None:
        """Keep a value."""
        if not self._takes_logins:
            raise AbsentError(f"{self._path} is a project's choice, and logins are kept elsewhere")

        def change(entries: dict[str, Any]) -> bool:
            entries[key] = value
            return True

        self._change(change)

    def delete(self, key: str) -> bool:
        """Forget a key; False if there was none, and then nothing is written."""
        if key not in self.entries(again=True):
            return False
        return self._change(lambda entries: entries.pop(key, None) is not None)

    def _change(self, change: Callable[[dict[str, Any]], bool]) -> bool:
        from credlatch.system import locks

        try:
            with locks.Exclusive(self.lock_path, LOCK_PATIENCE):
                entries = self.entries(again=True)
                changed = change(entries)
                if changed:
                    data = _dump(entries)
                    files.AtomicWrite(self._path).commit(data)
                return changed
        except OSError as error:
            raise StoreError(f"{self._path} cannot be written: {files.reason(error)}") from None

    def prepare(self, key: str, sent: Secret) -> PendingWrite:
        """Room for a renewed value. The lock is the caller's to hold."""
        return _PendingFile(self, key, sent)


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


class _PendingFile:
    def __init__(self, backend: FileBackend, key: str, sent: Secret) -> None:
        self._backend = backend
        self._key = key
        self._sent = sent
        size = len(_dump(backend.entries(again=True)))
        self._write = files.AtomicWrite(backend.id, size + _ROOM)

    def commit(self, fresh: Fresh) -> None:
        """Put the renewed value in. Rattler takes no lock, so the file is read once more."""
        entries = self._backend.entries(again=True)
        value = rattler_format.renewed(entries.get(self._key), self._sent, fresh)
        if value is not None:
            self._write.commit(_dump({**entries, self._key: value}))

    def abandon(self) -> None:
        """Leave the file."""
        self._write.abandon()


def _dump(entries: dict[str, Any]) -> bytes:
    """As rattler writes it: compact, and in UTF-8 where that can hold the text.

    Raises:
        StoreError: an entry that is not ours holds a number that JSON cannot write back.
    """
    import json

    try:
        text = json.dumps(entries, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        return text.encode()
    except UnicodeEncodeError:
        return json.dumps(entries, separators=(",", ":")).encode()
    except ValueError:
        raise StoreError(
            "rattler's store holds a number that is too large to be kept: nothing was written"
        ) from None


class KeyringBackend:
    """The system's keyring: service ``rattler``, the host as user name, the value as JSON."""

    id = "keyring"
    where = "the keyring (service rattler)"

    def __init__(self, caller: Caller) -> None:
        self.lock_path = caller.cache("credlatch", "rattler-keyring.lock")
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
        try:
            value = quick_json.loads(secret.reveal())
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise StoreError(f"the entry {key!r} in {self.where} is damaged: log in again")
        return value

    def entries(self) -> dict[str, object]:
        """All keys and values, where the keyring can list them."""
        keyring = self._caller.keyring()
        if keyring is None:
            return {}
        found: dict[str, object] = {}
        for name, secret in keyring.find(SERVICE):
            try:
                found[name] = quick_json.loads(secret.reveal())
            except ValueError:
                continue
        return found

    def put(self, key: str, value: dict[str, Any]) -> None:
        """Keep a value, in the item that rattler made if there is one."""
        self._keyring().put(SERVICE, key, Secret(_dump(value).decode()))
        self._listed = False

    def delete(self, key: str) -> bool:
        """Forget a key."""
        return self._keyring().delete(SERVICE, key)

    def prepare(self, key: str, sent: Secret) -> PendingWrite:
        """The item, unlocked and readable."""
        if self.get(key) is None:
            raise StoreError(f"the entry {key!r} has gone from {self.where}: log in again")
        return _PendingItem(self, key, sent)


class _PendingItem:
    def __init__(self, backend: KeyringBackend, key: str, sent: Secret) -> None:
        self._backend = backend
        self._key = key
        self._sent = sent

    def commit(self, fresh: Fresh) -> None:
        """Update the item in place."""
        value = rattler_format.renewed(self._backend.get(self._key), self._sent, fresh)
        if value is not None:
            self._backend.put(self._key, value)

    def abandon(self) -> None:
        """Nothing was begun."""
