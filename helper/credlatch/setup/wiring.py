"""How a tool is wired by now: read, and nothing changed."""

from __future__ import annotations

import os

from credlatch import url as urls
from credlatch.errors import SetupError
from credlatch.setup import formats, names, places, texts
from credlatch.system import programs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller
    from credlatch.setup.formats import Value
    from credlatch.setup.places import Place
    from credlatch.setup.tools import Tool

_ANY = urls.parse("https://any.example")  # whose settings those for other hosts stand beside


class Wiring:
    """What one of a tool's configurations says of helpers.

    Args:
        tool: the tool.
        place: its configuration.
        caller: whose it is.
        is_of_project: whether it is a project's, and not the user's own.

    Attributes:
        tool: likewise.
        place: likewise.
        is_of_project: likewise.
        text: the configuration; empty where there is none.
        format: what reads it.
        hosts: the settings for hosts, by what the tool calls them.
        all: the setting for all others; None: there is none here.

    Raises:
        SetupError: it cannot be read.
    """

    def __init__(
        self, tool: Tool, place: Place, caller: Caller, *, is_of_project: bool = False
    ) -> None:
        self.tool = tool
        self.place = place
        self.is_of_project = is_of_project
        self._caller = caller
        self.text = texts.read(place.path).text or ""
        self.format = formats.named(place.format, caller)
        elsewhere = tool.all_place is not None and tool.all_place(caller) != place
        of_hosts = tool.all_place is None or elsewhere
        keys = tool.keys(_ANY) if tool.keys is not None and of_hosts else ()
        try:
            beside = self.format.beside(self.text, keys[0]) if keys else {}
            all_key = (*place.table, *tool.all_key)
            self.all = None if elsewhere else self.format.get(self.text, all_key)
        except ValueError as error:
            raise SetupError(
                f"{place.path} cannot be read as {self.format.name}: {error}"
            ) from None
        self.hosts = {name: value for name, value in beside.items() if (name,) != tool.all_key}

    @property
    def ours(self) -> list[str]:
        """The hosts for which the tool asks us by a setting of their own."""
        return [name for name, value in self.hosts.items() if self.tool.is_ours(value)]

    @property
    def is_for_all(self) -> bool:
        """Whether the tool asks us for all hosts that have no setting of their own."""
        return self.all is not None and self.tool.is_ours(self.all)

    @property
    def is_by_name(self) -> bool:
        """Whether the tool is to find us on PATH by some setting that leads to us."""
        values = [self.hosts[name] for name in self.ours]
        values += [self.all] if self.is_for_all and self.all is not None else []
        helpers = [each for value in values for each in _each(value) if names.leads_to_us(each)]
        # What names no program of ours means the one that is called so: keyring.
        named = any(not _path(self.tool, each, self.place, self._caller) for each in helpers)
        return named or bool(values and not helpers)

    def gone(self, value: Value) -> str:
        """The path of ours that a setting names, and at which no program is; or nothing."""
        return gone(self.tool, value, self.place, self._caller)


def gone(tool: Tool, value: Value, place: Place, caller: Caller) -> str:
    """The path of ours that a setting names, and at which no program is; or nothing.

    A name without a path is PATH's to find.
    """
    for helper in _each(value):
        path = _path(tool, helper, place, caller) if names.leads_to_us(helper) else ""
        if path and not os.access(path, os.X_OK):
            return path
    return ""


def _path(tool: Tool, helper: str, place: Place, caller: Caller) -> str:
    """The path that a helper is named by; empty where it is only a name."""
    from credlatch.setup.tools import IN_WORKSPACE

    word = helper.lstrip("!").split()[0]
    if tool.name == "bazel" and word.startswith(IN_WORKSPACE):
        own = os.path.dirname(place.path)
        root = own if places.is_workspace(own) else places.workspace(caller)
        return "" if root is None else os.path.join(root, word.removeprefix(IN_WORKSPACE))
    return word if os.path.isabs(word) else ""


def _each(value: Value) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value


def again(value: Value, now: Value) -> Value:
    """A setting with our helper as it is to be, and those of others as they are.

    Args:
        value: ours.
        now: what there is.
    """
    if isinstance(now, str) or isinstance(value, str):
        return value
    return tuple(_by_name(each) if names.leads_to_us(each) else each for each in now)


def _by_name(helper: str) -> str:
    """A helper without the path that it is named by, and with all that it is told."""
    mark = helper[: len(helper) - len(helper.lstrip("!"))]
    path, blank, rest = helper.removeprefix(mark).partition(" ")
    return f"{mark}{os.path.basename(path)}{blank}{rest}"


def is_there(tool: Tool, caller: Caller) -> bool:
    """Whether a tool is installed: one of its programs is on PATH."""
    return any(programs.found(name, caller.environ) for name in tool.commands)
