"""The two-step protocol in simulated time: what may be promised, and what may not."""

from __future__ import annotations

from typing import Any

import pytest

from credlatch.credential import Secret
from credlatch.errors import LoginError, RenewalError
from credlatch.fleet import steps, value
from credlatch.fleet.timing import Timing
from credlatch.fleet.value import Settled
from credlatch.renew.gate import NotSentError, UnansweredError
from support.fleet_sim import Fault, Machine, World, settled, token

T, G = Timing().claim, Timing().grace


def fleet(world: World, number: int = 20, **how: Any) -> list[Machine]:
    """Machines whose clocks are off by hours."""
    return [
        Machine(world, f"m{each}", off=world.random.uniform(-7000, 7000), **how)
        for each in range(number)
    ]


def go(world: World, machines: list[Machine], seconds: float = 300.0) -> None:
    """All begin within a second."""
    for machine in machines:
        machine.start(world.random.uniform(0.0, 1.0), seconds)
    world.run()


def all_are_right(world: World, machines: list[Machine]) -> None:
    assert {token(machine) for machine in machines} <= world.good


def when(machine: Machine, kind: type, action: str, fault: Fault | None = None) -> None:
    """Have the machine killed or suspended as it is about to do its first step of a kind."""

    def before(step: steps.Step) -> None:
        if isinstance(step, kind):
            machine.before = lambda _: None
            if action == "kill":
                machine.kill()
            elif fault is not None:
                now = machine.world.now
                machine.pauses.append(Fault(now, fault.end - fault.start))

    machine.before = before


@pytest.mark.parametrize("seed", range(5))
def test_one_renews_and_all_have_it(seed: int) -> None:
    world = World(seed)
    machines = fleet(world, 50)
    go(world, machines)
    assert len(world.posts) == 1
    assert world.reused == 0
    all_are_right(world, machines)
    assert max(at for machine in machines for at, _ in machine.answers) < world.began + 10
    (written,) = world.history[steps.ACCESS]
    end = world.login().entry["OAuth"]["expires_at"]
    assert written[1] == {"access_token": "access-1", "gen": 2, "expires_at": end}


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("kill", [0.1, 0.6, 0.85, 1.0])
def test_no_failover_loses_it(seed: int, kill: float) -> None:
    world = World(seed)
    world.outages = [Fault(world.now + kill, world.random.uniform(8, 20))]
    machines = fleet(world)
    go(world, machines)
    assert len(world.posts) == 1
    assert world.reused == 0
    all_are_right(world, machines)


@pytest.mark.parametrize("seconds", [70.0, 100.0, 110.0])
@pytest.mark.parametrize("seed", range(5))
def test_an_outage_longer_than_a_claim_stands_loses_nothing_while_its_holder_lives(
    seed: int, seconds: float
) -> None:
    """The claim is old when the engine is back: whoever wins that race only suspects."""
    world = World(seed)
    world.outages = [Fault(world.now + 1.2, seconds)]
    machines = fleet(world)
    go(world, machines)
    assert len(world.posts) == 1
    assert world.reused == 0
    all_are_right(world, machines)


@pytest.mark.parametrize("seed", range(5))
def test_a_holder_killed_after_its_claim_is_followed_by_one_other(seed: int) -> None:
    world = World(seed)
    machines = fleet(world)
    for machine in machines[:1]:
        machine.start()
        when(machine, steps.Refresh, "kill")
    for machine in machines[1:]:
        machine.start(1.0 + world.random.uniform(0.0, 1.0))
    world.run()
    assert len(world.posts) == 1
    assert world.reused == 0
    all_are_right(world, machines[1:])
    last = max(at for machine in machines[1:] for at, _ in machine.answers)
    assert T + G <= last - world.began < T + G + 20


@pytest.mark.parametrize("seed", range(5))
def test_a_holder_that_is_to_leave_the_engine_alone_brings_what_came_in_time(seed: int) -> None:
    """Who wants to be left alone for a minute (429) would have others take over."""
    world = World(seed)
    machines = fleet(world)
    machines[0].wanted = 60.0
    machines[0].cuts = [Fault(world.now + 0.5, T)]
    machines[0].start()
    for machine in machines[1:]:
        machine.start(1.0 + world.random.uniform(0.0, 1.0))
    world.run()
    assert (len(world.posts), world.reused) == (1, 0)
    all_are_right(world, machines)


