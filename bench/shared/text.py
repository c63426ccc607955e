"""Findings as text: for the terminal, and as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.shared.findings import MISSING, Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bench.shared.findings import Limit

HEAD = ("what", "at most", "measured", "")


def promises(limits: Iterable[Limit]) -> Table:
    """The limits as a table: what was promised and what came out."""
    rows = [
        (limit.what, f"{limit.at_most:g} {limit.unit}", _measured(limit), limit.verdict)
        for limit in limits
    ]
    return Table("Promised and measured", HEAD, rows)


def _measured(limit: Limit) -> str:
    if limit.measured is None:
        return MISSING
    spread = "" if limit.spread is None else f" ± {limit.spread:.2f}"
    return f"{limit.measured:.2f}{spread} {limit.unit}"


def plain(table: Table) -> str:
    """For the terminal: text to the left, figures to the right."""
    lines: list[Sequence[str]] = [table.head, *table.rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(table.head))]
    shown = [
        "  ".join(
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]
    rule = "-" * max(map(len, shown))
    return "\n".join([table.title, rule, *shown, *([table.note] if table.note else [])]) + "\n"


def markdown(table: Table) -> str:
    """For the documentation: a heading, the table, and what it means."""
    rule = ["---", *["---:"] * (len(table.head) - 1)]
    lines = [_row(table.head), "|".join(["", *rule, ""]), *map(_row, table.rows)]
    note = f"\n{table.note}\n" if table.note else ""
    return f"## {table.title}\n\n" + "\n".join(lines) + f"\n{note}"


def _row(cells: Sequence[str]) -> str:
    return " ".join(["|", " | ".join(cells), "|"])
