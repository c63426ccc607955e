"""The command behind ``./dev bench``: runs measurements, and says what was promised and is.

The whole of it, with all rounds, writes docs/bench.md and docs/bench.svg.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench import calls, expiry, memory, size, store_size, storm
from bench.shared.findings import ROUNDS, Effort, Findings
from bench.shared.ground import ROOT, ground
from bench.shared.text import plain, promises

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.shared.ground import Ground

MEASUREMENTS: dict[str, Callable[[Ground, Effort], Findings]] = {
    "calls": calls.measure,
    "storm": storm.measure,
    "expiry": expiry.measure,
    "memory": memory.measure,
    "size": size.measure,
    "store_size": store_size.measure,
}
DOCS = ROOT / "docs"


def arguments(words: list[str]) -> argparse.Namespace:
    """What the command line says; ends the program when that makes no sense."""
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(MEASUREMENTS))
    parser.add_argument(
        "--rounds", type=int, default=ROUNDS, metavar="N", help=f"fewer than {ROUNDS}: a trial"
    )
    parser.add_argument(
        "--into", type=Path, metavar="FOLDER", help="write the documents here, whatever was run"
    )
    found = parser.parse_args(words)
    unknown = sorted(set(found.names) - set(MEASUREMENTS))
    if unknown:
        parser.error(f"there is no {', '.join(unknown)}: only {', '.join(MEASUREMENTS)}")
    if found.rounds < 1:
        parser.error("--rounds must be at least 1")
    return found


def destination(found: argparse.Namespace) -> Path | None:
    """Where the documents go; None: they are not written, as this is not a whole run."""
    if found.into is not None:
        return Path(found.into)
    return DOCS if not found.names and Effort(found.rounds).full else None


def main(words: list[str]) -> int:
    """Measure and print; 1 when a promise is broken."""
    if sys.platform != "linux":
        sys.exit("bench: measures on Linux only, where /proc tells what a process costs")
    found = arguments(words)
    all_found = Findings()
    for name in found.names or MEASUREMENTS:
        begin = time.monotonic()
        with ground() as here:
            findings = MEASUREMENTS[name](here, Effort(found.rounds))
        print(*map(plain, findings.tables), sep="\n")
        print(f"({name}: {time.monotonic() - begin:.0f} s)\n", flush=True)
        all_found.add(findings)
    print(plain(promises(all_found.limits)))
    folder = destination(found)
    if folder is not None:
        from bench.shared import report

        report.write(all_found, folder)
    return 1 if any(limit.over for limit in all_found.limits) else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
