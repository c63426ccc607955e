"""What both forms need of the machine, as build/needs.py reads it from their very files."""

from __future__ import annotations

import platform
import re
import subprocess
import sys
from pathlib import Path

import pytest

NEEDS = Path(__file__).resolve().parents[2] / "build" / "needs.py"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="ELF")


def said(program: Path) -> str:
    done = subprocess.run(
        [sys.executable, NEEDS, program], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.removeprefix(f"{program}: ")


def test_both_forms_need_the_same_and_no_library_but_glibc(folder: Path, single: Path) -> None:
    needed = said(folder.parent)
    found = re.fullmatch(r"(\w+), glibc ([\d.]+): (_internal/.*)\n", needed)
    assert found, needed
    assert found[1] == platform.machine()
    assert [*map(int, found[2].split("."))] <= [*map(int, platform.libc_ver()[1].split("."))]
    assert said(single) == needed


def test_the_launcher_of_either_needs_nothing(folder: Path) -> None:
    assert said(folder) == f"{platform.machine()}, no glibc\n"
