"""Releases of programs that are made up: for each platform, both forms."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from devtools import release
from devtools.release.assets import NOTICES, Assets, version
from devtools.release.contents import Contents

if TYPE_CHECKING:
    from pathlib import Path

TARGETS = tuple(
    f"{system}-{machine}"
    for system in ("linux", "macos", "windows")
    for machine in ("x86_64", "aarch64")
)
GLIBC = "2.28"
_LIBRARY = b"\x7fELF\x02\0GLIBC_2.4\0GLIBC_2.28\0GLIBC_2.17\0"
# Writes down how it was called, where, and what was beside it.
PROGRAM = """#!/bin/sh
echo "$0 $*" >>"${RECORD:-/dev/null}"
echo "$XDG_CACHE_HOME" >>"${RECORD:-/dev/null}"
exit "${STATUS:-0}"
"""


def dist(place: Path, *, umask: int = 0o022, exe: str = "", backwards: bool = False) -> Path:
    """Both forms, as a build leaves them."""
    before = os.umask(umask)
    try:
        inside = place / "credlatch.d" / "_internal"
        inside.mkdir(parents=True)
        names = ["libb.so", "liba.so", "modules.pyz"]
        for name in reversed(names) if backwards else names:
            library = name.endswith(".so")
            (inside / name).write_bytes(_LIBRARY if library else b"GLIBC_2.99, says a text")
        (inside / NOTICES).write_text("What others have made, and how they give it.\n")
        for program in (place / f"credlatch{exe}", place / "credlatch.d" / f"credlatch{exe}"):
            program.write_text(PROGRAM)
            program.chmod(program.stat().st_mode | stat.S_IXUSR)
        if not exe:
            (inside / "link.so").symlink_to("liba.so")
    finally:
        os.umask(before)
    return place


def packed(place: Path, targets: tuple[str, ...] = TARGETS) -> Contents:
    """A release that is packed for some platforms, and not assembled."""
    into = place / "release"
    into.mkdir(parents=True)
    for target in targets:
        built = dist(place / target, exe=Assets(version(), target).built("")[0:4])
        release.pack(built, target, into)
    return Contents(into, "https://files.example/v1/")
