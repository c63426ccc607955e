"""One array of tables out of a TOML file, parsed only as far as a request needs.

uv's and Posit's stores are a long array of small tables, of which a request is about one or two. A
whole TOML parser over ten thousand of them takes seconds, so a file written in the plain form that
both tools write is cut at its headers first, and only tables that may mention the host are parsed.
"""

from __future__ import annotations

from credlatch.errors import StoreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller
    from credlatch.url import Url

_MOST = 64  # hosts whose tables are remembered


class Tables:
    """The tables of one array; what has been parsed is not parsed again.

    Args:
        text: the file's text.
        path: the file's.

    Attributes:
        array: the array's name.
    """

    array: str

    def __init__(self, text: str, path: str) -> None:
        self._text = text
        self._path = path
        self._blocks = _blocks(text, self.array)
        self._parsed: dict[str, list[dict[str, object] | None]] = {}

    def about(self, host: str) -> list[dict[str, object] | None]:
        """The tables that may mention ``host``; None for each such one that is damaged.

        Raises:
            StoreError: the file is not TOML.
        """
        if self._blocks is None or ":" in host or "*" in host:
            host = ""  # all of them at once
        tables = self._parsed.get(host)
        if tables is None:
            tables = self._all() if self._blocks is None else _that_mention(host, self._blocks)
            if len(self._parsed) >= _MOST:
                self._parsed.clear()
            self._parsed[host] = tables
        return tables

    def _all(self) -> list[dict[str, object] | None]:
        import tomllib

        try:
            found = tomllib.loads(self._text).get(self.array)
        except (ValueError, RecursionError) as error:
            why = error if isinstance(error, ValueError) else "nested too deeply"
            raise StoreError(
                f"{self._path} is not TOML ({why}): mend it, or move it away and log in again"
            ) from None
        tables = found if isinstance(found, list) else []
        return [table if isinstance(table, dict) else None for table in tables]


def about(
    host: str, path: str, kind: type[Tables], caller: Caller
) -> list[dict[str, object] | None]:
    """The tables of a caller's file that may mention ``host``; none where there is no file.

    Raises:
        StoreError: it cannot be read.
    """
    tables = caller.document(path, kind)
    return [] if tables is None else tables.about(host)


def may_mean(table: dict[str, object] | None, field: str, url: Url) -> bool:
    """Whether a damaged table may be for a URL: what it names, or all it has, mentions the host.

    Args:
        table: the table; None where it cannot be read, and its text mentions the host.
        field: what names its URL.
        url: the one that is asked for.
    """
    if table is None:
        return True
    named = table.get(field)
    said = [named] if isinstance(named, str) else map(str, table.values())
    return any(_may_mean(text.lower(), url) for text in said)


def _may_mean(text: str, url: Url) -> bool:
    import re
    from urllib.parse import unquote

    text = unquote(text)
    # Programs read what is no canonical address, and other scripts, in ways of their own.
    if ":" in url.host:
        return "[" in text
    if url.is_ip:
        start = text.partition("://")[2].rpartition("@")[2] or text
        return url.host in text or start[:1].isdigit()
    if "xn--" in url.host and not text.isascii():
        return True
    # The whole host, and not the end or the beginning of another.
    return re.search(rf"(?<![\w.-]){re.escape(url.host)}(?!\.?[\w-])", text) is not None


def _that_mention(host: str, blocks: list[str]) -> list[dict[str, object] | None]:
    tables: list[dict[str, object] | None] = []
    for block in blocks:
        # An escape or another script may spell the host in a way that is not seen here.
        plain = block.isascii() and "\\u" not in block and "\\U" not in block and "\\x" not in block
        if not plain or host in block.lower():
            tables.append(_plain(block) or _parsed(block))
    return tables


def _plain(block: str) -> dict[str, object] | None:
    """A table of lines ``name = "text"``, as both tools write them; None if it is anything else.

    To import TOML's parser costs a call as much as all the rest.
    """
    table: dict[str, object] = {}
    for line in filter(None, block.split("\n")):
        name, _, value = line.partition(" = ")
        text = value[1:-1]
        is_text = value == f'"{text}"' and text.isprintable() and not set(text) & {'"', "\\"}
        is_name = name.isascii() and name.replace("-", "_").isidentifier() and name not in table
        if not is_text or not is_name:
            return None
        table[name] = text
    return table


def _parsed(block: str) -> dict[str, object] | None:
    import tomllib

    try:
        return tomllib.loads(block)
    except (ValueError, RecursionError):
        return None


def _blocks(text: str, array: str) -> list[str] | None:
    """What stands below each header; None if a header may hide where this does not see it."""
    if '"""' in text or "'''" in text or "\r" in text:
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
