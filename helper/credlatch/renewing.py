"""What a store has found, made fresh: renewed, and followed to what is made of it."""

from __future__ import annotations

import time

from credlatch.errors import RenewalError, StoreError
from credlatch.renew import margin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from credlatch.caller import Caller
    from credlatch.renew.cache import TokenCache
    from credlatch.request import Request
    from credlatch.stores import Entry
    from credlatch.stores.steps import Step


class Renewing:
    """The renewals of one request.

    Args:
        caller: whose tokens they are; it also gathers the warnings.
        request: what is asked.
        ahead: seconds by which a token is renewed earlier than it is due; None: none is renewed.
    """

    def __init__(self, caller: Caller, request: Request, ahead: float | None) -> None:
        self._caller = caller
        self._request = request
        self._ahead = ahead

    def followed(self, step: Step, entry: Entry) -> Entry | None:
        """What is made of an entry, of that, and so on; None: nothing is to be sent."""
        made: Entry | None = entry
        while made is not None and made.then is not None and margin.is_valid(made, time.time()):
            optional, made = made.optional, made.then(made)
            if made is not None:
                made.optional = made.optional or optional
                step.entry = made
                made = step.entry = self._next(made)
        return made

    def _next(self, entry: Entry) -> Entry:
        """An entry that was made of another one: with what is kept for it, or what it gets."""
        if entry.grant is None or entry.credential is not None:
            return entry
        tokens, request = self._caller.tokens, self._request
        return self.current(
            tokens, tokens.read(entry, request), lambda: tokens.read(entry, request)
        )

    def current(self, cache: TokenCache, entry: Entry, look: Callable[[], Entry | None]) -> Entry:
        """The entry, renewed where that is due.

        Served as it is, with a warning, where that fails while it is still good.

        Args:
            cache: where its token is kept.
            entry: what was found.
            look: finds it again.

        Raises:
            RenewalError, StoreError: there is none to be served.
        """
        # Valid at the moment it came, or at this one: it may live for a second.
        if self._ahead is None or not margin.is_due(entry, time.time() + self._ahead):
            return entry
        from credlatch.renew.single_flight import renew

        try:
            return renew(cache, entry, self._request, look, self._caller, self._ahead)
        except (StoreError, RenewalError) as failure:
            if not margin.is_valid(entry, time.time()):
                raise
            self._caller.warn(f"{failure} (the token is still good, and served)")
            return entry
