"""What is fuzzed: a parser, what its input is made of, and what must hold for every input.

The same targets are run by hypothesis in the gate (tests/unit/test_fuzz.py) and by atheris, at
length (``./dev fuzz``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar
from zlib import crc32

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from credlatch.credential import Credential

    Check = Callable[[bytes], None]

T = TypeVar("T")
MARK = "s3cr3tMARK"  # in each secret of the seeds; no message may have it
SPLIT = "\x1f"  # between the parts of an input that has several
TARGETS: dict[str, Target] = {}
_MOST = 4_000  # characters of a message: lines.py cuts them off later


class Target(NamedTuple):
    """One parser.

    Attributes:
        check: raises AssertionError, or whatever the parser raises, where something does not hold.
        words: what its grammar is made of.
        seeds: whole inputs that it takes.
        share: of the inputs that a parser is given, how many it gets: less for a whole store, whose
            file's parser is a target as well.
    """

    check: Check
    words: tuple[bytes, ...]
    seeds: tuple[bytes, ...]
    share: float = 1.0


def target(
    name: str, words: str, seeds: Iterable[str | bytes], share: float = 1.0
) -> Callable[[Callable[[bytes], None]], Callable[[bytes], None]]:
    """Have a check of bytes among the targets.

    Args:
        name: its name.
        words: of its grammar, with blanks between them; ``␣ ␊ ␍ ␟`` stand for the characters.
        seeds: inputs that it takes; the mark in place of each secret.
        share: as a Target has it.
    """

    def added(check: Callable[[bytes], None]) -> Callable[[bytes], None]:
        assert name not in TARGETS, name
        plain = tuple(map(_plain, words.split()))
        TARGETS[name] = Target(check, plain, tuple(map(_bytes, seeds)), share)
        return check

    return added


def of_text(check: Callable[[str], None]) -> Callable[[bytes], None]:
    """A check of a text, for bytes: what is no UTF-8 is replaced, as no parser is given it."""

    def checked(data: bytes) -> None:
        check(data.decode(errors="replace"))

    return checked


def told(error: Exception) -> None:
    """Make sure that an error says something, and nothing that is secret."""
    text = str(error)
    assert text, repr(error)
    assert MARK not in text, text
    assert len(text) < _MOST, text


def safe(credential: Credential | None, host: str) -> None:
    """Make sure that a credential gives headers that change no request, or says why not."""
    if credential is None:
        return
    assert MARK not in repr(credential)
    assert MARK not in str(credential.secret)
    for give in (credential.check, credential.headers, lambda: credential.login(host)):
        try:
            given = give()
        except ValueError as error:
            told(error)
            continue
        for name, value in given.items() if isinstance(given, dict) else ():
            assert all("!" <= each <= "~" for each in name), name
            assert all(" " <= each <= "~" for each in value), name


def one_of(choices: Sequence[T], data: bytes) -> T:
    """One of several ways to look at an input, always the same one of the same input."""
    return choices[crc32(data) % len(choices)]


def _bytes(seed: str | bytes) -> bytes:
    return seed.encode() if isinstance(seed, str) else seed


def _plain(word: str) -> bytes:
    for sign, meant in (("␣", " "), ("␊", "\n"), ("␍", "\r"), ("␟", SPLIT), ("␀", "\0")):
        word = word.replace(sign, meant)
    return word.encode()
