"""A workspace's options, read as Bazel reads them.

By https://bazel.build/run/bazelrc, and src/main/cpp/rc_file.cc and util/strings.cc of Bazel.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# What each command inherits from, the least specific first.
INHERITED = {
    "build": ("always", "common", "build"),
    "test": ("always", "common", "build", "test"),
    "fetch": ("always", "common", "fetch"),
    "mod": ("always", "common", "mod"),
}


class RcError(Exception):
    """What Bazel ends with when it cannot read its options."""


class Options:
    """The options of one command.

    Attributes:
        words: all of them, the one that counts last.
    """

    def __init__(
        self,
        workspace: Path,
        home: Path,
        command: str = "build",
        configs: Iterable[str] = (),
        platform: str = "linux",
    ) -> None:
        self._lines: list[tuple[str, list[str]]] = []
        # In this order, and the later one counts. /etc/bazel.bazelrc is nobody's in a test.
        for path in (workspace / ".bazelrc", home / ".bazelrc"):
            if path.exists():
                self._lines += _lines(path, workspace, (path,))
        self._commands = INHERITED[command]
        self.words = list(self._of(""))
        if "--enable_platform_specific_config" in self.words:
            self.words += self._of(f":{platform}")
        for config in configs:
            expanded = list(self._of(f":{config}"))
            if not expanded:
                raise RcError(f"Config value '{config}' is not defined in any .rc file")
            self.words += expanded

    def _of(self, config: str) -> Iterator[str]:
        for command in self._commands:
            for name, words in self._lines:
                if name == command + config:
                    yield from words

    def all(self, name: str) -> list[str]:
        """The values of an option that may be given more than once."""
        found = []
        words = iter(self.words)
        for word in words:
            option, equals, value = word.partition("=")
            if option == f"--{name}":
                found.append(value if equals else next(words))
        return found

    def last(self, name: str, default: str = "") -> str:
        """The value that counts."""
        return (self.all(name) or [default])[-1]


def _lines(path: Path, workspace: Path, stack: tuple[Path, ...]) -> list[tuple[str, list[str]]]:
    try:
        text = path.read_bytes().decode()
    except OSError:
        raise RcError(f"Unexpected error reading .blazerc file '{path}'") from None
    found = []
    for line in text.replace("\\\r\n", "").replace("\\\n", "").split("\n"):
        words = _words(line.strip())
        if not words:
            continue
        if words[0] not in {"import", "try-import"}:
            found.append((words[0], words[1:]))
            continue
        if len(words) != 2:
            raise RcError(f"Invalid import declaration in .blazerc file '{path}': '{line}'")
        other = Path(words[1].replace("%workspace%", str(workspace), 1))
        if other in stack:
            raise RcError("Import loop detected")
        if words[0] == "import" or other.exists():
            found += _lines(other, workspace, (*stack, other))
    return found


def _words(line: str) -> list[str]:
    """The words of a line; what nothing has come of is none."""
    words = [""]
    quote = ""
    characters = iter(line)
    for character in characters:
        if character == "\\":  # takes the next one as it is, also in quotes
            words[-1] += next(characters, "")
        elif quote:
            words[-1] += character * (character != quote)
            quote *= character != quote
        elif character == "#":
            break
        elif character in "'\"":
            quote = character
        elif character.isspace():
            words.append("")
        else:
            words[-1] += character
    return [word for word in words if word]
