"""User names and passwords that clients keep, which know nothing else.

Every credential that makes a header makes a login: a token is the password, whoever the user is.
Logins are kept in rattler's store under ``host[:port][/path]``, as Docker's are, and under
``user@host[:port][/path]`` where that is taken: by another user, or by a token.
"""

from __future__ import annotations

from credlatch import registry
from credlatch.credential import Basic
from credlatch.errors import RefusedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from credlatch.caller import Caller
    from credlatch.credential import Secret
    from credlatch.url import Url


def keep(caller: Caller, url: Url, username: str, password: Secret) -> None:
    """Keep a login, in the place of an older one of the same user.

    Raises:
        StoreError: it cannot be kept.
        RefusedError: it would be for plain http, over which nothing is ever sent.
    """
    from credlatch.stores.rattler import RattlerStore

    if not caller.may_send(url):
        raise RefusedError(f"{url.shown} is plain http, and no login is kept for it: use https")
    store = RattlerStore(caller)
    place = _place(url)
    there = store.at(place)
    login = None if there is None else there.credential
    if there is not None and not (isinstance(login, Basic) and login.username == username):
        place = f"{username}@{place}"
    store.save(place, Basic(username, password))


def forget(caller: Caller, url: Url, username: str | None, password: Secret | None) -> bool:
    """Forget the logins that are kept for a URL; False if there were none.

    Tokens are none, whoever keeps them there.

    Args:
        caller: whose they are.
        url: what they are for, to the letter: not what is above or below it.
        username: whose; None: everybody's.
        password: only where it is this one; None: whatever it is.

    Raises:
        StoreError: a place could not be asked, or not be written.
    """
    from credlatch.stores.rattler import RattlerStore

    store = RattlerStore(caller)
    place = _place(url)
    others = _of_users(store.logins(), place) if username is None else [f"{username}@{place}"]
    forgotten = False
    for key in dict.fromkeys((place, *others)):
        there = store.at(key)
        if there is None or not isinstance(there.credential, Basic):
            continue
        if username is not None and there.credential.username != username:
            continue
        if password is None or there.credential.secret == password:
            forgotten = store.delete(key) or forgotten
    return forgotten


def _place(url: Url) -> str:
    return (*registry.below(url), url.netloc)[0]


def _of_users(keys: Iterable[str], place: str) -> list[str]:
    """The keys that are ``user@place``. A user may be an address, with an ``@`` of its own."""
    of_users = [key for key in keys if key.endswith(f"@{place}")]
    return [key for key in of_users if "/" not in key.removesuffix(place)]
