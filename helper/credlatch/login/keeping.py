"""Where a login is kept, and what that changes for the host."""

from __future__ import annotations

import time

from credlatch import request as requests
from credlatch.errors import StoreError
from credlatch.login.given import CONDA_TOKEN, POSIT, TOKEN
from credlatch.login.target import token_key
from credlatch.login.trial import Trial
from credlatch.resolve import Resolver
from credlatch.stores import rattler_format
from credlatch.stores.rattler import RattlerStore
from credlatch.stores.steps import FOUND, SHADOWED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller
    from credlatch.credential import Credential
    from credlatch.login.given import Given
    from credlatch.login.target import Target
    from credlatch.login.trial import Verdict
    from credlatch.url import Url

PATIENCE = 30.0  # seconds for a trial, which is up to six requests
RATTLER, _POSIT = "rattler", "posit"  # as the order of the stores names them


class Kept:
    """A login that is kept.

    Attributes:
        store: in whose store: RATTLER, or POSIT's.
        key: under which name.
        location: where, in words for a person.
        instead_of: what kind of login was there, and is not any more; empty: none.
    """

    def __init__(self, store: str, key: str, location: str, instead_of: str) -> None:
        self.store = store
        self.key = key
        self.location = location
        self.instead_of = instead_of


def tried(given: Given, place: Url, caller: Caller, *, only: bool) -> Verdict:
    """What a host says to a credential; the arguments are those of ``Trial``.

    Raises:
        RenewalError: the host cannot be asked.
    """
    from credlatch.renew import exchange

    caller.put_off(PATIENCE)
    trial = Trial(place, given, only=only)
    return exchange.run(trial.trying(), trial, time.monotonic() + PATIENCE)


def keep(target: Target, given: Given, form: Credential, caller: Caller) -> Kept:
    """Keep a login in one of its forms, in the place of what is kept under the same name.

    Raises:
        StoreError: it cannot be kept; nothing has been changed.
    """
    if given.kind == POSIT:
        from credlatch.stores.posit import PositStore

        address = str((given.value or {})["address"])
        return Kept(_POSIT, address, PositStore(caller).keep(address, form.secret), "")
    key = token_key(target) if given.kind in {TOKEN, CONDA_TOKEN} else target.key
    value = given.value or rattler_format.stored(form)
    store = RattlerStore(caller)
    before = next((kind for kind in map(rattler_format.kind, store.kept(key)) if kind), "")
    return Kept(RATTLER, key, store.keep(key, value), before)


def see_room(kind: str, caller: Caller) -> None:
    """See that a login of a kind could be kept, before anybody has given one for nothing.

    Raises:
        StoreError: it could not.
    """
    if kind == POSIT:
        from credlatch.stores.posit import PositStore

        PositStore(caller).see_room()
    else:
        RattlerStore(caller).see_room()


def is_kept(target: Target, given: Given, caller: Caller) -> bool:
    """Whether what a provider has given has come to where it is kept."""
    try:
        return given.value is not None and given.value in RattlerStore(caller).kept(target.key)
    except StoreError:
        return False


class Answering:
    """Who answers for a host.

    Attributes:
        first: the name of the store whose login is served; empty: there is none.
        location: where that is.
        others: the names of the stores that have one too.
    """

    def __init__(self, first: str, location: str, others: tuple[str, ...]) -> None:
        self.first = first
        self.location = location
        self.others = others


def answering(url: Url, caller: Caller) -> Answering:
    """Which stores have a login for a URL; none is renewed, and no server is asked."""
    outcome = Resolver(caller, renews=False).outcome(requests.for_url(url), every=True)
    first = next((step for step in outcome.trace if step.came is FOUND), None)
    others = tuple(step.store for step in outcome.trace if step.came is SHADOWED)
    if first is None or first.entry is None:
        return Answering("", "", others)
    return Answering(first.store, first.entry.location, others)
