"""What each store of the order has to do with an answer: one word, and why."""

from __future__ import annotations

import os
import sys
import time

from credlatch import clock
from credlatch.credential import TOKEN_USER, AccessKey, Basic
from credlatch.errors import CredlatchError
from credlatch.explain import model
from credlatch.renew import margin
from credlatch.stores import environment, steps
from credlatch.stores.order import ANONYMOUS, CHAINED, FLEET, IDENTITY, ORDER, PROJECT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller
    from credlatch.explain.model import Source
    from credlatch.request import Request
    from credlatch.stores import Entry
    from credlatch.stores.steps import Step

_WORDS = {
    steps.NOT_ASKED: model.SKIPPED,
    steps.NOTHING_THERE: model.NOTHING,
    steps.NEAR_MISS: model.NEAR,
    steps.BROKEN: model.FAILED,
    steps.FOUND: model.FOUND,
    steps.SHADOWED: model.SHADOWED,
}
# What is of interest only where it has something.
SELDOM = ("pyx-key", "s3", FLEET, IDENTITY, PROJECT, ANONYMOUS)


def source(number: int, step: Step, request: Request, caller: Caller) -> Source:
    """What is told of one step."""
    word = _WORDS[step.came]
    told = model.Source(number, step.store, word, "")
    told.more = step.reasons()
    if step.came is steps.NOT_ASKED:
        told.word, told.what = model.SKIPPED, _not_asked(step, request)
    elif step.came is steps.NOTHING_THERE:
        told.word, told.what = _nothing(step.store, request, caller)
    elif step.entry is not None:
        told.what, told.location = described(step.entry), place(step.entry)
    elif told.more:
        told.what, told.more = told.more[0], told.more[1:]
    return told


def place(entry: Entry) -> str:
    """Where an entry is: with its key, where that is known."""
    key = entry.handle.partition("\n")[2]
    return f"{key} in {entry.location}" if key else entry.location


def described(entry: Entry) -> str:
    """What an entry is, without its secret."""
    credential = entry.credential
    if credential is None:
        what = "a token that is fetched"
    elif isinstance(credential, AccessKey):
        what = "an S3 key, which signs"
    elif isinstance(credential, Basic) and credential.username != TOKEN_USER:
        what = f"user {credential.username}" if credential.username else "a password"
    else:
        what = "a token"
    if entry.grant is not None and credential is not None:
        what += ", renews itself"
    if entry.expires is not None:
        left = entry.expires - time.time()
        when = f"ends in {clock.span(left)}" if left > 0 else f"ended {clock.span(-left)} ago"
        what += f", {when}"
    elif credential is not None and entry.grant is not None and margin.is_due(entry, time.time()):
        what += ", of unknown end"
    return what


def _not_asked(step: Step, request: Request) -> str:
    rule = request.rule
    if rule.forbidden:
        return f"{rule.where} lets nothing answer"
    if not rule.allows(step.store) and step.store != IDENTITY:
        return f"{rule.where} names others"
    return "what comes before it has settled it"


def _nothing(name: str, request: Request, caller: Caller) -> tuple[str, str]:
    """The word and why a store has nothing."""
    if name == "environment" and request.url is not None:
        host = environment.suffix(request.url)
        return model.NOTHING, "" if host is None else f"CREDLATCH_TOKEN_{host} is not set"
    if name == CHAINED:
        return model.NOTHING, "no other helper is written down for it"
    if name == IDENTITY:
        return model.NOTHING, "no identity of yours is for this host"
    try:
        if name == "keyring":
            if caller.keyring() is not None:
                return model.NOTHING, "no item for this host"
            why = "no D-Bus here" if sys.platform == "linux" else "there is none"
            return model.SKIPPED, why
        store = dict(ORDER)[name](caller)
        files = [] if store is None else list(store.files())
    except CredlatchError as error:
        return model.SKIPPED, str(error)
    if files and not any(map(os.path.lexists, files)):
        return model.NOTHING, f"no {files[-1]}"
    return model.NOTHING, "no entry for this host" if request.url is not None else "no such key"
