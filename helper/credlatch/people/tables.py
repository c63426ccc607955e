"""Tables without lines, fitted to a width."""

from __future__ import annotations

from rich.table import Table

from credlatch.people.styles import DIM
from credlatch.people.texts import Cell, cell_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.text import Text

_GAP = 2  # columns between those of a table
_NARROW = 6  # columns: no column of a table is made narrower
_LONG = 14  # columns: longer words are cut before other columns are made narrower


def table(
    headings: Sequence[str], rows: Iterable[Sequence[Cell]], most: int, whole: Sequence[int]
) -> Table:
    """A table that has so many columns of a terminal at most.

    Args:
        headings: one for each column; none at all: no line for them.
        rows: cells, each a text, or a text and a style.
        most: columns of the terminal.
        whole: the table's columns that are folded last.
    """
    filled = [[cell_of(cell) for cell in row] for row in rows]
    top = [cell_of((heading, DIM)) for heading in headings]
    measured = [[cell.cell_len for cell in row] for row in (*filled, *([top] if top else []))]
    shown = Table(box=None, show_header=bool(top), pad_edge=False, padding=(0, _GAP, 0, 0))
    shown.header_style = ""
    natural = [max(each) for each in zip(*measured, strict=True)]
    words = [max(map(_longest_word, each)) for each in zip(*filled, strict=True)]
    for column, width in enumerate(fitted(natural, most, whole, words)):
        # Rich cuts text off where it is to find the width itself, between a least and a most.
        shown.add_column(top[column] if top else "", overflow="fold", width=width)
    for row in filled:
        shown.add_row(*row)
    return shown


def natural(headings: Sequence[str], rows: Iterable[Sequence[Cell]]) -> int:
    """How many columns of a terminal a table takes without a fold."""
    filled = [[cell_of(cell).cell_len for cell in row] for row in rows]
    widths = [max(each) for each in zip(map(len, headings), *filled, strict=True)]
    return int(sum(widths)) + _GAP * (len(widths) - 1)


def fitted(
    widths: Sequence[int], most: int, whole: Sequence[int] = (), words: Sequence[int] = ()
) -> list[int]:
    """How wide the columns of a table are that has so many columns of a terminal at most.

    Args:
        widths: what each would take.
        most: what all and the gaps between them may take.
        whole: those that become narrower only when all others are as narrow as can be.
        words: the longest word of each, which is cut only when there is nothing else to do.
    """
    fits = list(widths)
    over = sum(fits) + _GAP * (len(fits) - 1) - most
    others = [column for column in range(len(fits)) if column not in whole]
    narrowest = [_NARROW] * len(fits)
    least = [max(_NARROW, min(word, _LONG)) for word in words] or narrowest
    for columns, floor in ((others, least), (list(whole), least), (range(len(fits)), narrowest)):
        while over > 0 and (wide := [each for each in columns if fits[each] > floor[each]]):
            fits[max(wide, key=lambda column: fits[column])] -= 1
            over -= 1
    return fits


def _longest_word(text: Text) -> int:
    return max(map(len, text.plain.split()), default=0)
