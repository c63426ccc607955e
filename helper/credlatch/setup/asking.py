"""Whether a tool is wired to ask us for a host: what ``setup`` has written, or somebody by hand."""

from __future__ import annotations

from credlatch.setup.editor import Editor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller
    from credlatch.setup.places import Place
    from credlatch.setup.tools import Tool
    from credlatch.url import Url


def asks_us(tool: Tool, url: Url, caller: Caller) -> bool:
    """Whether the user's own configuration of a tool has it ask us for a host.

    Raises:
        SetupError: that configuration cannot be read.
        ProgramError: it is git's, and git is not there to read it.
    """
    variable = caller.get(tool.variable) if tool.variable else None
    if variable is not None:
        return tool.is_ours(variable)
    place = tool.place(caller)
    config = Editor(place, caller)
    for key in () if tool.keys is None else tool.keys(url):
        whole = (*place.table, *key)
        value = config.get(whole)
        if value is None:
            value = config.ask(tool.outranked, whole)
        if value is not None:
            return tool.is_ours(value)
    return _for_all(tool, place, config, caller)


def _for_all(tool: Tool, place: Place, config: Editor, caller: Caller) -> bool:
    if tool.all_place is not None:
        place = tool.all_place(caller)
        config = Editor(place, caller)
    value = config.get((*place.table, *tool.all_key))
    return value is not None and tool.is_ours(value)