@pytest.mark.parametrize(("reuse", "reused"), [(0.0, 1), (200.0, 0)])
def test_a_holder_killed_between_request_and_write_costs_the_login_or_a_reuse_interval_saves_it(
    reuse: float, reused: int
) -> None:
    world = World(3, reuse=reuse)
    machines = fleet(world)
    machines[0].start()
    when(machines[0], steps.Remember, "kill")
    for machine in machines[1:]:
        machine.start(1.0)
    world.run()
    assert len(world.posts) == 2  # and not one for each machine
    assert world.reused == reused
    if reused:
        for machine in machines[1:]:
            assert isinstance(machine.answers[-1][1], LoginError)
            assert "log in again" in str(machine.answers[-1][1])
        assert world.login().dead
    else:
        all_are_right(world, machines[1:])


@pytest.mark.parametrize("kind", [steps.Write, steps.Forget])
def test_what_a_killed_holder_has_written_down_its_machine_s_next_process_brings(
    kind: type,
) -> None:
    world = World(4)
    machines = fleet(world)
    first = machines[0]
    first.start()
    first.before = lambda step: (
        when(first, kind, "kill") if isinstance(step, steps.Remember) else None
    )
    for machine in machines[1:]:
        machine.start(1.0)
    world.at(T, first.start)
    world.run()
    assert len(world.posts) == 1
    assert world.reused == 0
    all_are_right(world, machines)
    assert first.journal is None


@pytest.mark.parametrize("stands", ["claim", "suspect", "dead", "failed"])
def test_whoever_spent_the_token_may_overwrite_whatever_stands_beside_it(stands: str) -> None:
    world = World(4)
    (machine,) = fleet(world, 1)
    mark = {"id": "m9", "nonce": "n", "ttl": T}
    claim = {"claim": mark} if stands in {"claim", "suspect"} else {}
    others = {**world.login().kept, **claim, stands: mark if claim else "refused"}
    world.history[steps.LOGIN].append((world.now, others, "m9"))
    entry = {"OAuth": {**world.login().entry["OAuth"], "refresh_token": "refresh-1",
                       "access_token": "access-1", "expires_at": None}}  # fmt: skip
    spent = Secret("refresh-0")
    machine.journal = steps.Record(spent, world.login().gen, steps.Refreshed(entry))

    def before(step: steps.Step) -> None:
        if isinstance(step, steps.Write):  # and somebody claims it at that very moment
            machine.before = lambda _: None
            theirs = world.login().claimed(value.Mark("m8", "other", T))
            world.history[steps.LOGIN].append((world.now, theirs, "m8"))

    machine.before = before
    machine.start()
    world.run()
    assert token(machine) == "access-1"
    assert world.posts == []
    now = world.login()
    assert (now.claim, now.suspect, now.dead, now.failed) == (None, None, "", "")


def test_where_refresh_tokens_stay_the_same_an_older_record_is_no_newer_login() -> None:
    world = World(5)
    (machine,) = fleet(world, 1)
    entry = {"OAuth": {**world.login().entry["OAuth"], "access_token": "older"}}
    machine.journal = steps.Record(Secret("refresh-0"), 0, steps.Refreshed(entry))
    machine.start()
    world.run()
    assert token(machine) == "access-1"
    assert [machine.journal] == [None]


def test_a_journal_that_was_overtaken_is_dropped() -> None:
    """Another machine has taken over, and the server took the token again: theirs is the one."""
    world = World(5, reuse=500)
    one, other = fleet(world, 2)
    one.start()
    one.before = lambda step: (
        when(one, steps.Write, "kill") if isinstance(step, steps.Remember) else None
    )
    other.start(1.0)
    world.run()
    left = [one.journal]
    one.start()
    world.run()
    left.append(one.journal)
    assert [each is None for each in left] == [False, True]
    assert token(one) == token(other) == "access-2"


@pytest.mark.parametrize("seconds", [T / 3, 1.5 * (T + G)])
@pytest.mark.parametrize("seed", range(5))
def test_a_holder_suspended_before_its_request_sees_that_it_is_late(
    seed: int, seconds: float
) -> None:
    world = World(seed)
    machines = fleet(world)
    machines[0].start()

    def before(step: steps.Step) -> None:
        if isinstance(step, steps.Write):
            machines[0].before = lambda _: None
            machines[0].pauses.append(Fault(world.now + 0.001, seconds))  # the write is on its way

    machines[0].before = before
    for machine in machines[1:]:
        machine.start(1.0)
    world.run()
    assert len(world.posts) == 1
    assert world.reused == 0
    all_are_right(world, machines)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("part", [0.3, 0.9])
