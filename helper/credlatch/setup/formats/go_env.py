"""What ``go env -w`` writes (cmd/go/internal/cfg): ``NAME=value``, and the last line counts."""

from __future__ import annotations

from credlatch.setup.formats import Format, FormatError
from credlatch.setup.formats import lines as lines_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.setup.formats import Key, Value

_OFF = "off"  # Go wants it to stand alone


class GoEnv(Format):
    """Settings that are lists, with a semicolon between two entries, as GOAUTH is."""

    name = "Go's"

    def get(self, text: str, key: Key) -> Value | None:
        """The entries of a setting, by its name."""
        lines = lines_of(text)
        at = _setting(lines, key)
        entries = "" if at is None else lines[at].partition("=")[2]
        return tuple(filter(None, map(str.strip, entries.split(";")))) or None

    def put(self, text: str, key: Key, value: Value) -> str:
        """The text with a setting in it."""
        entries = (value,) if isinstance(value, str) else value
        if _OFF in entries and len(entries) > 1:
            raise FormatError(f"{key[0]} is {_OFF}, which stands alone: --replace it")
        line = f"{key[0]}={'; '.join(entries)}\n"
        lines = lines_of(text)
        at = _setting(lines, key)
        if at is None:
            gap = "" if not text or text.endswith("\n") else "\n"
            return f"{text}{gap}{line}"
        lines[at] = line
        return "".join(lines)

    def _without(self, text: str, key: Key) -> str:
        lines = lines_of(text)
        at = _setting(lines, key)
        if at is not None:
            del lines[at]
        return "".join(lines)


def _setting(lines: list[str], key: Key) -> int | None:
    """The line that has a setting."""
    found = [at for at, line in enumerate(lines) if line.startswith(f"{key[0]}=")]
    return found[-1] if found else None
