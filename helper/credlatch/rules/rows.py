"""Rows of a file of settings, as ``[[rule]]`` is one: where each is, and what is wrong with it."""

from __future__ import annotations

# msgspec's words for what TOML calls otherwise.
_KINDS = {
    "`str`": "a string",
    "`bool`": "true or false",
    "`object`": "a table",
    "`array`": "an array",
    "`int`": "a number",
    "`float`": "a number",
}


def translated(message: str) -> tuple[str, str]:
    """The key that msgspec complains of, and what it says, in TOML's words."""
    text, _, path = message.partition(" - at `$")
    key = path.rstrip("`").lstrip(".").partition("[")[0]
    text = text.replace(" | null`", "`")
    for theirs, ours in _KINDS.items():
        text = text.replace(theirs, ours)
    if text.startswith("Object contains unknown field "):
        unknown = text.rpartition(" ")[2].strip("`")
        return f"{key}.{unknown}".lstrip("."), "there is no such key"
    if text.startswith("Object missing required field "):
        return key, f"{text.rpartition(' ')[2].strip('`')} is missing"
    return key, text[:1].lower() + text[1:]


def ranges(name: str, lines: list[str], count: int) -> list[range]:
    """The lines of each row, from 1; empty ones where that cannot be told from the text alone."""
    starts = [at for at, line in enumerate(lines, 1) if _head(line) == f"[[{name}]]"]
    if not starts or len(starts) != count:
        return [range(0)] * count
    return [range(*each) for each in zip(starts, [*starts[1:], len(lines) + 1], strict=True)]


def line_of(name: str, key: str, lines: list[str], where: range) -> int:
    """The line of a key of a row, or of the row; 0: that cannot be told."""
    first, _, rest = key.partition(".")
    in_table = False
    for at in where:
        line = lines[at - 1].strip() if at else ""
        if line.startswith("["):
            head = _head(line)
            in_table = head == f"[{name}.{first}]"
            if head in {f"[{key}]", f"[[{key}]]"} or (in_table and not rest):
                return at
            continue
        said = line.partition("=")[0].strip().strip("\"'")
        if (in_table and rest and said == rest) or (not in_table and said in {first, key}):
            return at
    return where.start


def _head(line: str) -> str:
    """The header of a table that a line is, without blanks; or something else."""
    return "".join(line.partition("#")[0].split())
