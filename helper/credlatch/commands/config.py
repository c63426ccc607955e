"""``credlatch config check``: which settings hold, what is wrong with them, and what they say."""

from __future__ import annotations

import json

import click

from credlatch import request as requests
from credlatch import rules, streams
from credlatch import url as urls
from credlatch.errors import StoreError
from credlatch.people.command import Group, passes_caller
from credlatch.rules import places, reading
from credlatch.stores.order import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from credlatch.caller import Caller
    from credlatch.rules import Rule
    from credlatch.rules.settings import Settings

_WRONG = 1  # the exit status


COMMAND = Group(
    "config",
    help="Your rules, which are in config.toml, in credlatch's folder among your settings; a "
    "workspace's, which may only narrow yours, are in .credlatch.toml: docs/rules.md.",
    examples=("credlatch config check https://pypi.example.com/simple/",),
)


@COMMAND.command(
    "check",
    help="Say which rules there are, what is wrong with them, and which one holds for URL. Exit "
    "status 1 where something is wrong, and so is not heard or stops calls.",
    examples=("credlatch config check https://pypi.example.com/simple/",),
)
@click.argument("url", required=False)
@passes_caller
def check(caller: Caller, url: str | None) -> int:
    """Say what holds.

    Raises:
        RequestError: what is to be asked for is no URL.
    """
    place = None
    if url is not None:
        place = places.of_request(requests.for_url(urls.parse(url)))
    mine, theirs, wrong = None, None, False
    own, workspace = rules.settings_file(caller), rules.workspace_file(caller)
    try:
        mine = reading.user_settings(caller, own)
        _show(own, mine, "your rules")
        wrong = _complain(mine)
    except StoreError as error:
        wrong = _say(str(error))
    if workspace is not None:
        try:
            theirs = reading.workspace_settings(workspace)
            _show(workspace, theirs, "the workspace's rules, which narrow yours")
            wrong = _complain(theirs) or wrong
        except StoreError as error:
            wrong = _say(f"{error} (the workspace's settings are not heard)")
    if place is not None:
        _say(f"{url}:")
        rule = reading.held(place, mine, theirs, caller)
        if wrong:
            _say("  what is wrong comes first: see above")
        elif not rule.where:
            _say("  no rule: all stores and identities may answer")
        else:
            _say(f"  {rule.where}: {', '.join(_said(rule)) or 'nothing is said'}")
            _say(f"  may answer: {', '.join(filter(rule.allows, names())) or 'nothing'}")
    for warning in caller.warnings:
        streams.say(warning)
    return _WRONG if wrong else 0


def _show(path: str, settings: Settings | None, whose: str) -> None:
    if settings is None:
        _say(f"{path} is not there: {whose} would be in it")
        return
    _say(f"{path}: {whose}")
    for place, rule, _ in settings.rules:
        _say(f"  {place.text}: {', '.join(_said(rule)) or 'nothing is said'}")


def _complain(settings: Settings | None) -> bool:
    """Say what is wrong, and whether anything is."""
    problems = [] if settings is None else settings.all_problems(names())
    for problem in problems:
        _say(problem.shown("" if settings is None else settings.path))
    return bool(problems)


def _said(rule: Rule) -> Iterator[str]:
    """What a rule says, as it is written."""
    if rule.forbidden:
        yield "forbid = true"
    for name in ("use", "only"):
        value = getattr(rule, name)
        if value:
            yield f"{'use' if name == 'use' else 'narrowed to'} = {json.dumps(value)}"
    for name, value in vars(rule).items():
        if name in {"where", "use", "only", "forbidden", "is_divided"} or value in (None, {}):
            continue
        if isinstance(value, str | bool | dict):
            yield f"{name.replace('_', '-')} = {json.dumps(value, ensure_ascii=False)}"
        else:
            yield f"{name} = {{…}}"


def _say(text: str) -> bool:
    text = "".join(c if c.isprintable() else "?" for c in text)
    streams.answer(f"{text}\n".encode(errors="backslashreplace"))
    return True
