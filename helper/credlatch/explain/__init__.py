"""Why there is an answer, or none: the helper's own trace, told to a person.

What is said cannot differ from what a client gets: the code that answers makes it. Nothing is
renewed, nothing is sent, and nobody is asked anything.
"""

from __future__ import annotations

import time

from credlatch import clients as table
from credlatch import near, registry, rules
from credlatch import url as urls
from credlatch.errors import CredlatchError, LoginError, RefusedError, RequestError
from credlatch.explain import clients, forwarded, model, questions, redacted, sources, wired
from credlatch.explain.asking import Asking
from credlatch.explain.model import Explanation
from credlatch.fixes import mending
from credlatch.near import remedies
from credlatch.renew import margin
from credlatch.stores.order import ORDER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller
    from credlatch.request import Request
    from credlatch.resolve import Outcome, Resolution
    from credlatch.stores.steps import Step
    from credlatch.url import Url

PATIENCE = 60.0  # seconds for all: nobody but a person waits


def explain(text: str, tool: str, caller: Caller) -> Explanation:
    """What is to be told.

    Args:
        text: a URL; or what the tool asks for: a registry's key, a cargo index.
        tool: of ``clients.AS``; empty: a URL as such, and what each client would get.
        caller: whose stores and settings count.

    Raises:
        RequestError: it is no URL, or nothing that the tool asks for.
    """
    caller.put_off(PATIENCE)
    client = clients.AS[tool] if tool else "bazel"
    text = questions.meant(text, tool)
    url = _url(text, client)
    request = _request(tool, client, text, caller)
    shown = text if url is None else url.shown if client != "docker" else url.netloc
    told = Explanation(asked=_without_user(shown), client=tool or "url")
    asking = Asking(caller)
    outcome = asking.outcome(request, every=True)
    told.rule = _rule(request)
    told.sources = [
        sources.source(number, step, request, caller)
        for number, step in enumerate(outcome.trace, 1)
    ]
    _tell_outcome(told, outcome, asking, request)
    answers, told.forwarded = forwarded.answer(client, clients.asked(client, text), caller)
    if answers:
        told.answer, told.verdict, told.store = True, "answered by a forwarded agent", "agent"
        told.failure, told.location, told.sends = "", "", []
    told.near_misses = [
        model.Near(each.store, each.kept, each.location, each.why, each.advice, each.fix)
        for each in near.misses(request, caller, outcome.trace, beside=told.answer)
    ]
    apart = near.aside(caller)
    apart.put_off(PATIENCE)
    try:
        if tool:
            told.clients = [clients.one(client, tool, text, apart)]
            told.wired = [wired.one(tool, url, caller)]
        elif url is not None:
            told.clients = clients.all_for(url, apart)
            told.wired = wired.all_for(url, caller)
    finally:
        apart.close()
    if not told.answer and not told.failure and url is not None and remedies.in_the_clear(url):
        told.verdict = f"no credential: {remedies.without_login(url)}"
    _tell_rendered(told)
    _mark_near(told)
    told.fixes = _fixes(told, outcome, url, caller)
    told.warnings = [each for each in caller.warnings if each != told.failure]
    return told


def _tell_rendered(told: Explanation) -> None:
    """What the client's own protocol cannot hold is no answer."""
    own = told.clients[0] if told.clients else None
    if told.answer and own is not None and own.failure:
        told.answer, told.pending, told.sends = False, False, []
        told.failure, told.verdict = own.failure, "no credential: what there is cannot be used"


def _mark_near(told: Explanation) -> None:
    """A store that has nothing but a near miss."""
    near_by = {each.store: each for each in told.near_misses}
    for each in told.sources:
        if each.word == model.NOTHING and each.store in near_by:
            each.word, each.what = model.NEAR, f"{near_by[each.store].kept}: see below"


def _url(text: str, client: str) -> Url | None:
    if client == "docker":
        return registry.parse(text)
    if client == "cargo":
        return None
    return urls.parse(text)


def _without_user(text: str) -> str:
    scheme, separator, rest = text.rpartition("://")
    authority, slash, path = rest.partition("/")
    return f"{scheme}{separator}{authority.rpartition('@')[2]}{slash}{path}"


def _request(tool: str, client: str, text: str, caller: Caller) -> Request:
    row = table.CLIENTS[client]
    try:
        request = row.protocol().parse(clients.asked(client, text)).request
    except RequestError:
        if client != "cargo":  # whose own words are for cargo
            raise
        request = None
    if request is None:
        raise RequestError(questions.never(tool or client, text))
    return row.narrow()(request, caller) if row.narrow is not None else request


