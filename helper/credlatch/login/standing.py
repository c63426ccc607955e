"""What there is for a host in every store, and who takes it away."""

from __future__ import annotations

import shlex

from credlatch import registry
from credlatch import url as urls
from credlatch.credential import TOKEN_USER, Basic
from credlatch.errors import AbsentError, RequestError, StoreError
from credlatch.login.keeping import RATTLER
from credlatch.stores import rattler_format
from credlatch.stores.order import ANONYMOUS, CHAINED, IDENTITY, ORDER, PROJECT
from credlatch.stores.posit import PositStore
from credlatch.stores.rattler import ASIDE, RattlerStore, candidates

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Protocol

    from credlatch.caller import Caller
    from credlatch.login.target import Target
    from credlatch.stores import Entry
    from credlatch.url import Url

    class Place(Protocol):
        """Where logins are kept that we take away."""

        def take(self, key: str) -> object | None:
            """Forget what is under a key, and give that; None: nothing was."""


# No logins of a person's, or listed with another store.
_PASSED_OVER = frozenset({RATTLER, "s3", IDENTITY, PROJECT, ANONYMOUS, CHAINED})


class Standing:
    """One login.

    Attributes:
        store: whose it is, as the order names it.
        key: what it is kept for.
        location: where, in words for a person.
        kind: of which kind it is, likewise.
        username: whose; None: nobody's.
        backend: the place that takes it away; None: another tool does.
        remedy: what a person does then.
    """

    def __init__(  # noqa: PLR0913 - its parts, all but three by name
        self,
        store: str,
        key: str,
        location: str,
        *,
        kind: str,
        username: str | None,
        backend: Place | None = None,
        remedy: str = "",
    ) -> None:
        self.store = store
        self.key = key
        self.location = location
        self.kind = kind
        self.username = username
        self.backend = backend
        self.remedy = remedy


def there(target: Target, caller: Caller) -> list[Standing]:
    """What there is, ours first; a store that cannot be asked is warned of."""
    found = list(_of_rattler(target, caller))
    for name, open_store in ORDER:
        if name in _PASSED_OVER or target.is_bucket:
            continue
        try:
            store = open_store(caller)
            listed = () if store is None else store.entries()
            place = store if isinstance(store, PositStore) else None
            found += [
                _of_another(name, key, entry, place)
                for key, entry in listed
                if entry is not None and _is_for(key, target.url, of_host=name == "netrc")
            ]
        except StoreError as error:
            caller.warn(str(error))
    return found


def _of_rattler(target: Target, caller: Caller) -> Iterator[Standing]:
    store = RattlerStore(caller)
    keys = list(_keys(target, store, caller))
    for backend in store.backends():
        for key in keys:
            try:
                values = backend.every(key)
            except AbsentError:
                break
            except StoreError as error:
                caller.warn(str(error))
                break
            for value in values[:1]:
                content = value.get("BasicHTTP") if isinstance(value, dict) else None
                username = content.get("username") if isinstance(content, dict) else None
                yield Standing(
                    RATTLER,
                    key,
                    backend.location,
                    kind=rattler_format.kind(value) or "damaged",
                    username=username if isinstance(username, str) else None,
                    backend=backend,
                )


def _keys(target: Target, store: RattlerStore, caller: Caller) -> dict[str, None]:
    """The names under which it may be kept there: by us, by pixi, and by clients that we answer."""
    if target.is_bucket:
        return dict.fromkeys((target.key,))
    keys = [target.key]
    if not target.key.startswith("*."):
        keys += registry.spellings(target.url)
        if target.url.default_port:
            keys += candidates(target.url)[:2]  # the host, and pixi's pattern for it
    keys += [ASIDE + key for key in keys]
    place = f"@{target.url.netloc}"
    try:
        keys += [key for key in store.logins() if key.endswith(place)]  # a user's, beside others
    except StoreError as error:
        caller.warn(str(error))
    return dict.fromkeys(keys)


def _of_another(store: str, key: str, entry: Entry, place: Place | None) -> Standing:
    credential = entry.credential
    username = credential.username if isinstance(credential, Basic) else None
    kind = "token" if username in {None, TOKEN_USER} else "password"
    return Standing(
        store,
        key,
        entry.location,
        kind=kind,
        username=username if kind == "password" else None,
        backend=place,
        remedy=removal(store, key, entry.location, username),
    )


def removal(store: str, key: str, location: str, username: str | None = None) -> str:
    """What a person does to have a login taken away that another tool keeps.

    Args:
        store: whose it is, as the order names it.
        key: what it is kept for.
        location: where.
        username: whose it is; None: nobody's.
    """
    place = shlex.quote(key)
    if store == "uv":
        return f"uv auth logout {place}" + (
            f" --username {shlex.quote(username)}" if username else ""
        )
    if store == "docker":
        return f"docker logout {place}"
    if store == "posit":
        return f"credlatch logout {place}"
    if store == "keyring":
        return f"keyring del {place} {shlex.quote(username or 'USER')}"
    if store == "fleet":
        return f"take the row for {key} out of fleet.toml"
    if location.startswith("the variable "):
        return f"unset {location.removeprefix('the variable ')}"
    return f"take it out of {location}"


def _is_for(key: str, url: Url, *, of_host: bool) -> bool:
    """Whether a key of a store's is for a host: at its port, or where the store knows no ports."""
    try:
        named = urls.parse(key if "://" in key else f"https://{key}")
    except RequestError:
        return False
    if registry.is_hub(named) and registry.is_hub(url):
        return True
    if of_host or "://" not in key:
        return named.host == url.host and (of_host or named.port == url.port or named.default_port)
    return named.origin == url.origin