def test_a_holder_suspended_after_its_request_for_less_than_t_and_g_keeps_it(
    seed: int, part: float
) -> None:
    world = World(seed)
    machines = fleet(world)
    machines[0].start()
    when(machines[0], steps.Remember, "suspend", Fault(0, part * (T + G)))
    for machine in machines[1:]:
        machine.start(1.0)
    world.run()
    assert len(world.posts) == 1
    assert world.reused == 0
    all_are_right(world, machines)


def test_a_holder_suspended_for_longer_costs_the_login_and_no_more_than_two_requests() -> None:
    world = World(6)
    machines = fleet(world)
    machines[0].start()
    when(machines[0], steps.Remember, "suspend", Fault(0, 1.5 * (T + G)))
    for machine in machines[1:]:
        machine.start(1.0)
    world.run()
    assert len(world.posts) == 2
    assert world.reused == 1
    for machine in machines[1:]:
        assert isinstance(machine.answers[-1][1], LoginError)
    assert token(machines[0]) not in world.good  # the one wrong answer that cannot be helped


@pytest.mark.parametrize(("seconds", "posts"), [(0.9 * (T + G), 1), (1.5 * (T + G), 2)])
def test_a_holder_cut_off_is_as_one_suspended(seconds: float, posts: int) -> None:
    world = World(7)
    machines = fleet(world)
    machines[0].start()

    def before(step: steps.Step) -> None:
        if isinstance(step, steps.Refresh):
            machines[0].cuts.append(Fault(world.now, seconds))

    machines[0].before = before
    for machine in machines[1:]:
        machine.start(1.0)
    world.run()
    assert len(world.posts) == posts
    assert world.reused == posts - 1
    if posts == 1:
        all_are_right(world, machines)


def test_where_nobody_is_to_take_over_a_person_is_told_instead() -> None:
    world = World(8)
    machines = fleet(world, takes_over=False)
    machines[0].start()
    when(machines[0], steps.Remember, "kill")
    for machine in machines[1:]:
        machine.start(1.0)
    world.run()
    assert len(world.posts) == 1
    for machine in machines[1:]:
        assert "m0 has begun to renew" in str(machine.answers[-1][1])


def test_what_the_token_server_refuses_for_good_is_asked_once() -> None:
    world = World(9)
    world.refusal = LoginError("the token server no longer takes this login")
    machines = fleet(world, 50)
    go(world, machines)
    assert len(world.posts) == 1
    assert all(isinstance(machine.answers[-1][1], LoginError) for machine in machines)


def test_what_it_cannot_do_now_is_tried_by_one_and_again_after_a_while() -> None:
    world = World(10)
    world.refusal = RenewalError("the token server is down: try again")
    machines = fleet(world, 50)
    go(world, machines)
    assert len(world.posts) == 1
    for machine in machines:
        assert "the token server is down" in str(machine.answers[-1][1])
    world.refusal = None
    world.now += 30
    go(world, machines)
    assert len(world.posts) == 2
    all_are_right(world, machines)


def test_a_request_that_never_left_lets_the_next_one_try_at_once() -> None:
    world = World(11)
    one, other = fleet(world, 2)
    world.refusal = NotSentError("no network here")
    one.start(seconds=1)
    world.run()
    assert isinstance(one.answers[-1][1], NotSentError)
    world.refusal = None
    began = world.now
    other.start()
    world.run()
    assert token(other) in world.good
    assert other.answers[-1][0] - began < 5


def test_one_that_was_kept_from_leaving_until_others_had_gone_on_finds_what_they_have() -> None:
    world = World(11)
    one, other = fleet(world, 2)

    def before(step: steps.Step) -> None:
        if isinstance(step, steps.Refresh):
            one.pauses.append(Fault(world.now, T + G + 30))
            one.refusal = NotSentError("too late")

    one.before = before
    one.start()
    other.start(1.0)
    world.run()
    assert token(one) == token(other) == "access-1"
    assert len(world.posts) == 1


