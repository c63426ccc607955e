"""The locked requirements: ``./dev lock`` makes them, and all that `dev` installs comes from them.

``requirements/`` has a file for what the program asks for, and one for each dependency group of
pyproject.toml: every version, for all systems and Pythons, with the hashes of its files. They are
in pip's own format, which every pip and auditor reads, and which names no index. All are of one
resolution.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from typing import TYPE_CHECKING, Any

from devtools.steps import ROOT, SCRATCH, must

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = ROOT / "requirements"
PROGRAM = "program"
_PROJECT = ROOT / "pyproject.toml"
_HOW = ("--universal", "--generate-hashes", "--no-annotate", "--no-header", "--quiet")


def names() -> list[str]:
    """What there is a file for: the program, and each group that is installed by itself."""
    return [PROGRAM, *(group for group in _project()["dependency-groups"] if group != "dev")]


def file(name: str) -> Path:
    """The locked requirements of the program, or of a group."""
    return FOLDER / f"{name}.txt"


def heading() -> str:
    """The first line of each file: which requirements of pyproject.toml it was made of."""
    whole = _project()
    project = whole["project"]
    asked = ("requires-python", "dependencies", "optional-dependencies")
    of = [*(project[key] for key in asked), whole["dependency-groups"]]
    digest = hashlib.sha256(json.dumps(of, sort_keys=True).encode()).hexdigest()
    return f"# Made by ./dev lock, of pyproject.toml's requirements ({digest[:16]}).\n"


def options(*wanted: str) -> tuple[str | Path, ...]:
    """How pip, or uv, is told to install what is locked, and nothing else.

    Args:
        *wanted: of names().
    """
    files = [word for name in wanted for word in ("--requirement", file(name))]
    return ("--require-hashes", "--no-deps", *files)


def lock(uv: Path, *, upgrade: bool) -> None:
    """Make all files.

    Args:
        uv: a uv, which resolves for all systems and Pythons at once.
        upgrade: to the newest of each; else what is locked stays where pyproject.toml allows it.
    """
    lowest = _project()["project"]["requires-python"].removeprefix(">=")
    how = (uv, "pip", "compile", *_HOW, "--python-version", lowest)
    work = SCRATCH / "lock"
    work.mkdir(parents=True, exist_ok=True)
    whole = work / "all.txt"
    # What stands where uv writes is what it keeps.
    kept = "" if upgrade else "".join(path.read_text("utf-8") for path in FOLDER.glob("*.txt"))
    whole.write_text(kept, encoding="utf-8")
    groups = [word for name in names() if name != PROGRAM for word in ("--group", name)]
    must("resolving", *how, "--all-extras", *groups, _PROJECT, "--output-file", whole)
    FOLDER.mkdir(exist_ok=True)
    for old in set(FOLDER.glob("*.txt")) - {file(name) for name in names()}:
        old.unlink()
    for name in names():
        what = ("--all-extras", _PROJECT) if name == PROGRAM else ("--group", name)
        made = work / "one.txt"
        made.write_text("", encoding="utf-8")
        must(f"locking {name}", *how, *what, "--constraints", whole, "--output-file", made)
        file(name).write_text(heading() + made.read_text("utf-8"), encoding="utf-8", newline="\n")


def _project() -> dict[str, Any]:
    return tomllib.loads(_PROJECT.read_text(encoding="utf-8"))
