"""How fleets of a thousand machines, and of ten thousand, wait: simulated, by the real protocol.

By hand, with PYTHONPATH=helper:tests: ``python -m support.fleet_scale``.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from credlatch.fleet.value import Settled
from support.fleet_sim import Machine, World


class Scale(NamedTuple):
    """What came of it.

    Attributes:
        machines: how many wait, one waiter each.
        within: seconds in which they come.
        takes: seconds of the renewal.
        posts: requests to the token server.
        most: reads of the engine in its busiest second.
        reads: in all.
        p50: seconds that a machine waits beyond the renewal, by the median.
        p99: by the 99th of 100.
    """

    machines: int
    within: float
    takes: float
    posts: int
    most: int
    reads: int
    p50: float
    p99: float


CASES = ((200, 1.0, 0.8), (1_000, 1.0, 5.0), (10_000, 30.0, 5.0), (10_000, 1.0, 5.0))


def measure(machines: int, within: float, takes: float, seed: int = 1) -> Scale:
    """Have so many machines ask for a token that has ended."""
    world = World(seed, takes=takes)
    # Workers write no access path; the one that renews does.
    fleet = [Machine(world, f"m{each}", has_access=False) for each in range(machines)]
    came: list[float] = []
    for machine in fleet:
        after = world.random.uniform(0.0, within)
        came.append(world.now + after)
        machine.start(after, 600.0)
    world.run()
    there = next(at for at, kept, _ in world.history["login"] if kept["gen"] > 1)
    extra: list[float] = []
    for machine, start in zip(fleet, came, strict=True):
        at, answer = machine.answers[-1]
        assert isinstance(answer, Settled), answer
        extra.append(at - max(start, there))
    extra.sort()
    seconds = Counter(int(at) for at in world.reads)
    return Scale(
        machines, within, takes, len(world.posts), max(seconds.values()), len(world.reads),
        extra[len(extra) // 2], extra[len(extra) * 99 // 100],
    )  # fmt: skip


def main() -> None:
    """Tell the table."""
    print("machines  within  renewal  requests  reads/s at most  reads   waits p50    p99")  # noqa: T201
    for machines, within, takes in CASES:
        got = measure(machines, within, takes)
        print(  # noqa: T201
            f"{got.machines:8}  {got.within:4.0f} s  {got.takes:5.1f} s  {got.posts:8}  "
            f"{got.most:15}  {got.reads:5}  {got.p50:7.2f} s  {got.p99:5.2f} s"
        )


if __name__ == "__main__":
    main()
