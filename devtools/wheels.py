"""What the program is built of, as wheels for another Linux than this one."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from devtools import lock
from devtools.cpython import GLIBC, VERSION
from devtools.environment import IN_VENV
from devtools.steps import must

if TYPE_CHECKING:
    from pathlib import Path

    from devtools.cpython import Machine


def put(uv: Path, machine: Machine, target: Path) -> dict[str, str]:
    """Put what is locked of the program and its build into a folder, empty before.

    Args:
        uv: a uv, which knows `--python-platform`: pip judges by the system that it runs on itself.
        machine: what they are for.
        target: the folder.

    Returns:
        The variables by which a Python finds them, and their programs.
    """
    shutil.rmtree(target, ignore_errors=True)
    platform = f"{machine.name}-manylinux_{GLIBC.replace('.', '_')}"
    if machine.libc == "musl":
        platform = f"{machine.name}-unknown-linux-musl"
    options = ("--target", target, "--python-platform", platform, "--python-version", VERSION)
    only = ("--only-binary", ":all:", "--link-mode", "copy", "--quiet")
    what = lock.options(lock.PROGRAM, "build")
    must(f"installing packages for {platform}", uv, "pip", "install", *options, *only, *what)
    if machine.name != os.uname().machine:
        # A compiler runs where it is at home: it compiles for all machines on each.
        shutil.rmtree(target / "ziglang")
        (own,) = IN_VENV.parents[1].glob("lib/python*/site-packages/ziglang")
        shutil.copytree(own, target / "ziglang")
    path = f"{target / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return {"PYTHONPATH": str(target), "PATH": path}
