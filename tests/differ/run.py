"""One run: so many questions from a seed, and what came of them."""

from __future__ import annotations

import time
from collections import Counter
from random import Random
from typing import TYPE_CHECKING

from differ.judge import LEAK, UNEXPLAINED, Fault, differences, smallest, verdict

if TYPE_CHECKING:
    from differ.cases import Subject

MOST_FAULTS = 5  # of one run are shown; whoever mends these runs it again


class Report:
    """What came of a run.

    Attributes:
        subject: its name.
        seed: what it began with.
        questions: how many were asked.
        seconds: how long it took.
        meant: how often each row of the table explained a difference.
        faults: the differences that nothing explains, smallest cases, MOST_FAULTS at most.
    """

    def __init__(self, subject: str, seed: int) -> None:
        self.subject = subject
        self.seed = seed
        self.questions = 0
        self.seconds = 0.0
        self.meant: Counter[str] = Counter()
        self.faults: list[Fault] = []

    def __str__(self) -> str:
        lines = [
            f"{self.subject}: {self.questions} questions in {self.seconds:.0f} s, seed {self.seed}"
        ]
        lines += [f"  {count:6} {title}" for title, count in self.meant.most_common()]
        lines += [f"  FAULT: {fault}" for fault in self.faults]
        return "\n".join(lines)


def run(subject: Subject, seed: int, questions: int) -> Report:
    """Ask so many questions, or until there are faults enough."""
    report = Report(subject.name, seed)
    random = Random(f"{subject.name} {seed}")  # noqa: S311 - made-up stores, the same each time
    began = time.monotonic()
    while report.questions < questions and len(report.faults) < MOST_FAULTS:
        case = subject.case(random)
        report.questions += len(case.questions)
        for difference in differences(subject, case):
            kind = verdict(subject, difference)
            if kind not in {LEAK, UNEXPLAINED}:
                report.meant[kind] += 1
            else:
                report.faults.append(Fault(kind, smallest(subject, difference)))
                break  # the next one of the same store is mostly the same fault
    report.seconds = time.monotonic() - began
    return report
