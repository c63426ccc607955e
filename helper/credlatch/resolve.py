"""From a request to its outcome: the stores in order, and the renewal of what has expired."""

from __future__ import annotations

import time

from credlatch import rules
from credlatch.errors import (
    CredlatchError,
    ElsewhereError,
    RefusedError,
    RenewalError,
    StoreError,
    UnusableError,
)
from credlatch.renew import margin
from credlatch.stores import UNSURE, UNSURE_WHO, RenewableStore
from credlatch.stores.order import ANONYMOUS, IDENTITY, ORDER, PROJECT, names
from credlatch.stores.steps import (
    FOUND,
    NEAR_MISS,
    NOTHING_THERE,
    SHADOWED,
    Step,
    presigned,
    usable,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from credlatch.caller import Caller
    from credlatch.credential import Credential
    from credlatch.renewing import Renewing
    from credlatch.request import Request
    from credlatch.stores import Entry, Store
    from credlatch.stores.order import Order
    from credlatch.url import Url

    Opener = Callable[[Caller], Store | None]

# Stores that are asked where every other could be asked and had nothing, and else why they are not.
_UNSURE = {PROJECT: UNSURE, ANONYMOUS: UNSURE_WHO}


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
    def location(self) -> str:
        """The place it was read, in words for a person."""
        return self.entry.location


class Outcome:
    """What came of a request.

    Attributes:
        resolution: the answer, or None.
        failure: why there is none although there may be one; None: no store has one.
        trace: a step for each store of the order.
    """

    def __init__(self) -> None:
        self.resolution: Resolution | None = None
        self.failure: CredlatchError | None = None
        self.trace: list[Step] = []

    def fail(self, failure: UnusableError) -> None:
        """Note that a client cannot be given what was found."""
        for step in self.trace:
            if step.came is FOUND:
                step.fail(failure)
        self.resolution, self.failure = None, failure


class Resolver:
    """Asks the stores that a caller has.

    Args:
        caller: whose stores they are; it also gathers the warnings.
        order: names the stores, and opens them one after the other.
        ahead: seconds by which a token is renewed earlier than a client would have it renewed.
        renews: whether what has ended is renewed.
    """

    def __init__(
        self,
        caller: Caller,
        order: Order = ORDER,
        *,
        ahead: float = 0.0,
        renews: bool = True,
    ) -> None:
        self._caller = caller
        self._ahead = ahead
        self._renews = renews
        self._order = order

    def resolve(self, request: Request) -> Resolution | None:
        """The answer; None when no store has an entry.

        Raises:
            RefusedError: there is one, and it must not travel there.
            CredlatchError: there may be one, and it cannot be had.
        """
        outcome = self.outcome(request)
        if outcome.failure is not None:
            raise outcome.failure
        return outcome.resolution

    def outcome(self, request: Request, *, every: bool = False) -> Outcome:
        """The first answer, and what each store had to do with it.

        A store that is broken is passed over with a warning. When nothing else answers, its failure
        is the answer: going on without a credential would be a surprise.

        Args:
            request: what is asked.
            every: ask also the stores after the one that settles it. What they have is shadowed: it
                is not looked into, nor renewed.
        """
        outcome = Outcome()
        failures: list[CredlatchError] = []
        try:
            request = rules.applied(request, self._caller, names)
        except StoreError as error:
            outcome.failure, outcome.trace = error, [Step(name) for name, _ in self._order]
            return outcome
        walk = self._walk(request, outcome.trace)
        for step, store, open_store in walk:
            try:
                outcome.resolution = self._served(step, store, open_store, request)
            except CredlatchError as error:
                step.fail(error)
            failure = None if self._warns(step) else step.failure
            if isinstance(failure, StoreError | RenewalError):
                failures.append(failure)
            else:
                outcome.failure = failure
            if outcome.resolution is not None or outcome.failure is not None:
                break
        else:
            outcome.failure = failures[0] if failures else None
        if outcome.resolution is not None or outcome.failure in failures:
            for each in failures:
                if str(each) != str(outcome.failure):
                    self._caller.warn(str(each))
        if every:
            for step, *_ in walk:
                step.came = SHADOWED if step.came is FOUND else step.came
        outcome.trace += [Step(name) for name, _ in self._order[len(outcome.trace) :]]
        return outcome

    def _warns(self, step: Step) -> bool:
        """Whether a failure is a warning alone.

        What is wrong with a project stops no call; nor does an identity where none is needed.
        """
        if step.failure is None or isinstance(step.failure, ElsewhereError):
            return False
        if step.store == PROJECT:
            self._caller.warn(f"{step.failure} (a project's configuration names it)")
        elif _is_optional(step):
            if step.store != ANONYMOUS or not self._caller.warnings:  # else it is said why
                self._caller.warn(f"{step.failure} (the request goes without a credential)")
        else:
            return False
        return True

    def standing(self, request: Request) -> Entry | None:
        """The entry that an answer would come from, as it stands: nothing is renewed or warned of.

        None where there is none; a store that is broken is passed over.
        """
        try:
            request = rules.applied(request, self._caller, names)
        except StoreError:
            return None
        return next((step.entry for step, *_ in self._walk(request, []) if step.entry), None)

    def _walk(
        self, request: Request, trace: list[Step]
    ) -> Iterator[tuple[Step, Store | None, Opener]]:
        """Ask one store after the other; a step for each, which is in ``trace`` by then."""
        trace += presigned(request, self._order)
        if trace:
            return
        for name, open_store in self._order:
            step, store = Step(name), None
            trace.append(step)
            if request.rule.forbidden or not (name == IDENTITY or request.rule.allows(name)):
                continue
            try:
                if name != ANONYMOUS or (self._renews and request.may_be_for_a_repository):
                    store = open_store(self._caller)
                if name in _UNSURE and store is not None and any(map(_may_have, trace)):
                    # Not asked unless no other may have an answer.
                    step.came, step.near = NEAR_MISS, ((_UNSURE[name], name),)
                else:
                    step.look(store, request)
            except CredlatchError as error:
                step.fail(error)
            yield step, store, open_store

    def _served(
        self, step: Step, store: Store | None, open_store: Opener, request: Request
    ) -> Resolution | None:
        """What a store has found, renewed where that is due; raises why it cannot be served."""
        entry = step.entry
        if entry is None or store is None:
            return None
        if request.url is not None and not request.login and not self._caller.may_send(request.url):
            host = request.url.host if request.url.may_be_loopback else ""
            here = f", or localhost itself ({host} does not resolve to this machine alone)"
            raise RefusedError(
                f"{request.url.shown} is plain http, and the credential from {entry.location} "
                f"would travel in the clear: use https{here if host else ''}"
            )
        now = time.time()
        made = self._made(step, entry, store, open_store, request)
        if made is None:
            step.entry, step.came = None, NOTHING_THERE
            return None
        credential = usable(made, request, now)
        expires = margin.ask_again(made, time.time())
        return Resolution(credential, request.url, expires, step.store, made)

    def _made(
        self, step: Step, entry: Entry, store: Store, open_store: Opener, request: Request
    ) -> Entry | None:
        """What is served of an entry; None: nothing is to be sent."""
        is_exchanged = self._renews and request.may_be_for_a_repository
        if entry.grant is None and entry.then is None and not is_exchanged:
            return entry
        renewing = self._renewing(request)
        if entry.grant is not None:
            cache = store if isinstance(store, RenewableStore) else self._caller.tokens

            def look() -> Entry | None:
                found = Step(step.store).look(open_store(self._caller), request)
                return None if found is None else cache.read(found, request)

            entry = step.entry = renewing.current(cache, cache.read(entry, request), look)
        made = renewing.followed(step, entry)
        if made is not None and is_exchanged:
            from credlatch.stores import registries

            made = renewing.followed(step, registries.exchanged(made, request, self._caller.warn))
        return made

    def _renewing(self, request: Request) -> Renewing:
        # Imported for who needs more than what is stored.
        from credlatch.renewing import Renewing

        return Renewing(self._caller, request, self._ahead if self._renews else None)


def _is_optional(step: Step) -> bool:
    return step.entry is not None and step.entry.optional


def _may_have(step: Step) -> bool:
    """Whether a store may have an answer, and cannot give it."""
    return step.failure is not None and step.store != PROJECT and not _is_optional(step)
