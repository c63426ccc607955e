"""Git's configuration: the credential helpers for a URL. Git itself reads it.

A key is the URL, and empty for all others. A section of ours begins with an empty helper, by which
git forgets those that it has been told before (gitcredentials(7)).
"""

from __future__ import annotations

import re

from credlatch.setup import names
from credlatch.setup.formats import Format, FormatError, newline
from credlatch.setup.formats.git_urls import Pattern
from credlatch.system import programs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller
    from credlatch.setup.formats import Key, Value

    Row = tuple[str, str]

_NOT_SET = 1  # git's exit status
_PATIENCE = 30.0  # seconds
_TO_QUOTE = frozenset('#;"\\\t')
_BEGIN = re.compile(r"(?:\s|[#;].*+)*+(?:\[|\Z)")  # of a section; or there is none
_ALL = r"^credential\.(.*\.)?helper$"  # git's names of sections and variables, in lower case


class GitConfig(Format):
    """One variable of it, ``credential.<url>.helper``.

    Args:
        caller: whose git it is.
    """

    name = "git's configuration"

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._read: tuple[str, list[Row]] | None = None  # a text, and what it says
        self._everywhere: list[Row] | None = None

    def get(self, text: str, key: Key) -> Value | None:
        """The helpers that git asks, one after the other; None where none is named."""
        found = [helper for url, helper in self._own(text) if url == key[0]]
        return _asked(found) if found else None

    def beside(self, text: str, key: Key) -> dict[str, Value]:  # noqa: ARG002 - of one variable
        """The helpers for all URLs that have some."""
        found = {url: self.get(text, (url,)) for url, _ in self._own(text)}
        return {url: helpers for url, helpers in found.items() if helpers}

    def former(self, text: str, key: Key) -> tuple[str, ...]:
        """The helpers that git would ask without us, from whichever files it reads."""
        return _for(key, self._others(text))

    def asked(self, text: str, key: Key) -> tuple[str, ...]:
        """The helpers that git asks."""
        return _for(key, self._all(text))

    def now(self, key: Key) -> tuple[str, ...]:
        """The helpers that git asks by all files as they are, in its own order."""
        return _for(key, self._rows())

    def covering(self, text: str, key: Key) -> bool:
        """Whether some of these are for a host and not for all, by whatever spelling."""
        wanted = Pattern(key[0])
        named = [
            helper for url, helper in self._others(text) if url and Pattern(url).covers(wanted)
        ]
        return any(helper in self.former(text, key) for helper in named if helper)

    def within(self, text: str, key: Key) -> dict[str, tuple[str, ...]]:
        """What git would ask without us for a part of what a key means; by the pattern."""
        wanted = Pattern(key[0])
        urls = [url for url, _ in self._others(text) if url and url != key[0]]
        parts = [url for url in urls if not Pattern(url).covers(wanted)]
        found = {
            url: self.former(text, (url,))
            for url in parts
            if wanted.covers(Pattern(url), in_part=True)
        }
        return {url: helpers for url, helpers in found.items() if helpers}

    def _own(self, text: str) -> list[Row]:
        if self._read is None or self._read[0] != text:
            self._read = text, self._rows("--file", "-", text=text)
        return self._read[1]

    def _others(self, text: str) -> list[Row]:
        """The rows in the order in which git reads them: other files first, and none of ours."""
        return _without_us(self._all(text))

    def _all(self, text: str) -> list[Row]:
        if self._everywhere is None:
            self._everywhere = self._rows()
        own = self._own(text)
        return [row for row in self._everywhere if row not in own] + own

    def _rows(self, *location: str, text: str = "") -> list[Row]:
        """All helpers with their URLs, in their order.

        Raises:
            FormatError: git does not read it.
        """
        command = ["git", "config", *location, "--null", "--get-regexp", _ALL]
        done = programs.ask(command, text.encode(), self._caller, _PATIENCE)
        if done.status not in {0, _NOT_SET}:
            raise FormatError(done.said or f"git ended with {done.status}")
        found: list[Row] = []
        for row in done.out.decode(errors="replace").split("\0")[:-1]:
            name, _, helper = row.partition("\n")
            url = name.removeprefix("credential.").removesuffix("helper").removesuffix(".")
            found.append((url, helper))
        return found

    def put(self, text: str, key: Key, value: Value) -> str:
        """The text with a section at its end, after which the former ones do not count."""
        end = newline(text)
        gap = end if text and not text.endswith("\n") else ""
        return self._proven(text + gap + _section(key[0], value, end), key, value)

    def put_back(self, text: str, key: Key, old: Value | None) -> str:  # noqa: ARG002 - what was before still is
        """The text without our section."""
        return self._without(text, key)

    def _without(self, text: str, key: Key) -> str:
        section = _section(key[0], self.get(text, key) or (), newline(text))
        before, found, after = text.rpartition(section)
        if not found or not _BEGIN.match(after):
            raise FormatError(f"its section for {key[0] or 'all hosts'} was changed by hand")
        return before + after


def _for(key: Key, rows: list[Row]) -> tuple[str, ...]:
    wanted = Pattern(key[0])
    found = [row[1] for row in rows if row[0] == key[0] or Pattern(row[0]).covers(wanted)]
    return tuple(dict.fromkeys(_asked(found)))


def _without_us(rows: list[Row]) -> list[Row]:
    """Without our helpers, and the empty rows with which ``setup`` begins their sections."""
    left: list[Row] = []
    for url, helper in rows:
        if not names.is_credlatch(helper):
            left.append((url, helper))
        elif left and left[-1] == (url, ""):
            left.pop()
    return left


def _asked(helpers: list[str]) -> tuple[str, ...]:
    """Those that count: an empty one makes git forget the ones before it."""
    last = len(helpers) - 1 - helpers[::-1].index("") if "" in helpers else -1
    return tuple(helpers[last + 1 :])


def _section(url: str, helpers: Value, end: str) -> str:
    each = [helpers] if isinstance(helpers, str) else helpers
    inside = url.replace("\\", "\\\\").replace('"', '\\"')
    title = f'[credential "{inside}"]' if url else "[credential]"
    rows = ["\thelper =", *(f"\thelper = {_quoted(name)}" for name in each)]
    return "".join(row + end for row in (title, *rows))


def _quoted(value: str) -> str:
    if not _TO_QUOTE & set(value) and value == value.strip():
        return value
    inside = value.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t")
    return f'"{inside}"'
