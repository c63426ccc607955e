"""The launcher for each machine that Windows runs on: compiled here, and run for x86_64 alone."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from support.pe import Executable
from support.wine import ROOT

if TYPE_CHECKING:
    from pathlib import Path

MACHINES = {"x86_64": 0x8664, "aarch64": 0xAA64}
# Windows finds these in its own folder, whatever lies beside a program (KnownDLLs, API sets).
KNOWN = {"kernel32.dll", "advapi32.dll"}
MAKES = """
import sys
from pathlib import Path
sys.path[:0] = ["build", "helper"]
import launcher
folder, machine = Path(sys.argv[1]), sys.argv[2]
launcher.put_before(folder, "0" * 16, folder.parent, launcher.target("win32", machine))
"""


@pytest.mark.parametrize("machine", MACHINES)
def test_both_launchers_load_nothing_that_may_lie_beside_them(tmp_path: Path, machine: str) -> None:
    folder = tmp_path / "credlatch.d"
    (folder / "_internal").mkdir(parents=True)
    (folder / "_internal" / "credlatch-program.exe").write_bytes(b"a program")
    subprocess.run([sys.executable, "-c", MAKES, folder, machine], cwd=ROOT, check=True)
    for path in (folder / "credlatch.exe", tmp_path / "credlatch.exe"):
        program = Executable(path)
        assert program.machine == MACHINES[machine]
        others = {name for name in program.imports() if not name.startswith("api-ms-win-crt-")}
        assert others == KNOWN
        # A manifest of its own: Windows asks none beside it, nor a folder NAME.exe.local.
        assert b'level="asInvoker"' in program.content
