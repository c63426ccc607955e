"""Programs that a tool starts by name: what is on PATH, and a link there for what is not."""

from __future__ import annotations

import os
import sys

from credlatch.errors import SetupError
from credlatch.setup import names, tools
from credlatch.structs import msgspec
from credlatch.system import programs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller

_EXE = ".exe" if sys.platform == "win32" else ""
_PLACE = "the folder that it names" if sys.platform == "win32" else "~/.local/bin"


class Link(msgspec.Struct, frozen=True):
    """A name for the program, beside it, that a tool needs.

    Attributes:
        path: the name.
        text: what it leads to.
        made: whether ``setup`` makes it, or has made it before.
    """

    path: str
    text: str
    made: bool


def needed(program: str, caller: Caller, *, replace: bool) -> Link | None:
    """See that a tool will find us by the name that it uses.

    Args:
        program: that name.
        caller: whose PATH it is.
        replace: whether another program of that name may be put behind ours.

    Returns:
        The link that does it, where a name of its own is needed for that.

    Raises:
        SetupError: it will not.
    """
    installed = names.PROGRAM if program == tools.KEYRING else program
    ours = programs.found(installed, caller.environ)
    if ours is None:
        raise SetupError(
            f"{installed} is not on PATH: credlatch install puts it into {_PLACE}, "
            "and PATH must name that"
        )
    if program == installed:
        return None
    path = os.path.join(os.path.dirname(ours), program + _EXE)
    link = Link(path, os.path.basename(ours), made=not leads_to(path, ours))
    if link.made and os.path.lexists(path):
        raise SetupError(f"{path} is another program, in the place of credlatch's: move it away")
    found = programs.found(program, caller.environ)
    if found is not None and not leads_to(found, ours):
        if _comes_first(found, path, caller):
            raise SetupError(
                f"PATH finds another {program}, {found}, before {os.path.dirname(path)}: "
                "put that folder first, and say --replace"
            )
        if not replace:
            raise SetupError(
                f"PATH finds another {program}, {found}: --replace puts credlatch's before it"
            )
    return link


def make(link: Link) -> None:
    """Make a link.

    Raises:
        OSError: it cannot be made.
    """
    if sys.platform == "win32":
        import shutil

        # There are no links for everybody there: it is a second program beside the first.
        shutil.copyfile(os.path.join(os.path.dirname(link.path), link.text), link.path)
    else:
        os.symlink(link.text, link.path)


def is_ours(path: str, text: str) -> bool:
    """Whether a link that we have made is still what it was."""
    if sys.platform == "win32":
        return leads_to(path, os.path.join(os.path.dirname(path), text))
    return os.path.islink(path) and os.readlink(path) == text


def is_name_of_ours(path: str, text: str) -> bool:
    """Whether a link is one that we make, wherever it is.

    Windows' names have no case, and PATH finds them with the endings that PATHEXT has.
    """
    told = (os.path.normcase(os.path.basename(path)), os.path.normcase(text))
    return told == (tools.KEYRING + _EXE, names.PROGRAM + _EXE)


def leads_to(path: str, program: str) -> bool:
    """Whether a path is a program, or a link to it; on Windows also a copy of it."""
    if sys.platform == "win32":
        import filecmp

        return os.path.isfile(path) and filecmp.cmp(path, program, shallow=False)
    return os.path.exists(path) and os.path.samefile(path, program)


def _comes_first(found: str, path: str, caller: Caller) -> bool:
    folders = caller.environ.get("PATH", os.defpath).split(os.pathsep)
    places = [folders.index(os.path.dirname(each)) for each in (found, path)]
    return places[0] <= places[1]
