"""One renewal for each credential, among all processes and the store's own tool."""

from __future__ import annotations

import os
import time

from credlatch.errors import ElsewhereError, RenewalError, StoreError
from credlatch.renew import margin
from credlatch.renew.attempts import Attempt
from credlatch.system import files
from credlatch.system.network import same_network

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from credlatch.auth import Auth, TokenResponse
    from credlatch.caller import Caller
    from credlatch.credential import Secret
    from credlatch.renew.cache import PendingWrite, TokenCache
    from credlatch.request import Request
    from credlatch.stores import Entry

IMPATIENCE = 2.0  # seconds to wait for the lock while there is a valid token to serve instead
ENOUGH = 0.5  # seconds without which nothing is sent
ENOUGH_ONCE = 2.0  # likewise, of what is good for one use, and lost with its answer
KEEPING = 2.0  # seconds in which a disk, or this process, may have room again for what came
TOGETHER = 3  # times that all wait for one process, before each takes the lock in turn
_PAUSE = 0.05  # seconds, at most, before one of them is to follow a process that left no outcome


def renew(
    cache: TokenCache,
    entry: Entry,
    request: Request,
    look: Callable[[], Entry | None],
    caller: Caller,
    ahead: float = 0.0,
) -> Entry:
    """The entry, renewed by this process or by the one that held the lock before: valid by then.

    Args:
        cache: where the fresh token is kept: the store that had the entry, or memory.
        entry: what was found without the lock.
        request: what it was found for.
        look: finds it again.
        caller: whose files, network settings and time count.
        ahead: seconds by which it is renewed earlier than it is due.

    Raises:
        ElsewhereError: this process must not send anything for this caller.
        RenewalError: it is not renewed; what is in the store is still there.
        StoreError: the store cannot be read again, locked or written.
    """
    if caller.is_guest and not same_network(caller.environ):
        raise ElsewhereError("proxies and certificates of the caller's own count for a renewal")
    if entry.grant is not None and entry.grant.cache_key(request) is None:
        return _made(entry, entry.grant, request, caller)
    flight = _Flight(cache, entry, request, look, caller, ahead)
    try:
        return flight.run()
    except OSError as error:
        raise RenewalError(
            f"the token in {entry.location} is not renewed, because the result could not be kept "
            f"({files.reason(error)}): make room or make the folder writable"
        ) from None


