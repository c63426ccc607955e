"""Bazel's .bazelrc: which helper answers for which hosts, by ``--credential_helper``.

A key is the pattern before the helper, and empty for the helper that answers for all other hosts.
Lines for one configuration alone (``build:ci``) are nobody's business here.

A backslash at the end of a line joins it with the next; quotes are a shell's; a ``#`` outside of
them begins a comment (src/main/cpp/rc_file.cc and util/strings.cc of Bazel).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from credlatch.setup.formats import Format, newline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from credlatch.setup.formats import Key, Value

_OPTION = "--credential_helper"
_COMMAND = "common"
_JOIN = r"\\\r?\n"
_QUOTED = rf"(?P<quote>[\"'])(?P<inside>(?:{_JOIN}|\\.|(?!(?P=quote))[^\\\n])*)(?P=quote)?"
_WORD = rf"(?P<word>(?:[^\s\\\"'#]+|{_QUOTED}|{_JOIN}|\\.?)+)"
_TOKEN = re.compile(rf"(?P<plain>[^\s\\\"'#]+)(?=\s)|{_JOIN}|{_WORD}|#(?:{_JOIN}|.)*|\n")
_ESCAPED = re.compile(rf"{_JOIN}|\\(.)")
_NOT_PLAIN = re.compile(rf"{_QUOTED}|{_JOIN}|\\(?P<escaped>.)")


class Bazelrc(Format):
    """One option of it."""

    name = "a .bazelrc"

    def get(self, text: str, key: Key) -> Value | None:
        """The helper, or each one, where several lines say different things."""
        helpers = tuple(f.helper for f in _options(text) if f.pattern == key[0])
        return helpers if len(set(helpers)) > 1 else helpers[0] if helpers else None

    def beside(self, text: str, key: Key) -> dict[str, Value]:  # noqa: ARG002 - there is one option
        """The helpers of all patterns."""
        found = {option.pattern: self.get(text, (option.pattern,)) for option in _options(text)}
        return {pattern: helper for pattern, helper in found.items() if helper is not None}

    def put(self, text: str, key: Key, value: Value) -> str:
        """The text with a line at its end, or with a helper in the place of those that were.

        Of several helpers each gets its place; the last one, which is what counts, the last one.
        """
        (pattern,) = key
        values = (value,) if isinstance(value, str) else value
        there = [found for found in _options(text) if found.pattern == pattern]
        fitting = (*values, *values[-1:] * len(there))[max(0, len(values) - len(there)) :]
        for found, helper in reversed([*zip(there, fitting, strict=False)]):
            word = _word(pattern, helper, is_alone=not found.option)
            text = text[: found.begin] + found.option + word + text[found.end :]
        if there:
            return text
        word = _word(pattern, values[-1])
        end = newline(text)
        if text and not text.endswith("\n"):
            text += end
        # A backslash before the end would take our line for the rest of its own.
        if text.endswith(("\\\n", "\\\r\n")):
            text += end
        return f"{text}{_COMMAND} {_OPTION}={word}{end}"

    def _without(self, text: str, key: Key) -> str:
        for found in reversed([each for each in _options(text) if each.pattern == key[0]]):
            if found.line is not None:
                text = text[: found.line[0]] + text[found.line[1] :]
            else:
                text = text[: found.begin].rstrip(" \t") + text[found.end :]
        return text


class _Option(NamedTuple):
    """One ``--credential_helper``, by its places in the text.

    Attributes:
        pattern: the hosts; empty: all.
        helper: the program.
        option: what stands in the same word before the pattern.
        begin: where that word begins; ``end``: where it ends.
        line: likewise for the line, where nothing else is on it.
    """

    pattern: str
    helper: str
    option: str
    begin: int
    end: int
    line: tuple[int, int] | None


@lru_cache(maxsize=1)  # one text is asked for hundreds of hosts
def _options(text: str) -> list[_Option]:
    found: list[_Option] = []
    for words, line in _lines(text):
        if not words or ":" in words[0][0]:
            continue
        before = ""
        for at, (word, begin, end) in enumerate(words):
            option = f"{_OPTION}=" if word.startswith(f"{_OPTION}=") and before != _OPTION else ""
            is_one = option or before == _OPTION
            if is_one:
                pattern, helper = ["", *word.removeprefix(option).split("=", 1)][-2:]
                alone = at == len(words) - 1 and at == (1 if option else 2)
                found.append(_Option(pattern, helper, option, begin, end, line if alone else None))
            before = "" if is_one else word  # a helper of that name is no option
    return found


def _lines(text: str) -> Iterator[tuple[list[tuple[str, int, int]], tuple[int, int]]]:
    """The words of each line with their places, and where the line begins and the next one does."""
    words: list[tuple[str, int, int]] = []
    line = 0
    for token in _TOKEN.finditer(text):
        if token.lastgroup:
            word = token[0] if token.lastgroup == "plain" else _NOT_PLAIN.sub(_plain, token[0])
            words.append((word, *token.span()))
        elif token[0] == "\n":
            yield words, (line, token.end())
            words, line = [], token.end()
    yield words, (line, len(text))


def _plain(part: re.Match[str]) -> str:
    """What a part of a word says that is quoted or escaped."""
    return part["escaped"] or _ESCAPED.sub(r"\1", part["inside"] or "")


def _word(pattern: str, helper: str, *, is_alone: bool = False) -> str:
    """Pattern and helper as one word, or the end of one; alone it is nothing without quotes."""
    text = f"{pattern}={helper}" if pattern or "=" in helper else helper
    if not any(each.isspace() or each in "'\"\\#" for each in text) and (text or not is_alone):
        return text
    inside = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{inside}"'
