"""The parsers of tests/fuzz, each under atheris, one after the other."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from typing import TYPE_CHECKING

from devtools.steps import SCRATCH

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

CASES = 1_000_000
LONGEST = 2_000  # bytes of an input
_SLOW = 60  # seconds that no input may take, on a busy machine either
_SHOWN = 30  # lines of what a failure says
_FOLDER = SCRATCH / "fuzz"


def feed(names: Sequence[str], cases: int, seed: int, seconds: int) -> int:
    """Feed each of them, and print how many inputs it took; the exit status.

    What a run has learnt is kept, and the next one begins with it.

    Args:
        names: as tests/fuzz has them.
        cases: inputs for each.
        seed: of the choice of inputs.
        seconds: for each, after which it ends whatever it has tried; 0: no such.
    """
    found = _FOLDER / "found"
    found.mkdir(parents=True, exist_ok=True)
    failed = 0
    for name in names:
        begin = time.monotonic()
        status, said = _fed(name, _FOLDER / "corpus" / name, found, (cases, seed, seconds))
        ran = re.findall(r"number_of_executed_units: (\d+)", said)
        inputs, took = int(ran[-1]) if ran else 0, time.monotonic() - begin
        verdict = "nothing found" if status == 0 else "FAILED"
        print(f"{name:28} {inputs:9,} inputs in {took:5.0f} s: {verdict}", flush=True)
        if status != 0:
            failed += 1
            at = max(said.find("=== Uncaught"), 0)
            print("\n".join(said[at:].splitlines()[:_SHOWN]), flush=True)
    if failed:
        print(f"{failed} failed; their inputs are in {found}: mend it, and have a row for each")
    return 1 if failed else 0


def _fed(name: str, corpus: Path, found: Path, much: tuple[int, int, int]) -> tuple[int, str]:
    cases, seed, seconds = much
    options = (
        *(f"-runs={cases}", f"-seed={seed}", f"-max_total_time={seconds}", f"-max_len={LONGEST}"),
        *(f"-timeout={_SLOW}", f"-artifact_prefix={found}/{name}-", "-print_final_stats=1"),
    )
    words = [sys.executable, "-m", "devtools.fuzz_parser", name, str(corpus), *options]
    with tempfile.TemporaryDirectory() as temporary:  # libFuzzer ends a process without its exits
        done = subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "TMPDIR": temporary},
            check=False,
        )
    return done.returncode, done.stdout.decode(errors="replace")
