"""What logins there are, in every store, as far as that can be told without a question.

Nothing is renewed, no program of anybody's is started, and nothing is sent.
"""

from __future__ import annotations

import shlex

from credlatch import registry
from credlatch import request as requests
from credlatch import url as urls
from credlatch.credential import TOKEN_USER, AccessKey, Basic
from credlatch.errors import CredlatchError, RequestError
from credlatch.login.standing import removal
from credlatch.near.remedies import log_in
from credlatch.resolve import Resolver
from credlatch.stores.order import ANONYMOUS, CHAINED, IDENTITY, ORDER, PROJECT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from credlatch.caller import Caller
    from credlatch.request import Request
    from credlatch.stores import Entry
    from credlatch.stores.order import Order
    from credlatch.url import Url

# What is no store of logins; a chained helper's cannot be listed without starting it.
_NO_STORES = (CHAINED, IDENTITY, PROJECT, ANONYMOUS)
_STORES: Order = tuple(row for row in ORDER if row[0] not in _NO_STORES)
_OAUTH, _PASSWORD, _TOKEN, _KEY, _DAMAGED = "OAuth", "password", "token", "S3 key", "damaged"
_SHARED = "shared token"


class Login:
    """One login, or one identity that tokens are minted for.

    Attributes:
        host: the host, pattern or URL that it is kept for.
        kind: what it is, in a word or two.
        user: whose; empty: nobody's.
        expires: when what is kept ends, in seconds since 1970 UTC; None: that is not known.
        renews: whether it is renewed by itself, or minted anew.
        store: whose it is, as the order of stores names it.
        location: where, in words for a person.
        shadowed_by: the store whose login is the answer in its place; empty: it is the answer.
        remove: the command that takes it away.
        log_in: the command that logs in again, where it has ended and nothing renews it; or empty.
    """

    def __init__(self, host: str, store: str, location: str) -> None:
        self.host = host
        self.kind = _DAMAGED
        self.user = ""
        self.expires: int | None = None
        self.renews = False
        self.store = store
        self.location = location
        self.shadowed_by = ""
        self.remove = ""
        self.log_in = ""


class Unread:
    """A store that could not be read.

    Attributes:
        store: its name, as the order of stores has it.
        why: one line.
    """

    def __init__(self, store: str, why: str) -> None:
        self.store = store
        self.why = why


class Listing:
    """All that there is.

    Attributes:
        logins: in the order of stores.
        unread: the stores that could not be read.
        warnings: what else is to be known of stores, a line each.
    """

    def __init__(self) -> None:
        self.logins: list[Login] = []
        self.unread: list[Unread] = []
        self.warnings: list[str] = []


def listed(caller: Caller, now: float) -> Listing:
    """What logins there are.

    Args:
        caller: whose.
        now: which time it is, in seconds since 1970 UTC.
    """
    from credlatch.listing import minted

    found = Listing()
    for name, open_store in _STORES:
        warned = len(caller.warnings)
        try:
            store = open_store(caller)
            if store is None:
                continue
            for key, entry in store.entries():
                found.logins.append(_login(key, entry, name, caller, now))
            found.logins += [_for_others(entry, name) for entry in store.for_others()]
        except CredlatchError as error:
            if all(str(error) != each.why for each in found.unread):  # s3 is rattler's
                found.unread.append(Unread(name, str(error)))
        found.warnings += caller.warnings[warned:]
        del caller.warnings[warned:]
    found.logins += minted.identities(caller)
    found.warnings = list(dict.fromkeys(found.warnings))
    return found


def _login(key: str, entry: Entry | None, store: str, caller: Caller, now: float) -> Login:
    if entry is None:
        return Login(key or "-", store, "")
    made = Login(key, store, entry.location)
    made.kind, made.user = kind(entry), user(entry)
    made.expires, made.renews = entry.expires, entry.grant is not None
    url = _place(key)
    username = made.user or None
    made.remove = removal(store, key, entry.location, username)
    if store in {"rattler", "s3"}:
        made.remove = f"credlatch logout {shlex.quote(made.host)}"
    if url is None:
        return made
    made.shadowed_by = _shadow(url, key, entry, store, caller)
    if entry.expires is not None and entry.expires <= now and entry.grant is None:
        made.log_in = log_in(store, url)
    return made


def _for_others(entry: Entry, store: str) -> Login:
    """What is for every host of which its store has nothing else."""
    made = Login("*", store, entry.location)
    made.kind, made.user, made.expires = kind(entry), user(entry), entry.expires
    made.remove = removal(store, "default", entry.location, made.user or None)
    return made


def kind(entry: Entry) -> str:
    """What an entry is, in a word or two."""
    credential = entry.credential
    if isinstance(credential, AccessKey):
        return _KEY
    if entry.grant is not None and type(entry.grant).__name__ == "FleetToken":
        return _SHARED
    if entry.grant is not None:
        return _OAUTH if type(entry.grant).__name__ == "OAuthRefresh" else "renewed token"
    if isinstance(credential, Basic):
        return _TOKEN if credential.username == TOKEN_USER else _PASSWORD
    return _TOKEN


def user(entry: Entry) -> str:
    """Whose an entry is; empty: nobody's."""
    credential = entry.credential
    if isinstance(credential, Basic) and credential.username != TOKEN_USER:
        return credential.username
    return ""


def _shadow(url: Url, key: str, entry: Entry, store: str, caller: Caller) -> str:
    """The store that answers in an entry's place; empty: none does."""
    answers = [
        answer
        for request in _questions(url, key)
        if (answer := _answer(request, caller)) is not None
    ]
    if not answers or any(_is(entry, store, *answer) for answer in answers):
        return ""
    return answers[0][0]


def _questions(url: Url, key: str) -> Iterator[Request]:
    """What clients ask that an entry for a key may answer: a URL's, a login's, and a registry's."""
    yield requests.for_url(url)
    yield requests.for_login(url)
    asked = requests.Request(url, registry.spellings(url) or (key,), key_first=True, registry=True)
    yield asked


def _answer(request: Request, caller: Caller) -> tuple[str, Entry] | None:
    """Which store has the answer, and the entry that it is made of."""
    aside = len(caller.warnings)
    try:
        outcome = Resolver(caller, _STORES, renews=False).outcome(request)
    finally:
        del caller.warnings[aside:]
    for step in outcome.trace:
        if step.entry is not None:
            return step.store, step.entry
    return None


def _is(entry: Entry, store: str, of: str, other: Entry) -> bool:
    if entry.credential is None:  # what is fetched is found by another handle then
        return store == of and entry.location == other.location
    return store == of and (entry.location, entry.handle) == (other.location, other.handle)


def _place(key: str) -> Url | None:
    """A URL that an entry for a key may be for; None: it is for none."""
    bare = key.removeprefix("*.")
    try:
        url = urls.parse(bare if "://" in bare else f"https://{bare}")
    except RequestError:
        return None
    return None if url.scheme == "s3" else url
