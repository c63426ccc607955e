"""What the stores have for the caller, as far as it can be told without a question."""

from __future__ import annotations

import time
from typing import NamedTuple

from credlatch import url as urls
from credlatch.caller import Caller
from credlatch.errors import RequestError, StoreError
from credlatch.stores import order
from credlatch.system import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.stores import Entry


class FilesOnly(Caller):
    """A caller without a keyring, which has a check of its own."""

    def keyring(self) -> None:
        """None is asked."""


class Login(NamedTuple):
    """What a store has for one of its keys.

    Attributes:
        store: the store's name.
        key: as the store keeps it.
        entry: what it has; None: it is damaged.
    """

    store: str
    key: str
    entry: Entry | None

    @property
    def url(self) -> urls.Url | None:
        """What the key is for; None: no one host."""
        return url_of(self.key)

    @property
    def ended(self) -> float | None:
        """Seconds since it has ended, where nothing renews it; None: it has not."""
        entry = self.entry
        if entry is None or entry.expires is None or entry.grant is not None:
            return None
        ago = time.time() - entry.expires
        return ago if ago >= 0 else None


def url_of(key: str) -> urls.Url | None:
    """The URL that a store's key is for, or the host's; None where it is none."""
    try:
        return urls.parse(key if "://" in key else f"https://{key}")
    except RequestError:
        return None


def is_host(name: str) -> bool:
    """Whether a name is a host's, and no option: a project's author may have written it."""
    return not name.startswith("-") and url_of(name) is not None


def logins(caller: Caller) -> list[Login]:
    """All that the stores have for the caller, in the order of the stores; what fails is left out.

    Args:
        caller: whose they are; one without a keyring is asked about files alone.
    """
    found: list[Login] = []
    for name, open_store in order.ORDER:
        try:
            store = open_store(caller)
            listed = [] if store is None else list(store.entries())
        except StoreError:
            continue
        found += [Login(name, key, entry) for key, entry in listed]
    return found


def files_only(caller: Caller) -> Caller:
    """The same caller, without a keyring, who has not been warned of anything."""
    return FilesOnly(caller.environ, caller.cwd)


def line_of(path: str, key: str) -> int:
    """The one line of a file that has a text in quotes; 0: there is none, or are several."""
    try:
        lines = (files.read(path) or "").split("\n")
    except StoreError:
        return 0
    there = [at for at, line in enumerate(lines, 1) if f'"{key}"' in line]
    return there[0] if len(there) == 1 and key else 0
