"""``credlatch install``: the program put in place."""

from __future__ import annotations

import os
import shutil
import sys

import click

from credlatch import __version__, streams
from credlatch.commands import prefixes
from credlatch.install import installer, layout
from credlatch.people.command import Command, passes_caller
from credlatch.system.programs import is_same

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller


@click.command(
    "install",
    cls=Command,
    help="Put the program in place, for this user or for all.",
    examples=(
        "credlatch install                              # for you",
        "sudo credlatch install --prefix /usr/local     # for everybody",
    ),
)
@prefixes.option
@click.option("--force", is_flag=True, help="Replace programs in bin that are not credlatch's.")
@passes_caller
def COMMAND(caller: Caller, prefix: str | None, *, force: bool) -> int:  # noqa: N802 - as all are called
    """Put the program in place, for this user or for all.

    Raises:
        UsageError: the options are wrong.
        PlaceError: it cannot be installed there.
    """
    prefix = prefixes.absolute(prefix, caller)
    program = layout.running()
    into = layout.Layout(prefix)
    changed = installer.install(program, into, force=force)
    version = os.path.join(into.lib, program.name)
    _say(f"credlatch {__version__} is {'' if changed else 'already '}installed in {version}")
    if sys.platform == "win32":
        _say(f"put {version} on PATH: it has credlatch.exe and docker-credential-credlatch.exe")
    else:
        _say(f"{' and '.join(into.links)} run it")
        _say_what_path_finds(into, caller)
    return 0


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
