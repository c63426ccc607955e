"""Logins that Docker's clients keep: in rattler's store, under the key as it was sent.

Where that is taken by a token, or would hide one from pixi, a login is kept aside: Docker's clients
find it first, and list it and erase it by their own key.
"""

from __future__ import annotations

from credlatch import registry
from credlatch.errors import RequestError
from credlatch.stores.rattler import ASIDE, NO_KEYS, RattlerStore

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller
    from credlatch.credential import Basic


def keep(caller: Caller, key: str, login: Basic) -> None:
    """Keep a login, in the place of an older one.

    Raises:
        RequestError: the key is no registry's.
        StoreError: it cannot be kept; nothing has been changed.
    """
    if key.startswith((*NO_KEYS, ASIDE)):
        raise RequestError(
            f"{key[:100]!r} is no registry, and no login is kept for it: log in to host[:port]"
        )
    store = RattlerStore(caller)
    store.save(store.place_of(key), login)


def forget(caller: Caller, key: str) -> None:
    """Forget the login under a key, in whichever spelling of it. A token stays.

    Raises:
        StoreError: a place could not be asked, or not be written.
    """
    RattlerStore(caller).delete(
        *(name for each in registry.alike(key) for name in (each, ASIDE + each))
    )


def listed(caller: Caller) -> dict[str, str]:
    """The keys of the logins, with their user names.

    Raises:
        StoreError: they cannot be listed.
    """
    kept = RattlerStore(caller).logins()
    moved = {key.removeprefix(ASIDE): name for key, name in kept.items() if key.startswith(ASIDE)}
    return {key: name for key, name in kept.items() if not key.startswith(ASIDE)} | moved
