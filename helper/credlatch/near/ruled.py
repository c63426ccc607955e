"""What the settings keep from answering."""

from __future__ import annotations

from copy import copy

from credlatch import near, rules
from credlatch.errors import CredlatchError
from credlatch.fixes import shell
from credlatch.stores.order import ANONYMOUS, CHAINED, IDENTITY, ORDER, PROJECT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from credlatch.caller import Caller
    from credlatch.near import NearMiss
    from credlatch.request import Request
    from credlatch.stores.steps import Step


def found(request: Request, caller: Caller, _trace: Iterable[Step]) -> Iterator[NearMiss]:
    """The logins that stores have which a rule does not let answer."""
    rule, free = request.rule, copy(request)
    free.rule = rules.NONE
    for name, open_store in ORDER:
        if name in {CHAINED, IDENTITY, PROJECT, ANONYMOUS} or rule.allows(name):
            continue
        try:
            store = open_store(caller)
            entry = None if store is None else store.look(free)
        except CredlatchError:
            continue
        if entry is not None:
            only = ", ".join(rule.only or rule.use)
            why = "lets nothing answer" if rule.forbidden else f"lets only {only} answer"
            path, _, line = rule.where.rpartition(" line ")
            fix = shell.edited(path, int(line)) if path and line.isdecimal() else ""
            yield near.NearMiss(
                name,
                kept="a login",
                location=entry.location,
                why=f"{rule.where} {why}",
                advice="see what the rules say of it with credlatch config check, and change them",
                fix=fix,
                rank=near.MEANT,
            )