def _rule(request: Request) -> str:
    rule = request.rule
    if not rule.where:
        return ""
    if rule.forbidden:
        return f"{rule.where}: nothing may answer"
    only = rule.only or rule.use
    said = [f"only {', '.join(only)} may answer"] if only else []
    said += [f"the login of {rule.account}"] if rule.account else []
    said += [f"as {rule.header}"] if rule.header else []
    return f"{rule.where}: {'; '.join(said) or 'it is sent in another form'}"


def _tell_outcome(told: Explanation, outcome: Outcome, asking: Asking, request: Request) -> None:
    found = outcome.resolution
    if found is not None:
        told.answer, told.pending = True, asking.pending is not None
        told.store, told.location = found.store, sources.place(found.entry)
        first = ""
        if asking.pending is not None:
            first = (
                ", once it is renewed"
                if asking.pending.credential is not None
                else ", once it is fetched"
            )
        told.verdict = f"answered by {found.store}{first}"
        told.ends = found.entry.expires
        told.renewal = _renewal(found, asking)
        if found.url is not None:
            told.only_to = f"{found.url.netloc}, {found.url.scheme}"
        if asking.pending is None and not request.login:
            try:
                told.sends = redacted.headers(found.credential)
            except ValueError:
                told.sends = []
        return
    failure = outcome.failure
    told.verdict = "no credential"
    if failure is None:
        return
    told.failure = str(failure)
    broken = _broken(outcome)
    if broken is not None:
        told.store = broken.store
        told.location = "" if broken.entry is None else sources.place(broken.entry)
    if isinstance(failure, RefusedError):
        told.verdict = "refused: it would travel in the clear"
    elif isinstance(failure, LoginError):
        told.verdict = "the login has ended, and cannot be renewed"
    elif broken is not None and _has_ended(broken):
        told.verdict = "the login has ended"
    else:
        told.verdict = "no credential: what may have one fails"
    if broken is not None and broken.entry is not None and broken.entry.grant is not None:
        told.ends = broken.entry.expires
        told.renewal = model.Renewal(broken.entry.grant.shown)
        _tell_last(told.renewal, asking)


def _broken(outcome: Outcome) -> Step | None:
    for step in outcome.trace:
        if step.failure is not None and str(step.failure) == str(outcome.failure):
            return step
    return None


def _has_ended(step: Step) -> bool:
    return step.entry is not None and 0 < (step.entry.expires or 0) <= time.time()


def _renewal(found: Resolution, asking: Asking) -> model.Renewal | None:
    entry = found.entry
    if entry.grant is None:
        return None
    begins = None
    if entry.expires is not None and entry.credential is not None:
        begins = int(entry.expires - margin.of(entry))
    told = model.Renewal(entry.grant.shown, begins)
    _tell_last(told, asking)
    return told


def _tell_last(told: model.Renewal, asking: Asking) -> None:
    if asking.last is not None:
        told.failed, told.failed_at = asking.last.message, int(asking.last.at)


def _mending(broken: Step, caller: Caller) -> list[str]:
    """What mends a store that failed: its file, or the login in it."""
    if broken.entry is not None:
        return [broken.entry.remedy.rpartition("log in again: ")[2]]
    try:
        store = dict(ORDER)[broken.store](caller)
        files = [] if store is None else list(store.files())
    except CredlatchError:
        return []
    message = str(broken.failure)
    named = [path for path in files if path in message]
    return [fix for path in named[:1] if (fix := mending.of(path, message)[0])]


def _fixes(told: Explanation, outcome: Outcome, url: Url | None, caller: Caller) -> list[str]:
    """What to do, the first thing first."""
    fixes = []
    if not told.answer:
        broken = _broken(outcome)
        if broken is not None:
            fixes += _mending(broken, caller)
        elif (settings := rules.settings_file(caller)) in told.failure:
            fixes.append(mending.of(settings, told.failure)[0])
        fixes += [each.fix for each in told.near_misses if each.fix]
        if not fixes and not told.failure and url is not None:
            fixes.append(remedies.log_in("", url))
    fixes += [each.fix for each in told.wired if each.asks is False and told.client != "url"]
    return list(dict.fromkeys(filter(None, fixes)))
