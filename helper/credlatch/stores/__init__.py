"""One file for each tool whose store we share.

A store answers ``find`` with an Entry or with None (not mine), or raises StoreError (mine, but
broken).
"""

from __future__ import annotations

from credlatch import jwt
from credlatch.credential import TOKEN_USER, Basic
from credlatch.errors import StoreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Protocol

    from credlatch.caller import Caller
    from credlatch.credential import Credential
    from credlatch.grant import Fresh, Grant
    from credlatch.request import Request
    from credlatch.url import Url

    class PendingWrite(Protocol):
        """Room for a renewed entry, where the old one was read."""

        def commit(self, fresh: Fresh) -> None:
            """Keep it.

            Raises:
                StoreError, OSError: it could not be kept; the old one stands.
            """

        def abandon(self) -> None:
            """Leave the old one."""


class Store:
    """A store that is read by URL.

    Attributes:
        name: what the agent's log calls it.
    """

    name = ""

    def find(self, url: Url) -> Entry | None:
        """The entry for a URL, by the rule of the tool whose store it is.

        Raises:
            StoreError: it has, or may have, an entry, and cannot give it.
        """
        raise NotImplementedError

    def look(self, request: Request) -> Entry | None:
        """The entry for a request, and for the user whom it names.

        Raises:
            StoreError: as for ``find``.
        """
        return None if request.url is None else of_user(self.find(request.url), request)

    def hosts(self) -> Iterable[str]:
        """What it has entries for, as far as it can tell.

        Hosts, ``*.`` patterns, Docker's keys and URLs, as they are kept.

        Raises:
            StoreError: as for ``find``.
        """
        return ()


class KeyedStore(Store):
    """A store that also keeps Docker's keys."""

    def find_key(self, keys: tuple[str, ...]) -> Entry | None:
        """The entry under the first of these keys that it has.

        Raises:
            StoreError: as for ``find``.
        """
        raise NotImplementedError

    def look(self, request: Request) -> Entry | None:
        """The entry for a request: by the key first when the client means the key."""
        by_key = self._under_keys(request) if request.key_first else None
        if by_key is not None or request.url is None:
            return by_key
        entry = super().look(request)
        return self._under_keys(request) if entry is None and not request.key_first else entry

    def _under_keys(self, request: Request) -> Entry | None:
        """The entry under the first of the keys that has the user's."""
        if request.username is None:
            return self.find_key(request.keys)
        failure: StoreError | None = None
        for key in request.keys:
            try:
                entry = of_user(self.find_key((key,)), request)
            except StoreError as error:
                failure = failure or error
                continue
            if entry is not None:
                return entry
        if failure is not None:
            raise failure
        return None


class RenewableStore(Store):
    """A store whose entries can be written back."""

    def lock_path(self, entry: Entry) -> str:
        """The lock file that the store's own tool takes to renew, or one beside the store."""
        raise NotImplementedError

    def prepare(self, entry: Entry) -> PendingWrite:
        """Make sure that a renewed entry can be kept, before it is fetched.

        Raises:
            StoreError, OSError: it cannot.
        """
        raise NotImplementedError


def see_failures(caller: Caller, found: object, failures: Iterable[StoreError]) -> None:
    """Tell of the places of a store that could not be asked, beside what the others had.

    Raises:
        StoreError: the others had nothing.
    """
    for failure in failures:
        if not found:
            raise failure
        caller.warn(str(failure))


def of_user(entry: Entry | None, request: Request) -> Entry | None:
    """An entry, unless it is the login of another user than a request names.

    A token is nobody's and counts for all, since servers take it as the password of any user.
    """
    if entry is None or request.username is None or not isinstance(entry.credential, Basic):
        return entry
    return entry if entry.credential.username in {request.username, TOKEN_USER} else None


# What of a request the place of an entry names, by the rule of the tool whose store it is.
ORIGIN = "origin"  # all that its tool matches by, the port among it
PORT = "port"  # a host and port, in another scheme: enough for a registry, and for nobody else
HOST = "host"  # a host, at whatever port
NOTHING = "nothing"  # it is for every host that has no other

# The store of what a project's files name: heard where every other could be asked and had nothing.
PROJECT = "pixi-project"


class Entry:
    """What a store holds for a request.

    Attributes:
        credential: what it is; None when there is only a grant to get one with.
        where: the place it was read, in words for a person.
        expires: when it ends, in seconds since 1970 UTC, from the store or from the JWT itself;
            None when unknown.
        fetched: when we fetched it, likewise, where that is remembered: with its end, its life.
        grant: what renews it, or None.
        renew_unknown: whether a credential whose end is unknown is to be renewed at each use.
        slot: what the store needs to find the place again.
        advice: what a person does when it has ended and nothing renews it.
        names: what of a request its place names: ORIGIN, PORT, HOST or NOTHING.
    """

    __slots__ = (
        "advice",
        "credential",
        "expires",
        "fetched",
        "grant",
        "names",
        "renew_unknown",
        "slot",
        "where",
    )

    def __init__(  # noqa: PLR0913 - its parts, all but two by name
        self,
        credential: Credential | None,
        where: str,
        *,
        expires: int | None = None,
        grant: Grant | None = None,
        renew_unknown: bool = False,
        slot: str = "",
        advice: str = "log in again",
        names: str = ORIGIN,
    ) -> None:
        if expires is None and credential is not None:
            expires = jwt.expiry(credential.secret.reveal())
        self.credential = credential
        self.where = where
        self.expires = expires
        self.fetched: float | None = None
        self.grant = grant
        self.renew_unknown = renew_unknown
        self.slot = slot
        self.advice = advice
        self.names = names
