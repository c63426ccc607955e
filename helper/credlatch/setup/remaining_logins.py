"""Logins that stay in rattler's store when the tool that kept them there asks us no more."""

from __future__ import annotations

import shlex

from credlatch import cargo_logins, registry
from credlatch import url as urls
from credlatch.errors import RequestError, StoreError
from credlatch.setup.formats.git_urls import Pattern
from credlatch.stores.rattler import RattlerStore

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from credlatch.caller import Caller
    from credlatch.setup.record import Record
    from credlatch.setup.tools import Tool


def staying(tool: Tool, steps: Record, caller: Caller) -> list[str]:
    """A line for each login that the undone wiring was for, without its secret.

    Who has kept it there nobody knows: pixi's are named as well, which it still uses.
    """
    lines: list[str] = []
    try:
        if tool.name == "cargo":
            lines.extend(_of_cargo(caller))
        elif tool.keeps:
            lines.extend(_of_rattler(tool, steps, caller))
    except StoreError as error:
        caller.warn(str(error))
    return lines


def _of_cargo(caller: Caller) -> Iterator[str]:
    for index, location in cargo_logins.listed(caller).items():
        yield f"a token for {index} stays in {location}: cargo logout before this takes it away"


def _of_rattler(tool: Tool, steps: Record, caller: Caller) -> Iterator[str]:
    store = RattlerStore(caller)
    for key, username in sorted(store.logins().items()):
        entry = store.at(key) if _was_asked_for(tool, steps, key) else None
        if entry is not None:
            yield (
                f"the login of {username} for {key} stays in {entry.location}: "
                f"echo {shlex.quote(key)} | docker-credential-credlatch erase takes it away"
            )


def _was_asked_for(tool: Tool, steps: Record, key: str) -> bool:
    names = [
        setting.key for step in steps.steps for file in step.files for setting in file.settings
    ]
    if any(name[-len(tool.all_key) :] == tool.all_key for name in names):
        return True
    wanted, asked = _pattern(key), (_pattern(name[-1]) for name in names)
    return wanted is not None and any(each and each.covers(wanted, in_part=True) for each in asked)


def _pattern(key: str) -> Pattern | None:
    try:
        url = urls.parse(key if "://" in key else f"https://{key}")
    except RequestError:
        return None
    # Docker Hub has several names.
    url = registry.parse(registry.spellings(url)[0]) or url
    return Pattern(f"{url.scheme}://{url.netloc}")
