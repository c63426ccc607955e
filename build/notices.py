"""The licence texts of all that inventory.py has found in the program: THIRD-PARTY-NOTICES.

credlatch.spec uses it. A wheel brings its own texts, and so do the C libraries that Zig's compiler
has; the others are in licences/, by name. What has none stops the build.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import inventory

if TYPE_CHECKING:
    from inventory import Inventory

NAME = "THIRD-PARTY-NOTICES"
_HERE = Path(__file__).resolve().parent
_TEXTS = _HERE / "licences"
# Licences whose text is the same whoever gives something under it.
_SAME = {"Apache-2.0": _HERE.parent / "LICENSE", "Unicode-3.0": _TEXTS / "Unicode-3.0.txt"}
_LINE = "=" * 80
_HEAD = """\
credlatch itself is under the Apache License 2.0. It has inside what others have made, or parts of
it: below are their names, and the licences under which they are given, each once.
"""


class Part(NamedTuple):
    """Something of others.

    Attributes:
        name: with its version.
        licence: SPDX's expression.
    """

    name: str
    licence: str


def put(found: Inventory, work: Path) -> tuple[str, str, str]:
    """Write them.

    Args:
        found: what is in the program.
        work: the folder for the file.

    Returns:
        a data file, as PyInstaller takes it.

    Raises:
        SystemExit: there is no text for something.
    """
    path = work / NAME
    path.write_text(text(found), encoding="utf-8", newline="\n")
    found.program.files.add(f"{inventory.INTERNAL}/{path.name}")
    return (path.name, str(path), "DATA")


def text(found: Inventory) -> str:
    """All of it: each text once, below the names of all that it is for.

    Raises:
        SystemExit: there is no text for something.
    """
    parts: dict[str, set[Part]] = {}
    for each in found.components.values():
        if each is found.program:
            continue
        own = Part(f"{each.name} {each.version}".rstrip(), each.licence)
        kind, known = _kind(each.purl), [path.read_bytes() for path in each.texts]
        parts.setdefault(_joined(known) or _looked_up(own, kind, each.name), set()).add(own)
        for one in each.within:
            name = str(one["name"])
            part = Part(f"{name} {one.get('version', '')}".rstrip(), _expression(one))
            where = _looked_up(part, _kind(str(one["purl"])), name)
            parts.setdefault(where, set()).add(part._replace(name=f"{part.name} (of {own.name})"))
    blocks = sorted((sorted(names), said) for said, names in parts.items())
    whole = [_HEAD]
    for names, said in blocks:
        rows = "".join(f"{part.name}: {part.licence}\n" for part in names)
        whole.append(f"{_LINE}\n{rows}{_LINE}\n\n{said}\n")
    return "\n".join(whole)


def _looked_up(part: Part, kind: str, name: str) -> str:
    """The text of something that has none of its own: by its name, or by its licence."""
    is_library = kind in ("generic", "apk", "deb", "rpm")
    path = _TEXTS / (f"{inventory.upstream(name)}.txt" if is_library else f"{kind}-{name}.txt")
    found = [path] if path.is_file() else [_SAME.get(each) for each in _chosen(part.licence)]
    texts = [each.read_bytes() for each in found if each is not None]
    if not texts or len(texts) < len(found):
        raise SystemExit(
            f"build/notices.py has no text for {part.name} ({part.licence}): put it into {path}"
        )
    return _joined(texts)


def _chosen(expression: str) -> list[str]:
    """The licences that have to be given: of alternatives one whose text is known."""
    alternatives = [each.strip("() ").split(" OR ") for each in expression.split(" AND ")]
    return [next((one for one in each if one in _SAME), each[0]) for each in alternatives]


def _expression(part: dict[str, object]) -> str:
    """What a maker's list says of a part's licence."""
    said = part.get("licenses")
    for each in said if isinstance(said, list) else ():
        given = each.get("license", {})
        return str(each.get("expression") or given.get("id") or given.get("name"))
    return "unknown"


def _kind(purl: str) -> str:
    return purl.removeprefix("pkg:").partition("/")[0]


def _joined(contents: list[bytes]) -> str:
    """Texts as one, without blanks at the ends of lines."""
    return "\n\n".join(dict.fromkeys(_plain(each) for each in contents))


def _plain(content: bytes) -> str:
    try:
        said = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        said = content.decode("latin-1")
    lines = [line.rstrip() for line in said.splitlines()]
    return re.sub(r"\A\n+|\n+\Z", "", "\n".join(lines))
