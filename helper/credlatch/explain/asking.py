"""The resolver that answers, which here fetches and renews nothing."""

from __future__ import annotations

import time

from credlatch.credential import Credential, Secret
from credlatch.errors import LoginError, RefusedError, StoreError, UnusableError
from credlatch.renew import margin
from credlatch.renew.attempts import Attempt
from credlatch.renewing import Renewing
from credlatch.resolve import Resolution, Resolver
from credlatch.stores import RenewableStore
from credlatch.stores.order import CHAINED, ORDER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller
    from credlatch.renew.notes import Note
    from credlatch.request import Request
    from credlatch.resolve import Opener
    from credlatch.stores import Entry, Store
    from credlatch.stores.steps import Step


class Unfetched(Credential):
    """What is only fetched, renewed or signed when a client asks."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(Secret(""))

    def headers(self) -> dict[str, str]:
        """None yet."""
        raise ValueError("it is fetched when it is asked for")

    def login(self, host: str) -> tuple[str, Secret]:  # noqa: ARG002 - for none
        """None yet."""
        raise ValueError("it is fetched when it is asked for")


class Asking(Resolver):
    """Asks as for a client. What a client would have fetched counts as found.

    Helpers that are other programs are asked where nothing before them has settled it.

    Attributes:
        pending: what is fetched, renewed or signed first; None: nothing is.
        last: how its renewal failed the last time; None: it has not.
    """

    def __init__(self, caller: Caller) -> None:
        order = tuple(
            (name, self._unless_settled(open_store) if name == CHAINED else open_store)
            for name, open_store in ORDER
        )
        super().__init__(caller, order)
        self.pending: Entry | None = None
        self.last: Note | None = None
        self._is_settled = False

    def _unless_settled(self, open_store: Opener) -> Opener:
        return lambda caller: None if self._is_settled else open_store(caller)

    def _renewing(self, request: Request) -> Renewing:
        return Renewing(self._caller, request, None)

    def _served(
        self, step: Step, store: Store | None, open_store: Opener, request: Request
    ) -> Resolution | None:
        try:
            resolution = super()._served(step, store, open_store, request)
        except RefusedError:
            self._is_settled = True
            raise
        except UnusableError:
            entry = step.entry
            is_made = entry is not None and entry.grant is not None
            if entry is None or not is_made or margin.is_valid(entry, time.time()):
                raise
            self.last = self._last(entry, store)
            if self.last is not None:
                # Who asks next may have it renewed all the same; nobody has since.
                raise LoginError(self.last.message) from None
            self.pending = entry
            resolution = Resolution(Unfetched(), request.url, None, step.store, entry)
        if resolution is not None:
            self._is_settled = True
            self.last = self.last or self._last(resolution.entry, store)
        return resolution

    def _last(self, entry: Entry, store: Store | None) -> Note | None:
        if entry.grant is None:
            return None
        try:
            lock = (
                store.lock(entry)
                if isinstance(store, RenewableStore) and entry.handle
                else self._caller.tokens.lock(entry)
            )
            return Attempt(lock, entry, entry.grant).last()
        except (StoreError, StopIteration):
            return None
