"""One array of tables out of a TOML file, parsed only as far as a request needs.

uv's and Posit's stores are a long array of small tables, of which a request is about one or two. A
whole TOML parser over ten thousand of them takes seconds, so a file written in the plain form that
both tools write is cut at its headers first, and only tables that may mention the host are parsed.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


def tables(text: str, array: str, host: str) -> Iterator[dict[str, object] | None]:
    """The tables of ``array`` that may mention ``host``; None for each such one that is damaged.

    Raises:
        ValueError: the file is not TOML.
    """
    import tomllib

    blocks = _blocks(text, array)
    if blocks is None:
        try:
            found = tomllib.loads(text).get(array)
        except RecursionError:
            raise ValueError("nested too deeply") from None
        for table in found if isinstance(found, list) else []:
            yield table if isinstance(table, dict) else None
        return
    for block in blocks:
        # An escape or another script may spell the host in a way that is not seen here.
        plain = block.isascii() and "\\u" not in block and "\\U" not in block and "\\x" not in block
        if not plain or host in block.lower():
            try:
                yield tomllib.loads(block)
            except (ValueError, RecursionError):
                yield None


def _blocks(text: str, array: str) -> list[str] | None:
    """What stands below each header; None if a header may hide where this does not see it."""
    if '"""' in text or "'''" in text:
        return None
    header = f"\n[[{array}]]\n"
    lines = "\n" + text
    blocks = lines.split(header)
    headers = len(blocks) - 1
    if not headers or lines.count("\n[") != headers or lines.count("[[") != headers:
        return None
    if "\n " in lines or "\n\t" in lines:
        return None  # an indented header begins another table
    return blocks[1:]
