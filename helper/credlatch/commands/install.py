"""``credlatch install`` and ``credlatch uninstall``: the program put in place, and taken away."""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import suppress

from credlatch import __version__
from credlatch.commands import streams
from credlatch.commands.parsing import Parser
from credlatch.errors import AgentError, UsageError
from credlatch.install import installer, layout, uninstaller
from credlatch.system.programs import is_same

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller


def install(args: list[str], caller: Caller) -> int:
    """Install the program that runs.

    Raises:
        UsageError: the options are wrong.
        PlaceError: it cannot be installed there.
    """
    parser = _parser("install", "Put the program in place, for this user or for all.", caller)
    what = "replace programs in bin that are not credlatch's"
    parser.add_argument("--force", action="store_true", help=what)
    options = parser.parse_args(args)
    prefix = _absolute(options.prefix, caller)
    program = layout.running()
    into = layout.Layout(prefix)
    changed = installer.install(program, into, force=options.force)
    version = os.path.join(into.lib, program.name)
    _say(f"credlatch {__version__} is {'' if changed else 'already '}installed in {version}")
    if sys.platform == "win32":
        _say(f"put {version} on PATH: it has credlatch.exe and docker-credential-credlatch.exe")
    else:
        _say(f"{' and '.join(into.links)} run it")
        _say_what_path_finds(into, caller)
    return 0


def uninstall(args: list[str], caller: Caller) -> int:
    """Remove what ``install`` has put there, and what the single file has unpacked.

    Raises:
        UsageError: the options are wrong.
        PlaceError: it cannot be removed.
    """
    from credlatch.setup import undo

    # Here and below: what is needed when the program has gone, while it can still be found.
    from credlatch.system import writable  # noqa: F401

    parser = _parser("uninstall", "Take away what install has put there.", caller)
    prefix = _absolute(parser.parse_args(args).prefix, caller)
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


def _parser(word: str, purpose: str, caller: Caller) -> Parser:
    parser = Parser(f"credlatch {word}", description=purpose, allow_abbrev=False)
    parser.add_argument(
        "--prefix",
        metavar="FOLDER",
        default=caller.in_home(".local"),
        help="the folder with bin and lib in it (%(default)s)",
    )
    return parser


def _absolute(prefix: str, caller: Caller) -> str:
    if not prefix:
        raise UsageError("--prefix needs a folder")
    return os.path.normpath(os.path.join(caller.cwd, os.path.expanduser(prefix)))


def _say_what_path_finds(into: layout.Layout, caller: Caller) -> None:
    """Tell a person what is missing until a client finds the program."""
    path = caller.environ.get("PATH", "")
    if not any(is_same(folder, into.bin) for folder in path.split(os.pathsep) if folder):
        _say(f"{into.bin} is not on PATH: put it there")
        return
    for link in into.links:
        found = shutil.which(os.path.basename(link), path=path)
        if found is not None and not is_same(found, link):
            _say(f"but PATH finds {found} first: put {into.bin} before it")


def _say(line: str) -> None:
    streams.answer(f"{line}\n".encode(errors="backslashreplace"))
