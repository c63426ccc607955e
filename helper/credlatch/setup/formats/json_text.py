"""JSON, edited in the text itself: order, spacing and spelling of all else stay as they are."""

from __future__ import annotations

import json
from dataclasses import dataclass

from credlatch.setup.formats import FormatError, newline, value_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.setup.formats import Key, Value

_SPACE = " \t\r\n"
_UNIT = "\t"  # one level of a file that we begin: as Docker writes its own


class JsonText:
    """Objects of texts, of lists of texts, and of such objects. An empty text is an empty object.

    Of a name that is there twice the last counts, as JSON's readers have it.
    """

    name = "JSON"

    def get(self, text: str, key: Key) -> Value | None:
        """What a setting is; what is null is not set."""
        return value_in(_loads(text), key, "an object")

    def put(self, text: str, key: Key, value: Value) -> str:
        """The text with a setting in it."""
        self.get(text, key)
        text = text if text.strip(_SPACE) else "{}\n"
        content = list(value) if isinstance(value, tuple) else value
        return _Document(text).put(key, json.dumps(content, ensure_ascii=False))

    def put_back(self, text: str, key: Key, value: Value, old: Value | None) -> str:  # noqa: ARG002 - what it was is enough
        """The text with a setting as it was."""
        if old is not None:
            return self.put(text, key, old)
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
    """The members of the object that begins at ``at``, in a text that is known to be JSON."""
    decoder = json.JSONDecoder()
    members: list[_Member] = []
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
        self._root = _after_space(text, 0)
        self._unit: str | None = _UNIT  # None: all on one line
        self._colon = ": "
        members = _members(text, self._root)
        if members:
            first = members[0]
            _, break_, indent = text[self._root + 1 : first.begin].rpartition("\n")
            self._unit = indent if break_ else None
            self._colon = text[first.name_end : first.value]

    def find(self, key: Key) -> _Member | None:
        """The setting with a key; the whole document for the empty one."""
        found = _Member("", self._root, self._root, self._root, len(self._text))
        for name in key:
            if self._text[found.value] != "{":
                return None
            named = [each for each in _members(self._text, found.value) if each.name == name]
            if not named:
                return None
            found = named[-1]
        return found

    def put(self, key: Key, written: str) -> str:
        """The text with a setting, whose value is written so, in it."""
        depth = len(key)
        while (found := self.find(key[:depth])) is None:
            depth -= 1
        if depth == len(key) or self._text[found.value] != "{":
            new = self._nested(key[depth:], written, depth)
            return self._text[: found.value] + new + self._text[found.end :]
        return self._with_member(found.value, key[depth:], written, depth)

    def _with_member(self, at: int, names: Key, written: str, depth: int) -> str:
        """The text with a member at the end of the object that begins at ``at``."""
        text = self._text
        members = _members(text, at)
        if not members:
            end = _after_space(text, at + 1) + 1
            return text[:at] + self._nested(names, written, depth) + text[end:]
        last = members[-1]
        lead = text[at + 1 : members[0].begin]
        if "\n" in lead:
            between = newline(text) + lead.rpartition("\n")[2]
        else:
            between = " " if self._colon.endswith(" ") else ""
        new = self._member(names, written, depth)
        return f"{text[: last.end]},{between}{new}{text[last.end :]}"

    def _member(self, names: Key, written: str, depth: int) -> str:
        name = json.dumps(names[0], ensure_ascii=False)
        return f"{name}{self._colon}{self._nested(names[1:], written, depth + 1)}"

    def _nested(self, names: Key, written: str, depth: int) -> str:
        """An object with one member for each name, one in the other, and the value inside."""
        if not names:
            return written
        member = self._member(names, written, depth)
        if self._unit is None:
            return f"{{{member}}}"
        line = newline(self._text)
        return f"{{{line}{self._unit * (depth + 1)}{member}{line}{self._unit * depth}}}"

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
