"""The words of a netrc, read one by one: where a keyword stands, and what is its value.

The grammar is the table's in ``netrc``. A file of nothing but keywords and values is read without.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

VALUED = frozenset(("machine", "login", "user", "password", "account"))
KEYWORDS = frozenset(("default", "macdef", *VALUED))
_SPACE = " \t\r\n\v\f"
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t"}


def fields(text: str) -> Iterator[tuple[str, str | None]]:
    """Each keyword, in lower case, with its value, without comments and macros.

    None stands for a value that is missing, or that a keyword does not have. Nothing stands for a
    keyword that is none.
    """
    return ((keyword, value) for keyword, value, _ in placed(text))


def placed(text: str) -> Iterator[tuple[str, str | None, int]]:
    """The same, with the place of each keyword in the text."""
    at = _next(text, 0)
    while at < len(text):
        if text[at] == "#":
            at = _next(text, _line_end(text, at))
            continue
        place = at
        word, _, at = _word(text, at)
        keyword = _keyword(word)
        value = None
        if keyword == "macdef":
            at = _macro_end(text, at)
        elif keyword in VALUED:
            start = _next(text, at)
            value, quoted, end = _word(text, start)
            if not quoted and _keyword(value):
                # A template's empty value: what comes next is no value, and least of all a name.
                is_value = "\n" not in text[at:start]
                at = end if is_value else start
                value = value if is_value and keyword != "machine" else None
            else:
                at = end
        yield keyword, value, place
        at = _next(text, at)


def _keyword(word: str | None) -> str:
    """A keyword in lower case; nothing for what is none."""
    lowered = word.lower() if word is not None and word.isascii() else ""
    return lowered if lowered in KEYWORDS else ""


def _next(text: str, at: int) -> int:
    """Where the next word begins, or the text ends."""
    while at < len(text) and text[at] in _SPACE:
        at += 1
    return at


def _line_end(text: str, at: int) -> int:
    found = text.find("\n", at)
    return len(text) if found < 0 else found


def _macro_end(text: str, at: int) -> int:
    """Where the macro ends whose keyword ends at ``at``: at an empty line, or with the file."""
    ends = [found for end in ("\n\n", "\n\r\n") if (found := text.find(end, at)) >= 0]
    return min(ends, default=len(text))


def _word(text: str, at: int) -> tuple[str | None, bool, int]:
    """The word that begins at ``at``, whether it is in quotes, and where it ends.

    None for what is none: where the text ends, a quote is not closed or touches another word, or
    NUL stands in it, at which curl stops reading the line.
    """
    end = at
    quoted = text[at : at + 1] == '"'
    word: str | None = None
    if quoted:
        word, end = _quoted(text, at + 1)
    start = end
    while end < len(text) and text[end] not in _SPACE:
        end += 1
    if not quoted:
        word = text[start:end]
    elif end > start:
        word = None
    return (None if not end > at or (word and "\0" in word) else word), quoted, end


def _quoted(text: str, at: int) -> tuple[str | None, int]:
    """A quoted word, from behind its first quote; None where the line ends before the second."""
    characters = []
    while at < len(text) and text[at] not in '"\n':
        character = text[at]
        if character == "\\" and at + 1 < len(text):
            at += 1
            character = _ESCAPED.get(text[at], text[at])
        characters.append(character)
        at += 1
    return ("".join(characters), at + 1) if text[at : at + 1] == '"' else (None, at)
