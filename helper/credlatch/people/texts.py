"""Texts as rich shows them: whatever is in them, nothing that moves a terminal's cursor.

A line end is no exception: what a store or a server says would write lines of its own, which look
like ours.
"""

from __future__ import annotations

from rich.text import Text

from credlatch import lines
from credlatch.people.styles import STYLES

Cell = str | tuple[str, str]
LONGEST = 100_000  # characters of one paragraph or cell


def text_of(text: str, style: str) -> Text:
    """A text in a style of ``styles.STYLES``."""
    # The style is the text's alone: not of the blanks that fill a line, which go.
    kept = lines.printable(text, LONGEST)
    return Text(overflow="fold").append(kept, STYLES.get(style, ""))


def cell_of(cell: Cell) -> Text:
    """A cell of a table."""
    return text_of(cell, "") if isinstance(cell, str) else text_of(*cell)
