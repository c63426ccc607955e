"""What a measurement hands back: tables to read, limits that were kept or not, bars to draw."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

TIMES = "\N{MULTIPLICATION SIGN}"  # the unit of a ratio
MISSING = "-"  # a figure that there is not
ROUNDS = 60  # what a full run takes; its figures are those that count


@dataclass(frozen=True)
class Effort:
    """How much is measured.

    Attributes:
        rounds: how often each call is timed.
    """

    rounds: int = ROUNDS

    @property
    def full(self) -> bool:
        """Whether the figures may stand in the documentation."""
        return self.rounds >= ROUNDS

    def of(self, whole: int, least: int) -> int:
        """A number that is ``whole`` in a full run, and shrinks with the rounds of a trial."""
        return max(least, whole * min(self.rounds, ROUNDS) // ROUNDS)


@dataclass(frozen=True)
class Table:
    """Rows under a head. The first column is text, the others are figures.

    Attributes:
        note: what a reader must know, as a sentence or two.
    """

    title: str
    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    note: str = ""


@dataclass(frozen=True)
class Limit:
    """One promise.

    Attributes:
        what: what was measured, and against what.
        at_most: what was promised, in ``unit``.
        measured: the figure; None when it could not be taken.
        spread: how far apart the middle half of the runs is, likewise.
        absent: what was missing, when there is no figure.
    """

    what: str
    at_most: float
    unit: str
    measured: float | None
    spread: float | None = None
    absent: str = ""

    @property
    def over(self) -> bool:
        """Whether the promise is broken; what was not measured is not."""
        return self.measured is not None and self.measured > self.at_most

    @property
    def verdict(self) -> str:
        """In a word, or with what was missing."""
        if self.measured is None:
            return f"not measured; {self.absent}"
        return "over" if self.over else "ok"


@dataclass(frozen=True)
class Bar:
    """One program in the picture.

    Attributes:
        ratio: its cost, where 1 is that of the chart's base.
        ours: whether it is credlatch.
        agent: whether credlatch has its agent, as it has unless that is switched off.
    """

    name: str
    ratio: float
    ours: bool = False
    agent: bool = False


@dataclass(frozen=True)
class Chart:
    """Bars that may be compared.

    Attributes:
        base: the program that is 1.
    """

    title: str
    base: str
    bars: list[Bar]


@dataclass
class Findings:
    """All that one measurement, or several, found out."""

    tables: list[Table] = field(default_factory=list)
    limits: list[Limit] = field(default_factory=list)
    charts: list[Chart] = field(default_factory=list)

    def add(self, other: Findings) -> None:
        """Take over what another has found."""
        self.tables += other.tables
        self.limits += other.limits
        self.charts += other.charts
