"""From a request to a credential: the stores in order, and the renewal of what has expired."""

from __future__ import annotations

import time

from credlatch import clock
from credlatch.credential import Basic
from credlatch.errors import (
    CredlatchError,
    ElsewhereError,
    RefusedError,
    RenewalError,
    StoreError,
)
from credlatch.renew import margin
from credlatch.stores import NOTHING, ORIGIN, PORT, PROJECT, RenewableStore
from credlatch.stores.order import ORDER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from credlatch.caller import Caller
    from credlatch.credential import Credential
    from credlatch.request import Request
    from credlatch.stores import Entry, Store
    from credlatch.url import Url


class Resolution:
    """The answer to a request.

    Attributes:
        credential: what to send.
        url: where to; None when only a key was asked for.
        expires: until when the client may keep it, in seconds since 1970 UTC: a little earlier than
            the truth, and later than the moment from which it is renewed. None when unknown.
        store: the name of the store that had it.
        entry: what the store holds.
    """

    __slots__ = ("credential", "entry", "expires", "store", "url")

    def __init__(
        self,
        credential: Credential,
        url: Url | None,
        expires: int | None,
        store: str,
        entry: Entry,
    ) -> None:
        self.credential = credential
        self.url = url
        self.expires = expires
        self.store = store
        self.entry = entry

    @property
    def where(self) -> str:
        """The place it was read, in words for a person."""
        return self.entry.where


class Resolver:
    """Asks the stores that a caller has.

    Args:
        caller: whose stores they are; it also gathers the warnings.
        order: opens the stores, one after the other.
        ahead: seconds by which a token is renewed earlier than a client would have it renewed.
        renews: whether what has ended is renewed.
    """

    def __init__(
        self,
        caller: Caller,
        order: tuple[Callable[[Caller], Store | None], ...] = ORDER,
        *,
        ahead: float = 0.0,
        renews: bool = True,
    ) -> None:
        self._caller = caller
        self._ahead = ahead
        self._renews = renews
        self._order = order

    def resolve(self, request: Request) -> Resolution | None:
        """The first answer; None when no store has an entry.

        A store that is broken is passed over with a warning. When nothing else answers, its failure
        is the answer: going on without a credential would be a surprise.

        Raises:
            RefusedError: there is one, and it must not travel there.
            CredlatchError: there may be one, and it cannot be had.
        """
        failures: list[CredlatchError] = []
        for open_store in self._order:
            try:
                resolution = self._ask(open_store, request, sure=not failures)
            except (StoreError, RenewalError) as failure:
                failures.append(failure)
                continue
            if resolution is not None:
                self._warn(failures)
                return resolution
        if failures:
            self._warn([each for each in failures if str(each) != str(failures[0])])
            raise failures[0]
        return None

    def standing(self, request: Request) -> Entry | None:
        """The entry that an answer would come from, as it stands: nothing is renewed or warned of.

        None where there is none; a store that is broken is passed over.
        """
        for open_store in self._order:
            try:
                entry = _find(open_store(self._caller), request)
            except CredlatchError:
                continue
            if entry is not None:
                return entry
        return None

    def _warn(self, failures: list[CredlatchError]) -> None:
        for failure in failures:
            self._caller.warn(str(failure))

    def _ask(
        self, open_store: Callable[[Caller], Store | None], request: Request, *, sure: bool
    ) -> Resolution | None:
        """What a store answers; a project's is not asked unless no other may have an answer."""
        store = open_store(self._caller)
        if store is None or (store.name == PROJECT and not sure):
            return None
        try:
            return self._answer(store, open_store, request)
        except CredlatchError as error:
            if store.name != PROJECT or isinstance(error, ElsewhereError):
                raise
            self._caller.warn(f"{error} (a project's configuration names it)")
            return None

    def _answer(
        self, store: Store, open_store: Callable[[Caller], Store | None], request: Request
    ) -> Resolution | None:
        entry = _find(store, request)
        if entry is None:
            return None
        if request.url is not None and not request.login and not self._caller.may_send(request.url):
            raise RefusedError(
                f"{request.url.shown} is plain http, and the credential from {entry.where} "
                f"would travel in the clear: use https{_or_localhost(request.url)}"
            )
        now = time.time()
        if (
            margin.is_due(entry, now + self._ahead)
            and entry.grant is not None
            and self._renews
            and isinstance(store, RenewableStore)
        ):
            # Valid at the moment it came, or at this one: it may live for a second.
            entry = self._renewed(store, entry, lambda: _find(open_store(self._caller), request))
        credential = _usable(entry, request, now)
        expires = margin.ask_again(entry, time.time())
        return Resolution(credential, request.url, expires, store.name, entry)

    def _renewed(
        self, store: RenewableStore, entry: Entry, look: Callable[[], Entry | None]
    ) -> Entry:
        """The entry renewed; or as it is, with a warning, while it is still good."""
        from credlatch.renew.single_flight import renew

        try:
            return renew(store, entry, look, self._caller, self._caller.deadline, self._ahead)
        except (StoreError, RenewalError) as failure:
            if not margin.is_valid(entry, time.time()):
                raise
            self._caller.warn(f"{failure} (the token is still good, and served)")
            return entry


def _or_localhost(url: Url) -> str:
    if not url.may_be_loopback:
        return ""
    return f", or localhost itself ({url.host} does not resolve to this machine alone)"


def _find(store: Store | None, request: Request) -> Entry | None:
    """What a store has for a request, if that is an answer to it."""
    entry = None if store is None else store.look(request)
    return entry if entry is not None and _answers(entry, request) else None


def _answers(entry: Entry, request: Request) -> bool:
    """Whether an entry is for what was asked, and not for more than a registry may have.

    Between registries a port makes the difference: whoever can have a login sent to another port of
    its host can have it. Tokens are as their own tool keeps them.
    """
    if not request.registry:
        return entry.names != PORT
    if entry.names == NOTHING or (entry.credential is not None and not entry.credential.logs_in):
        return False
    if entry.names in {ORIGIN, PORT}:
        return True
    at_own_port = request.url is None or request.url.default_port
    return at_own_port or not isinstance(entry.credential, Basic)


def _usable(entry: Entry, request: Request, now: float) -> Credential:
    """The entry's credential, if it can do what the request is for.

    Raises:
        StoreError: it cannot; the text says why and what to do.
    """
    credential = entry.credential
    if credential is None or not margin.is_valid(entry, now):
        ended = "" if entry.expires is None else f" at {clock.timestamp(entry.expires)}"
        raise StoreError(
            f"the token from {entry.where} expired{ended} (this machine's clock says "
            f"{clock.timestamp(int(now))}) and cannot be renewed: {entry.advice}"
        )
    try:
        credential.check()
        if request.login:
            credential.login(request.url.host if request.url is not None else "")
        else:
            credential.headers()
    except ValueError as error:
        raise StoreError(f"the credential from {entry.where} cannot be used: {error}") from None
    return credential
