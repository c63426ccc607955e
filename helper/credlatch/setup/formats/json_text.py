"""JSON, edited in the text itself: order, spacing and spelling of all else stay as they are."""

from __future__ import annotations

import json
from dataclasses import dataclass

from credlatch.setup.formats import Format, FormatError, newline, value_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.setup.formats import Key, Value

_SPACE = " \t\r\n"
_UNIT = "\t"  # one level of a file that we begin: as Docker writes its own


class JsonText(Format):
    """Objects of texts, of lists of texts, and of such objects. An empty text is an empty object.

    Of a name that is there twice the last counts, as JSON's readers have it.
    """

    name = "JSON"

    def get(self, text: str, key: Key) -> Value | None:
        """What a setting is; what is null is not set."""
        return value_in(_loads(text), key, "an object")

    def beside(self, text: str, key: Key) -> dict[str, Value]:
        """Those of one object; what is neither text nor list is passed over."""
        table: object = _loads(text)
        for name in key[:-1]:
            table = table.get(name) if isinstance(table, dict) else None
        found = table if isinstance(table, dict) else {}
        return {name: value for name, value in found.items() if isinstance(value, str)}

    def put(self, text: str, key: Key, value: Value) -> str:
        """The text with a setting in it."""
        self.get(text, key)
        text = text if text.strip(_SPACE) else "{}\n"
        return _Document(text).put(key, value)

    def _without(self, text: str, key: Key) -> str:
        for length in range(len(key), 0, -1):
            text = _Document(text).without(key[:length])
            above = _Document(text).find(key[: length - 1])
            if above is None or _members(text, above.value):
                break
        return text


def _loads(text: str) -> dict[str, object]:
    if not text.strip(_SPACE):
        return {}
    if text.startswith("\ufeff"):
        raise FormatError("it begins with a byte order mark")
    try:
        value = json.loads(text)
    except RecursionError:
        raise FormatError("nested too deeply") from None
    if not isinstance(value, dict):
        raise FormatError("not an object")
    return value


@dataclass(slots=True, frozen=True)
class _Member:
    """A name and its value, by their places in the text; ``end`` is that of the value."""

    name: str
    begin: int
    name_end: int
    value: int
    end: int


def _after_space(text: str, at: int) -> int:
    while text[at : at + 1] and text[at] in _SPACE:
        at += 1
    return at


def _members(text: str, at: int) -> list[_Member]:
    """The members of an object, by where that begins in what is known to be JSON; else none."""
    decoder = json.JSONDecoder()
    members: list[_Member] = []
    if text[at] != "{":
        return members
    at = _after_space(text, at + 1)
    while text[at] == '"':
        name, name_end = decoder.raw_decode(text, at)
        value = _after_space(text, _after_space(text, name_end) + 1)
        end = decoder.raw_decode(text, value)[1]
        members.append(_Member(name, at, name_end, value, end))
        at = _after_space(text, end)
        if text[at] == ",":
            at = _after_space(text, at + 1)
    return members


class _Document:
    """A text that is known to be an object, and how it is written."""

    def __init__(self, text: str) -> None:
        self._text = text
        at = _after_space(text, 0)
        self._root = _Member("", at, at, at, json.JSONDecoder().raw_decode(text, at)[1])
        self._unit: str | None = _UNIT  # None: all on one line
        self._colon = ": "
        for first in _members(text, at)[:1]:
            _, break_, indent = text[at + 1 : first.begin].rpartition("\n")
            self._unit = indent if break_ else None
            self._colon = text[first.name_end : first.value]
        self._comma = ", " if self._colon.endswith(" ") else ","

    def find(self, key: Key) -> _Member | None:
        """The setting with a key; the whole document for the empty one."""
        found = self._root
        for name in key:
            named = [each for each in _members(self._text, found.value) if each.name == name]
            if not named:
                return None
            found = named[-1]
        return found

    def put(self, key: Key, value: Value) -> str:
        """The text with a setting in it."""
        depth = len(key)
        while (found := self.find(key[:depth])) is None:
            depth -= 1
        text, new = self._text, self._written(key[depth:], value, depth)
        members = _members(text, found.value) if key[depth:] else []
        if not members:
            return text[: found.value] + new + text[found.end :]
        last = members[-1].end
        lead = text[found.value + 1 : members[0].begin]
        indent = newline(text) + lead.rpartition("\n")[2]
        comma = f",{indent}" if "\n" in lead else self._comma
        return f"{text[:last]}{comma}{new[1:-1].strip()}{text[last:]}"

    def _written(self, names: Key, value: Value, depth: int) -> str:
        """An object with one member for each name, one in the other, and the value inside."""
        content: object = value
        for name in reversed(names):
            content = {name: content}
        separators = (self._comma if self._unit is None else ",", self._colon)
        new = json.dumps(content, ensure_ascii=False, indent=self._unit, separators=separators)
        return new.replace("\n", newline(self._text) + (self._unit or "") * depth)

    def without(self, key: Key) -> str:
        """The text without a setting; as it is when there is none."""
        text, member, above = self._text, self.find(key), self.find(key[:-1])
        if member is None or above is None or not key:
            return text
        members = _members(text, above.value)
        place = [each.begin for each in members].index(member.begin)
        if place:
            return text[: members[place - 1].end] + text[member.end :]
        if len(members) > 1:
            return text[: member.begin] + text[members[1].begin :]
        end = _after_space(text, member.end) + 1
        return f"{text[: above.value]}{{}}{text[end:]}"
