"""``credlatch setup TOOL``: wires a tool to us, or takes the wiring out again."""

from __future__ import annotations

import os

import click

from credlatch import request as requests
from credlatch import streams
from credlatch.commands import withheld
from credlatch.commands.hosts import Host
from credlatch.errors import SetupError, UsageError
from credlatch.people import terminal
from credlatch.people.command import Command, Several, passes_caller
from credlatch.resolve import Resolver
from credlatch.setup import diff, hosts, plan, record, tools, transaction, undo
from credlatch.setup import remaining_logins as kept_logins
from credlatch.setup.links import Link
from credlatch.stores.steps import BROKEN, NOT_ASKED, NOTHING_THERE
from credlatch.system.files import reason
from credlatch.system.locks import Exclusive

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from credlatch.caller import Caller
    from credlatch.setup.changes import FileChange
    from credlatch.setup.places import Place
    from credlatch.setup.plan import Plan
    from credlatch.setup.tools import Tool
    from credlatch.url import Url

PATIENCE = 10.0  # seconds that one setup waits for another
_NOT_DONE = 1


class _Options:
    """What is to be done.

    Attributes:
        hosts: to wire; none: all that the stores have logins for.
        others: what becomes of other helpers: plan.LEAVE, REPLACE or CHAIN.
    """

    def __init__(self, **said: Any) -> None:
        self.hosts: list[str] = list(said["hosts"])
        self.all_hosts: bool = said["all_hosts"]
        self.force: bool = said["force"]
        self.project: bool = said["project"]
        self.others = (
            plan.REPLACE if said["replace"] else plan.CHAIN if said["chain"] else plan.LEAVE
        )
        self.undo: bool = said["undo"]
        self.dry_run: bool = said["dry_run"]
        self.yes: bool = said["yes"]


def _flag(option: str, text: str) -> Callable[..., Any]:
    return click.option(option, is_flag=True, help=text)


@click.command(
    "setup",
    cls=Command,
    help="Have a tool ask credlatch. Shows what it changes, and asks.\n\n\b\nTools:\n"
    + "\n".join(f"  {tool.name:12}{tool.serves}" for tool in tools.TOOLS.values()),
    examples=(
        "credlatch setup docker                        # for the registries of your logins",
        "credlatch setup bazel --host '*.example.com'  # for these hosts",
        "credlatch setup pip --undo                    # put back what was there",
    ),
)
@click.argument("name", metavar="TOOL", type=click.Choice(list(tools.TOOLS)))
@click.option(
    "--host",
    "hosts",
    cls=Several,
    type=Host(),
    metavar="HOST...",
    help="Hosts, *. patterns or URLs to wire; else all that the stores have logins for.",
)
@_flag("--all-hosts", "One setting for all hosts, whatever they are.")
@_flag("--force", "Wire also hosts that no store has a login for.")
@_flag("--project", "The project's configuration, not your own.")
@_flag("--replace", "Put credlatch in the place of other helpers.")
@_flag("--chain", "Ask credlatch first, then the helper that was there.")
@_flag("--undo", "Put back what was there.")
@_flag("--dry-run", "Only show.")
@_flag("--yes", "Do not ask.")
@passes_caller
def COMMAND(caller: Caller, /, name: str, **said: Any) -> int:  # noqa: N802 - as all are called
    """Wire one tool; the exit status: 0 also when there is nothing to do.

    Raises:
        UsageError: the options are wrong.
        SetupError: it cannot be done, and nothing is changed.
    """
    if said["replace"] and said["chain"]:
        raise UsageError("--chain is not allowed with --replace: see credlatch setup --help")
    options = _Options(**said)
    tool = tools.TOOLS[name]
    _check(tool, options)
    if tool.done_by:
        _say(f"{tool.name}: {tool.serves}: this is {tool.done_by}'s wiring")
        tool = tools.TOOLS[tool.done_by]
    place = plan.place_of(tool, caller, project=options.project, all_hosts=options.all_hosts)
    project = os.path.realpath(place.path) if options.project else None
    kept = record.path_of(tool.name, project, caller)
    if not (options.dry_run or options.yes or terminal.of(caller).interactive):
        raise SetupError(
            "this is no terminal, where you could be asked: "
            "--yes writes without asking, --dry-run only shows"
        )
    try:
        if options.undo:
            return _undo(tool, kept, options, caller)
        return _wire(tool, place, kept, options, caller)
    finally:
        for warning in caller.warnings:
            if place.path not in warning:  # a store of ours too, of which more is said here
                streams.say(warning)