def test_a_request_that_was_not_answered_is_not_sent_again_before_t_and_g() -> None:
    world = World(12)
    machines = fleet(world, 5)
    world.refusal = UnansweredError("no answer")
    machines[0].start()
    world.run(10)
    assert "is not known" in str(machines[0].answers[-1][1])
    world.refusal = None
    for machine in machines[1:]:
        machine.start()
    world.run()
    assert [round(at - world.posts[0][0]) >= T + G - 1 for at, _, _ in world.posts[1:]] == [True]


def test_a_token_that_lives_is_served_and_nobody_waits() -> None:
    world = World(13, life=600)
    machines = fleet(world, 200, has_access=False)
    login = world.history[steps.LOGIN][0][1]
    login["entry"]["OAuth"]["expires_at"] = int(world.now + 100)
    world.good.add("access-0")
    go(world, machines, 1.0)
    assert len(world.posts) == 1  # one of them, by chance
    all_are_right(world, machines)
    waited = [at - world.began for machine in machines for at, _ in machine.answers]
    assert sorted(waited)[-2] < 1.2  # only that one has


def test_a_token_that_lives_shortly_is_not_renewed_by_all_who_look_at_it() -> None:
    world = World(14, life=60)
    go(world, fleet(world, 50))
    assert len(world.posts) == 1


def test_a_login_of_a_person_s_meanwhile_counts() -> None:
    world = World(15)
    (machine,) = fleet(world, 1)
    entry = {"OAuth": {**world.login().entry["OAuth"], "access_token": "theirs",
                       "refresh_token": "new", "expires_at": int(world.now + 9000)}}  # fmt: skip

    def before(step: steps.Step) -> None:
        if isinstance(step, steps.Remember):
            kept = value.fresh(entry, world.login())
            world.history[steps.LOGIN].append((world.now, kept, "a person"))

    machine.before = before
    machine.start()
    world.run()
    assert world.login().refresh_token == "new"
    assert world.login().gen == 2


def test_the_access_path_never_goes_back() -> None:
    world = World(16)
    (machine,) = fleet(world, 1)
    world.history[steps.ACCESS].append((world.now, {"access_token": "newer", "gen": 9}, "other"))
    machine.start()
    world.run()
    assert isinstance(settled(machine), Settled)
    assert world.history[steps.ACCESS][-1][1]["gen"] == 9


@pytest.mark.parametrize(("left", "is_replaced"), [(-5, True), (600, False)])
def test_an_access_path_of_another_count_is_believed_for_as_long_as_its_token_lives(
    left: int, is_replaced: bool
) -> None:
    """The login came back from a backup, and counts from where it was then."""
    world = World(18)
    (machine,) = fleet(world, 1)
    newer = {"access_token": "newer", "gen": 9, "expires_at": int(world.now + left)}
    world.history[steps.ACCESS].append((world.now, newer, "other"))
    machine.start()
    world.run()
    kept = world.history[steps.ACCESS][-1][1]
    assert kept["access_token"] == (token(machine) if is_replaced else "newer")


@pytest.mark.parametrize("there", [None, {"entry": "what others have written"}])
def test_what_came_for_a_login_that_is_deleted_is_not_forgotten(
    there: dict[str, Any] | None,
) -> None:
    """It may come back, with what was spent: a version of a secret can be undeleted."""
    world = World(19)
    (machine,) = fleet(world, 1)
    login = world.history[steps.LOGIN]

    def before(step: steps.Step) -> None:
        if isinstance(step, steps.Remember):
            login.append((world.now, there, "a person"))  # type: ignore[arg-type]

    machine.before = before
    machine.start()
    world.run()
    assert token(machine) in world.good  # it is served all the same
    assert not settled(machine).is_kept
    assert machine.journal is not None
    machine.start(seconds=1)
    world.run()
    assert "log" in str(machine.answers[-1][1])
    assert machine.journal is not None
    login.append((world.now, login[-2][1], "a person"))
    machine.start()
    world.run()
    assert len(world.posts) == 1
    assert [machine.journal] == [None]
    assert world.login().gen == 2
    assert token(machine) in world.good


def test_an_access_path_that_was_not_written_is_mended_without_a_request() -> None:
    world = World(17)
    one, other = fleet(world, 2)
    one.before = lambda step: (
        one.kill() if isinstance(step, steps.Read) and step.path == steps.ACCESS else None
    )
    one.start()
    world.run()
    assert world.history[steps.ACCESS] == []
    other.start()
    world.run()
    assert world.history[steps.ACCESS][-1][1]["access_token"] == "access-1"
    assert len(world.posts) == 1
