"""The launcher's parts under a generator, and all parsers: ``./dev fuzz``.

usage: python -m devtools.fuzz [NAME...] [--cases N] [--seed S] [--seconds S] [--jobs N] [--counts]

What parsers were given counts from run to run, with what was learnt of them: so a million for each
may come together in several runs.

The launcher's tests use the same program, and the gate the same parsers, with fewer cases.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from devtools.fuzz_parsers import CASES as PARSER_CASES
from devtools.fuzz_parsers import feed, table
from devtools.steps import ROOT, SCRATCH

CASES = 10_000_000
LAUNCHER = "launcher"
BUILD = "0123456789abcdef"
_LOADER = ROOT / "build" / "loader"
_PARTS = (
    *("bytes", "clients", "frame", "agent", "input", "contents", "system_posix"),
    *("place_posix", "connection_posix", "streams_posix", "program_posix", "places_posix"),
    "../../tests/fuzz/launcher",
)
_FLAGS = (
    *("-std=gnu11", "-g", "-O1", "-Wall", "-Wextra", "-Werror", "-Wno-stringop-truncation"),
    *("-fsanitize=address,undefined", "-fno-sanitize-recover=all"),
    *("-Wl,--wrap=recv,--wrap=poll", f'-DBUILD="{BUILD}"'),
)


def program(compiler: str) -> Path:
    """The program of tests/fuzz, compiled with ASan and UBSan unless it is there.

    Args:
        compiler: gcc, or one with its options.
    """
    spec = importlib.util.spec_from_file_location("launcher", ROOT / "build" / "launcher.py")
    if spec is None or spec.loader is None:
        raise FileNotFoundError("build/launcher.py")
    launcher = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(launcher)
    sources = [_LOADER / f"{part}.c" for part in _PARTS]
    table = launcher.table()
    made_of = hashlib.sha256(f"{table}{_FLAGS}{compiler}".encode())
    for file in (*sources, *sorted(_LOADER.glob("*.h"))):
        made_of.update(file.read_bytes())
    there = SCRATCH / "fuzz" / made_of.hexdigest()[:16]
    if there.exists():
        return there
    there.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=there.parent) as folder:
        (Path(folder) / "clients.h").write_text(table, encoding="ascii")
        made = Path(folder) / "made"
        include = (f"-I{folder}", f"-I{_LOADER}")
        subprocess.run([compiler, *_FLAGS, *include, *sources, "-o", made], check=True)
        made.replace(there)  # several may have made it at once
    return there


def main(arguments: list[str]) -> int:
    """Feed them; the exit status."""
    from fuzz import TARGETS

    every = (LAUNCHER, *TARGETS)
    parser = argparse.ArgumentParser("./dev fuzz", description="Feed the launcher and parsers.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(every)}; or all")
    several = f"{CASES:,} for the launcher, {PARSER_CASES:,} for a parser"
    parser.add_argument("--cases", type=int, metavar="N", help=several)
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="1 unless said")
    parser.add_argument("--seconds", type=int, default=0, metavar="S", help="for each parser")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="parsers at once")
    parser.add_argument("--counts", action="store_true", help="only tell what was done so far")
    options = parser.parse_args(arguments)
    names = options.names or every
    if unknown := set(names) - set(every):
        parser.error(f"what is {' '.join(sorted(unknown))}")
    cases = options.cases or PARSER_CASES
    parsers = {name: int(cases * TARGETS[name].share) for name in names if name != LAUNCHER}
    if options.counts:
        table(parsers)
        return 0
    status = 0
    if LAUNCHER in names:
        words = [str(program("gcc")), str(options.cases or CASES), str(options.seed)]
        status = subprocess.run(words, env={**os.environ, "LC_ALL": "C"}, check=False).returncode
    fed = feed(parsers, options.seed, options.seconds, options.jobs) if parsers else 0
    return abs(status) or fed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
