"""The launcher's parts under a generator: ``./dev fuzz``. Its tests use the same program.

usage: python -m devtools.fuzz [--cases N] [--seed S]
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

from devtools.steps import ROOT, SCRATCH

CASES = 10_000_000
BUILD = "0123456789abcdef"
_LOADER = ROOT / "build" / "loader"
_PARTS = (
    *("bytes", "clients", "place", "frame", "agent", "input", "program", "places"),
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
    """Feed it; the exit status."""
    parser = argparse.ArgumentParser(prog="./dev fuzz", description="Feed the launcher's parts.")
    parser.add_argument("--cases", type=int, default=CASES)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    words = [str(program("gcc")), str(options.cases), str(options.seed)]
    return subprocess.run(words, env={**os.environ, "LC_ALL": "C"}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
