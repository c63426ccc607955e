"""What a release's workflow does on Windows with what is built: packs it, and tries that."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from devtools import release

from support.wine import DIST, ROOT, windows_path

if TYPE_CHECKING:
    from pathlib import Path

LIMIT = 3600  # seconds: a hundred programs are started


def dev(*words: str) -> tuple[int, str]:
    """The exit status of ``dev`` of this checkout, by Windows' Python, and what it says."""
    done = subprocess.run(
        ["wine", os.environ["WINDOWS_PYTHON"], "dev", *words],
        cwd=ROOT,
        env=os.environ | {"LC_ALL": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"},
        input=b"",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=LIMIT,
        check=False,
    )
    return done.returncode, done.stdout.decode(errors="replace")


def test_both_forms_pass_the_smoke_test_as_they_are_packed(tmp_path: Path) -> None:
    release.pack(DIST, "windows-x86_64", tmp_path)
    files = sorted(path for path in tmp_path.iterdir() if path.suffix in {".zip", ".exe"})
    assert len(files) == 2
    code, said = dev("smoke", *map(windows_path, files))
    assert code == 0, said
    for file in files:
        assert f"{file.name}: " in said
