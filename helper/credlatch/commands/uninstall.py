"""``credlatch uninstall``: what has been put in place, taken away."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

import click

from credlatch import streams
from credlatch.commands import prefixes
from credlatch.errors import AgentError
from credlatch.install import layout, uninstaller
from credlatch.people.command import Command, passes_caller

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller


@click.command(
    "uninstall",
    cls=Command,
    help="Take away what install has put there, and what the single file has unpacked. "
    "Logins and settings stay.",
    examples=("credlatch uninstall", "sudo credlatch uninstall --prefix /usr/local"),
)
@prefixes.option
@passes_caller
def COMMAND(caller: Caller, prefix: str | None) -> int:  # noqa: N802 - as all are called
    """Remove what ``install`` has put there, and what the single file has unpacked.

    Raises:
        UsageError: the options are wrong.
        PlaceError: it cannot be removed.
    """
    # Here and below: what is needed when the program has gone, while it can still be found.
    import shutil  # noqa: F401

    from credlatch.setup import undo
    from credlatch.system import writable  # noqa: F401

    prefix = prefixes.absolute(prefix, caller)
    from_there = layout.Layout(prefix)
    wired = undo.still_wired(caller)
    served_by = _agent_s_program()
    if sys.platform == "win32":
        _end_agents(uninstaller.builds(from_there, caller))
    gone = uninstaller.uninstall(from_there)
    unpacked, elsewhere = uninstaller.take_unpacked(caller)
    _say(f"{'credlatch is no longer' if gone else 'nothing is'} installed in {prefix}")
    if served_by and not os.path.exists(served_by):
        _end_agent()
    for words, path in wired if gone else []:
        _say(
            f"{path} is still wired to credlatch: credlatch setup {words} takes it back, "
            "with any copy of the program"
        )
    for path in unpacked:
        _say(f"removed {path}, where the single file had unpacked itself")
    for path in elsewhere:
        _say(f"{path}, unpacked by the single file too, is not in your home: it stays")
    if not from_there.is_within(from_there.lib):
        _say(f"{from_there.lib} leads to {os.path.realpath(from_there.lib)}: that stays")
    elif os.path.lexists(from_there.lib):
        _say(f"{from_there.lib} has files that are not credlatch's: they stay")
    return 0


def _end_agents(builds: set[str]) -> None:
    """End the agents of builds: on Windows the files of what runs cannot be removed."""
    from credlatch.agent import control

    for build in builds:
        with suppress(OSError, AgentError):
            control.end(build)


def _agent_s_program() -> bytes | None:
    """What the agent of this build runs from; None when there is none.

    Asked before anything is removed: all that it takes to ask again has then been imported.
    """
    build = sys._xoptions.get("utf8 credlatch")
    if not isinstance(build, str):
        return None
    from credlatch.agent import control, wire

    with suppress(OSError, AgentError):
        status = control.ask(build, wire.STATUS) or b""
        told = dict(line.partition(b": ")[::2] for line in status.splitlines())
        return told.get(b"program")
    return None


def _end_agent() -> None:
    """End the agent whose program has gone. One that runs from elsewhere is another prefix's."""
    from credlatch.agent import control, wire

    with suppress(OSError, AgentError):
        control.ask(str(sys._xoptions["utf8 credlatch"]), wire.STOP)


def _say(line: str) -> None:
    streams.answer(f"{line}\n".encode(errors="backslashreplace"))
