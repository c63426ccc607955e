"""Tokens that were fetched and that no store holds: in this process's memory, and gone with it."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from copy import copy
from types import SimpleNamespace

from credlatch.errors import LockedError
from credlatch.renew.notes import Note, Notes, digest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, TypeVar

    from credlatch.auth import TokenResponse
    from credlatch.request import Request
    from credlatch.stores import Entry

    T = TypeVar("T")

MOST = 256  # tokens: those that were asked for last are kept
_FEW = 16  # logins to engines, likewise


class TokenMemory:
    """A cache of tokens; for any number of threads."""

    def __init__(self) -> None:
        self._tokens: dict[str, KeptToken] = {}
        self._engines: dict[str, Any] = {}
        self._changing = threading.Lock()

    def read(self, entry: Entry, request: Request) -> Entry:
        """An entry with the token that is kept for it, if there is one.

        What is made for the request alone is never kept.
        """
        key = None if entry.grant is None else entry.grant.cache_key(request)
        if entry.grant is None or key is None:
            return entry
        found = copy(entry)
        kind = f"{type(entry.grant)}\n{key}"
        found.handle = digest(kind, entry.grant.server, entry.grant.secret)
        # One whose end nobody knows is not served for ever.
        found.renew_unknown = True
        token = self._at(found.handle)
        fresh = token.fresh
        if fresh is not None:
            found.credential, found.expires = fresh.credential, fresh.expires
            found.fetched = token.fetched
        return found

    def lock(self, entry: Entry) -> KeptToken:
        """What one thread holds at a time."""
        return self._at(entry.handle)

    prepare = lock  # there is always room

    def engine(self, key: str, make: Callable[[], T]) -> T:
        """An engine that keeps what machines share, with this process's login to it.

        Args:
            key: all that the login depends on, and whose it is; it is kept by that.
            make: makes it, where there is none yet; nothing is sent by that.
        """
        with self._changing:
            engine: T = self._engines.pop(key, None) or make()
            while len(self._engines) >= _FEW:
                del self._engines[next(iter(self._engines))]
            self._engines[key] = engine
            return engine

    def tidy(self) -> None:
        """Forget what has ended. The places stay: somebody may be about to renew it there."""
        now = time.time()
        with self._changing:
            for each in self._tokens.values():
                if each.fresh is not None and (each.fresh.expires or now) < now:
                    each.fresh = None

    def clear(self) -> None:
        """Forget everything."""
        with self._changing:
            self._tokens.clear()
            self._engines.clear()

    def _at(self, name: str) -> KeptToken:
        with self._changing:
            token = self._tokens.pop(name, None) or KeptToken()
            while len(self._tokens) >= MOST:
                del self._tokens[next(iter(self._tokens))]
            self._tokens[name] = token
            return token


class KeptToken:
    """The place of one token, its lock, and what is noted of it: as ``FileLock`` has it."""

    def __init__(self) -> None:
        self.fresh: TokenResponse | None = None
        self.fetched = 0.0
        self.changed = threading.Condition()
        self.is_held = False
        self._notes: dict[str, Note] = {}

    def commit(self, fresh: TokenResponse) -> None:
        """Keep it."""
        self.fetched = time.time()
        self.fresh = fresh

    def abandon(self) -> None:
        """Nothing was begun."""

    @contextmanager
    def exclusive(self, seconds: float, *, in_turn: bool = True) -> Iterator[SimpleNamespace]:
        """Takes it for the length of a ``with`` block, as ``locks.Exclusive`` does."""
        with self.changed:
            held = in_turn or not self.is_held
            if not self.changed.wait_for(lambda: not self.is_held, max(0.0, seconds)):
                raise LockedError(
                    f"another call has been fetching the same token for {seconds:.0f} s: try again"
                )
            self.is_held = held
        try:
            yield SimpleNamespace(held=held)
        finally:
            if held:
                with self.changed:
                    self.is_held = False
                    self.changed.notify_all()

    def notes(self) -> Notes:
        """What is noted, for all threads."""
        return Notes(self._notes)

    def is_noted(self) -> bool:
        """Whether anything is."""
        return bool(self._notes)
