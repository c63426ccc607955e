"""One file for each tool whose store we share.

A store answers ``find`` with an Entry or with None (not mine), or raises StoreError (mine, but
broken).
"""

from __future__ import annotations

from credlatch import jwt
from credlatch.credential import TOKEN_USER, Basic
from credlatch.errors import AbsentError, StoreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TypeVar

    from credlatch.auth import Auth
    from credlatch.caller import Caller
    from credlatch.credential import Credential
    from credlatch.renew.cache import FileLock, PendingWrite
    from credlatch.request import Request
    from credlatch.url import Url

    Listed = tuple[str, "Entry | None"]
    T = TypeVar("T")
    Place = TypeVar("Place")


class Store:
    """A store that is read by URL; ``order`` gives it its name.

    Attributes:
        near: what is there, and was passed over as being for others: why, and the place in words.
    """

    near: tuple[tuple[str, str], ...] = ()

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def find(self, url: Url) -> Entry | None:
        """The entry for a URL, by the rule of the tool whose store it is.

        Raises:
            StoreError: it has, or may have, an entry, and cannot give it.
        """
        raise NotImplementedError

    def look(self, request: Request) -> Entry | None:
        """The entry for a request, and for the user whom it names; raises as ``find``."""
        return None if request.url is None else self._of_user(self.find(request.url), request)

    def pass_over(self, why: str, location: str) -> None:
        """Note what is there, and why it is no answer: OTHER_USER and the like, or such a text."""
        if (why, location) not in self.near:  # under another of its names
            self.near += ((why, location),)

    def _of_user(self, entry: Entry | None, request: Request) -> Entry | None:
        """An entry, unless it is the login of another user than a request names.

        A token is nobody's and counts for all, since servers take it as the password of any user.
        """
        if entry is None or request.username is None or not isinstance(entry.credential, Basic):
            return entry
        if entry.credential.username in {request.username, TOKEN_USER}:
            return entry
        self.pass_over(OTHER_USER, entry.location)
        return None

    def entries(self) -> Iterable[Listed]:
        """What it has, as far as that can be told without a question: each key, and its entry.

        Keys are hosts, ``*.`` patterns, Docker's keys and URLs, as they are kept. There is no entry
        beside one whose value is damaged, and no key where that cannot be told either. Raises as
        ``find``.
        """
        return ()

    def for_others(self) -> Iterable[Entry]:
        """What it has for all hosts for which it has nothing else; raises as ``find``."""
        return ()

    def files(self) -> Iterable[str]:
        """The files that it reads for the caller, whether they are there or not.

        Raises:
            StoreError: what says where they are cannot be read.
        """
        return ()


class KeyedStore(Store):
    """A store that also keeps Docker's keys."""

    def find_key(self, keys: tuple[str, ...]) -> Entry | None:
        """The entry under the first of these keys that it has; raises as ``find``."""
        raise NotImplementedError

    def look(self, request: Request) -> Entry | None:
        """The entry for a request: by the client's own name, or by the key if that is meant."""
        own = self.find_key((request.own,)) if request.own else None
        if own is not None:
            return own
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
                entry = self._of_user(self.find_key((key,)), request)
            except StoreError as error:
                failure = failure or error
                continue
            if entry is not None:
                return entry
        if failure is not None:
            raise failure
        return None


class RenewableStore(Store):
    """A store whose entries can be written back: the ``TokenCache`` of what it has."""

    def read(self, entry: Entry, request: Request) -> Entry:  # noqa: ARG002 - as any cache
        """The entry, which has its token."""
        return entry

    def lock(self, entry: Entry) -> FileLock:
        """The lock under which it is renewed.

        Raises:
            StoreError: what leads to its file cannot be followed, or is not to be.
        """
        from credlatch.renew.cache import FileLock

        try:
            return FileLock(self.lock_path(entry))
        except OSError as error:
            from credlatch.system.files import reason

            raise StoreError(f"{entry.location} cannot be locked: {reason(error)}") from None

    def lock_path(self, entry: Entry) -> str:
        """The lock file that the store's own tool takes to renew, or one beside the store."""
        raise NotImplementedError

    def prepare(self, entry: Entry) -> PendingWrite:
        """Make sure that a renewed entry can be kept, before it is fetched.

        Raises:
            StoreError, OSError: it cannot.
        """
        raise NotImplementedError


