"""Mutation testing: which small faults in the code, put in one at a time, do the tests notice?"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from devtools import lock
from devtools.environment import IN_VENV, pip
from devtools.steps import ROOT, SCRATCH, must, say

_MUTMUT = SCRATCH / "tools" / "mutmut"
_COPY = SCRATCH / "mutate"
_MODULES = ("stores", "auth", "url", "protocols")
_LEFT_OUT = (".git", ".scratch", "__pycache__", "dist")
_RESULTS = ("killed", "timed out", "survived", "not called")


def mutate(python: Path, arguments: list[str]) -> int:
    """Try mutants of modules against the unit tests, in a copy of the checkout, and tell of them.

    Args:
        python: with all that the tests need.
        arguments: of the command.
    """
    parser = argparse.ArgumentParser("./dev mutate", description=__doc__)
    parser.add_argument("modules", nargs="*", default=_MODULES, metavar="MODULE")
    parser.add_argument("--sample", type=int, metavar="N", help="N mutants alone, chosen at random")
    parser.add_argument("--seed", default="0", help="of that choice; 0 unless said")
    parser.add_argument(
        "--tests", action="append", metavar="PATH", help="as pytest knows it; all unit tests"
    )
    parser.add_argument(
        "--budget", default="10", metavar="SECONDS", help="of tests for each mutant; 10 unless said"
    )
    said = parser.parse_args(arguments)
    if not (_MUTMUT / "mutmut").exists():
        must("installing mutmut", *pip(IN_VENV), "--target", _MUTMUT, *lock.options("mutate"))
    shutil.rmtree(_COPY, ignore_errors=True)
    shutil.copytree(ROOT, _COPY, ignore=shutil.ignore_patterns(*_LEFT_OUT), symlinks=True)
    (_COPY / ".scratch").mkdir()
    (_COPY / ".scratch" / "tools").symlink_to(SCRATCH / "tools")
    trampoline = Path("mutation", "trampoline.py")
    shutil.copy(ROOT / "devtools" / trampoline, _COPY / "helper" / "credlatch" / trampoline.name)
    files = [file for module in said.modules for file in _files(module)]
    _run(python, "-m", "devtools.mutation.generate", *files, libraries=_MUTMUT)
    mutants = json.loads((_COPY / "mutants.json").read_text())
    chosen = random.Random(said.seed)  # noqa: S311 - no secret
    mutants = chosen.sample(mutants, min(said.sample or len(mutants), len(mutants)))
    (_COPY / "mutants.json").write_text(json.dumps(mutants))
    say(f"trying {len(mutants)} mutants")
    plugin = ("-p", "devtools.mutation.trials", "-p", "no:xdist", "--tb=no", "-q")
    _run(python, "-m", "pytest", *plugin, "--budget", said.budget, *(said.tests or ["tests/unit"]))
    _show(json.loads((_COPY / "results.json").read_text()))
    return 0


def _files(module: str) -> list[str]:
    """The files of a module, or of a package's modules, from the checkout on."""
    place = ROOT / "helper" / "credlatch" / module
    found = sorted(place.rglob("*.py")) if place.is_dir() else [place.with_suffix(".py")]
    if not all(path.is_file() for path in found):
        sys.exit(f"dev: mutate: there is no {place}: name modules as in stores/netrc or url")
    return [str(path.relative_to(ROOT)) for path in found]


def _run(*command: str | Path, libraries: Path | None = None) -> None:
    """Run a step in the copy; what pytest says goes to a file."""
    paths = [*([libraries] if libraries else []), _COPY / "helper", _COPY]
    whole = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))}
    with (_COPY / "log").open("a") as log:
        done = subprocess.run([*map(str, command)], cwd=_COPY, env=whole, check=False, stdout=log)
    if done.returncode != 0:
        sys.exit(f"dev: mutate: failed with exit status {done.returncode}; see {log.name}")


def _show(mutants: list[dict[str, Any]]) -> None:
    """Tell where mutants are still alive, and how many there are in each module."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for mutant in sorted(mutants, key=lambda mutant: (mutant["file"], mutant["line"])):
        counts[mutant["file"]][mutant["result"]] += 1
        if mutant["result"] in _RESULTS[2:]:
            print(f"{mutant['file']}:{mutant['line']}: {mutant['function']}: {mutant['result']}")
            print(*mutant["diff"], sep="\n")
    print(f"{'':44}" + "".join(f"{result:>11}" for result in (*_RESULTS, "all")))
    for file, each in [*counts.items(), ("all", sum(counts.values(), Counter()))]:
        row = [*(each[result] for result in _RESULTS), each.total()]
        print(f"{file:44}" + "".join(f"{count:>11}" for count in row))
