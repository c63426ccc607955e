"""Which difference is meant, which is a fault, and the smallest case that shows it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from differ.cases import Case, Difference, same

if TYPE_CHECKING:
    from differ.cases import Answer, Subject

LEAK = "we send what the owner would not"
UNEXPLAINED = "no row of the table says so"
_NEUTRAL = "https://nobody.example/"  # no store has it
DAMAGED = "a damaged entry"  # the row for stores that their owner refuses as a whole


class Fault(NamedTuple):
    """A difference that is not meant.

    Attributes:
        kind: LEAK or UNEXPLAINED.
        difference: the smallest one that was found.
    """

    kind: str
    difference: Difference

    def __str__(self) -> str:
        case, question, theirs, ours = self.difference
        entries = "\n".join(f"    {entry!r}" for entry in case.entries)
        return (
            f"{self.kind}\n  store {' '.join(case.frame)}\n{entries}\n  asked {question!r}\n"
            f"  theirs {_shown(theirs)}\n  ours   {_shown(ours)}"
        )


def _shown(answer: Answer) -> str:
    if answer.failed:
        return f"failed: {answer.failed.strip()!r}"
    others = f" or {sorted(answer.also - {answer.sent})}" if answer.also - {answer.sent} else ""
    return f"{answer.sent!r}{others}"


def differences(subject: Subject, case: Case) -> list[Difference]:
    """The questions to which the two answer in different ways, each asked alone as well.

    What a program was asked before in the same process must not count: curl 7.88 remembers a login.
    """
    pairs = zip(subject.theirs(case), subject.ours(case), case.questions, strict=True)
    found = [
        Difference(case._replace(questions=(asked,)), asked, theirs, ours)
        for theirs, ours, asked in pairs
        if not same(theirs, ours)
    ]
    if len(case.questions) == 1:
        return found
    certain = [each for each in found if each.theirs.failed or _refusal(subject, each)]
    others = [each.case for each in found if each not in certain]
    return [*certain, *(one for alone in others for one in differences(subject, alone))]


def verdict(subject: Subject, difference: Difference) -> str:
    """The title of the row that a difference belongs to, else LEAK or UNEXPLAINED."""
    seen = [difference]
    if difference.theirs.failed:
        # The owner refuses the whole store. What it would do with the sound part of it counts.
        case = difference.case
        sound = case._replace(entries=_sound(subject, case))
        if sound != case:
            (theirs,) = subject.theirs(sound)
            if same(theirs, difference.ours):
                return DAMAGED
            seen.append(difference._replace(case=sound, theirs=theirs))
    titles = [find(subject, each) for find in (_refusal, _said_otherwise) for each in seen]
    return next(filter(None, titles), LEAK if difference.ours.sent else UNEXPLAINED)


@lru_cache(maxsize=1000)
def _sound(subject: Subject, case: Case) -> tuple[str, ...]:
    """The entries that the owner takes, each of them alone in the store."""
    questions = (_NEUTRAL, *case.questions)
    alone = {each: case._replace(entries=(each,), questions=questions) for each in case.entries}
    return tuple(
        entry
        for entry in case.entries
        if not any(answer.failed for answer in subject.theirs(alone[entry]))
    )


def _refusal(subject: Subject, difference: Difference) -> str:
    """The row that tells why we send nothing."""
    if difference.ours.sent:
        return ""
    rules = [rule for rule in subject.rules if rule.refused and rule.refused(difference)]
    return rules[0].title if rules else ""


def _said_otherwise(subject: Subject, difference: Difference) -> str:
    """The row by which the owner's answer to the same in other words is ours: one, or several."""
    applied = difference.case
    title = ""
    for rule in subject.rules:
        changes = (
            [rule.instead(case) for case in (difference.case, applied)] if rule.instead else []
        )
        for changed in changes:
            if changed is not None and same(subject.theirs(changed)[0], difference.ours):
                return title or rule.title
        if changes and changes[-1] is not None:
            applied = changes[-1]
            title = title or rule.title
    return ""


def smallest(subject: Subject, difference: Difference) -> Difference:
    """The same kind of difference, with as few entries as show it."""
    kind = verdict(subject, difference)
    case = difference.case
    at = 0
    while at < len(case.entries):
        fewer = case._replace(entries=case.entries[:at] + case.entries[at + 1 :])
        found = differences(subject, fewer)
        if found and verdict(subject, found[0]) == kind:
            case, difference = fewer, found[0]
        else:
            at += 1
    return difference._replace(case=case)
