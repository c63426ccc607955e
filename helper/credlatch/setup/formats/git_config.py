"""Git's configuration: the credential helpers for a URL. Git itself reads it.

A key is the URL, and empty for all others. A section of ours begins with an empty helper, by which
git forgets those that it has been told before (gitcredentials(7)).
"""

from __future__ import annotations

from credlatch.setup.formats import FormatError, newline
from credlatch.system import programs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller
    from credlatch.setup.formats import Key, Value

_NOT_SET = 1  # git's exit status
_PATIENCE = 30.0  # seconds
_TO_QUOTE = frozenset('#;"\\\t')
_ALL = r"^credential\.(.*\.)?helper$"  # git's names of sections and variables, in lower case


class GitConfig:
    """One variable of it, ``credential.<url>.helper``.

    Args:
        caller: whose git it is.
    """

    name = "git's configuration"

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._read: tuple[str, dict[str, list[str]]] | None = None  # a text, and what it says
        self._elsewhere: Value | None = None

    def get(self, text: str, key: Key) -> Value | None:
        """The helpers that git asks, one after the other; None where none is named."""
        if self._read is None or self._read[0] != text:
            self._read = text, self._helpers("--file", "-", text=text)
        found = self._read[1].get(key[0])
        return None if found is None else _asked(found)

    def for_all(self) -> Value | None:
        """The helpers for all hosts in whichever files git reads, as the system's."""
        if self._elsewhere is None:
            self._elsewhere = _asked(self._helpers().get("", []))
        return self._elsewhere or None

    def _helpers(self, *where: str, text: str = "") -> dict[str, list[str]]:
        """All helpers, by their URLs.

        Raises:
            FormatError: git does not read it.
        """
        command = ["git", "config", *where, "--null", "--get-regexp", _ALL]
        done = programs.ask(command, text.encode(), self._caller, _PATIENCE)
        if done.status not in {0, _NOT_SET}:
            raise FormatError(done.said or f"git ended with {done.status}")
        found: dict[str, list[str]] = {}
        for row in done.out.decode(errors="replace").split("\0")[:-1]:
            name, _, helper = row.partition("\n")
            url = name.removeprefix("credential.").removesuffix("helper").removesuffix(".")
            found.setdefault(url, []).append(helper)
        return found

    def put(self, text: str, key: Key, value: Value) -> str:
        """The text with a section at its end, after which the former ones do not count."""
        end = newline(text)
        gap = end if text and not text.endswith("\n") else ""
        after = text + gap + _section(key[0], value, end)
        if self.get(after, key) != value:
            raise FormatError("it cannot be changed in one place")
        return after

    def put_back(self, text: str, key: Key, value: Value, old: Value | None) -> str:  # noqa: ARG002 - what was before still is
        """The text without our section."""
        section = _section(key[0], value, newline(text))
        before, found, after = text.rpartition(section)
        if not found:
            raise FormatError(f"its section for {key[0] or 'all hosts'} was changed by hand")
        return before + after


def _asked(helpers: list[str]) -> tuple[str, ...]:
    """Those that count: an empty one makes git forget the ones before it."""
    last = len(helpers) - 1 - helpers[::-1].index("") if "" in helpers else -1
    return tuple(helpers[last + 1 :])


def _section(url: str, helpers: Value, end: str) -> str:
    names = [helpers] if isinstance(helpers, str) else helpers
    title = f'[credential "{url}"]' if url else "[credential]"
    rows = ["\thelper =", *(f"\thelper = {_quoted(name)}" for name in names)]
    return "".join(row + end for row in (title, *rows))


def _quoted(value: str) -> str:
    if not _TO_QUOTE & set(value) and value == value.strip():
        return value
    inside = value.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t")
    return f'"{inside}"'
