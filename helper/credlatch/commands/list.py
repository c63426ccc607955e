"""``credlatch list``: every login of every store."""

from __future__ import annotations

import time

import click

from credlatch import listing
from credlatch.people import terminal
from credlatch.people.command import Command, passes_caller
from credlatch.people.places import from_home
from credlatch.people.styles import BAD, DIM, GOOD, WARN
from credlatch.people.times import end

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from credlatch.caller import Caller
    from credlatch.listing import Listing, Login
    from credlatch.people.terminal import Terminal
    from credlatch.people.texts import Cell

_HEADINGS = ("HOST", "KIND", "USER", "ENDS", "STORE")
_PLACE = "PLACE"
_NONE = (
    "No logins. credlatch login HOST, or log in with the tool you like: docker login, "
    "uv auth login, pixi auth login."
)
_VERSION = 1  # of what --json gives


@click.command(
    "list",
    cls=Command,
    help="Every login of every store: for which host, of which kind, whose, when it ends, and "
    "where it is kept. A login that another one comes before is shadowed. No secret is shown, "
    "nothing is renewed, and no keyring is unlocked. What the system's keyring keeps for pip and "
    "uv under names of its own cannot be listed, nor what another helper has.",
    examples=(
        "credlatch list",
        "credlatch list --remove               # with the command that takes each away",
        "credlatch list --json | jq '.logins[] | select(.ends_at != null)'",
    ),
)
@click.option("--remove", is_flag=True, help="Say how to take each login away.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
@passes_caller
def COMMAND(caller: Caller, *, remove: bool, as_json: bool) -> int:  # noqa: N802 - as all are called
    """Show them; the exit status is 0 also where there are none.

    Raises:
        AnswerError: standard output does not take it.
    """
    now = time.time()
    shown = terminal.of(caller)
    with shown.waiting("asking the stores"):
        found = listing.listed(caller, now)
    if as_json:
        shown.json(_json(found))
        return 0
    if found.logins:
        _table(found.logins, now, shown, caller)
    else:
        shown.say(_NONE)
    _tell_more(found, shown, remove=remove)
    return 0


def _table(logins: Sequence[Login], now: float, shown: Terminal, caller: Caller) -> None:
    """The table, with a column for the places if there is room; else they are named below it."""
    places = {login.location: from_home(login.location, caller) for login in logins}
    rows = [_row(login, now) for login in logins]
    wide = [
        [*row, _styled(places[each.location], each)] for row, each in zip(rows, logins, strict=True)
    ]
    if shown.has_room((*_HEADINGS, _PLACE), wide):
        shown.table((*_HEADINGS, _PLACE), wide)
        return
    of_store: dict[str, dict[str, None]] = {}
    for login in logins:
        if login.location not in {"", login.store}:
            of_store.setdefault(login.store, {})[places[login.location]] = None
    for row, login in zip(rows, logins, strict=True):
        if len(of_store.get(login.store, ())) > 1:  # else the line below tells
            row[-1] = _styled(f"{_store(login)}, {places[login.location]}", login)
    shown.table(_HEADINGS, rows)
    shown.say()
    shown.table((), [(store, ", ".join(where)) for store, where in of_store.items()], whole=(0,))


def _row(login: Login, now: float) -> list[Cell]:
    damaged = BAD if not login.location else ""
    return [
        _styled(login.host, login),
        (login.kind, damaged) if damaged else _styled(login.kind, login),
        _styled(login.user or "-", login),
        _ends(login, now),
        _styled(_store(login), login),
    ]


def _store(login: Login) -> str:
    return login.store + (f", shadowed by {login.shadowed_by}" if login.shadowed_by else "")


def _styled(text: str, login: Login) -> Cell:
    return (text, DIM) if login.shadowed_by else text


def _ends(login: Login, now: float) -> Cell:
    if login.shadowed_by or not login.location:
        return ("-" if not login.location else end(login.expires, now), DIM)
    if login.renews:
        return ("renews itself", GOOD)
    if login.expires is None:
        return ("no end known", "")
    return (end(login.expires, now), BAD if login.expires <= now else WARN)


def _tell_more(found: Listing, shown: Terminal, *, remove: bool) -> None:
    ended = [login for login in found.logins if login.log_in and not login.shadowed_by]
    for login in ended:
        shown.say(f"{login.host} has ended; log in again: {login.log_in}", WARN)
    if found.unread:
        shown.say(f"{_count(len(found.unread), 'store')} not read:", WARN)
        for each in found.unread:
            shown.say(f"{each.store}: {each.why}", indent=2)
    for warning in found.warnings:
        shown.say(warning, WARN)
    if remove:
        for login in found.logins:
            if login.remove:
                shown.say(f"{login.host} ({login.store}): {login.remove}")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _json(found: Listing) -> dict[str, Any]:
    return {
        "version": _VERSION,
        "logins": [
            {
                "host": login.host,
                "kind": login.kind,
                "user": login.user or None,
                "ends_at": login.expires,
                "renews": login.renews,
                "store": login.store,
                "location": login.location or None,
                "damaged": not login.location,
                "shadowed_by": login.shadowed_by or None,
                "remove": login.remove or None,
                "log_in": login.log_in or None,
            }
            for login in found.logins
        ],
        "unread": [{"store": each.store, "why": each.why} for each in found.unread],
        "warnings": found.warnings,
    }
