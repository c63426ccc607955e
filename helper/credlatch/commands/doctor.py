"""``credlatch doctor``: what is wrong, and what mends it."""

from __future__ import annotations

import click

from credlatch.doctor import report
from credlatch.doctor.finding import FAIL, OFF, OK, WARN
from credlatch.doctor.report import Line
from credlatch.doctor.wiring import NOT_WIRED
from credlatch.people import styles, terminal
from credlatch.people.command import Command, passes_caller

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller
    from credlatch.doctor.report import Report
    from credlatch.people.terminal import Terminal

_LABELS = {
    OK: ("OK", styles.GOOD),
    OFF: ("-", styles.DIM),
    WARN: ("WARN", styles.WARN),
    FAIL: ("FAIL", styles.BAD),
}
_WIDTH = max(len(label) for label, _ in _LABELS.values())
_GAP = 2  # columns between those of a table


def _run(caller: Caller, *, fix: bool, offline: bool, as_json: bool) -> int:
    shown = terminal.of(caller)
    with shown.waiting("looking at tools, stores and servers"):
        made = report.made(caller, offline=offline, fix=fix)
    if as_json:
        shown.json(made)
    else:
        _show(made, caller.home, shown, fix=fix)
    return 1 if made.to_fix else 0


def _show(made: Report, home: str, shown: Terminal, *, fix: bool) -> None:
    program = made.program
    build = "" if program.build is None else f", build {program.build}"
    shown.say(
        f"credlatch {program.version}{build}, {_short(program.path, home)} "
        f"({', '.join(filter(None, (program.system, program.libc)))})",
        styles.STRONG,
    )
    plain = [each for each in made.findings if each.what == NOT_WIRED]
    others = [each for each in made.findings if each.what != NOT_WIRED]
    if plain:  # each a line of its own would be most of what a person sees
        tools = ", ".join(each.subject for each in plain)
        may = any(each.fix for each in plain)
        how = "credlatch setup TOOL wires one" if may else "log in somewhere first"
        others.append(Line(OFF, "not wired", f"{tools}: {how}", None, safe=False))
    width = max((len(each.subject) for each in others), default=0)
    for each in others:
        _show_line(each, width, home, shown)
    for done in made.fixed:
        shown.say(f"done: {done}", styles.GOOD)
    for failed in made.not_fixed:
        shown.say(f"not done: {failed}", styles.BAD)
    safe = sum(each.safe for each in made.findings)
    more = "" if fix or not safe else f" credlatch doctor --fix does {safe} of them."
    shown.say(f"{_counted(made)}.{more}", styles.STRONG)


def _show_line(each: Line, width: int, home: str, shown: Terminal) -> None:
    label, style = _LABELS[each.severity]
    cells = (label.ljust(_WIDTH), style), each.subject.ljust(width), _short(each.what, home)
    shown.table((), [cells], whole=(0, 1))
    if each.fix is not None:
        shown.paste(each.fix, indent=_WIDTH + width + 2 * _GAP)


def _short(text: str, home: str) -> str:
    return text if home == "/" else text.replace(f"{home}/", "~/")


def _counted(made: Report) -> str:
    warnings = f"{made.warnings} warning{'s' * (made.warnings != 1)}"
    if made.to_fix:
        return f"{made.to_fix} to fix, {warnings}"
    return warnings if made.warnings else "All is well"


COMMAND = Command(
    "doctor",
    callback=passes_caller(_run),
    params=[
        click.Option(
            ["--fix"], is_flag=True, help="Do what is safe: modes of your own files, our own links."
        ),
        click.Option(
            ["--offline"], is_flag=True, help="Send nothing to any other machine: no token server."
        ),
        click.Option(["--json", "as_json"], is_flag=True, help="The same for programs."),
    ],
    help="Look at everything that logins depend on: PATH, how each tool is wired, stores, "
    "variables, settings, the system's keyring, folders, the agent, token servers. What is wrong "
    "is named with the command that mends it. Changes nothing without --fix, and asks nobody. Exit "
    "status 1 where something is to be fixed, 0 where all is well or there are warnings alone.",
    examples=(
        "credlatch doctor               # what is wrong, and what mends it",
        "credlatch doctor --fix         # do what is safe of that",
        "credlatch doctor --json --offline",
    ),
)
