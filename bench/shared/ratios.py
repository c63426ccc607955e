"""Times as figures in a table: milliseconds, and ratios to another program."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.shared.findings import MISSING, TIMES, Bar, Chart, Limit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.shared.peers import Absent, Peer

    from support.timing import Times


def pair(times: Times, unit: float, digits: int) -> str:
    """The median and the spread, in units of so many seconds."""
    return f"{times.median / unit:.{digits}f} ± {times.spread / unit:.{digits}f}"


def ratio(times: Times, base: Times | None) -> str:
    """The median and the spread, where 1 is the median of the base; a dash when that is absent."""
    return MISSING if base is None else pair(times, base.median, 2)


def missing(absent: Sequence[Absent], columns: int) -> list[tuple[str, ...]]:
    """A row for each that is absent: its name and the reason, and no figures."""
    return [(f"{each.label}: {each.reason}", *[MISSING] * (columns - 1)) for each in absent]


def limit(
    what: str,
    at_most: float,
    mine: str,
    base: str,
    times: Mapping[str, Times],
    absent: list[Absent],
) -> Limit:
    """A promise about the ratio of two programs, by their names among those that were timed."""
    if mine in times and base in times:
        unit = times[base].median
        return Limit(what, at_most, TIMES, times[mine].median / unit, times[mine].spread / unit)
    reasons = [f"{each.label}: {each.reason}" for each in absent if each.name in (mine, base)]
    return Limit(what, at_most, TIMES, None, absent="; ".join(reasons))


def chart(title: str, base: str, peers: Sequence[Peer], times: Mapping[str, Times]) -> list[Chart]:
    """One chart of these programs; none when what they are compared with is absent."""
    if base not in times:
        return []
    unit = times[base].median
    bars = [
        Bar(peer.label, times[peer.name].median / unit, peer.ours, peer.agent is not None)
        for peer in peers
    ]
    label = next(peer.label for peer in peers if peer.name == base)
    return [Chart(title, label, bars)]
