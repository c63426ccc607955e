"""The two-step protocol under made-up schedules: what holds always, and what if little happens.

`FLEET_EXAMPLES=20000` tries as many others.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from credlatch.errors import CredlatchError, LoginError
from credlatch.fleet import steps
from credlatch.fleet.timing import Timing
from credlatch.fleet.value import Settled
from support.fleet_sim import Fault, Machine, World, token

EXAMPLES = int(os.environ.get("FLEET_EXAMPLES", "150"))
T, G = Timing().claim, Timing().grace
TRIES = settings(
    max_examples=EXAMPLES, deadline=None, derandomize=EXAMPLES == 150,
    suppress_health_check=[HealthCheck.too_slow],
)  # fmt: skip
LONG = 400.0  # seconds in which things go wrong


class Happening(NamedTuple):
    """Something that goes wrong with one machine."""

    machine: int
    at: float
    seconds: float


class Schedule(NamedTuple):
    """What happens."""

    seed: int
    machines: int
    life: float
    outages: list[tuple[float, float]]
    kills: list[Happening]
    pauses: list[Happening]
    cuts: list[Happening]

    @property
    def faults(self) -> int:
        return len(self.outages) + len(self.kills) + len(self.pauses) + len(self.cuts)


def times(most: float) -> st.SearchStrategy[float]:
    """Mostly soon, when there is a claim, a request, a write."""
    return st.one_of(st.floats(0.0, 3.0), st.floats(0.0, most))


def happenings(most: float, number: int) -> st.SearchStrategy[list[Happening]]:
    each = st.builds(Happening, st.integers(0, 4), times(LONG), st.floats(0.1, most))
    return st.lists(each, max_size=number)


# Fail-overs, and those for which a claim does not stand.
OUTAGES = st.one_of(st.floats(0.1, 30.0), st.floats(T, 2 * T))
ANYTHING = st.builds(
    Schedule,
    seed=st.integers(0, 2**32),
    machines=st.integers(2, 5),
    life=st.sampled_from([20.0, 90.0, 3600.0]),
    outages=st.lists(st.tuples(times(LONG), OUTAGES), max_size=3),
    kills=happenings(1.0, 3),
    pauses=happenings(150.0, 3),
    cuts=happenings(150.0, 3),
)


def play(schedule: Schedule) -> tuple[World, list[Machine]]:
    """Let it happen. Each machine settles again and again; one that was killed begins anew."""
    world = World(schedule.seed, life=schedule.life)
    world.outages = [Fault(world.now + at, seconds) for at, seconds in schedule.outages]
    machines = [
        Machine(world, f"m{each}", off=world.random.uniform(-9000, 9000))
        for each in range(schedule.machines)
    ]
    for each, machine in enumerate(machines):
        for number, at, seconds in schedule.pauses:
            if number % len(machines) == each:
                machine.pauses.append(Fault(world.now + at, seconds))
        for number, at, seconds in schedule.cuts:
            if number % len(machines) == each:
                machine.cuts.append(Fault(world.now + at, seconds))
        machine.start(world.random.uniform(0.0, 1.0), 600.0)
    for number, at, _ in schedule.kills:
        machine = machines[number % len(machines)]

        def kill(machine: Machine = machine) -> None:
            machine.kill()
            machine.start(5.0, 600.0)

        world.at(at, kill)
    world.run(2000.0)
    return world, machines


def what_always_holds(world: World, machines: list[Machine]) -> None:
    """At most one request for each claim; a spent token is not sent by who has seen it spent."""
    for machine in machines:
        sent = [post for post in world.posts if post[1] == machine.name]
        assert len(sent) <= len(world.claims(machine.name))
    gens = [kept["gen"] for _, kept, _ in world.history[steps.LOGIN]]
    assert gens == sorted(gens)
    published = [kept["gen"] for _, kept, _ in world.history[steps.ACCESS]]
    assert published == sorted(set(published))
    for machine in machines:
        assert machine.answers, "it never ends"
        for _, answer in machine.answers:
            assert isinstance(answer, Settled | CredlatchError)


@TRIES
@given(schedule=ANYTHING)
def test_whatever_happens(schedule: Schedule) -> None:
    world, machines = play(schedule)
    what_always_holds(world, machines)
    # One more for each claim whose holder was gone for too long, and not one for each machine.
    spent = [token for _, _, token in world.posts]
    again = len(spent) - len(set(spent))
    assert again <= len(schedule.kills) + len(schedule.pauses) + len(schedule.cuts)
    if not world.reused:
        assert not world.login().dead


@TRIES
@given(
    schedule=ANYTHING.map(
        lambda made: made._replace(
            kills=[],
            life=3600.0,
            pauses=[Happening(m, at, min(s, 6.0)) for m, at, s in made.pauses[:1]],
            cuts=[Happening(m, at, min(s, 6.0)) for m, at, s in made.cuts[:1]],
        )
    )
)
def test_no_token_is_lost_while_its_holder_lives_however_long_the_engine_is_away(
    schedule: Schedule,
) -> None:
    world, machines = play(schedule)
    what_always_holds(world, machines)
    assert world.reused == 0
    assert len({spent for _, _, spent in world.posts}) == len(world.posts)
    for machine in machines:
        assert isinstance(machine.answers[-1][1], Settled), machine.answers[-1][1]
        assert token(machine) in world.good


@TRIES
@given(
    schedule=ANYTHING.map(
        lambda made: made._replace(
            life=3600.0,
            outages=[],
            kills=[],
            cuts=[],
            pauses=[Happening(m, at, min(s, T / 2)) for m, at, s in made.pauses[:1]],
        )
    )
)
def test_no_token_is_lost_by_a_holder_that_is_suspended_for_less_than_a_claim_stands(
    schedule: Schedule,
) -> None:
    world, machines = play(schedule)
    what_always_holds(world, machines)
    assert (world.reused, len(world.posts)) == (0, 1)
    for machine in machines:
        assert token(machine) in world.good


@TRIES
@given(schedule=ANYTHING.map(lambda made: made._replace(life=3600.0)))
def test_a_login_that_is_lost_is_said_to_be_by_all(schedule: Schedule) -> None:
    world, machines = play(schedule)
    if not world.login().dead:
        return
    for machine in machines:
        at, answer = machine.answers[-1]
        buried = next(when for when, kept, _ in world.history[steps.LOGIN] if kept.get("dead"))
        assert at <= buried + 600 or isinstance(answer, LoginError)
