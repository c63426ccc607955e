"""What a netrc says in vain: by the store's own reading of it, with the lines."""

from __future__ import annotations

from difflib import get_close_matches

from credlatch.doctor.finding import WARN, Finding
from credlatch.fixes import shell
from credlatch.lines import printable
from credlatch.near import netrc_names
from credlatch.stores import netrc, netrc_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_LONGEST = 60  # characters of a word that are shown
_ALIKE = 0.7  # of 1
# Other programs' words for these, and words that none of them reads.
_MEANT = {"username": "login", "pass": "password", "passwd": "password", "host": "machine"}


def problems(text: str, path: str) -> Iterator[Finding]:
    """What of a netrc's text is understood by nobody, or never asked for.

    Args:
        text: the file's.
        path: the file's.
    """
    reading = _Reading(text, path)
    for entry in netrc.entries(reading.fields(), reading.complain):
        if entry.doubled:
            what = f"{entry.doubled!r} comes twice in the entry for {_name(entry.name)}"
            reading.found.append((reading.line_of(entry.name), what, ""))
        if entry.name is None:
            continue
        right = netrc_names.meant(entry.name)
        if not (right and netrc_names.is_found(entry.name, right)):
            line = reading.line_of(entry.name)
            reading.found.append((line, *_never(path, line, entry.name, right)))
    for line, what, fix in sorted(reading.found):
        yield Finding(WARN, "netrc", f"{path} line {line}: {what}", fix or shell.edited(path, line))


class _Reading:
    """A netrc while it is read: where the reading is, and what was not understood."""

    def __init__(self, text: str, path: str) -> None:
        self._text = text
        self._path = path
        self._at = 0
        self._lines: dict[str | None, int] = {}
        self.found: list[tuple[int, str, str]] = []

    def fields(self) -> Iterator[tuple[str, str | None]]:
        """What the store reads."""
        for keyword, value, at in netrc_text.placed(self._text):
            self._at = at
            if keyword == "default" or (keyword == "machine" and value is not None):
                self._lines.setdefault(value, self._line(at))
            yield keyword, value

    def complain(self, _: str) -> None:
        """Told of a word that is not understood, while the reading is at it."""
        line, words = self._line(self._at), _rest(self._text, self._at)
        word = words[0]
        if word.lower() in netrc_text.KEYWORDS:
            why = "has no value" if self._lines else "stands before any machine"
            self.found.append((line, f"{word.lower()!r} {why}", ""))
            return
        near = _near(words)
        if near:
            what = f"{word!r} is no keyword: is it to be {near!r}?"
        else:
            # It may be a part of a password that has a blank in it.
            what = "a word is not understood, and what follows it belongs to nobody"
        fix = near and shell.replaced(self._path, line, word, near)
        self.found.append((line, what, fix))

    def line_of(self, name: str | None) -> int:
        """The line of an entry's name."""
        return self._lines.get(name, 1)

    def _line(self, at: int) -> int:
        return self._text.count("\n", 0, at) + 1


def _rest(text: str, at: int) -> list[str]:
    """The words from a place to the end of its line."""
    return text[at:].partition("\n")[0].split()


def _near(words: list[str]) -> str:
    """The keyword that the first of these words is meant to be, if it is one's misspelling.

    Such a one has one value. A word with none, or with more, may be the rest of a password.
    """
    word, keywords = words[0].lower(), netrc_text.KEYWORDS
    values = next((at for at, each in enumerate(words[1:]) if each in keywords), len(words) - 1)
    if values != 1 or not word.isalpha():
        return ""
    if word in _MEANT:
        return _MEANT[word]
    return next(iter(get_close_matches(word, sorted(keywords), 1, _ALIKE)), "")


def _never(path: str, line: int, name: str, right: str) -> tuple[str, str]:
    if "@" in name:  # there may be a password before it
        return "a 'machine' has a user name in it, and never matches", shell.edited(path, line)
    shown = f"'machine {printable(name, _LONGEST)}' never matches"
    if not right:
        return f"{shown}: it is no host", shell.edited(path, line)
    what = f"{shown}, as a netrc knows no {netrc_names.strange(name)}: write 'machine {right}'"
    return what, shell.replaced(path, line, name, right)


def _name(name: str | None) -> str:
    shown = "" if name is None else name.rpartition("@")[2]
    return "the default" if name is None else repr(printable(shown, _LONGEST))
