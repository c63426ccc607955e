"""A change as a person reads it: a unified diff, without the secrets that stand beside it."""

from __future__ import annotations

import re
from difflib import unified_diff

from credlatch.setup.formats import lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from credlatch.setup.changes import FileChange
    from credlatch.setup.links import Link

_NOTHING = "/dev/null"
_HIDDEN = "****"
# Names of what may be a secret; `keyring-provider` and `GOAUTH` are none.
_SECRET = r"pass|secret|token|(?<!\bgo)auth|key(?!ring)|header|cookie"  # noqa: S105 - names
_USER_INFO = re.compile(r"(?<=://)[^/\s\"'@]+@")
_IN_JSON = re.compile(rf'("[^"]*(?:{_SECRET})[^"]*"\s*:\s*)"(?:[^"\\]|\\.)*"', re.IGNORECASE)
_IN_LINES = re.compile(rf"([\w.-]*(?:{_SECRET})[\w.-]*(?:\s*[=:]\s*|\s+))\S.*", re.IGNORECASE)


def diff(change: FileChange) -> Iterator[str]:
    """The lines of one file's diff."""
    both = (change.found.text, change.after)
    before, after = (lines(text or "") for text in both)
    path = _printable(change.found.path)
    from_name, to_name = (_NOTHING if text is None else path for text in both)
    in_json = change.found.path.endswith(".json")
    for line in unified_diff(before, after, from_name, to_name, lineterm="\n"):
        if line.startswith(("---", "+++", "@@")):
            yield line.rstrip("\n")
            continue
        yield line[0] + hidden(_printable(line[1:].rstrip("\r\n")), in_json=in_json)
        if not line.endswith("\n"):
            yield "\\ No newline at end of file"


def link(made: Link, *, gone: bool = False) -> Iterator[str]:
    """A link, as a diff shows what is in it."""
    yield f"--- {_printable(made.path) if gone else _NOTHING}"
    yield f"+++ {_NOTHING if gone else _printable(made.path)}"
    yield "@@ -1 +0,0 @@ symbolic link" if gone else "@@ -0,0 +1 @@ symbolic link"
    yield f"{'-' if gone else '+'}{_printable(made.text)}"


def hidden(line: str, *, in_json: bool) -> str:
    """A line without what may be a secret: more is hidden than need be."""
    line = _USER_INFO.sub(f"{_HIDDEN}@", line)
    return (_IN_JSON if in_json else _IN_LINES).sub(
        rf'\1"{_HIDDEN}"' if in_json else rf"\1{_HIDDEN}", line
    )


def _printable(text: str) -> str:
    """Without what a terminal would obey."""
    return "".join(c if c.isprintable() or c == "\t" else "?" for c in text)