class _Flight:
    """One call's part in a renewal; its parameters are those of ``renew``."""

    def __init__(
        self,
        cache: TokenCache,
        seen: Entry,
        request: Request,
        look: Callable[[], Entry | None],
        caller: Caller,
        ahead: float,
    ) -> None:
        self._cache = cache
        self._seen = seen
        self._request = request
        self._look = look
        self._caller = caller
        self._deadline = caller.deadline
        self._ahead = ahead
        self._lock = cache.lock(seen)

    def run(self) -> Entry:
        """Renew it, or wait for who does.

        All who wait are woken at once when that process has ended, however it has, and learn the
        outcome without the lock. Where there is none (it was killed, or had another login of the
        same store to renew), one of them follows.
        """
        if self._lock.is_noted() and self._is_settled(self._seen):
            return self._seen
        until = time.monotonic() + self._patience()
        for _ in range(TOGETHER):
            with self._lock.exclusive(until - time.monotonic(), in_turn=False) as lock:
                if lock.held:
                    return self._in_turn()
            found = self._found()
            if self._is_settled(found):
                return found
            # Not all of them at the same instant, once more.
            time.sleep(_PAUSE * os.urandom(1)[0] / 255)
        # Each in turn, and most with another login to renew: whoever has the lock then has all that
        # is needed, and keeps the others waiting for its request alone.
        import credlatch.renew.exchange
        import credlatch.renew.http  # noqa: F401

        with self._lock.exclusive(until - time.monotonic()):
            return self._in_turn()

    def _patience(self) -> float:
        left = self._deadline - time.monotonic()
        return min(left, IMPATIENCE) if margin.is_valid(self._seen, time.time()) else left

    def _found(self) -> Entry:
        found = self._look()
        if found is None or found.grant is None:
            raise RenewalError(f"the entry in {self._seen.location} has gone: {self._seen.remedy}")
        return found

    def _is_settled(self, found: Entry) -> bool:
        """Whether an entry need not be renewed, seen without the lock; raises why it cannot be."""
        if found.grant is None:
            return False
        attempt = Attempt(self._lock, found, found.grant)
        if self._serves(found, attempt):
            return True
        attempt.check(held=False)
        return False

    def _in_turn(self) -> Entry:
        """The entry renewed, unless somebody has; the lock is held."""
        found = self._found()
        grant = found.grant
        if grant is None:
            raise ValueError("an entry without a grant is not renewed")
        attempt = Attempt(self._lock, found, grant)
        if self._serves(found, attempt):
            return found
        attempt.check(held=True)
        enough = ENOUGH_ONCE if grant.single_use else ENOUGH
        if self._deadline - time.monotonic() < enough:
            raise RenewalError(
                f"no time was left to renew the token in {found.location}: try again"
            )
        fresh = self._exchanged(found, grant, attempt)
        renewed = self._look()
        if renewed is None or renewed.credential is None:
            raise StoreError(f"the renewed token is not in {found.location}: {found.remedy}")
        if renewed.credential.secret == fresh.token:
            renewed.fetched = time.time()
        elif not margin.is_valid(renewed, time.time()):
            raise StoreError(f"the renewed token is not in {found.location}: {found.remedy}")
        return renewed

    def _serves(self, found: Entry, attempt: Attempt) -> bool:
        """Whether what is there now need not be renewed, or not by us."""
        now = time.time()
        found.fetched = attempt.fetched()
        if _secret(found) != _secret(self._seen):
            # Somebody else has renewed it. However short it lives: who came with us would renew it
            # again, one after the other.
            return margin.is_valid(found, now)
        return not margin.is_due(found, now + self._ahead)

    def _exchanged(self, entry: Entry, grant: Auth, attempt: Attempt) -> TokenResponse:
        """Send the grant, and keep what comes.

        Raises:
            RenewalError: there is no fresh token, or it could not be kept: all read the same.
            StoreError, OSError: nothing was sent.
        """
        pending = self._cache.prepare(entry)
        try:
            # Imported under the lock: those who wait for another's outcome pay for no HTTP client.
            from credlatch.auth.responses import checked
            from credlatch.renew.exchange import exchange
            from credlatch.renew.http import TooLateError, UnansweredError

            attempt.sent()
            try:
                fresh = exchange(grant, self._request, self._deadline, self._caller)
            except TooLateError:
                attempt.unsent()
                raise
            except StoreError as error:  # what a program or an SDK has said, for all who wait
                raise attempt.failed(RenewalError(str(error))) from None
            except RenewalError as error:
                spent = isinstance(error, UnansweredError)
                raise attempt.failed(error, spent=spent) from None
            attempt.answered(fresh)
            useless = checked(grant, fresh, time.time())
            try:
                if useless is None:
                    self._keep(entry, pending, fresh)
                elif fresh.refresh_token is not None and entry.credential is not None:
                    # The token is of no use, but the next refresh token must not be lost.
                    from credlatch.auth import TokenResponse

                    old = entry.credential
                    still = TokenResponse(old.secret, fresh.refresh_token, entry.expires, old)
                    self._keep(entry, pending, still)
            except (StoreError, RenewalError, OSError) as error:
                why = files.reason(error) if isinstance(error, OSError) else str(error)
                lost = RenewalError(
                    f"a fresh token for {entry.location} has come from {grant.shown} and could not "
                    f"be kept ({why}; make room, or make the folder writable)"
                )
                raise attempt.failed(lost, spent=True) from None
            if useless is not None:
                raise attempt.useless(useless, fresh)
            attempt.renewed(fresh)
            return fresh
        finally:
            pending.abandon()
            attempt.close()

    def _keep(self, entry: Entry, pending: PendingWrite, fresh: TokenResponse) -> None:
        """Keep what came, and go on trying for a while: nobody gives it a second time.

        Raises:
            StoreError, OSError: it is not kept.
        """
        until = min(time.monotonic() + KEEPING, self._deadline)
        while True:
            try:
                pending.commit(fresh)
            except Exception:
                pending.abandon()
                if time.monotonic() >= until:
                    raise
            else:
                return
            time.sleep(_PAUSE)
            pending = self._again(entry, until)

    def _again(self, entry: Entry, until: float) -> PendingWrite:
        while True:
            try:
                return self._cache.prepare(entry)
            except (StoreError, OSError):
                if time.monotonic() >= until:
                    raise
            time.sleep(_PAUSE)


def _made(entry: Entry, auth: Auth, request: Request, caller: Caller) -> Entry:
    """What a flow makes for one request alone; nothing renews it."""
    from copy import copy

    from credlatch.renew.exchange import exchange

    fresh = exchange(auth, request, caller.deadline, caller)
    made = copy(entry)
    made.credential, made.expires, made.grant = fresh.credential, fresh.expires, None
    return made


def _secret(entry: Entry) -> Secret | None:
    return None if entry.credential is None else entry.credential.secret
