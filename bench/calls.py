"""What one call costs: ours in both forms, with and without the agent, beside the native helpers.

Run by ``./dev bench calls``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.shared import ratios
from bench.shared.findings import TIMES, Findings, Table
from bench.shared.ground import FOLDER, SINGLE
from bench.shared.natives import DOCKER_HELPER, PYTHON, TWEAG_AGENT, UV
from bench.shared.ours import FLEET, UVS_STORE, everyone, label
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
_FOLDER, _SINGLE = label(FOLDER, agent=True), label(SINGLE, agent=True)
_COLD, _COLD_SINGLE = label(FOLDER, agent=False), label(SINGLE, agent=False)
# Which program, where its credential is, against which one, and the ratio.
PROMISES = (
    (_FOLDER, FILE, UV, 0.3),
    (_SINGLE, FILE, UV, 0.35),
    (FLEET, FILE, UV, 0.3),
    (_FOLDER, KEYRING, DOCKER_HELPER, 0.3),
    (_SINGLE, FILE, TWEAG_AGENT, 0.4),
    (_COLD, FILE, PYTHON, 2),
    (UVS_STORE, FILE, PYTHON, 2.5),
    (_COLD_SINGLE, FILE, _COLD, 1.1),
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
    for mine, held, other, at_most in PROMISES:
        what = f"{mine}, {held}-held credential, against `{other}`"
        base = name(other, NOWHERE if other == PYTHON else held)
        yield ratios.limit(what, at_most, name(mine, held), base, times, absent)


def _table(held: str, peers: list[Peer], absent: list[Absent], times: Mapping[str, Times]) -> Table:
    base, floor = times.get(name(BASES[held], held)), times[FLOOR]
    rows = [
        (
            peer.label,
            ratios.pair(times[peer.name], 0.001, 1),
            f"{times[peer.name].slowest * 1000:.1f}",
            ratios.ratio(times[peer.name], base),
            ratios.ratio(times[peer.name], floor),
        )
        for peer in peers
    ]
    head = ("program", "ms", "p99 ms", f"{TIMES} {BASES[held]}", f"{TIMES} python")
    note = f"Medians of {len(floor.all)} interleaved runs; ± is the spread of the middle half."
    return Table(TITLES[held], head, [*rows, *ratios.missing(absent, len(head))], note)
