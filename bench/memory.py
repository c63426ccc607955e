"""What is kept in memory: by a call at most, and by the agent after thousands of requests.

Run by ``./dev bench memory``.
"""

from __future__ import annotations

import shutil
import statistics
from typing import TYPE_CHECKING

from bench.shared import ratios
from bench.shared.findings import TIMES, Findings, Limit, Table
from bench.shared.ground import FOLDER
from bench.shared.many import CALLERS, ask
from bench.shared.natives import PYTHON
from bench.shared.ours import credlatch, everyone
from bench.shared.peers import BOTH, DOCKER, FILE, NOWHERE, bazel, name

from support.timing import Timed

if TYPE_CHECKING:
    from pathlib import Path

    from bench.shared.findings import Effort
    from bench.shared.ground import Ground
    from bench.shared.peers import Peer, Question

MB = 1e6
CALLS = 5  # of each program: the peak hardly moves
FIRST, ALL = 1_000, 10_000  # requests
RESIDENT, GROWTH = 60, 2  # MB
FLOORS = f"{TIMES} python"


def measure(ground: Ground, effort: Effort) -> Findings:
    """Weigh single calls first, and then the agent."""
    found = peaks(ground)
    found.add(resident(ground, effort))
    return found


def peaks(ground: Ground) -> Findings:
    """The most that a call of each program has in memory."""
    title, head = "The most memory that one call takes", ("program", "credential", "MB", FLOORS)
    time = shutil.which("time")
    if time is None:
        return Findings([Table(title, head, [], "Not measured: no time, a package of Debian's.")])
    peers, absent = everyone(ground)
    taken = {peer.name: _median_peak(time, peer, ground.path) for peer in peers}
    rows = [
        (
            peer.label,
            peer.held,
            f"{taken[peer.name] / MB:.1f}",
            f"{taken[peer.name] / taken[name(PYTHON, NOWHERE)]:.2f}",
        )
        for peer in peers
    ]
    note = f"Medians of {CALLS}. With an agent, this is what the call itself takes beside it."
    return Findings([Table(title, head, [*rows, *ratios.missing(absent, len(head))], note)])


def _median_peak(time: str, peer: Peer, folder: Path) -> float:
    """The most bytes that a call had in memory, in any process of it: the middle of a few.

    By time(1), because what a Python starts counts at least the memory of that Python: the system
    hands the peak on to the program that takes a process over.
    """
    said = folder / "peak"
    words = [time, "-f", "%M", "-o", said, *peer.call.command]
    call = Timed(peer.name, words, peer.call.stdin, peer.call.env, peer.call.cwd)
    taken = []
    for _ in range(CALLS):
        call.output()
        taken.append(int(said.read_text()) * 1024)
    return statistics.median(taken)


def resident(ground: Ground, effort: Effort) -> Findings:
    """What the agent has in memory after its start, after some requests, and after many."""
    held = FILE if ground.keyring() is None else BOTH
    peer = credlatch(ground, FOLDER, held, agent=True)
    if peer.agent is None:
        raise RuntimeError("there is no agent to weigh")
    first, most = effort.of(FIRST, 32), effort.of(ALL, 320)
    asked = questions(most, mixed=held == BOTH)
    sizes = [peer.agent.resident()]
    for part in (asked[:first], asked[first:]):
        ask(peer, part, ground.path / "asked")
        sizes.append(peer.agent.resident())
    peer.agent.check(most)
    return findings(sizes, (first, most), held)


def questions(count: int, *, mixed: bool) -> list[Question]:
    """Distinct URLs by Bazel's protocol, every other one Docker's question if that is wanted."""
    urls = [bazel(f"packages/{number}/package-{number}.whl") for number in range(count)]
    return [DOCKER if mixed and number % 2 else url for number, url in enumerate(urls)]


def findings(sizes: list[int], counts: tuple[int, int], held: str) -> Findings:
    """A table of the agent's sizes, and the promises about them.

    Args:
        sizes: bytes after its start, after some requests, and after all of them.
        counts: how many requests these were.
        held: where the credentials are.
    """
    first, most = counts
    last = most - first
    after_start, after_first, after_most = (size / MB for size in sizes)
    growth = after_most - after_first
    rows = [
        ("after its start", f"{after_start:.1f}"),
        (f"after {first:,} requests", f"{after_first:.1f}"),
        (f"after {most:,} requests", f"{after_most:.1f}"),
        (f"growth over the last {last:,}", f"{growth:+.2f}"),
    ]
    note = (
        f"Each request is a process of its own, {CALLERS} at a time, for a URL of its own; "
        f"the credentials are in: {held}."
    )
    limits = [
        Limit(f"the agent's memory after {most:,} requests", RESIDENT, "MB", after_most),
        Limit(f"its growth over the last {last:,}", GROWTH, "MB", growth),
    ]
    return Findings([Table("The agent's resident memory", ("", "MB"), rows, note)], limits)
