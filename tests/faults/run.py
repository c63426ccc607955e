"""Disturbs a scenario's call in each way, and judges what came of it."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from faults.calls import HUNG, Fault
from faults.scenarios import ABOVE, FRESH, SECRET
from support import surroundings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from faults.calls import Tracer
    from faults.scenarios import Scenario
    from support.program import Answer

MONTH = 30 * 86_400  # seconds


@dataclass
class Report:
    """What one scenario has shown.

    Attributes:
        name: the scenario's.
        cases: how many faults there were.
        kinds: of which kinds they were.
        missed: how many did not come about, as the call was made otherwise.
        failed: after how many of them the call said that it could not do it.
        problems: what should not have been.
    """

    name: str
    cases: int = 0
    kinds: set[str] = field(default_factory=set)
    missed: int = 0
    failed: int = 0
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        done = f"{self.name}: {self.cases} faults, {self.failed} of them reported, "
        if self.missed:
            done += f"{self.missed} more that did not come about, "
        return "\n".join([f"{done}{len(self.problems)} problems", *self.problems])


def run(scenario: Scenario, tracer: Tracer, seed: int = 0, each: int | None = None) -> Report:
    """Disturb it.

    Args:
        scenario: what is done.
        tracer: runs it.
        seed: chooses among the faults.
        each: how many of each kind are tried; None: all.
    """
    with ExitStack() as stack:
        scenario.begin(stack)
        return _disturbed(scenario, tracer, seed, each)


def _disturbed(scenario: Scenario, tracer: Tracer, seed: int, each: int | None) -> Report:
    scenario.prepare()
    before = scenario.state()
    good, faults = tracer.faults(scenario)
    assert good.code == 0, (scenario.name, good)
    assert faults, scenario.name
    after = scenario.state()
    assert (before != after) == scenario.writes, scenario.name
    report = Report(scenario.name)
    failing = [fault for fault in faults if not scenario.is_meant(fault)]
    ways: list[Fault | Mapping[str, str]] = [*failing, *_surroundings(scenario)]
    if each is not None:
        ways = list(_some(ways, scenario, seed, each))
    for way in ways:
        scenario.prepare()
        if isinstance(way, Fault):
            answer = tracer.fail(scenario, way)
        else:
            answer = tracer.plain(scenario, way)
        if answer is None:
            report.missed += 1
            continue
        report.cases += 1
        report.kinds.add(way.kind if isinstance(way, Fault) else "surroundings")
        report.failed += _has_failed(answer)
        wrong = [
            *_said_wrongly(scenario, answer, good, way),
            *_left_wrongly(scenario, answer, before, after),
        ]
        if not (wrong or (isinstance(way, Fault) and scenario.may_lose(way))):
            wrong = [*_goes_on_wrongly(scenario, tracer, good, after)]
        report.problems += [f"  {way}\n    {each}; {str(answer)[:400]}" for each in wrong]
    return report


def _surroundings(scenario: Scenario) -> Iterator[Mapping[str, str]]:
    """What else may be: a system that takes things in pieces, and a clock that jumps."""
    for most in (1, 7):
        yield surroundings.in_pieces(most)
    for reading in range(1, scenario.readings + 1):
        for seconds in (MONTH, -MONTH):
            yield surroundings.jumping(reading, seconds)


def _some(
    ways: Sequence[Fault | Mapping[str, str]], scenario: Scenario, seed: int, each: int
) -> Iterator[Fault | Mapping[str, str]]:
    """Some of each kind, on each machine the same.

    They are chosen by what is called and what about, as no number is the same where a home is
    deeper.
    """
    kinds: dict[str, dict[str, Fault | Mapping[str, str]]] = defaultdict(dict)
    for way in ways:
        if isinstance(way, Fault):
            place = scenario.place(way.path)
            again = 0 if place == ABOVE else way.again
            kinds[way.kind].setdefault(f"{way.name} {place} {way.error} {again}", way)
        else:
            (name,) = set(way) - {"LD_PRELOAD"}
            kinds[name].setdefault(way[name], way)
    for kind in sorted(kinds):
        for key in sorted(kinds[kind], key=lambda key: _mixed(f"{seed} {scenario.name} {key}"))[
            :each
        ]:
            yield kinds[kind][key]


def _mixed(key: str) -> str:
    """A number for a key, the same whatever is counted or made up in it."""
    return hashlib.sha256(re.sub(r"[0-9a-f]{8,}|pid-\d+", "", key).encode()).hexdigest()


def _has_failed(answer: Answer) -> bool:
    return answer.code != 0 or b'{"Err"' in answer.out


def _said_wrongly(
    scenario: Scenario, answer: Answer, good: Answer, way: Fault | Mapping[str, str]
) -> Iterator[str]:
    """What is wrong with what a call has said."""
    if answer.code == HUNG:
        yield "it hangs"
        return
    if answer.code not in (0, 1):
        yield f"it ends with {answer.code}"
    for word in ("Traceback", "internal error", "the system refuses"):
        if word in answer.said:
            yield f"it says {word}"
    told = answer.err if answer.out == good.out else answer.said
    if SECRET in told or FRESH in told:
        yield "it tells a secret"
    lines = answer.err.splitlines()
    if any(not line.startswith("credlatch: ") for line in lines):
        yield "what it says on standard error is not in its form"
    if len(lines) > 1:
        yield "it says more than one line"
    is_muted = isinstance(way, Fault) and way.is_of_the_answer
    if _has_failed(answer):
        if not (is_muted or any(mark in answer.said for mark in ("credlatch: ", '"message":'))):
            yield "it fails without a word"
    elif scenario.answers and not (scenario.is_an_answer(answer, good) or _came_anew(answer, good)):
        yield "it answers something else"


def _came_anew(answer: Answer, good: Answer) -> bool:
    """Whether two answers differ in a token that is another one each time, and in nothing else."""
    return b'"Bearer eyJ' in answer.out and b'"Bearer eyJ' in good.out


def _left_wrongly(
    scenario: Scenario, answer: Answer, before: object, after: object
) -> Iterator[str]:
    """What is wrong with what a call has left."""
    try:
        left = scenario.state()
    except (AssertionError, OSError, ValueError, KeyError) as error:
        yield f"what it leaves is broken: {type(error).__name__}: {error}"
        return
    if not _has_failed(answer) and left != after:
        yield f"it says that all is well, and it is not: {left}"
    elif not scenario.is_right(left, before, after):
        yield f"it leaves neither the old nor the new: {left}"


def _goes_on_wrongly(
    scenario: Scenario, tracer: Tracer, good: Answer, after: object
) -> Iterator[str]:
    """What is wrong with the next call, which nobody disturbs."""
    if scenario.state() == after:  # it has been done already
        return
    scenario.settle()
    again = tracer.plain(scenario)
    if again.code != 0:
        yield f"the next call fails: {again}"
    elif not scenario.writes and again.out != good.out:
        yield f"the next call answers something else: {again}"
    elif scenario.state() != after:
        yield f"the next call leaves something else: {scenario.state()}"
