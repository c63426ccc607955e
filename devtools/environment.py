"""What the project needs around it: its virtual environment, and Debian's packages."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

from devtools import lock
from devtools.steps import ROOT, SCRATCH, ask, digest, must, remember, say, state

EXE = ".exe" if os.name == "nt" else ""
VENV = SCRATCH / "venv"
IN_VENV = VENV / ("Scripts/python.exe" if EXE else "bin/python")
# The Python that makes the environment: never the one inside it.
PYTHON = os.path.realpath(sys.executable) if Path(sys.prefix) == VENV else sys.executable
_PIP_AT_LEAST = (22, 3)  # the first with `pip --python`


def environment(*groups: str) -> Path:
    """The Python in .scratch/venv, with the project, what it needs, and the groups."""
    made_by = f"{PYTHON} {sys.version} {VENV}"
    version = ROOT / "helper" / "credlatch" / "__init__.py"
    project = digest(ROOT / "pyproject.toml", lock.FOLDER, version)
    if state().get("made_by") != made_by or not IN_VENV.exists():
        _check_pip()
        shutil.rmtree(VENV, ignore_errors=True)
        # Debian's Python comes without ensurepip: pip is put in from outside.
        must("making .scratch/venv", PYTHON, "-m", "venv", "--without-pip", VENV)
        must("installing pip in it", *pip(PYTHON, "--python", IN_VENV), *lock.options("pip"))
        remember(made_by=made_by, project=None, groups=[])
    have = set(state()["groups"])
    if state()["project"] != project or not set(groups) <= have:
        wanted = sorted(have | set(groups))
        what = ", ".join(["installing credlatch", *wanted])
        # Hatchling, which makes the installation, is in the environment: pip fetches none.
        must(what, *pip(IN_VENV), *lock.options(lock.PROGRAM, "release", *wanted))
        editable = ("--no-deps", "--no-build-isolation", "--editable", ROOT)
        must("installing credlatch itself", *pip(IN_VENV), *editable)
        remember(project=project, groups=wanted)
    return IN_VENV


def pip(python: str | Path, *options: str | Path) -> tuple[str | Path, ...]:
    """How a Python's pip is told to install something."""
    quietly = ("--quiet", "--no-input", "--disable-pip-version-check")
    return (python, "-m", "pip", *options, "install", *quietly, "--upgrade")


def system(*packages: str) -> None:
    """Install the Debian packages that are absent, where that is allowed."""
    query, apt = shutil.which("dpkg-query"), shutil.which("apt-get")
    if query is None or apt is None:
        return
    known = ask(query, "-W", "-f", "${Package}=${db:Status-Status} ", *packages)[1].split()
    absent = sorted(package for package in packages if f"{package}=installed" not in known)
    if not absent:
        return
    if os.getuid() != 0:
        say(f"not installed, and not root: {' '.join(absent)}")
        return
    silent = {"DEBIAN_FRONTEND": "noninteractive"}
    must("asking which system packages there are", apt, "update", "-qq", env=silent)
    options = ("install", "-qq", "--yes", "--no-install-recommends")
    must(f"installing {' '.join(absent)}", apt, *options, *absent, env=silent)


def _check_pip() -> None:
    """End with one line unless there is a pip that can install into another environment."""
    found = re.search(r"^pip (\d+)\.(\d+)", ask(PYTHON, "-m", "pip", "--version")[1], re.MULTILINE)
    if found is None or tuple(map(int, found.groups())) < _PIP_AT_LEAST:
        needed = ".".join(map(str, _PIP_AT_LEAST))
        sys.exit(f"dev: needs pip {needed} or newer; {PYTHON} has {found[0] if found else 'none'}")
