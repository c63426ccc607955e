"""One renewal for each credential, among all processes and the store's own tool."""

from __future__ import annotations

import time

from credlatch.errors import ElsewhereError, RenewalError, StoreError
from credlatch.renew import margin
from credlatch.renew.network import same_network
from credlatch.system import files, locks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from credlatch.caller import Caller
    from credlatch.grant import Grant
    from credlatch.stores import Entry, RenewableStore

IMPATIENCE = 2.0  # seconds to wait for the lock while there is a valid token to serve instead


def renew(
    store: RenewableStore,
    entry: Entry,
    look: Callable[[], Entry | None],
    caller: Caller,
    deadline: float,
    ahead: float = 0.0,
) -> Entry:
    """The entry, renewed by this process or by the one that held the lock before.

    Args:
        store: where the entry was read, and where the fresh token is written.
        entry: what was found there without the lock.
        look: finds it again.
        caller: whose files and network settings count.
        deadline: on the clock of ``time.monotonic``, when this must have ended.
        ahead: seconds by which it is renewed earlier than it is due.

    Raises:
        ElsewhereError: this process must not send anything for this caller.
        RenewalError: it is not renewed; what is in the store is still there.
        StoreError: the store cannot be read again, or written.
    """
    if caller.is_guest and not same_network(caller.environ):
        raise ElsewhereError("proxies and certificates of the caller's own count for a renewal")
    try:
        with locks.Exclusive(store.lock_path(entry), _patience(entry, deadline)):
            found = look()
            if found is None or found.grant is None:
                raise RenewalError(f"the entry in {entry.where} has gone: log in again")
            if not _still_due(found, entry, ahead):
                return found
            _exchange(store, found, found.grant, caller, deadline)
            renewed = look()
    except OSError as error:
        raise RenewalError(
            f"the token in {entry.where} is not renewed, because the result could not be kept "
            f"({files.reason(error)}): make room or make the folder writable"
        ) from None
    if renewed is None or renewed.credential is None:
        raise StoreError(f"the renewed token is not in {entry.where}: log in again")
    return renewed


def _patience(entry: Entry, deadline: float) -> float:
    left = deadline - time.monotonic()
    return min(left, IMPATIENCE) if margin.is_valid(entry, time.time()) else left


def _still_due(found: Entry, seen: Entry, ahead: float) -> bool:
    """Whether nobody has renewed it since it was seen without the lock."""
    if found.expires is None and found.credential is not None and seen.credential is not None:
        changed = found.credential.secret != seen.credential.secret
        return found.renew_unknown and not changed
    return margin.is_due(found, time.time() + ahead)


def _exchange(
    store: RenewableStore, entry: Entry, grant: Grant, caller: Caller, deadline: float
) -> None:
    # Imported under the lock: those who wait for it do not pay for an HTTP client.
    from credlatch.grant import Fresh
    from credlatch.renew.attempts import Attempt

    attempt = Attempt(caller, grant)
    attempt.check()
    pending = store.prepare(entry)
    try:
        from credlatch.renew.exchange import exchange
        from credlatch.renew.http import UnansweredError
        from credlatch.renew.post import checked

        attempt.sent()
        try:
            fresh = exchange(grant, deadline)
        except UnansweredError:
            raise  # the note stays as it is: sent, and no word of what came of it
        except RenewalError as error:
            attempt.failed(error)
            raise
        useless = checked(grant, fresh, time.time())
        if useless is None:
            pending.commit(fresh)
        elif fresh.refresh_token is not None and entry.credential is not None:
            # The token is of no use, but the next refresh token must not be lost.
            pending.commit(Fresh(entry.credential.secret, fresh.refresh_token, entry.expires))
        attempt.ended()
        if useless is not None:
            # Those who wait for the lock share this outcome, under the name of what they will read.
            Attempt(caller, grant, fresh.refresh_token).failed(useless)
            raise useless
    finally:
        pending.abandon()
