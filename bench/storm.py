"""What a build costs: 1,000 URLs from 16 callers at a time, in wall time and in CPU.

The CPU is that of all processes: those that were started, and the agent meanwhile. Run by
``./dev bench storm``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.shared import ratios
from bench.shared.findings import MISSING, TIMES, Findings, Table
from bench.shared.ground import FOLDER, SINGLE
from bench.shared.many import CALLERS, ask
from bench.shared.natives import UV, uv
from bench.shared.ours import credlatch, label
from bench.shared.peers import FILE, bazel, name, parted

from support.timing import Times, turns

if TYPE_CHECKING:
    from bench.shared.findings import Effort
    from bench.shared.ground import Ground
    from bench.shared.many import Cost
    from bench.shared.peers import Absent, Peer

URLS = 1_000
ROUNDS = 5
LIMIT = 0.35
BASE = name(UV, FILE)
MINE = label(FOLDER, agent=True)


def measure(ground: Ground, effort: Effort) -> Findings:
    """Let every program answer all URLs, in turn."""
    # A single file without its agent is not here: `calls` shows what it adds to the folder.
    peers, absent = parted(
        [
            uv(ground),
            credlatch(ground, FOLDER, FILE, agent=True),
            credlatch(ground, SINGLE, FILE, agent=True),
            credlatch(ground, FOLDER, FILE, agent=False),
        ]
    )
    urls, rounds = effort.of(URLS, 32), effort.of(ROUNDS, 2)
    questions = [bazel(f"packages/{number}/package-{number}.whl") for number in range(urls)]
    costs: dict[str, list[Cost]] = {peer.name: [] for peer in peers}
    for peer in turns(peers, rounds):
        costs[peer.name].append(ask(peer, questions, ground.path / "storm"))
    for peer in peers:
        if peer.agent is not None:
            peer.agent.check(urls * rounds)
    return findings(peers, absent, costs, urls)


def findings(
    peers: list[Peer], absent: list[Absent], costs: dict[str, list[Cost]], urls: int
) -> Findings:
    """Wall and CPU beside those of the base, and the promise about CPU."""
    wall = {who: Times(cost.wall for cost in each) for who, each in costs.items()}
    cpu = {who: Times(cost.cpu for cost in each) for who, each in costs.items()}
    agent = {who: Times(cost.agent for cost in each) for who, each in costs.items()}
    rows = [
        (
            peer.label,
            ratios.pair(wall[peer.name], 1, 2),
            ratios.ratio(wall[peer.name], wall.get(BASE)),
            ratios.pair(cpu[peer.name], 1, 2),
            ratios.ratio(cpu[peer.name], cpu.get(BASE)),
            f"{agent[peer.name].median:.2f}" if peer.agent else MISSING,
        )
        for peer in peers
    ]
    title = f"{urls:,} URLs, {CALLERS} callers at a time (Bazel's protocol, file-held)"
    head = (
        "program",
        "wall s",
        f"wall {TIMES} {UV}",
        "CPU s",
        f"CPU {TIMES} {UV}",
        "of it the agent's",
    )
    rounds = max((len(each) for each in costs.values()), default=0)
    note = (
        f"Medians of {rounds} interleaved rounds; ± is the spread of the middle half. "
        "CPU is user and system time of all processes, the agent's included."
    )
    what = f"{urls:,} URLs, {CALLERS} callers, {MINE}, total CPU, against `{UV}`"
    return Findings(
        [Table(title, head, [*rows, *ratios.missing(absent, len(head))], note)],
        [ratios.limit(what, LIMIT, name(MINE, FILE), BASE, cpu, absent)],
        ratios.chart(f"{urls:,} URLs, {CALLERS} callers at a time: total CPU", BASE, peers, cpu),
    )
