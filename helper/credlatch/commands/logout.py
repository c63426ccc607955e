"""``credlatch logout HOST``: what there is in every store, and what is ours taken away."""

from __future__ import annotations

import click

from credlatch import streams
from credlatch.commands.hosts import Host
from credlatch.errors import CredlatchError, UsageError
from credlatch.lines import printable
from credlatch.login import revoking, standing
from credlatch.login import target as targets
from credlatch.people import interrupts, terminal
from credlatch.people.command import Command, passes_caller
from credlatch.people.places import from_home
from credlatch.people.styles import DIM, GOOD, WARN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from credlatch.caller import Caller
    from credlatch.login.standing import Standing
    from credlatch.people.terminal import Terminal

_INTERRUPTED = 130  # what shells report for a program that Ctrl-C ended
_NOT_DONE = 1
_LONGEST = 200  # characters of a name


@passes_caller
def logout(caller: Caller, /, host: str, yes: bool, dry_run: bool) -> int:
    """Log out of a host; the exit status: 1 where nothing was removed.

    Raises:
        UsageError: it is no host, or nobody can be asked.
    """
    interrupts.raised()
    shown = terminal.of(caller)
    at = targets.target(host, caller)
    found = standing.there(at, caller)
    try:
        return _logout(found, at.shown, shown, caller, asks=not yes, dry_run=dry_run)
    except KeyboardInterrupt:
        streams.say("stopped: credlatch list tells what is left")
        return _INTERRUPTED
    finally:
        streams.say_warnings(caller)


def _logout(
    found: Sequence[Standing],
    host: str,
    shown: Terminal,
    caller: Caller,
    *,
    asks: bool,
    dry_run: bool,
) -> int:
    if not found:
        shown.say(f"No store has a login for {host}.")
        return _NOT_DONE
    shown.table((), [row for each in found for row in _rows(each, caller)])
    ours = [each for each in found if each.backend is not None]
    if not ours:
        shown.say("None of these is credlatch's to remove.")
        return _NOT_DONE
    if dry_run:
        return 0
    what = "it" if len(ours) == 1 else f"the {len(ours)}"
    if len(ours) < len(found):
        what += " in rattler's store"
    if asks and not shown.interactive:
        raise UsageError(
            "no terminal to ask on: --yes removes without asking, --dry-run only shows"
        )
    if asks and not shown.confirm(f"Remove {what}?"):
        shown.say("Nothing was removed.")
        return _NOT_DONE
    failures = [each for each in ours if not _remove(each, shown, caller)]
    return _NOT_DONE if failures else 0


def _rows(each: Standing, caller: Caller) -> list[tuple[str, str]]:
    """The store, and what it has; below that what removes it, where that is not us."""
    place = from_home(each.location, caller)
    whose = "" if each.username is None else f" of {printable(each.username, _LONGEST)}"
    rows = [(each.store, f"{each.kind}{whose} for {printable(each.key, _LONGEST)}, in {place}")]
    if each.backend is None:
        rows.append(("", f"stays; to remove it: {each.remedy.replace(each.location, place)}"))
    return rows


def _remove(each: Standing, shown: Terminal, caller: Caller) -> bool:
    """Take one away, and say what became of it; whether that was done."""
    place = f"{printable(each.key, _LONGEST)} in {from_home(each.location, caller)}"
    with interrupts.held():  # what has been removed is to be revoked as well
        return _removed(each, place, shown)


def _removed(each: Standing, place: str, shown: Terminal) -> bool:
    try:
        with shown.waiting(f"Removing {place}"):
            done = revoking.removed(each)
    except CredlatchError as error:
        streams.say(str(error))
        return False
    if not done.is_gone:
        shown.say(f"{place} had gone already.", DIM)
        return True
    shown.say(f"Removed {place}.", GOOD)
    if done.revoked:
        shown.say(f"{done.revoked} has revoked its token.", GOOD)
    elif done.failure:
        shown.say(f"Its token was not revoked, and may still be good there: {done.failure}", WARN)
    elif each.kind == "OAuth":
        shown.say("Its provider has no place to revoke it: it ends by itself.", DIM)
    return True


COMMAND = Command(
    "logout",
    callback=logout,
    help="Show what there is for a host in every store, and remove what credlatch or pixi keeps; "
    "a login by OAuth is revoked at its provider. What other tools keep stays: each is named with "
    "what removes it.",
    params=[
        click.Argument(["host"], type=Host(), metavar="HOST"),
        click.Option(["--yes"], is_flag=True, help="Do not ask."),
        click.Option(["--dry-run"], is_flag=True, help="Only show."),
    ],
    examples=(
        "credlatch logout pypi.example.com",
        "credlatch logout s3://bucket --yes",
    ),
)
