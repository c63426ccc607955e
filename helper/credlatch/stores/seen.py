"""The stores as one question sees them: with one user's logins alone, or without renewal."""

from __future__ import annotations

from credlatch.credential import Basic
from credlatch.errors import StoreError
from credlatch.stores.order import ORDER, chained

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeGuard

    from credlatch.caller import Caller
    from credlatch.stores import Entry, KeyedStore, PendingWrite, RenewableStore, Store
    from credlatch.url import Url

    Opener = Callable[[Caller], Store | None]


def order(username: str | None, *, renews: bool = True) -> tuple[Opener, ...]:
    """The order of the stores, each of them as it is to be seen.

    Args:
        username: whose logins count; None: everybody's. A token is nobody's and counts for all,
            since servers take it as the password of any user.
        renews: whether what has ended is renewed.
    """
    return tuple(_opener(open_store, username, renews=renews) for open_store in ORDER)


def _opener(open_store: Opener, username: str | None, *, renews: bool) -> Opener:
    def opened(caller: Caller) -> Store | None:
        store = open_store(caller)
        if store is None:
            return None
        if open_store is chained:
            return _ByUrl(store, username)
        return _Renewing(store, username) if renews and _renews(store) else _Seen(store, username)

    return opened


def _renews(store: Store) -> TypeGuard[RenewableStore]:
    return hasattr(store, "prepare")


def _has_keys(store: Store) -> TypeGuard[KeyedStore]:
    return hasattr(store, "find_key")


class _Seen:
    """A store that answers with the entries of one user."""

    def __init__(self, store: Store, username: str | None) -> None:
        self.name = store.name
        self._seen = store
        self._username = username

    def find(self, url: Url) -> Entry | None:
        """The entry for a URL."""
        return self._theirs(self._seen.find(url))

    def find_key(self, keys: tuple[str, ...]) -> Entry | None:
        """The entry under the first of these keys that has theirs."""
        if not _has_keys(self._seen):
            return None
        failure: StoreError | None = None
        for key in keys:
            try:
                entry = self._theirs(self._seen.find_key((key,)))
            except StoreError as error:
                failure = failure or error
                continue
            if entry is not None:
                return entry
        if failure is not None:
            raise failure
        return None

    def _theirs(self, entry: Entry | None) -> Entry | None:
        if entry is None or self._username is None or not isinstance(entry.credential, Basic):
            return entry
        return entry if entry.credential.username == self._username else None


class _ByUrl:
    """One that is asked by URL alone: its keys are Docker's clients' own."""

    def __init__(self, store: Store, username: str | None) -> None:
        self.name = store.name
        self._seen = _Seen(store, username)

    def find(self, url: Url) -> Entry | None:
        """The entry for a URL."""
        return self._seen.find(url)


class _Renewing(_Seen):
    """One whose entries can also be written back."""

    def __init__(self, store: RenewableStore, username: str | None) -> None:
        super().__init__(store, username)
        self._store = store

    def lock_path(self, entry: Entry) -> str:
        """As the store has it."""
        return self._store.lock_path(entry)

    def prepare(self, entry: Entry) -> PendingWrite:
        """As the store has it."""
        return self._store.prepare(entry)
