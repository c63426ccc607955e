"""The program's own files, where the single file unpacks itself and where it is installed."""

from __future__ import annotations

import os
import re
import shutil
from typing import TYPE_CHECKING

from support.program import Program

if TYPE_CHECKING:
    from pathlib import Path

    from support.home import Home


PROGRAM = "credlatch-program"
"""What the launcher becomes; beside the libraries."""


def run_folder(home: Home) -> Path:
    """Where the single file unpacks itself: one folder for each build."""
    return home.path / ".cache" / "credlatch" / "run"


def builds(run: Path) -> list[Path]:
    """The unpacked programs."""
    return [path for path in run.iterdir() if path.is_dir() and not path.name.startswith(".")]


def aside(run: Path) -> list[str]:
    """What lies aside: programs that are being unpacked, or removed, or have been left so."""
    return [path.name for path in run.iterdir() if path.name.startswith(".")]


def have_unpacked(home: Home, other: Home) -> None:
    """Have in a home what the single file has unpacked in another.

    The files are the same ones, by another name: this takes a hundredth of the time.
    """
    shutil.copytree(run_folder(other), run_folder(home), copy_function=os.link)
    run_folder(home).parent.chmod(0o700)


def identity(program: Path) -> str:
    """Which build a frozen program is."""
    found = re.search(rb"/([0-9a-f]{16})\.sock\0", program.read_bytes())
    assert found
    return found[1].decode()


def another_build(folder: Path, target: Path, build: str) -> Path:
    """A copy of the folder form that calls itself another build; its program.

    Its files are the same ones, by another name, but for the program itself.
    """
    shutil.copytree(folder.parent, target, symlinks=True, copy_function=os.link)
    for name in (folder.name, f"_internal/{PROGRAM}"):
        content = (folder.parent / name).read_bytes()
        (target / name).unlink()
        (target / name).write_bytes(content.replace(identity(folder).encode(), build.encode()))
        (target / name).chmod(0o755)
    return target / folder.name


def for_a_stranger(folder: Path, place: Path) -> tuple[list[str], int]:
    """A copy of the folder form for a user without privileges, who has never been here.

    Returns:
        The command that runs it as that user, who is ourselves unless we are root; the user's id.
    """
    user = os.getuid() or 1_000_000 + os.getpid()
    place.chmod(0o755)
    shutil.copytree(folder.parent, place / "program", symlinks=True)
    command = [str(place / "program" / folder.name)]
    if user != os.getuid():
        command = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", *command]
    return command, user


def installed(prefix: Path, home: Home) -> Program:
    """The program that is installed below a prefix."""
    return Program([str(prefix / "bin" / "credlatch")], home, home.path / "links")


def tree(folder: Path) -> set[str]:
    """The paths of all that is below a folder."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}
