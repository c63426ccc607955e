"""What ``go env -w`` writes (cmd/go/internal/cfg): ``NAME=value``, and the last line counts."""

from __future__ import annotations

import re

from credlatch.setup.formats import Format, FormatError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.setup.formats import Key, Value

_OFF = "off"  # Go wants it to stand alone


class GoEnv(Format):
    """Settings that are lists, with a semicolon between two entries, as GOAUTH is."""

    name = "Go's"

    def get(self, text: str, key: Key) -> Value | None:
        """The entries of a setting, by its name."""
        begin, end = _place(text, key)
        entries = text[begin:end].partition("=")[2]
        return tuple(filter(None, map(str.strip, entries.split(";")))) or None

    def put(self, text: str, key: Key, value: Value) -> str:
        """The text with a setting in it."""
        entries = (value,) if isinstance(value, str) else value
        if _OFF in entries and len(entries) > 1:
            raise FormatError(f"{key[0]} is {_OFF}, which stands alone: --replace it")
        begin, end = _place(text, key)
        gap = "" if text[:begin].endswith("\n") or not begin else "\n"
        return f"{text[:begin]}{gap}{key[0]}={'; '.join(entries)}\n{text[end:]}"

    def _without(self, text: str, key: Key) -> str:
        begin, end = _place(text, key)
        without = text[:begin] + text[end:]
        # An earlier line for it would count again.
        return (
            without if self.get(without, key) is None else f"{text[:begin]}{key[0]}=\n{text[end:]}"
        )


def _place(text: str, key: Key) -> tuple[int, int]:
    """Where the line is that has a setting, and where the next one; the end, if there is none."""
    found = [row.span() for row in re.finditer(rf"^{re.escape(key[0])}=.*\n?", text, re.MULTILINE)]
    return found[-1] if found else (len(text), len(text))
