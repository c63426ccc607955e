"""The command behind ``./dev faults``: each system call of a write or a renewal fails once.

After each fault, files must be as they were or as they were to be, what is said is one clear line
without a secret in it, no login is lost, nothing hangs, and the next call does what it should.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from faults.calls import Tracer
from faults.run import Report, run
from faults.table import scenarios
from support.home import Home
from support.program import Program
from support.token_server import TokenServer

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "dist" / "credlatch.d" / "credlatch"
SINGLE = ROOT / "dist" / "credlatch"


def one(name: str, seed: int, each: int | None) -> Report:
    """Disturb one scenario, in a home of its own."""
    with tempfile.TemporaryDirectory() as folder, TokenServer() as server:
        place = Path(folder)
        program = Program([str(FOLDER)], Home(place / "home"), place / "links")
        found = {scenario.name: scenario for scenario in scenarios(program, SINGLE, server)}
        scenario = found[name]
        return run(scenario, Tracer(scenario.program, place / "strace"), seed, each)


def names() -> list[str]:
    """All scenarios."""
    with tempfile.TemporaryDirectory() as folder, TokenServer() as server:
        place = Path(folder)
        program = Program([str(FOLDER)], Home(place / "home"), place / "links")
        return [scenario.name for scenario in scenarios(program, SINGLE, server)]


def main(words: list[str]) -> int:
    """Run, and give the exit status."""
    # In the background Ctrl-C is ignored, and then a program does not begin with hearing it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    known = names()
    parser = argparse.ArgumentParser(prog="./dev faults", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(known))
    parser.add_argument("--cases", type=int, metavar="N", help="of each kind; else all")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="chooses the cases")
    found = parser.parse_args(words)
    unknown = sorted(set(found.names) - set(known))
    if unknown:
        parser.error(f"there is no {', '.join(unknown)}: only {', '.join(known)}")
    reports = []
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        chosen = found.names or known
        begun = [pool.submit(one, name, found.seed, found.cases) for name in chosen]
        for each in as_completed(begun):
            reports.append(each.result())
            print(reports[-1], flush=True)  # noqa: T201 - a command for people
    cases, problems = (
        sum(report.cases for report in reports),
        sum(len(report.problems) for report in reports),
    )
    print(f"{cases} faults, {problems} problems")  # noqa: T201 - likewise
    return min(problems, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
