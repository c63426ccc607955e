"""The order in which stores are asked. The first that has an answer gives it."""

from __future__ import annotations

from credlatch.stores.environment import PYX_KEYS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from credlatch.caller import Caller
    from credlatch.stores import Store
    from credlatch.stores.chained import ChainedStore

    Order = tuple[tuple[str, Callable[[Caller], Store | None]], ...]

CHAINED = "chained"
# What machines share.
FLEET = "fleet"
# What no store has, and an identity that the caller has gives.
IDENTITY = "identity"
# The store of what a project's files name: heard where every other could be asked and had nothing.
PROJECT = "pixi-project"

# No login: what registries give to everybody. Asked for a repository's URL alone, after all others.
ANONYMOUS = "anonymous"


def _store(name: str) -> tuple[str, Callable[[Caller], Store]]:
    """A row for the class ``NameStore`` of the file of that name, which is imported to be asked."""

    def opened(caller: Caller) -> Store:
        kind = f"{name.capitalize()}Store"
        store: Store = getattr(__import__(f"credlatch.stores.{name}", fromlist=[kind]), kind)(
            caller
        )
        return store

    return name, opened


def _pyx_key(caller: Caller) -> Store | None:
    # Without a key there is no such store, and nothing to import.
    if not any(map(caller.get, PYX_KEYS)):
        return None
    from credlatch.stores.pyx import PyxKeyStore

    return PyxKeyStore(caller)


def _s3(caller: Caller) -> Store:
    from credlatch.stores.rattler import RattlerStore
    from credlatch.stores.s3 import S3Store

    return S3Store(caller, RattlerStore(caller))


def chained(caller: Caller) -> ChainedStore | None:
    """The helpers that were there before us, if there are any to ask."""
    # Where nobody has written such helpers down, there is nothing to import.
    from os.path import exists

    if not exists(caller.config("credlatch", "chain.json")):
        return None
    from credlatch.stores.chained import MARK, ChainedStore

    return ChainedStore(caller) if caller.get(MARK) is None else None


def _fleet(caller: Caller) -> Store | None:
    # Where no login is shared with other machines, there is nothing to import.
    from os.path import exists

    named = caller.get("CREDLATCH_FLEET")
    if named is None and not exists(caller.config("credlatch", "fleet.toml")):
        return None
    from credlatch.stores.fleet import FleetStore

    return FleetStore(caller)


def _identity(caller: Caller) -> Store:
    from credlatch.identities import IdentityStore

    return IdentityStore(caller)


def _anonymous(caller: Caller) -> Store:
    from credlatch.stores.registries import AnonymousStore

    return AnonymousStore(caller)


def _pixi_project(caller: Caller) -> Store | None:
    from credlatch.errors import StoreError
    from credlatch.stores import pixi_config

    if caller.get("RATTLER_AUTH_FILE"):  # pixi, too, then looks nowhere else
        return None
    try:
        if not pixi_config.is_in_project(caller):
            return None
    except StoreError:
        return None  # which rattler's store has told
    from credlatch.stores.pixi_project import PixiProjectStore, named_file

    path = named_file(caller)
    return PixiProjectStore(caller, path) if path else None


ORDER: Order = (
    _store("environment"),  # what this call's environment says outranks what was stored
    ("pyx-key", _pyx_key),
    _store("rattler"),  # pixi's, and what we store ourselves
    ("s3", _s3),  # the same store's keys for buckets, which sign
    _store("uv"),
    _store("pyx"),
    _store("posit"),
    _store("netrc"),
    _store("docker"),
    (FLEET, _fleet),  # what machines share: after what this one has, before what is slower to ask
    _store("keyring"),  # as pip and uv use it: last, as each question costs a round trip
    (CHAINED, chained),  # what was there before us: each question starts another program
    (IDENTITY, _identity),  # a stored login always beats a minted one
    (PROJECT, _pixi_project),  # what a project says outranks nothing that is the caller's own
    (ANONYMOUS, _anonymous),
)
"""Names of stores, and what opens them, or gives None where the caller has no such store.

A store's module is imported when the ones before it had no answer. The names are what the agent's
log and a trace show.
"""


def names() -> tuple[str, ...]:
    """What a rule may call by its name: the stores, and the systems of the caller's identities."""
    from credlatch.identities.table import SYSTEMS

    stores = (name for name, _ in ORDER if name != IDENTITY)
    return tuple(dict.fromkeys((*stores, *(each.name for each in SYSTEMS))))
