"""The command behind ``./dev differ``: asks stores' own programs and credlatch the same questions.

Each subject is one store and one program that owns it. Stores and questions are made up from a
seed. Where the two answer in different ways, the difference must have a row in docs/stores.md
("Stricter than the tools"); anything else is a fault, and is shown as its smallest case.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from differ.run import run
from differ.subjects import NAMES, subjects


def main(words: list[str]) -> int:
    """Run, and give the exit status."""
    parser = argparse.ArgumentParser(prog="./dev differ", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--cases", type=int, default=100_000, metavar="N", help="questions in all")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="another one, other cases")
    found = parser.parse_args(words)
    unknown = sorted(set(found.names) - set(NAMES))
    if unknown:
        parser.error(f"there is no {', '.join(unknown)}: only {', '.join(NAMES)}")
    faults = 0
    with tempfile.TemporaryDirectory() as folder, subjects(Path(folder)) as opened:
        chosen = [one for one in opened if not found.names or one.name in found.names]
        whole = sum(subject.share for subject in chosen)
        for subject in chosen:
            report = run(subject, found.seed, round(found.cases * subject.share / whole))
            print(report, flush=True)  # noqa: T201 - a command for people
            faults += len(report.faults)
    return min(faults, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
