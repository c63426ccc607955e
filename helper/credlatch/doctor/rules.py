"""The settings, the user's and a workspace's: what is wrong with them, as every call reads them."""

from __future__ import annotations

from credlatch import rules
from credlatch.doctor.finding import FAIL, OK, WARN, Finding
from credlatch.errors import StoreError
from credlatch.fixes import mending, shell
from credlatch.rules import reading
from credlatch.stores.order import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from credlatch.caller import Caller
    from credlatch.rules.settings import Settings

SUBJECT = "settings"


def check(caller: Caller) -> Iterator[Finding]:
    """What is wrong with either file; one that is not there is no problem."""
    own, workspace = rules.settings_file(caller), rules.workspace_file(caller)
    # What is wrong with the user's own stops every call.
    yield from _file(own, FAIL, caller, lambda: reading.user_settings(caller, own))
    if workspace is not None:
        yield from _file(workspace, WARN, caller, lambda: reading.workspace_settings(workspace))


def _file(
    path: str, severity: str, caller: Caller, read: Callable[[], Settings | None]
) -> Iterator[Finding]:
    before = len(caller.warnings)
    try:
        settings = read()
    except StoreError as error:
        yield Finding(severity, SUBJECT, str(error), *mending.of(path, str(error)))
        return
    if settings is None:
        return
    problems = settings.all_problems(names())
    for problem in problems:
        line = problem.line or mending.line_in(problem.text)
        yield Finding(severity, SUBJECT, problem.shown(path), shell.edited(path, line))
    for warning in caller.warnings[before:]:
        yield Finding(WARN, SUBJECT, warning, mending.of(path)[0])
    if not problems and len(caller.warnings) == before:
        many = len(settings.rules)
        yield Finding(OK, SUBJECT, f"{path}: {many} rule{'s' * (many != 1)}")
