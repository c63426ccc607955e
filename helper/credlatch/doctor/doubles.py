"""Logins of which there are two: one has ended, or was left behind, and hides the other."""

from __future__ import annotations

import os

from credlatch.credential import Basic
from credlatch.doctor.finding import WARN, Finding
from credlatch.doctor.logins import Login, line_of, logins
from credlatch.fixes import shell
from credlatch.login.standing import removal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from credlatch.caller import Caller
    from credlatch.stores import Entry


def check(caller: Caller) -> Iterator[Finding]:
    """The doubles among all that the stores have."""
    everything = logins(caller)
    yield from _stale(everything)
    yield from _twice(everything)


def _stale(all_logins: list[Login]) -> Iterator[Finding]:
    """Logins that have ended, and stand before others for the same host which have not."""
    standing: dict[str, list[Login]] = {}
    for login in all_logins:
        if login.url is not None and login.entry is not None:
            standing.setdefault(login.url.host, []).append(login)
    for host, several in standing.items():
        for at, login in enumerate(several):
            later = [
                each
                for each in several[at + 1 :]
                if each.ended is None and each.store != login.store
            ]
            if login.ended is None or not later:
                continue
            yield Finding(
                WARN,
                login.store,
                f"{host}: this login has ended, and {later[0].store} has another one, which is "
                "asked later: remove this one",
                _removal(login),
            )


def _removal(login: Login) -> str:
    """What takes a login out of its store."""
    entry = login.entry
    if entry is None or login.store == "rattler":
        return shell.command("credlatch", "logout", login.key)
    username = entry.credential.username if isinstance(entry.credential, Basic) else None
    command = removal(login.store, login.key, entry.location, username)
    is_file = os.path.isfile(entry.location)
    return shell.edited(entry.location, line_of(entry.location, login.key)) if is_file else command


def _twice(all_logins: list[Login]) -> Iterator[Finding]:
    """What pixi has moved to the keyring, and left behind in its file."""
    first: dict[str, Entry] = {}
    for store, key, entry in all_logins:
        if store != "rattler" or entry is None:
            continue
        before = first.setdefault(key, entry)
        if before.location == entry.location or not os.path.isfile(entry.location):
            continue
        secrets = [each.credential and each.credential.secret for each in (before, entry)]
        if secrets[0] == secrets[1]:
            continue
        yield Finding(
            WARN,
            store,
            f"{key}: {before.location} has a login, and {entry.location} another one, which is "
            "older or unused: take it out there",
            shell.edited(entry.location, line_of(entry.location, key)),
        )
