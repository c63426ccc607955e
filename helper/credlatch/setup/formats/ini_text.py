"""The files that Python's configparser reads, edited line by line: pip's."""

from __future__ import annotations

import configparser

from credlatch.setup.formats import FormatError, newline
from credlatch.setup.formats import lines as lines_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.setup.formats import Key, Value


class IniText:
    """Sections of texts. Names are compared as pip compares them: without case, ``_`` for ``-``."""

    name = "INI"

    def get(self, text: str, key: Key) -> Value | None:
        """What a setting is, by its section and its name."""
        found = None
        parser = _parsed(text)
        if parser.has_section(key[0]):
            for name, value in parser.items(key[0]):
                if _plain(name) == key[1]:
                    found = value
        return found

    def put(self, text: str, key: Key, value: Value) -> str:
        """The text with a setting in it."""
        section, name = key
        line = f"{name} = {value}"
        lines = lines_of(text)
        end = newline(text)
        header = _header(lines, section)
        if header is None:
            gap = "" if not lines else end if lines[-1].endswith("\n") else end * 2
            return _proven(f"{text}{gap}[{section}]{end}{line}{end}", key, value)
        at = _setting(lines, header, name)
        if at is None:
            if not lines[header].endswith("\n"):
                lines[header] += end
            lines.insert(header + 1, line + end)
        else:
            lines[at] = line + lines[at][len(lines[at].rstrip("\r\n")) :]
            while _goes_on(lines[at + 1 : at + 2]):
                del lines[at + 1]  # the rest of the value that was
        return _proven("".join(lines), key, value)

    def put_back(self, text: str, key: Key, value: Value, old: Value | None) -> str:  # noqa: ARG002 - what it was is enough
        """The text with a setting as it was."""
        if old is not None:
            return self.put(text, key, old)
        section, name = key
        lines = lines_of(text)
        header = _header(lines, section)
        at = None if header is None else _setting(lines, header, name)
        if header is None or at is None:
            return text
        del lines[at]
        below = lines[header + 1 :]
        alone = all(not line.strip() for line in below)
        if alone and at == header + 1:
            del lines[header:]
        return "".join(lines)


def _parsed(text: str) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(text)
    except configparser.Error as error:
        raise FormatError(" ".join(str(error).split())) from None
    return parser


def _proven(after: str, key: Key, value: Value) -> str:
    if IniText().get(after, key) != value:
        raise FormatError("it cannot be changed in one place")
    return after


def _plain(name: str) -> str:
    return name.lower().replace("_", "-").removeprefix("--")


def _goes_on(lines: list[str]) -> bool:
    return bool(lines) and lines[0][:1] in {" ", "\t"} and bool(lines[0].strip())


def _header(lines: list[str], section: str) -> int | None:
    for at, line in enumerate(lines):
        if line.startswith(f"[{section}]"):
            return at
    return None


def _setting(lines: list[str], header: int, name: str) -> int | None:
    """The line of a section that begins a setting."""
    for at in range(header + 1, len(lines)):
        line = lines[at]
        if line.startswith("["):
            return None
        if line[:1] not in {" ", "\t", "#", ";"}:
            found = min((n for n in map(line.find, "=:") if n >= 0), default=-1)
            if found >= 0 and _plain(line[:found].rstrip()) == name:
                return at
    return None