def has_login(url: Url, caller: Caller) -> bool:
    """Whether a store has a login for a URL, or may have one, which is warned of."""
    outcome = Resolver(caller, renews=False).outcome(requests.for_url(url))
    asked = [step for step in outcome.trace if step.came is not NOT_ASKED]
    for step in asked:
        if step.came is BROKEN:
            caller.warn(str(step.failure))
    if not asked and outcome.failure is not None:  # the settings are wrong, and no store is asked
        caller.warn(str(outcome.failure))
        return True
    return any(step.came is not NOTHING_THERE for step in asked)


def _wire(tool: Tool, place: Place, kept: str, options: _Options, caller: Caller) -> int:
    wanted = None
    if tool.keys is not None and not options.all_hosts:
        named = options.hosts
        # The helper that is asked after us may have one.
        force = options.force or options.others == plan.CHAIN
        if named:
            wanted = hosts.named(named, caller, lambda url: has_login(url, caller), force=force)
        else:
            wanted = hosts.known(caller)
    made = plan.plan(tool, place, wanted, options.others, caller)
    if wanted and tool.ports and options.hosts:
        made.notes += withheld.notes(tool, wanted, caller)
    elif wanted and tool.ports and made.files:
        made.notes += plan.unknown_ports(made.asked)
    _show(made.files, made.link if made.makes_link else None, [*made.left, *made.notes])
    if made.is_empty:
        _say(f"{place.path}: {'nothing to change' if made.wired else 'nothing was written'}")
        return 0 if made.wired else _NOT_DONE
    if options.dry_run:
        return 0
    if not options.yes and not terminal.of(caller).confirm("Write this?"):
        _say("nothing was written")
        return _NOT_DONE
    _make(made, kept, caller)
    words = f"{tool.name} --project" if options.project else tool.name
    of = "" if wanted is None else f" for {plan.several(made.asked)}"
    _say(f"{tool.name} asks credlatch now{of}; credlatch setup {words} --undo takes it back")
    return 0


def _make(made: Plan, kept: str, caller: Caller) -> None:
    """Write it down, then do it."""
    try:
        with Exclusive(f"{record.folder(caller)}/lock", PATIENCE):
            steps, link = record.Record(kept), made.link
            if link is not None and any(
                each.made and each.path == link.path for each in record.links_beside(kept)
            ):
                link = Link(link.path, link.text, made=True)
            step = record.Step([record.file_step(each) for each in made.files], link)
            steps.write([*steps.steps, step])
            try:
                transaction.write(made.files, made.link if made.makes_link else None)
            except SetupError:
                steps.write(steps.steps)
                raise
    except OSError as error:
        raise SetupError(f"{kept} cannot be written: {reason(error)}: nothing was") from None


def _undo(tool: Tool, kept: str, options: _Options, caller: Caller) -> int:
    steps = record.Record(kept)
    if not steps.steps:
        _say(f"{tool.name}: nothing to undo")
        return 0
    made = undo.undoing(steps, caller)
    stay = kept_logins.staying(tool, steps, caller)
    _show(made.files, made.link, [*made.notes, *stay], gone=True)
    if options.dry_run:
        return 0
    if not options.yes and not terminal.of(caller).confirm("Write this?"):
        _say("nothing was written")
        return _NOT_DONE
    try:
        with Exclusive(f"{record.folder(caller)}/lock", PATIENCE):
            transaction.write(made.files, remove=made.link)
            steps.write([])
            transaction.remove_folders(made.folders)
    except OSError as error:
        raise SetupError(f"{kept} cannot be removed: {reason(error)}") from None
    if not made.notes:
        _say(f"{tool.name}: what credlatch setup has changed is undone")
    return 0


def _check(tool: Tool, options: _Options) -> None:
    """See that the options go together.

    Raises:
        UsageError: they do not, or the tool has no such thing.
    """
    if options.hosts and tool.keys is None:
        raise UsageError(f"{tool.name} has one setting for all hosts: leave --host out")
    if options.hosts and options.all_hosts:
        raise UsageError("--all-hosts are these too: leave --host out")
    if options.undo and (options.hosts or options.all_hosts):
        raise UsageError("--undo takes back all that setup has done: name no hosts")
    if options.others == plan.CHAIN and tool.chain is None:
        raise UsageError(f"{tool.name} asks one program only: it has no --chain")


def _show(
    files: list[FileChange], link: Link | None, notes: list[str], *, gone: bool = False
) -> None:
    """Show what changes, and a link that is made or goes, and say what else there is to know."""
    rows = [row for change in files for row in diff.diff(change)]
    rows += () if link is None else diff.link(link, gone=gone)
    streams.answer("".join(f"{row}\n" for row in rows).encode(errors="backslashreplace"))
    for line in notes:
        _say(line)


def _say(text: str) -> None:
    text = "".join(c if c.isprintable() else "?" for c in text)
    streams.answer(f"{text}\n".encode(errors="backslashreplace"))
