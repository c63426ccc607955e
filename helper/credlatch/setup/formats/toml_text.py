"""TOML, edited by tomlkit: comments, order and spacing stay."""

from __future__ import annotations

import tomllib

from credlatch.setup.formats import Format, FormatError, alike, lines, newline, value_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from credlatch.setup.formats import Key, Value


class TomlText(Format):
    """Tables of texts, of lists of texts, and of such tables."""

    name = "TOML"

    def get(self, text: str, key: Key) -> Value | None:
        """What a setting is."""
        return value_in(_loads(text), key, "a table")

    def put(self, text: str, key: Key, value: Value) -> str:
        """The text with a setting in it."""
        self.get(text, key)
        return _changed(text, key, list(value) if isinstance(value, tuple) else value)

    def _without(self, text: str, key: Key) -> str:
        return text if self.get(text, key) is None else _changed(text, key, None)


def _loads(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise FormatError("nested too deeply") from None


def _changed(text: str, key: Key, content: object) -> str:
    """The text after a change, if that is the only one.

    Raises:
        FormatError: it is not.
    """
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    if text and not text.endswith("\n"):
        text += newline(text)
    try:
        document = tomlkit.parse(text)
        # Not where arrays of tables have other tables between them: tomlkit puts them together.
        is_kept = tomlkit.dumps(document) == text
        # A table above a table has no header of its own.
        _change(document, key, content, lambda: tomlkit.table(is_super_table=True))
        after = _with_ends(text, tomlkit.dumps(document))
        wanted = _loads(text)
        _change(wanted, key, content, dict)
        if is_kept and _loads(after) == wanted:
            return after
    except (TOMLKitError, ValueError, AttributeError, TypeError, KeyError):
        pass
    raise FormatError("it cannot be changed in one place")


def _change(document: Any, key: Key, content: object, new: Callable[[], object]) -> None:
    """Put a setting into a document; None: take it out, and the tables that are empty then."""
    tables = [document]
    for name in key[:-1]:
        tables.append(tables[-1].setdefault(name, new()))
    if content is not None:
        tables[-1][key[-1]] = content
        return
    for table, name in zip(reversed(tables), reversed(key), strict=True):
        del table[name]
        if table:
            break


def _with_ends(before: str, after: str) -> str:
    """The text after a change, whose lines end as those around them do."""
    old, new = lines(before), lines(after)
    head, tail = alike(old, new), alike(old[::-1], new[::-1])
    tail = min(tail, len(old) - head, len(new) - head)
    for at in range(head, len(new) - tail):
        new[at] = new[at].rstrip("\r\n") + newline(before)
    return "".join(new)
