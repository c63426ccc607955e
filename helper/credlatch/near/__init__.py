"""Near misses: what would have been the answer but for something small, and what mends that.

It is asked after a miss that a person is told of, by ``explain`` and by ``doctor``; never on the
way to an answer, nor after a miss that a build tool makes nothing of.

Nothing is guessed where it can be tried: a login that is kept for another URL is named when its
store, asked for that URL, gives it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from credlatch.caller import Caller
    from credlatch.request import Request
    from credlatch.stores.steps import Step
    from credlatch.url import Url

TOLD = 2  # near misses that a line has room for
_MOST = 8  # that are worth reading

# How near a miss is: what is for this very host comes first.
MEANT, NEAR, FAR = 0, 10, 20


class NearMiss:
    """What nearly was the answer.

    Attributes:
        store: whose it is, as the trace names it.
        kept: what is there: a URL, a machine of a netrc, a variable.
        location: the place, in words for a person.
        why: why it is no answer, in words for a person.
        advice: what to do, in words; empty where the command says it all.
        fix: the command to paste; empty where there is none.
        rank: how near it is; the smallest is the nearest.
    """

    __slots__ = ("advice", "fix", "kept", "location", "rank", "store", "why")

    def __init__(  # noqa: PLR0913 - its parts, by name
        self,
        store: str,
        *,
        kept: str,
        location: str,
        why: str,
        advice: str = "",
        fix: str = "",
        rank: int,
    ) -> None:
        self.store = store
        self.kept = kept
        self.location = location
        self.why = why
        self.advice = advice
        self.fix = fix
        self.rank = rank

    @property
    def told(self) -> str:
        """Who has what, and why it is no answer: a part of a line."""
        place = "" if self.location in {self.kept, self.store} else f" in {self.location}"
        if self.rank >= FAR:
            return f"{self.kept} ({self.why})"
        who = "the environment" if self.store == "environment" else self.store
        return f"{who} has {self.kept}{place} ({self.why})"


def misses(
    request: Request, caller: Caller, trace: Iterable[Step] = (), *, beside: bool = False
) -> list[NearMiss]:
    """What nearly was the answer to a request, the nearest first.

    Whatever is broken tells nothing here: the trace has it.

    Args:
        request: what was asked.
        caller: who asked. Nothing that is warned of here reaches them.
        trace: what came of asking each store.
        beside: whether there is an answer, beside which is told what was meant for this very host
            and can never be one.
    """
    from copy import copy

    from credlatch import rules
    from credlatch.errors import CredlatchError
    from credlatch.near import elsewhere, helpers, kept, netrc, ruled, variables
    from credlatch.stores.order import names

    if request.url is None:
        return []
    apart = aside(caller)
    found: list[NearMiss] = []
    never = (variables.found, netrc.found)
    try:
        request = rules.applied(copy(request), apart, names)
        for gather in (
            never if beside else (ruled.found, *never, kept.found, elsewhere.found, helpers.found)
        ):
            try:
                found += gather(request, apart, trace)
            except (CredlatchError, OSError, ValueError):
                continue
    except CredlatchError:  # the settings are wrong: nothing is asked
        return []
    finally:
        apart.close()
    unlike: dict[tuple[str, str], NearMiss] = {}
    for each in sorted(found, key=lambda miss: miss.rank):
        if beside and each.rank > MEANT + 1:
            continue
        unlike.setdefault((each.store, each.kept), each)
    return list(unlike.values())[:_MOST]


def without_login(url: Url) -> str:
    """What to do where no store knows anything of a host."""
    from credlatch.near import remedies

    return remedies.without_login(url)


def aside(caller: Caller, **changed: str) -> Caller:
    """The same call with other variables, of which an empty one counts as unset.

    Whoever has it closes it.
    """
    from credlatch.caller import Caller

    apart = Caller({**caller.environ, **changed}, caller.cwd, is_guest=caller.is_guest)
    apart.deadline = caller.deadline
    return apart


def told(request: Request, caller: Caller, trace: Iterable[Step], *, furthest: int = FAR) -> str:
    """The nearest misses of a request, and what mends the first; empty where there are none.

    Args:
        request: what was asked.
        caller: who asked.
        trace: what came of asking each store.
        furthest: those that are further are not told.
    """
    nearest = [miss for miss in misses(request, caller, trace) if miss.rank <= furthest][:TOLD]
    if len(nearest) > 1 and nearest[1].rank - nearest[0].rank >= NEAR:
        del nearest[1]
    what = "; ".join(each.told for each in nearest)
    parts = (what, nearest[0].advice, nearest[0].fix) if nearest else ()
    return ": ".join(filter(None, parts))
