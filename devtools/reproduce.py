"""``./dev reproduce``: is a build of the same commit the same, wherever and by whomever it is made.

Two clones of what is committed are built from nothing, each with an environment of its own, in
folders of different depth, with another umask, time zone, language and hash seed. All files have
to be equal, and to be executable alike.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from devtools.steps import ROOT, SCRATCH, ask, must, say

if TYPE_CHECKING:
    from pathlib import Path

_WORK = SCRATCH / "reproduce"
_SHOWN = 20  # of what differs
_GIT = ("git", "-c", f"safe.directory={ROOT}", "-c", f"safe.directory={ROOT / '.git'}")


class Surroundings(NamedTuple):
    """Where and how one of the builds is made.

    Attributes:
        place: its folder.
        umask: of its files.
        environ: what else its environment says.
    """

    place: Path
    umask: int
    environ: dict[str, str]


_BOTH = (
    Surroundings(
        _WORK / "one", 0o022, {"PYTHONHASHSEED": "1", "TZ": "UTC", "LANG": "C", "LC_ALL": "C"}
    ),
    Surroundings(
        _WORK / "another" / "and a deeper one" / "checkout",
        0o077,
        {
            "PYTHONHASHSEED": "4294967295",
            "TZ": "Pacific/Kiritimati",
            "LANG": "tr_TR.UTF-8",
            "LC_ALL": "C.UTF-8",
        },
    ),
)


def reproduce(python: str) -> int:
    """Build twice and compare; 1 where anything differs.

    Args:
        python: what runs `dev` in both.
    """
    shutil.rmtree(_WORK, ignore_errors=True)
    # Before a build that takes minutes, and in which somebody may commit.
    commit = ask(*_GIT, "-C", ROOT, "rev-parse", "HEAD")[1].strip()
    made = [_built(python, commit, each) for each in _BOTH]
    for name, (digest, _) in sorted(made[0].items()):
        if "/" not in name:
            print(f"{digest}  {name}")
    differing = sorted(name for name, _ in set(made[0].items()) ^ set(made[1].items()))
    names = list(dict.fromkeys(differing))
    if names:
        more = [f"and {len(names) - _SHOWN} more"] if len(names) > _SHOWN else []
        print("\n".join(["dev: not the same in both:", *names[:_SHOWN], *more]), file=sys.stderr)
        return 1
    shutil.rmtree(_WORK, ignore_errors=True)
    say(f"all {len(made[0])} files are the same in both")
    return 0


def contents(dist: Path) -> dict[str, tuple[str, bool]]:
    """All files below a folder: their SHA-256, and whether they can be run."""
    return {
        path.relative_to(dist).as_posix(): (
            hashlib.sha256(path.read_bytes()).hexdigest(),
            os.access(path, os.X_OK),
        )
        for path in dist.rglob("*")
        if path.is_file()
    }


def _built(python: str, commit: str, one: Surroundings) -> dict[str, tuple[str, bool]]:
    """A build of a clone: its files."""
    must("cloning what is committed", *_GIT, "clone", "--quiet", "--no-local", ROOT, one.place)
    must("taking the commit", *_GIT, "-C", one.place, "checkout", "--quiet", "--detach", commit)
    say(f"building in {one.place.relative_to(ROOT)}")
    how: Any = {"cwd": one.place, "env": {**os.environ, **one.environ}, "umask": one.umask}
    done = subprocess.run([python, "dev", "build"], check=False, **how)
    if done.returncode != 0:
        sys.exit(f"dev: building in {one.place}: failed with exit status {done.returncode}")
    return contents(one.place / "dist")
