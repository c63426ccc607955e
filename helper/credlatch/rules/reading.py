"""What the settings say of one request: the user's, and what a workspace's narrow them to."""

from __future__ import annotations

from copy import copy
from os.path import dirname

from credlatch.errors import StoreError
from credlatch.rules import NONE, Rule, places, settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller
    from credlatch.request import Request
    from credlatch.rules.places import Place
    from credlatch.rules.settings import Settings


def applied(
    request: Request, caller: Caller, own: str, workspace: str | None, names: tuple[str, ...]
) -> Request:
    """As ``rules.applied``: the paths are of the user's settings, and of a workspace's."""
    mine = of_user(caller, own, names)
    theirs = None if workspace is None else of_workspace(caller, workspace, names)
    place = places.of_request(request)
    request.rule = rule = NONE if place is None else held(place, mine, theirs, caller)
    if rule.account is None or rule.forbidden:
        return request
    if request.username not in {None, rule.account}:
        caller.warn(
            f"the login of {request.username} is asked for, and {rule.where} says "
            f'account = "{rule.account}": none answers'
        )
        rule.forbidden = True
        return request
    return request.of_user(rule.account)


def held(place: Place, mine: Settings | None, theirs: Settings | None, caller: Caller) -> Rule:
    """What holds at a place."""
    rule = copy(_found(mine, place) or NONE)
    narrowing = _found(theirs, place)
    if narrowing is not None:
        _narrow(rule, narrowing, caller)
    rule.is_divided = any(each.divides(place) for each in (mine, theirs) if each is not None)
    if rule.is_divided and place.is_pattern:
        caller.warn(
            f"{place.text} is asked for, and a rule is for some of these hosts: none answers"
        )
        rule.forbidden = True
    return rule


def of_user(caller: Caller, path: str, names: tuple[str, ...]) -> Settings | None:
    """The user's own settings; None without any.

    Raises:
        StoreError: they cannot be believed, or something is wrong with them.
    """
    found = user_settings(caller, path)
    if found is None:
        return None
    problems = found.all_problems(names)
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise StoreError(f"{problems[0].shown(path)}{more}: see credlatch config check")
    return found


def of_workspace(caller: Caller, path: str, names: tuple[str, ...]) -> Settings | None:
    """A workspace's settings; None where they must not be believed, which is warned of.

    What is wrong with them stops no call, and lets nothing answer that they were to narrow.
    """
    try:
        found = workspace_settings(path)
    except StoreError as error:
        caller.warn(f"{error} (the workspace's settings are not heard)")
        return None
    for problem in found.all_problems(names):
        caller.warn(f"{problem.shown(path)} (a workspace's settings)")
    return found


def user_settings(caller: Caller, path: str) -> Settings | None:
    """What the user's file says, wrong or not; None without one.

    Of another user's only what narrows, which is warned of.

    Raises:
        StoreError: it cannot be read, or not be believed.
    """
    found = caller.document(path, settings.parse, lambda _: False)  # there are no secrets in it
    author = caller.author(path)
    if found is None or author is None:
        return found
    # Root in a user's home: that user could have root's files and variables sent elsewhere.
    caller.warn(f"{path} is another user's (uid {author}): its rules only narrow who answers")
    return found.narrowed()


def workspace_settings(path: str) -> Settings:
    """What a workspace's file says, wrong or not; raises as ``user_settings``."""
    from credlatch.system import projects

    projects.see_folder(dirname(path) or "/")
    return settings.parse_workspace(projects.read(path), path)


def _found(from_file: Settings | None, place: Place) -> Rule | None:
    found = None if from_file is None else from_file.held(place)
    return None if found is None else found[1]


def _narrow(rule: Rule, narrowing: Rule, caller: Caller) -> None:
    """Have a rule allow no more than a workspace's does."""
    rule.where = f"{rule.where} and {narrowing.where}" if rule.where else narrowing.where
    rule.forbidden = rule.forbidden or narrowing.forbidden
    if narrowing.use:
        rule.only = tuple(each for each in narrowing.use if rule.only is None or each in rule.only)
    if narrowing.account is None:
        return
    if rule.account not in {None, narrowing.account}:
        caller.warn(
            f"{rule.where} want the logins of two users, {rule.account} and {narrowing.account}: "
            "none answers"
        )
        rule.forbidden = True
    rule.account = narrowing.account
