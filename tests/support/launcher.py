"""The parts of the launcher (build/loader), in the program of tests/fuzz."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from devtools import fuzz

from support.components import need

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping


def run(
    *words: str | os.PathLike[str],
    stdin: bytes = b"",
    environ: Mapping[bytes, bytes] | None = None,
    uid: int | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """What it makes of some words; any fault of its own fails the test."""
    done = subprocess.run(
        [fuzz.program(need("gcc")), *words],
        input=stdin,
        env=environ,
        user=uid,
        capture_output=True,
        check=False,
    )
    assert done.returncode in {0, 1}, done.stderr.decode()
    return done


def holds(*words: str | os.PathLike[str], uid: int | None = None) -> bool:
    """What it says of a path."""
    return run(*words, uid=uid).returncode == 0
