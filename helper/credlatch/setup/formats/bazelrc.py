"""Bazel's .bazelrc: which helper answers for which hosts, by ``--credential_helper``.

A key is the pattern before the helper, and empty for the helper that answers for all other hosts.
Lines for one configuration alone (``build:ci``) are nobody's business here.
"""

from __future__ import annotations

import re
from functools import lru_cache

from credlatch.setup.formats import newline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from credlatch.setup.formats import Key, Value

_OPTION = "--credential_helper"
_COMMAND = "common"
_ODD = frozenset("\\'\"#")  # what makes a line more than words between spaces
_WORD = re.compile(r"\S+")


class Bazelrc:
    """One option of it."""

    name = "a .bazelrc"

    def get(self, text: str, key: Key) -> Value | None:
        """The helper, or each one, where several lines say different things."""
        helpers = tuple(dict.fromkeys(f.helper for f in _options(text) if f.pattern == key[0]))
        return helpers if len(helpers) > 1 else helpers[0] if helpers else None

    def put(self, text: str, key: Key, value: Value) -> str:
        """The text with a line at its end, or with a helper in the place of those that were."""
        (pattern,) = key
        word = _word(pattern, str(value))
        there = [found for found in _options(text) if found.pattern == pattern]
        for found in reversed(there):
            option = found.option + word
            text = text[: found.begin] + option + text[found.end :]
        if there:
            return text
        end = newline(text)
        # A backslash before the end would take our line for the rest of its own.
        if text.endswith(("\\\n", "\\\r\n")) or (text and not text.endswith("\n")):
            text += end
        return f"{text}{_COMMAND} {_OPTION}={word}{end}"

    def put_back(self, text: str, key: Key, value: Value, old: Value | None) -> str:
        """The text without our line, or with the helper that was."""
        if old is not None:
            return self.put(text, key, old if isinstance(old, str) else old[-1])
        ours = [f for f in _options(text) if f.pattern == key[0] and f.helper == value]
        for found in reversed(ours):
            if found.alone:
                text = text[: found.line] + text[found.line_end :]
            else:
                text = text[: found.begin].rstrip(" \t") + text[found.end :]
        return text


class _Option:
    """One ``--credential_helper``, by its places in the text.

    Attributes:
        pattern: the hosts; empty: all.
        helper: the program.
        option: what stands in the same word before the pattern.
        begin: where that word begins; ``end``: where it ends.
        line: where the line begins; ``line_end``: where the next one does.
        alone: whether nothing else is on the line.
    """

    __slots__ = ("alone", "begin", "end", "helper", "line", "line_end", "option", "pattern")

    def __init__(self, words: list[tuple[str, int, int]], at: int, line: tuple[int, int]) -> None:
        text, self.begin, self.end = words[at]
        self.option = f"{_OPTION}=" if text.startswith(f"{_OPTION}=") else ""
        pattern, equals, helper = text.removeprefix(self.option).partition("=")
        self.pattern, self.helper = (pattern, helper) if equals else ("", pattern)
        self.line, self.line_end = line
        self.alone = at == len(words) - 1 and at == (1 if self.option else 2)


@lru_cache(maxsize=1)  # one text is asked for hundreds of hosts
def _options(text: str) -> list[_Option]:
    found: list[_Option] = []
    for words, begin, end in _lines(text):
        if not words or ":" in words[0][0]:
            continue
        for at, (word, _, _) in enumerate(words):
            given_next = word == _OPTION and at + 1 < len(words)
            if given_next or word.startswith(f"{_OPTION}="):
                found.append(_Option(words, at + given_next, (begin, end)))
    return found


def _lines(text: str) -> Iterator[tuple[list[tuple[str, int, int]], int, int]]:
    """The words of each line with their places, and where the line begins and the next one does.

    A backslash at the end of a line joins it with the next; quotes are a shell's; a ``#``
    outside of them begins a comment (src/main/cpp/rc_file.cc and util/strings.cc of Bazel).
    """
    at = 0
    while at < len(text):
        begin = at
        end = text.find("\n", at) + 1 or len(text)
        line = text[begin:end]
        if not _ODD & set(line):
            # Nearly every line, and a file may have hundreds.
            yield (
                [(m[0], begin + m.start(), begin + m.end()) for m in _WORD.finditer(line)],
                begin,
                end,
            )
            at = end
            continue
        words: list[tuple[str, int, int]] = []
        word, start, quote, comment = "", -1, "", False
        while at < len(text):
            character = text[at]
            joined = next((j for j in ("\\\n", "\\\r\n") if text.startswith(j, at)), "")
            if joined:
                at += len(joined)
                continue
            if character == "\n":
                break
            if comment:
                pass
            elif character == "\\" and at + 1 < len(text):
                start, word, at = _from(start, at), word + text[at + 1], at + 1
            elif quote or character in "'\"":
                start = _from(start, at)
                word, quote = _quoted(word, quote, character)
            elif character.isspace() or character == "#":
                if start >= 0:
                    words.append((word, start, at))
                word, start, comment = "", -1, character == "#"
            else:
                start, word = _from(start, at), word + character
            at += 1
        if start >= 0:
            words.append((word, start, at))
        at += 1
        yield words, begin, min(at, len(text))


def _from(start: int, at: int) -> int:
    return at if start < 0 else start


def _quoted(word: str, quote: str, character: str) -> tuple[str, str]:
    """A word and the quote it is in, after a character in quotes, or a quote itself."""
    if not quote:
        return word, character
    return (word, "") if character == quote else (word + character, quote)


def _word(pattern: str, helper: str) -> str:
    """Pattern and helper as one word."""
    text = f"{pattern}={helper}" if pattern else helper
    if not set(text) & set(" \t'\"\\#"):
        return text
    inside = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{inside}"'
