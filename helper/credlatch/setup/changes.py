"""What is changed in a file, in a form that can be undone and holds nothing but the change."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher

from credlatch.setup.formats import alike, lines
from credlatch.structs import msgspec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from credlatch.setup.texts import Found

Splice = tuple[int, str, str]


class Setting(msgspec.Struct, frozen=True):
    """One setting that is put in.

    Attributes:
        key: the setting.
        value: what it is now.
        old: what it was; None: nothing.
    """

    key: tuple[str, ...]
    value: str | tuple[str, ...]
    old: str | tuple[str, ...] | None


@dataclass(slots=True, frozen=True, repr=False)
class FileChange:
    """One file, before and after.

    Attributes:
        found: the file as it was found.
        after: what it is to say; None: it is to go.
        format: the name of its format.
        settings: those that are put in, in their order.
        is_private: whether it is for its owner alone, if it is begun.
    """

    found: Found
    after: str | None
    format: str
    settings: Sequence[Setting] = ()
    is_private: bool = False


def splices(before: str, after: str) -> list[Splice]:
    """Where two texts differ: by lines, and then by characters, so that no more is kept.

    Each is a place in the new text, what was there, and what is there now; the first one first.
    """
    old, new = lines(before), lines(after)
    found: list[Splice] = []
    at = 0
    for tag, first, last, new_first, new_last in SequenceMatcher(
        None, old, new, autojunk=False
    ).get_opcodes():
        was, now = "".join(old[first:last]), "".join(new[new_first:new_last])
        if tag != "equal":
            head = alike(was, now)
            tail = alike(was[head:][::-1], now[head:][::-1])
            end = (len(was) - tail, len(now) - tail)
            found.append((at + head, was[head : end[0]], now[head : end[1]]))
        at += len(now)
    return found


def without(text: str, changed: list[Splice]) -> str:
    """The text before some splices were made."""
    for at, was, now in reversed(changed):
        text = text[:at] + was + text[at + len(now) :]
    return text
