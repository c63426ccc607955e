"""The YAML that gh and glab write: block mappings of one-line scalars (YAML 1.2, 8.2.2 and 7.3).

A parser of all of YAML costs more than a whole call. What such files do not have (anchors, flow
collections, scalars of several lines) is kept as unreadable, and is an error for whom it matters.
"""

from __future__ import annotations

from credlatch.errors import StoreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    # A scalar's text, empty for null; a mapping; None for what is not read here.
    Node: TypeAlias = "str | Mapping | None"
    Mapping: TypeAlias = "dict[str, Node]"

_TAGS = ("!!null", "!!str")  # glab's older versions leave the first before a token
_OTHER = frozenset("&*!|>{}[]%@`,")  # begins what is no plain scalar
_NULL = frozenset(("~", "null", "Null", "NULL"))


def parse(text: str, path: str) -> Mapping:
    """The mapping that a document is.

    Raises:
        StoreError: it is none, or has a key twice.
    """
    root: Mapping = {}
    levels: list[tuple[int, Mapping]] = [(0, root)]  # the open mappings, and their indentation
    key = ""  # of the innermost one, the latest
    skipping: int | None = None  # what is indented deeper belongs to a value that is not read
    quote = ""  # of a text that has not ended yet
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for number, line in enumerate(lines, 1):
        if quote:
            after = _after_quote(line, quote)
            if after is not None:
                if not _is_over(after):
                    raise _broken(path, number)
                quote = ""
            continue
        content = line.strip(" ")
        indent = len(line) - len(line.lstrip(" "))
        if not content or content.startswith("#") or line.rstrip() == "---":
            continue
        if skipping is not None and indent > skipping:
            continue
        skipping = None
        while indent < levels[-1][0]:
            levels.pop()
            key = ""
        level, mapping = levels[-1]
        is_item = content == "-" or content.startswith("- ")
        if indent > level or is_item:
            if key not in mapping:
                raise _broken(path, number)
            if is_item or mapping[key] != "":  # a list, or a scalar that goes on
                mapping[key], skipping = None, indent if is_item else level
                quote = _open_quote(content[1:].strip(" ")) if is_item else ""
                continue
            inner: Mapping = {}
            mapping[key] = inner
            levels.append((indent, inner))
            mapping = inner
        key, value = _pair(content)
        if not key or key in mapping:
            raise _broken(path, number)
        mapping[key] = _scalar(value)
        if mapping[key] is None:
            skipping, quote = indent, _open_quote(_untagged(value))
    return root


def text_at(mapping: Mapping, key: str, path: str) -> str:
    """The text under a key, without blanks around it; empty where there is none.

    Raises:
        StoreError: there is something else.
    """
    value = mapping.get(key, "")
    if isinstance(value, str):
        return value.strip()
    raise StoreError(f"{path} has a {key} that is no text of one line: log in again")


def below(mapping: Mapping, key: str) -> Mapping:
    """The mapping under a key; empty where there is none."""
    value = mapping.get(key)
    return value if isinstance(value, dict) else {}


def _pair(content: str) -> tuple[str, str]:
    """The key of a line, and what follows its colon; an empty key: there is none."""
    quote = content[0]
    if quote in "'\"":
        end = content.find(quote, 1)
        after = content[end + 1 :].lstrip(" ")
        key = content[1:end]
        if end < 0 or not after.startswith(":") or "\\" in key:
            return "", ""
        return key, after[1:].strip(" ")
    if quote in _OTHER or quote in "?\t":
        return "", ""
    at = content.find(": ")
    if at < 0:
        at = len(content) - 1 if content.endswith(":") else 0
    if _uncommented(content[:at]) != content[:at]:
        return "", ""  # the colon is in a comment
    return content[:at].rstrip(" "), content[at + 1 :].strip(" ")


def _uncommented(text: str) -> str:
    """What stands before a comment: it begins after white space (YAML 1.2, 6.6)."""
    return text.partition(" #")[0].partition("\t#")[0]


def _scalar(value: str) -> str | None:
    """The text that a value means; None for what is not read here."""
    value = _untagged(value)
    if not value or value.startswith("#"):
        return ""
    if value[0] in "'\"":
        return _quoted(value)
    value = _uncommented(value).rstrip(" \t")
    if value and value[0] in _OTHER:
        return None
    return "" if value in _NULL else value


def _untagged(value: str) -> str:
    for tag in _TAGS:
        if value == tag or value.startswith(f"{tag} "):
            value = value.removeprefix(tag).strip(" ")
    return value


def _open_quote(text: str) -> str:
    """The quote with which a text begins that does not end; empty: there is none."""
    is_open = text[:1] in {"'", '"'} and _after_quote(text[1:], text[0]) is None
    return text[0] if is_open else ""


def _after_quote(text: str, quote: str) -> str | None:
    """What follows the end of a quoted text of which this is the rest; None: it goes on.

    A quote is written twice between single ones, and after a backslash between double ones.
    """
    at = 0
    while at < len(text):
        if text[at] == quote and not (quote == "'" and text[at + 1 : at + 2] == quote):
            return text[at + 1 :]
        at += 2 if text[at] == ("'" if quote == "'" else "\\") else 1
    return None


def _is_over(after: str) -> bool:
    """Whether nothing but a comment follows a quoted text in its line."""
    after = after.lstrip(" ")
    return not after or after.startswith("#")


def _quoted(value: str) -> str | None:
    quote = value[0]
    after = _after_quote(value[1:], quote)
    if after is None or not _is_over(after):
        return None
    whole = value[: len(value) - len(after)]
    if quote == "'":
        return whole[1:-1].replace("''", "'")
    from credlatch import quick_json

    try:
        text = quick_json.loads(whole)  # whose escapes are among YAML's
    except ValueError:
        return None
    return text if isinstance(text, str) else None


def _broken(path: str, number: int) -> StoreError:
    return StoreError(f"{path} is not what its own tool writes (line {number}): mend it")
