"""One parser under atheris, which looks for inputs that reach new lines: see ``fuzz_parsers``.

usage: python -m devtools.fuzz_parser NAME CORPUS [OPTION...]

The options are libFuzzer's. What tests/fuzz imports is instrumented: so this is no part of it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["credlatch"]):
    from fuzz import TARGETS


def main(name: str, corpus: str, *options: str) -> None:
    """Run it; libFuzzer ends the process."""
    chosen = TARGETS[name]
    folder = Path(corpus)
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(chosen.seeds):
        (folder / f"seed-{number}").write_bytes(seed)
    words = folder.with_suffix(".words")
    # In libFuzzer's form: each in quotes, all its bytes in hexadecimal.
    rows = ["".join(f"\\x{byte:02x}" for byte in word) for word in chosen.words if word]
    words.write_text("".join(f'"{row}"\n' for row in rows), encoding="ascii")
    atheris.Setup(["fuzz", str(folder), f"-dict={words}", *options], chosen.check)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
