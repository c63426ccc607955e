"""TOML, edited by tomlkit: comments, order and spacing stay."""

from __future__ import annotations

import tomllib

from credlatch.setup.formats import FormatError, lines, newline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from credlatch.setup.formats import Key, Value


class TomlText:
    """Tables of texts, of lists of texts, and of such tables."""

    name = "TOML"

    def get(self, text: str, key: Key) -> Value | None:
        """What a setting is."""
        value: object = _loads(text)
        for at, name in enumerate(key):
            if not isinstance(value, dict):
                raise FormatError(f"{'.'.join(key[:at])} is not a table")
            value = value.get(name)
            if value is None:
                return None
        if isinstance(value, str):
            return value
        if isinstance(value, list) and all(isinstance(each, str) for each in value):
            return tuple(value)
        raise FormatError(f"{'.'.join(key)} is neither a text nor a list of texts")

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

        if self.get(text, key) is not None or _is_kept(text):
            return _changed(text, change, key, content)
        return _inserted(text, key, content)

    def put_back(self, text: str, key: Key, value: Value, old: Value | None) -> str:
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
        return _changed(text, change, key, None) if _is_kept(text) else _removed(text, key, value)


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
        change(document)
        after = _with_ends(text, tomlkit.dumps(document))
    except (TOMLKitError, ValueError, AttributeError, TypeError, KeyError):
        raise FormatError("it cannot be changed in one place") from None
    if not _is_kept(text):
        raise FormatError("it cannot be changed in one place")
    return _proven(text, after, key, content)


def _is_kept(text: str) -> bool:
    """Whether tomlkit gives it back as it is: not where arrays of tables are interleaved."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        return tomlkit.dumps(tomlkit.parse(text)) == text
    except TOMLKitError:
        return False


def _inserted(text: str, key: Key, content: object) -> str:
    """The text with a line for a setting that is not there, found without tomlkit.

    Raises:
        FormatError: that is not the only thing that changes.
    """
    rows, end = lines(_with_end(text)), newline(text)
    header = f"[{'.'.join(key[:-1])}]"
    titles = [at for at, each in enumerate(rows) if each.startswith("[")]
    own = [at for at in titles if rows[at].startswith(header)]
    if len(key) == 1:
        rows.insert(titles[0] if titles else len(rows), _row(key, content) + end)
    elif own:
        rows.insert(own[0] + 1, _row(key, content) + end)
    else:
        rows += [end, header + end, _row(key, content) + end]
    return _proven(text, "".join(rows), key, content)


def _removed(text: str, key: Key, value: Value) -> str:
    """The text without the line of a setting, found likewise."""
    row = _row(key, list(value) if isinstance(value, tuple) else value)
    after = "".join(each for each in lines(text) if each.rstrip("\r\n") != row)
    return _proven(text, after, key, None)


def _row(key: Key, content: object) -> str:
    import tomlkit

    return f"{key[-1]} = {tomlkit.item(content).as_string()}"


def _proven(text: str, after: str, key: Key, content: object) -> str:
    try:
        alone = _differs_only(_loads(text), _loads(after), key, content)
    except ValueError:
        alone = False
    if not alone:
        raise FormatError("it cannot be changed in one place")
    return after


def _with_end(text: str) -> str:
    return text if not text or text.endswith("\n") else text + newline(text)


def _with_ends(before: str, after: str) -> str:
    """The text after a change, whose lines end as those around them do."""
    old, new = lines(before), lines(after)
    head, tail = _alike(old, new), _alike(old[::-1], new[::-1])
    tail = min(tail, len(old) - head, len(new) - head)
    for at in range(head, len(new) - tail):
        new[at] = new[at].rstrip("\r\n") + newline(before)
    return "".join(new)


def _alike(some: list[str], others: list[str]) -> int:
    """How many lines both begin with."""
    pairs = zip(some, others, strict=False)
    return next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(some), len(others)))


def _differs_only(before: dict[str, Any], after: dict[str, Any], key: Key, content: object) -> bool:
    """Whether two documents are the same but for one setting, and that is as it should be."""
    name = key[0]
    rest = [{k: v for k, v in each.items() if k != name} for each in (before, after)]
    if rest[0] != rest[1]:
        return False
    if len(key) == 1:
        return bool(after.get(name) == content)
    return _differs_only(before.get(name, {}), after.get(name, {}), key[1:], content)
