"""The files that Python's configparser reads, edited line by line: pip's."""

from __future__ import annotations

import configparser

from credlatch.setup.formats import Format, FormatError, newline
from credlatch.setup.formats import lines as lines_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.setup.formats import Key, Value


class IniText(Format):
    """Sections of texts. Names are compared as pip compares them: without case, ``_`` for ``-``."""

    name = "INI"

    def get(self, text: str, key: Key) -> Value | None:
        """What a setting is, by its section and its name."""
        parser = configparser.RawConfigParser()
        try:
            parser.read_string(text)
        except configparser.Error as error:
            raise FormatError(" ".join(str(error).split())) from None
        items = parser.items(key[0]) if parser.has_section(key[0]) else ()
        return {_plain(name): value for name, value in items}.get(key[1])

    def put(self, text: str, key: Key, value: Value) -> str:
        """The text with a setting in it."""
        section, name = key
        line = f"{name} = {value}"
        lines = lines_of(text)
        end = newline(text)
        header, at = _place(lines, section, name)
        if header is None:
            gap = "" if not lines else end if lines[-1].endswith("\n") else end * 2
            lines.append(f"{gap}[{section}]{end}{line}{end}")
        elif at is None:
            if not lines[header].endswith("\n"):
                lines[header] += end
            lines.insert(header + 1, line + end)
        else:
            lines[at] = line + lines[at][len(lines[at].rstrip("\r\n")) :]
            while _goes_on(lines[at + 1 : at + 2]):
                del lines[at + 1]  # the rest of the value that was
        return self._proven("".join(lines), key, value)

    def _without(self, text: str, key: Key) -> str:
        lines = lines_of(text)
        header, at = _place(lines, *key)
        if header is not None and at is not None:
            del lines[at]
            if at == header + 1 and not "".join(lines[at:]).strip():
                del lines[header:]
        return "".join(lines)


def _plain(name: str) -> str:
    return name.lower().replace("_", "-").removeprefix("--")


def _goes_on(lines: list[str]) -> bool:
    return bool(lines) and lines[0][:1] in {" ", "\t"} and bool(lines[0].strip())


def _place(lines: list[str], section: str, name: str) -> tuple[int | None, int | None]:
    """The line that begins a section, and in that the one that begins a setting."""
    header = None
    for at, line in enumerate(lines):
        if header is None:
            header = at if line.startswith(f"[{section}]") else None
        elif line.startswith("["):
            break
        elif line[:1] not in {" ", "\t", "#", ";"}:
            found = min((n for n in map(line.find, "=:") if n >= 0), default=-1)
            if found >= 0 and _plain(line[:found].rstrip()) == name:
                return header, at
    return header, None
