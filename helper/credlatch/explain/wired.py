"""Whether a tool's own configuration has it ask us for a URL or a key at all."""

from __future__ import annotations

import shlex

from credlatch import registry
from credlatch.errors import CredlatchError
from credlatch.explain.model import Wired
from credlatch.lines import printable
from credlatch.setup import plan
from credlatch.setup.editor import Editor
from credlatch.setup.tools import TOOLS
from credlatch.setup.wiring import Wiring
from credlatch.system import programs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from credlatch.caller import Caller
    from credlatch.setup.formats import Value
    from credlatch.setup.places import Place
    from credlatch.setup.tools import Tool
    from credlatch.url import Url

_SHOWN = 100  # characters of a setting


def all_for(url: Url, caller: Caller) -> list[Wired]:
    """Each tool that is wired for anything, or that is here."""
    found = []
    for name in ("bazel", "docker", "podman", "uv", "pip", "pixi", "git", "go"):
        told = one(name, url, caller)
        is_here = programs.found(name, caller.environ) is not None
        if is_here or told.asks:
            found.append(told)
    return found


def one(name: str, url: Url | None, caller: Caller) -> Wired:
    """One tool.

    Args:
        name: the tool's, as ``setup`` has it.
        url: what it asks for; None: a key that is no host's.
        caller: whose configuration it is.
    """
    tool = TOOLS[name]
    if tool.done_by:
        tool = TOOLS[tool.done_by]
    variable = caller.get(tool.variable) if tool.variable else None
    if variable is not None:
        asks = tool.is_ours(variable)
        fix = "" if asks else f"unset {tool.variable}"
        return Wired(name, asks, f"{tool.variable} is {printable(variable, _SHOWN)!r}", fix)
    fix = _fix(tool, url)
    try:
        return _by_files(tool, url, fix, caller) or Wired(
            name, asks=False, why=_nowhere(tool, url, caller), fix=fix
        )
    except CredlatchError as error:
        return Wired(name, asks=None, why=str(error))


def _fix(tool: Tool, url: Url | None) -> str:
    if tool.keys is None or url is None:
        return f"credlatch setup {tool.name}"
    if url.host.startswith("-"):
        return ""  # it would be read as an option
    host = url.netloc if url.scheme == "https" else f"{url.scheme}://{url.netloc}"
    return f"credlatch setup {tool.name} --host {shlex.quote(host)}"


def _by_files(tool: Tool, url: Url | None, fix: str, caller: Caller) -> Wired | None:
    """What the tool's files say, a project's first, as tools have it; None: nothing."""
    for place in _places(tool, caller):
        editor = Editor(place, caller)
        keys = tool.keys(url) if tool.keys is not None and url is not None else ()
        for key in keys:
            value = editor.get((*place.table, *key))
            if value is not None:
                return _told(tool, key[-1], value, place.path, fix, caller)
        general = editor.get((*place.table, *tool.all_key))
        for key in keys:
            value = editor.ask(tool.outranked, (*place.table, *key))
            if value is not None and value != general:  # a pattern's, or another file's
                return _told(tool, key[-1], value, place.path, fix, caller)
        if general is not None:
            return _told(tool, tool.all_key[-1], general, place.path, fix, caller)
    return None


def _told(tool: Tool, key: str, value: Value, path: str, fix: str, caller: Caller) -> Wired:
    ours = tool.is_ours(value)
    helper = value if isinstance(value, str) else ", ".join(value)
    named = f"{key!r}" if key else "all hosts"
    why = f"{path} wires {named}"
    if not ours:
        is_gone = tool.chain == "docker" and not programs.docker_helper(helper, caller.environ)
        option = " --replace" if tool.chain is None or is_gone else " --chain"
        return Wired(
            tool.name,
            asks=False,
            why=f"{path} has {named} ask {printable(helper, _SHOWN) or 'nobody'}",
            fix=f"{fix}{option}" if fix else "",
        )
    return Wired(tool.name, asks=True, why=why)


def _places(tool: Tool, caller: Caller) -> Iterator[Place]:
    for place in (tool.project, tool.place, tool.all_place):
        if place is None:
            continue
        try:
            yield place(caller)
        except CredlatchError:
            if place is not tool.project:
                raise


def _nowhere(tool: Tool, url: Url | None, caller: Caller) -> str:
    """Why it does not ask: nothing wires it, or another port of the host is wired."""
    place = tool.place(caller)
    hosts = Wiring(tool, place, caller).ours if tool.ports and url is not None else []
    others = [key for key in hosts if url is not None and _host(key) == url.host]
    if others and url is not None:
        shown = plan.several([repr(printable(each, _SHOWN)) for each in others])
        return f"{place.path} wires {shown}, and {tool.name} asks for {url.netloc!r}"
    return f"{place.path} does not wire it"


def _host(key: str) -> str:
    meant = registry.parse(key)
    return "" if meant is None else meant.host
