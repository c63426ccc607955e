"""The parsers of tests/fuzz, each under atheris: in pieces, for as long as there is time.

What a piece has learnt, and how many inputs it took, is kept in ``.scratch/fuzz``: a run goes on
where the one before it has ended, or was ended.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

from devtools.steps import SCRATCH

if TYPE_CHECKING:
    from collections.abc import Mapping

CASES = 1_000_000
LONGEST = 2_000  # bytes of an input
_PIECE = 120  # seconds of a run whose count may be lost
_SLOW = 60  # seconds that no input may take, on a busy machine either
_SHOWN = 30  # lines of how a process ended
_FAILED = "!!! "  # as fuzz_parser has it
_FOLDER = SCRATCH / "fuzz"
_COUNTS, _FOUND = _FOLDER / "counts", _FOLDER / "found"


class Count(NamedTuple):
    """What was done so far for a parser.

    Attributes:
        inputs: that were made up; those that were kept from before count once.
        seconds: of the processor, that they took.
        reached: places in the code, as libFuzzer counts them.
    """

    inputs: int = 0
    seconds: float = 0.0
    reached: int = 0


class _Piece(NamedTuple):
    cases: int
    seed: int
    seconds: int


def feed(wanted: Mapping[str, int], seed: int, seconds: int, jobs: int) -> int:
    """Feed each of them until it has had its inputs, and print a table; the exit status.

    Args:
        wanted: by its name in tests/fuzz, the inputs for each, with those of earlier runs.
        seed: of the choice of inputs; each piece has another one.
        seconds: for each, after which it ends whatever it has tried; 0: no such.
        jobs: processes at once.
    """
    for folder in (_COUNTS, _FOUND):
        folder.mkdir(parents=True, exist_ok=True)
    # What takes long comes last; what was never tried, first.
    order = sorted(wanted, key=lambda name: _time_for(counted(name)))
    with ThreadPoolExecutor(jobs) as pool:
        ended = list(pool.map(lambda name: _feed(name, wanted[name], seed, seconds), order))
    table(wanted)
    failed = len(ended) - sum(ended)
    if failed:
        print(f"{failed} failed; their inputs are in {_FOUND}: mend it, and have a row for each")
    return 1 if failed else 0


def counted(name: str) -> Count:
    """What was done so far for one of them."""
    try:
        return Count(**json.loads((_COUNTS / name).read_bytes()))
    except FileNotFoundError:
        return Count()


def table(wanted: Mapping[str, int]) -> None:
    """Print what was done so far, now and in earlier runs; a star: that is all of it."""
    print(f"{'target':28} {'inputs':>12} {'seconds':>8} {'a second':>9} {'places':>7}  failures")
    every = {name: counted(name) for name in wanted}
    for name, count in every.items():
        rate = count.inputs / count.seconds if count.seconds else 0
        star = "*" if count.inputs >= wanted[name] else " "
        row = f"{name:28} {count.inputs:11,}{star} {count.seconds:8,.0f} {rate:9,.0f}"
        print(f"{row} {count.reached:7,}  {_failures(name) or '-'}")
    inputs = sum(count.inputs for count in every.values())
    seconds = sum(count.seconds for count in every.values())
    done = sum(count.inputs >= wanted[name] for name, count in every.items())
    whole = f"{inputs:,} inputs in {seconds:,.0f} s of the processor"
    print(f"{whole}; {done} of {len(every)} targets had all of theirs", flush=True)


def _failures(name: str) -> int:
    """How many inputs were found for which something does not hold."""
    return sum(1 for _ in (_FOUND / name).glob("*"))


def _time_for(count: Count) -> float:
    return count.seconds / count.inputs if count.inputs else 0.0


def _feed(name: str, cases: int, seed: int, seconds: int) -> bool:
    """Feed one, piece by piece; whether all held."""
    begin, status = time.monotonic(), 0
    while (left := cases - counted(name).inputs) > 0 and status == 0:
        most = _PIECE if not seconds else min(_PIECE, seconds - int(time.monotonic() - begin))
        if most <= 0:
            break
        before = counted(name)
        status = _fed(name, _Piece(left, seed + before.inputs, most))
        now = counted(name)
        ran = f"{now.inputs - before.inputs:,} in {now.seconds - before.seconds:.0f} s"
        print(f"{name:28} {ran:>24}: {now.inputs:11,} inputs", flush=True)
    return status == 0 and not _failures(name)


def _fed(name: str, piece: _Piece) -> int:
    corpus, found = _FOLDER / "corpus" / name, _FOUND / name
    known = len(list(corpus.iterdir())) if corpus.exists() else 0
    options = (
        *(f"-runs={piece.cases + known}", f"-seed={piece.seed}", f"-max_len={LONGEST}"),
        *(f"-max_total_time={piece.seconds}", f"-timeout={_SLOW}", "-len_control=100"),
        f"-report_slow_units={_SLOW}",  # seconds on a clock: a busy machine stops at any input
        *(f"-artifact_prefix={found}/", "-print_final_stats=1"),
    )
    words = [sys.executable, "-m", "devtools.fuzz_parser", name, str(corpus), str(found), *options]
    with tempfile.TemporaryDirectory() as temporary, tempfile.TemporaryFile() as log:
        # libFuzzer ends a process without its exits: what it leaves is in this folder.
        child = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, "TMPDIR": temporary},
        )
        _, ended, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(ended)
        log.seek(0)
        said = log.read().decode(errors="replace")
    ran = re.findall(r"number_of_executed_units: (\d+)", said)
    reached = re.findall(r" cov: (\d+) ", said)
    before = counted(name)
    now = Count(
        before.inputs + (max(0, int(ran[-1]) - known) if ran else 0),
        before.seconds + usage.ru_utime + usage.ru_stime,
        max(before.reached, int(reached[-1]) if reached else 0),
    )
    kept = _COUNTS / f"{name}.new"
    kept.write_text(json.dumps(now._asdict()), encoding="ascii")
    kept.replace(_COUNTS / name)
    told = [line for line in said.splitlines() if line.startswith(_FAILED)]
    if child.returncode != 0 and not told:
        told = said.splitlines()[-_SHOWN:]
    print(*told, sep="\n", end="\n" if told else "", flush=True)
    return child.returncode
