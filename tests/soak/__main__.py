"""The command behind ``./dev soak``: many requests, with faults, and the agent on.

The agent is killed, stopped, ended and starved of descriptors, its clock jumps, stores are written
by others, token servers fail, lie and are slow. No answer may be wrong, no login lost, and nothing
grow.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from pathlib import Path

from soak.run import soak
from support.agent import agent_of
from support.home import Home
from support.program import Program

FOLDER = Path(__file__).resolve().parents[2] / "dist" / "credlatch.d" / "credlatch"


def main(words: list[str]) -> int:
    """Run, and give the exit status."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    parser = argparse.ArgumentParser(prog="./dev soak", description=__doc__)
    parser.add_argument("--requests", type=int, default=100_000, metavar="N")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="another one, other cases")
    found = parser.parse_args(words)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        program = Program([str(FOLDER)], Home(place / "home"), place / "links")
        with agent_of(program) as agent:
            report = soak(agent, place, found.requests, found.seed)
    print(report)  # noqa: T201 - a command for people
    return 1 if report.problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
