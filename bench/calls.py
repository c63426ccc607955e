"""What one call costs: ours in both forms, with and without the agent, beside the native helpers.

Run by ``./dev bench calls``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.shared import ratios
from bench.shared.findings import TIMES, Findings, Table
from bench.shared.ground import FOLDER, SINGLE
from bench.shared.natives import DOCKER_HELPER, PYTHON, UV
from bench.shared.ours import everyone, label
from bench.shared.peers import FILE, KEYRING, NOWHERE, name

from support.timing import interleaved

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bench.shared.findings import Effort, Limit
    from bench.shared.ground import Ground
    from bench.shared.peers import Absent, Peer

    from support.timing import Times

FLOOR = name(PYTHON, NOWHERE)
BASES = {FILE: UV, KEYRING: DOCKER_HELPER}
TITLES = {
    FILE: "One get, credential in a file (Bazel)",
    KEYRING: "One get, credential in the Secret Service (Docker)",
}
# Which form, with an agent or without, with a credential of which kind; and the ratio.
PROMISES = (
    (FOLDER, True, FILE, 1.1),
    (FOLDER, True, KEYRING, 0.9),
    (SINGLE, True, FILE, 1.6),
    (FOLDER, False, FILE, 3.0),
)


def measure(ground: Ground, effort: Effort) -> Findings:
    """Time every program in turn."""
    peers, absent = everyone(ground)
    times = interleaved([peer.call for peer in peers], effort.rounds)
    for peer in peers:
        if peer.agent is not None:
            peer.agent.check(effort.rounds)
    return findings(peers, absent, times)


def findings(peers: list[Peer], absent: list[Absent], times: Mapping[str, Times]) -> Findings:
    """A table and a chart for each kind of credential, and the promises."""
    found = Findings(limits=list(_limits(times, absent)))
    for held, title in TITLES.items():
        shown = [peer for peer in peers if peer.held in (held, NOWHERE)]
        missing = [each for each in absent if each.held == held]
        found.tables.append(_table(held, shown, missing, times))
        found.charts += ratios.chart(title, name(BASES[held], held), shown, times)
    return found


def _limits(times: Mapping[str, Times], absent: list[Absent]) -> Iterator[Limit]:
    for form, agent, held, at_most in PROMISES:
        mine = label(form, agent=agent)
        what = f"{mine}, {held}-held credential, against `{BASES[held]}`"
        base = name(BASES[held], held)
        yield ratios.limit(what, at_most, name(mine, held), base, times, absent)


def _table(held: str, peers: list[Peer], absent: list[Absent], times: Mapping[str, Times]) -> Table:
    base, floor = times.get(name(BASES[held], held)), times[FLOOR]
    rows = [
        (
            peer.label,
            ratios.pair(times[peer.name], 0.001, 1),
            ratios.ratio(times[peer.name], base),
            ratios.ratio(times[peer.name], floor),
        )
        for peer in peers
    ]
    head = ("program", "ms", f"{TIMES} {BASES[held]}", f"{TIMES} python")
    note = f"Medians of {len(floor.all)} interleaved runs; ± is the spread of the middle half."
    return Table(TITLES[held], head, [*rows, *ratios.missing(absent, len(head))], note)
