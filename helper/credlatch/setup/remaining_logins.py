"""Logins that stay in rattler's store when the tool that kept them there asks us no more."""

from __future__ import annotations

from credlatch import cargo_logins, registry
from credlatch import url as urls
from credlatch.errors import RequestError, StoreError
from credlatch.setup.formats.git_urls import Pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller
    from credlatch.setup.record import Record
    from credlatch.setup.tools import Tool
    from credlatch.url import Url


def staying(tool: Tool, steps: Record, caller: Caller) -> list[str]:
    """A line for each login that the undone wiring was for, without its secret.

    Who has kept it there nobody knows: pixi's are named as well, which it still uses.
    """
    if not tool.keeps:
        return []
    if tool.name == "cargo":
        return _of_cargo(caller)
    import shlex

    from credlatch.stores.rattler import RattlerStore

    store = RattlerStore(caller)
    lines = []
    try:
        for key, username in sorted(store.logins().items()):
            entry = store.at(key) if _was_asked_for(tool, steps, key) else None
            if entry is not None:
                lines.append(
                    f"the login of {username} for {key} stays in {entry.location}: "
                    f"echo {shlex.quote(key)} | docker-credential-credlatch erase takes it away"
                )
    except StoreError as error:
        caller.warn(str(error))
    return lines


def _of_cargo(caller: Caller) -> list[str]:
    try:
        return [
            f"a token for {index} stays in {location}: cargo logout before this takes it away"
            for index, location in cargo_logins.listed(caller).items()
        ]
    except StoreError as error:
        caller.warn(str(error))
        return []


def _was_asked_for(tool: Tool, steps: Record, key: str) -> bool:
    names = [
        setting.key for step in steps.steps for file in step.files for setting in file.settings
    ]
    if any(name[-len(tool.all_key) :] == tool.all_key for name in names):
        return True
    url = _url(key)
    if url is None:
        return False
    wanted = Pattern(f"{url.scheme}://{url.netloc}")
    for name in names:
        of = _url(name[-1])
        if of is not None and Pattern(f"{of.scheme}://{of.netloc}").meets(wanted):
            return True
    return False


def _url(key: str) -> Url | None:
    try:
        url = urls.parse(key if "://" in key else f"https://{key}")
    except RequestError:
        return None
    # Docker Hub has several names.
    return registry.parse(registry.spellings(url)[0]) or url