def gathered(
    caller: Caller, places: Iterable[Place], read: Callable[[Place], Iterable[T]]
) -> list[T]:
    """What all the places of a store have that can be asked.

    Raises:
        StoreError: one could not be asked, and the others had nothing.
    """
    found: list[T] = []
    failures: list[StoreError] = []
    for place in places:
        try:
            found += read(place)
        except AbsentError as error:
            caller.warn(str(error))
        except StoreError as error:
            failures.append(error)
    for failure in failures:
        if not found:
            raise failure
        caller.warn(str(failure))
    return found


def readable(read: Callable[..., Entry | None], *args: object) -> Entry | None:
    """The entry that is read, to be listed; None for one that is damaged."""
    try:
        return read(*args)
    except (StoreError, ValueError):
        return None


# Why what a store has is no answer.
OTHER_USER = "is not of the user who is asked for"
OTHER_PLACE = "names another scheme, or no port, and so not this place"
EVERY_PLACE = "is for all hosts that are not named, and so for no registry"
NO_LOGIN = "is no user name and password, or password"
ENDED = "has ended, and nothing renews it"
PRESIGNED = "is asked with a signature in its query, beside which nothing may be sent"
IN_THE_CLEAR = "would travel in plain http"
UNSURE = "is a project's, and a store before it may have what was asked for"
UNSURE_WHO = "is for those who have no login, and a store may have one"

# What of a request the place of an entry names, by the rule of the tool whose store it is.
ORIGIN = "origin"  # all that its tool matches by, the port among it
PORT = "port"  # a host and port, in another scheme: enough for a registry, and for nobody else
HOST = "host"  # a host, at whatever port
NOTHING = "nothing"  # it is for every host that has no other


def unfit(entry: Entry, request: Request) -> str:
    """Why an entry is not for what was asked, or for more than a registry may have; empty: it is.

    Between registries a port makes the difference: whoever can have a login sent to another port of
    its host can have it. Tokens are as their own tool keeps them.
    """
    if not request.registry:
        return OTHER_PLACE if entry.names == PORT else ""
    if entry.credential is not None and not entry.credential.logs_in:
        return NO_LOGIN
    if entry.names in {ORIGIN, PORT}:
        return ""
    if entry.names == NOTHING:
        return EVERY_PLACE
    at_own_port = request.url is None or request.url.default_port
    fits = entry.names == HOST and (at_own_port or not isinstance(entry.credential, Basic))
    return "" if fits else OTHER_PLACE


class Entry:
    """What a store holds for a request.

    Attributes:
        credential: what it is; None when there is only a grant to get one with.
        location: the place it was read, in words for a person.
        expires: when it ends, in seconds since 1970 UTC, from the store or from the JWT itself;
            None when unknown.
        fetched: when we fetched it, likewise, where that is remembered: with its end, its life.
        grant: what renews it, or None.
        renew_unknown: whether a credential whose end is unknown is to be renewed at each use.
        handle: what the store needs to find the place again.
        remedy: what a person does when it has ended and nothing renews it.
        names: what of a request its place names: ORIGIN, PORT, HOST or NOTHING.
        then: makes of it, once it is fresh, the entry that is served in its place: one that gets
            something with it, or signs, or None where nothing is to be sent. None: it is served
            itself.
        endpoint: the URL of the token server that a registry's login is also for, where whoever has
            it says so; or None.
        optional: whether its host also serves those who send nothing: then a renewal that fails is
            a warning.
    """

    def __init__(  # noqa: PLR0913 - its parts, all but two by name
        self,
        credential: Credential | None,
        location: str,
        *,
        expires: int | None = None,
        grant: Auth | None = None,
        renew_unknown: bool = False,
        handle: str = "",
        remedy: str = "log in again",
        names: str = ORIGIN,
    ) -> None:
        if expires is None and credential is not None:
            expires = jwt.expiry(credential.secret.reveal())
        self.credential = credential
        self.location = location
        self.expires = expires
        self.fetched: float | None = None
        self.grant = grant
        self.renew_unknown = renew_unknown
        self.handle = handle
        self.remedy = remedy
        self.names = names
        self.then: Callable[[Entry], Entry | None] | None = None
        self.endpoint: str | None = None
        self.optional = False
