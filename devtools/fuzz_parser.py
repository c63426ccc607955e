"""One parser under atheris, which looks for inputs that reach new lines: see ``fuzz_parsers``.

usage: python -m devtools.fuzz_parser NAME CORPUS FOUND [OPTION...]

The options are libFuzzer's. What tests/fuzz imports is instrumented: so this is no part of it.

It goes on after a failure, until there are many: each one's input is in FOUND, by where it was. One
that was found earlier, and is mended, is taken out.
"""

from __future__ import annotations

import gc
import random
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import atheris

with atheris.instrument_imports(include=["credlatch"]):
    from fuzz import TARGETS

if TYPE_CHECKING:
    from collections.abc import Callable

    from fuzz import Target

FAILED = "!!! "  # before each line of what is told of a failure
_SHOWN = 4  # of its frames
_MOST = 20  # failures, each at another place
_LONGEST = 24  # words of an input that is made of nothing else
_EDITS = 4
_CUTS = (0, 0, 1, 3, 30)  # bytes that a word may take the place of


def main(name: str, corpus: str, found: str, *options: str) -> None:
    """Run it; libFuzzer ends the process."""
    chosen = TARGETS[name]
    folder, known = Path(corpus), Path(found)
    for each in (folder, known):
        each.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(chosen.seeds):
        (folder / f"seed-{number}").write_bytes(seed)
    words = folder.with_suffix(".words")
    # In libFuzzer's form: each in quotes, all its bytes in hexadecimal.
    rows = ["".join(f"\\x{byte:02x}" for byte in word) for word in chosen.words if word]
    words.write_text("".join(f'"{row}"\n' for row in rows), encoding="ascii")
    atheris.Setup(
        ["fuzz", str(folder), f"-dict={words}", *options],
        _going_on(chosen.check, known),
        custom_mutator=_mutator(chosen),
    )
    gc.freeze()
    atheris.Fuzz()


def _going_on(check: Callable[[bytes], None], found: Path) -> Callable[[bytes], None]:
    places: set[str] = set()

    def checked(data: bytes) -> None:
        try:
            check(data)
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{Path(last.filename).stem}-{last.lineno}-{type(error).__name__}"
            if place in places:
                return
            places.add(place)
            (found / place).write_bytes(data)
            said = "".join(traceback.format_exception(error)[-_SHOWN:])
            print(f"{FAILED}{data!r}\n{said}".replace("\n", f"\n{FAILED}"), flush=True)
            if len(places) >= _MOST:
                raise

    for each in sorted(found.iterdir()):
        data = each.read_bytes()
        each.unlink()
        checked(data)
    return checked


def _mutator(chosen: Target) -> Callable[[bytes, int, int], bytes]:
    """Half by libFuzzer; the others by words of the grammar, put where chance has it."""
    chance = random.Random()  # noqa: S311 - no secret

    def mutated(data: bytes, most: int, seed: int) -> bytes:
        if seed & 1:
            return bytes(atheris.Mutate(data, most))
        chance.seed(seed)
        if seed & 6 == 0:
            count = chance.randrange(1, _LONGEST)
            return b"".join(chance.choices(chosen.words, k=count))[:most]
        data = chance.choice(chosen.seeds) if seed & 8 else data
        for _ in range(chance.randrange(1, _EDITS)):
            at = chance.randrange(len(data) + 1)
            data = data[:at] + chance.choice(chosen.words) + data[at + chance.choice(_CUTS) :]
        return data[:most]

    return mutated


if __name__ == "__main__":
    main(*sys.argv[1:])
