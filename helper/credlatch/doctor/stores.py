"""What stores read, and what is in them in vain: by each store's own reading."""

from __future__ import annotations

import os

from credlatch import clock, registry
from credlatch.credential import Basic
from credlatch.doctor import netrc
from credlatch.doctor.finding import FAIL, OK, WARN, Finding
from credlatch.doctor.logins import Login, files_only, line_of, url_of
from credlatch.errors import StoreError
from credlatch.fixes import mending, shell
from credlatch.lines import printable
from credlatch.stores import order, rattler
from credlatch.stores.chained import ChainedStore
from credlatch.system import files, programs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from credlatch.caller import Caller
    from credlatch.stores import Entry, Store

# What has no files of its own, or asks others: each has a check, or another store's files.
_ELSEWHERE = frozenset(
    ("environment", "s3", order.FLEET, "keyring", order.IDENTITY, order.ANONYMOUS)
)
_SHOWN = 80  # characters of a key


def check(caller: Caller) -> Iterator[Finding]:
    """Each store's files, and what is in them."""
    for name, open_store in order.ORDER:
        if name not in _ELSEWHERE:
            own = files_only(caller)
            try:
                store = open_store(own)
                if store is not None:
                    yield from _store(name, store, own)
            except StoreError as error:
                yield _failed(name, str(error), [])


def _store(name: str, store: Store, own: Caller) -> Iterator[Finding]:
    paths = list(store.files())
    try:
        listed = list(store.entries())
        programs_missing = _missing(store, own)
    except StoreError as error:
        yield _failed(name, str(error), paths)
        return
    problems = [_failed(name, line, paths, WARN) for line in own.warnings]
    problems += programs_missing
    problems += _damaged(name, store, [key for key, entry in listed if entry is None], paths)
    for key, entry in listed:
        if entry is not None:
            problems += _entry(Login(name, key, entry), entry)
    if name == "netrc":
        for path in paths:
            problems += netrc.problems(files.read(path) or "", path)
    yield from problems
    there = [path for path in paths if os.path.isfile(path)]
    if there and not problems:
        many = f": {len(listed)} login{'s' * (len(listed) != 1)}" if listed else ""
        yield Finding(OK, name, f"{', '.join(there)}{many}")


def _failed(name: str, why: str, paths: list[str], severity: str = FAIL) -> Finding:
    """What a store says of a file, with what mends it."""
    path = next((path for path in sorted(paths, key=len, reverse=True) if path in why), "")
    if "chmod 600" in why:
        fix, repair = mending.closed(path, mending.FILE)
    else:
        fix, repair = mending.of(path, why) if path else ("", None)
    return Finding(severity, name, why, fix, repair)


def _missing(store: Store, own: Caller) -> list[Finding]:
    """Helpers that are to be asked after us, and are not there."""
    if not isinstance(store, ChainedStore):
        return []
    (path,) = store.files()
    return [
        Finding(
            FAIL,
            order.CHAINED,
            f"{path} names {helper}, which is not there: install it, or take it out",
            shell.edited(path),
        )
        for helper in store.helpers()
        if not (os.access(helper, os.X_OK) or programs.found(helper, own.environ))
    ]


def _damaged(name: str, store: Store, keys: list[str], paths: list[str]) -> Iterator[Finding]:
    """Entries that cannot be read: one line for each thing that the store says of them."""
    said: dict[str, str] = {}
    for key in keys:
        url, why = url_of(key), ""
        try:
            if url is not None:
                store.find(url)
        except StoreError as error:
            why = str(error)
        what = f"the entry {printable(key, _SHOWN)!r}" if key else "an entry"
        said.setdefault(why or f"{what} in {', '.join(paths)} is damaged: log in again", key)
    for why, key in said.items():
        there = [path for path in paths if os.path.isfile(path)]
        path = next((path for path in there if path in why), there[0] if there else "")
        fix = shell.edited(path, line_of(path, key)) if path else ""
        yield Finding(FAIL, name, why, fix)


def _entry(login: Login, entry: Entry) -> Iterator[Finding]:
    """What is wrong with one entry."""
    name, shown = login.store, printable(login.key, _SHOWN)
    if entry.credential is not None:
        try:
            entry.credential.check()
        except ValueError as error:
            yield Finding(WARN, name, f"what it has for {shown!r} cannot be sent: {error}")
    if login.ended is not None:
        yield Finding(
            WARN,
            name,
            f"the login for {shown!r} ended {clock.span(login.ended)} ago: {entry.remedy}",
            _command(entry.remedy),
        )
    why, right = _never(login)
    if why:
        fix = _respelt(entry.location, login.key, right) if right else ""
        yield Finding(WARN, name, f"{shown!r} in {entry.location} never matches: {why}", fix)


def _command(remedy: str) -> str:
    """The command that a remedy names, where it is one and nothing else."""
    command = remedy.partition("log in again: ")[2]
    return command if "(" not in command else ""


def _respelt(path: str, key: str, right: str) -> str:
    """A key of a JSON file under another name; where it is not seen in it once, an editor."""
    line = line_of(path, key)
    if not line or line_of(path, right):
        return shell.edited(path, line) if os.path.isfile(path) else ""
    return shell.replaced(path, line, f'"{key}"', f'"{right}"')


def _never(login: Login) -> tuple[str, str]:
    """Why nothing that is asked for is ever this key's, and the key that is meant, if any."""
    key, url = login.key, login.url
    if login.store == "posit" and "://" not in key:
        return "an address begins with https://", ""
    if url is not None and url.scheme == "http" and not url.may_be_loopback:
        return "it is plain http, in which nothing is sent to another machine", ""
    if login.store != "rattler" or key.startswith(("s3://", registry.CARGO)):
        return "", ""
    if url is None:
        return "it is no host, nor *. and a domain", ""
    if key in rattler.candidates(url) or key.removeprefix("*.") == url.host:
        return "", ""
    if key in registry.spellings(url) or (registry.below(url) and "://" not in key):
        # A registry's client asks so, and keeps it so.
        is_login = login.entry is not None and isinstance(login.entry.credential, Basic)
        return ("", "") if is_login else ("pixi asks for a host by its name alone", url.host)
    return f"it is looked for as {url.host!r}", url.host
