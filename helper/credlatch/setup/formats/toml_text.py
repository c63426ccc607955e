"""TOML, edited by tomlkit: comments, order and spacing stay."""

from __future__ import annotations

import tomllib

from credlatch.setup.formats import FormatError, alike, lines, newline, value_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from credlatch.setup.formats import Key, Value


class TomlText:
    """Tables of texts, of lists of texts, and of such tables."""

    name = "TOML"

    def get(self, text: str, key: Key) -> Value | None:
        """What a setting is."""
        return value_in(_loads(text), key, "a table")

    def put(self, text: str, key: Key, value: Value) -> str:
        """The text with a setting in it."""
        import tomlkit

        self.get(text, key)
        content = list(value) if isinstance(value, tuple) else value

        def change(document: Any) -> None:
            for name in key[:-1]:
                # A table above a table has no header of its own.
                document = document.setdefault(name, tomlkit.table(is_super_table=True))
            document[key[-1]] = content

        return _changed(text, change, key, content)

    def put_back(self, text: str, key: Key, value: Value, old: Value | None) -> str:  # noqa: ARG002 - what it was is enough
        """The text with a setting as it was."""
        if old is not None:
            return self.put(text, key, old)

        def change(document: Any) -> None:
            tables = [document]
            for name in key[:-1]:
                tables.append(tables[-1][name])
            for table, name in zip(reversed(tables), reversed(key), strict=True):
                del table[name]
                if table:
                    break

        if self.get(text, key) is None:
            return text
        return _changed(text, change, key, None)


def _loads(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise FormatError("nested too deeply") from None


def _changed(text: str, change: Any, key: Key, content: object) -> str:
    """The text after a change, if that is the only one.

    Raises:
        ValueError: it is not.
    """
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    text = _with_end(text)
    try:
        document = tomlkit.parse(text)
        # Not where arrays of tables have other tables between them: tomlkit puts them together.
        is_kept = tomlkit.dumps(document) == text
        change(document)
        after = _with_ends(text, tomlkit.dumps(document))
        if is_kept and _differs_only(_loads(text), _loads(after), key, content):
            return after
    except (TOMLKitError, ValueError, AttributeError, TypeError, KeyError):
        pass
    raise FormatError("it cannot be changed in one place")


def _with_end(text: str) -> str:
    return text if not text or text.endswith("\n") else text + newline(text)


def _with_ends(before: str, after: str) -> str:
    """The text after a change, whose lines end as those around them do."""
    old, new = lines(before), lines(after)
    head, tail = alike(old, new), alike(old[::-1], new[::-1])
    tail = min(tail, len(old) - head, len(new) - head)
    for at in range(head, len(new) - tail):
        new[at] = new[at].rstrip("\r\n") + newline(before)
    return "".join(new)


def _differs_only(before: dict[str, Any], after: dict[str, Any], key: Key, content: object) -> bool:
    """Whether two documents are the same but for one setting, and that is as it should be."""
    name = key[0]
    rest = [{k: v for k, v in each.items() if k != name} for each in (before, after)]
    if rest[0] != rest[1]:
        return False
    if len(key) == 1:
        return bool(after.get(name) == content)
    return _differs_only(before.get(name, {}), after.get(name, {}), key[1:], content)
