"""A page for people, taken apart: its sections, and the blocks that stand in them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
_SECTION = re.compile(r"^## (?P<head>[^\n]+)\n(?P<body>.*?)(?=^## |\Z)", re.DOTALL | re.MULTILINE)
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


class Block(NamedTuple):
    """What stands between two fences, and the language that it is said to be in."""

    kind: str
    text: str


class Page:
    """One page.

    Args:
        name: where it is, from the project's root.

    Attributes:
        text: the whole.
        sections: what stands below each head.
        blocks: the blocks of each section that has any.
    """

    def __init__(self, name: str) -> None:
        self.text = (ROOT / name).read_text()
        self.sections = {match["head"]: match["body"] for match in _SECTION.finditer(self.text)}
        self.blocks = {
            head: blocks for head, body in self.sections.items() if (blocks := _blocks(body))
        }

    def of_kind(self, kind: str) -> list[str]:
        """All blocks in a language, also those that stand before the first head."""
        return [block.text for block in _blocks(self.text) if block.kind == kind]


def _blocks(text: str) -> list[Block]:
    return [Block(*found) for found in _FENCE.findall(text)]
