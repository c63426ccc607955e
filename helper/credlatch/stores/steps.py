"""What asking one store came to: the trace of an outcome is made of such steps."""

from __future__ import annotations

from credlatch import clock
from credlatch.errors import RefusedError, UnusableError
from credlatch.renew import margin
from credlatch.stores import PRESIGNED, unfit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.credential import Credential
    from credlatch.errors import CredlatchError
    from credlatch.request import Request
    from credlatch.stores import Entry, Store
    from credlatch.stores.order import Order

# What came of asking a store.
NOT_ASKED, NOTHING_THERE, NEAR_MISS = "not asked", "nothing", "near miss"
BROKEN, FOUND, SHADOWED = "broken", "found", "shadowed"


class Step:
    """What one store of the order has to do with an outcome.

    Attributes:
        store: the store's name.
        came: NOT_ASKED; NOTHING_THERE; NEAR_MISS: what it has is for others, or cannot be sent;
            BROKEN: it, or a renewal, failed; FOUND: it gave the answer; SHADOWED: it has one, too.
        entry: what it has for the request.
        failure: why that is not served, or why it could not be asked.
        near: as ``Store.near``.
    """

    def __init__(self, store: str) -> None:
        self.store = store
        self.came = NOT_ASKED
        self.entry: Entry | None = None
        self.failure: CredlatchError | None = None
        self.near: tuple[tuple[str, str], ...] = ()

    def look(self, store: Store | None, request: Request) -> Entry | None:
        """Ask the store; None: the caller has none of this kind."""
        self.came = NOTHING_THERE
        if store is None:
            return None
        try:
            entry = store.look(request)
            if entry is not None and (why := unfit(entry, request)):
                store.pass_over(why, entry.location)
                entry = None
        finally:
            self.near = store.near
        self.entry = entry
        if entry is not None or self.near:
            self.came = NEAR_MISS if entry is None else FOUND
        return entry

    def fail(self, failure: CredlatchError) -> None:
        """Note that it gives no answer."""
        self.failure = failure.with_traceback(None)  # whose frames hold this step, and secrets
        self.came = NEAR_MISS if isinstance(failure, RefusedError | UnusableError) else BROKEN

    def reasons(self) -> list[str]:
        """Why it did not answer, or not with all that it has: lines for a person, no secrets."""
        lines = [f"{location}: it {why}" for why, location in self.near]
        return lines if self.failure is None else [*lines, str(self.failure)]


def presigned(request: Request, order: Order) -> list[Step]:
    """The whole trace of a request whose URL carries a signature of its own; else empty.

    No store is asked, and the first step says why.
    """
    url = request.url
    if url is None or "?" not in url.text or url.scheme == "s3":
        return []
    from credlatch.presigned import is_presigned

    steps = [Step(name) for name, _ in order] if is_presigned(url) else []
    for first in steps[:1]:
        first.near = ((PRESIGNED, url.shown),)
    return steps


def usable(entry: Entry, request: Request, now: float) -> Credential:
    """The entry's credential; raises why it cannot do what the request is for, and what to do."""
    credential = entry.credential
    if credential is not None and request.rule.shapes:
        from credlatch.rules.shape import Shaped

        credential = Shaped(credential, request.rule)
    if credential is None:
        raise UnusableError(f"no token has been fetched yet with {entry.location}")
    if not margin.is_valid(entry, now):
        ended = "" if entry.expires is None else f" at {clock.timestamp(entry.expires)}"
        raise UnusableError(
            f"the token from {entry.location} expired{ended} (this machine's clock says "
            f"{clock.timestamp(int(now))}) and cannot be renewed: {entry.remedy}"
        )
    try:
        credential.check()
        if request.login:
            credential.login(request.url.host if request.url is not None else "")
        else:
            credential.headers()
    except ValueError as error:
        raise UnusableError(
            f"the credential from {entry.location} cannot be used: {error}"
        ) from None
    return credential
