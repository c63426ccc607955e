"""What there is to change so that a tool asks us."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from credlatch.errors import SetupError, UsageError
from credlatch.setup import links, places, tools, wiring
from credlatch.setup.editor import Editor
from credlatch.stores import chained
from credlatch.system import programs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller
    from credlatch.setup.changes import FileChange
    from credlatch.setup.formats import Key, Value
    from credlatch.setup.places import Place
    from credlatch.setup.tools import Tool
    from credlatch.url import Url

LEAVE, REPLACE, CHAIN = "leave", "replace", "chain"
_SHOWN = 4  # names that a line repeats


@dataclass
class Plan:
    """What is to be done, and what a person is told of it.

    Attributes:
        files: the files that change.
        link: a program's name that is needed, or None.
        wired: how many settings lead to us, before or after.
        asked: for which hosts, in words for a person.
        left: what is not wired, and why, in words for a person.
        notes: what else there is to know.
    """

    files: list[FileChange] = field(default_factory=list)
    link: links.Link | None = None
    wired: int = 0
    asked: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def makes_link(self) -> bool:
        """Whether the link is still to be made."""
        return self.link is not None and self.link.made

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to change."""
        return not self.files and not self.makes_link


def place_of(tool: Tool, caller: Caller, *, project: bool, all_hosts: bool = False) -> Place:
    """The configuration that wires a tool.

    Raises:
        UsageError: it has no such thing as a project's.
        SetupError: there is no project here.
    """
    if project:
        if tool.project is None:
            raise UsageError(f"{tool.name} is not wired by a project: leave --project out")
        return tool.project(caller)
    chosen = tool.all_place if all_hosts and tool.all_place is not None else tool.place
    return chosen(caller)


def plan(tool: Tool, place: Place, hosts: list[Url] | None, others: str, caller: Caller) -> Plan:
    """What is to be done.

    Args:
        tool: what is to be wired.
        place: its configuration.
        hosts: the hosts to wire; None: all, by one setting.
        others: what becomes of other helpers: they stay, go, or are asked after us.
        caller: whose configuration it is.

    Raises:
        SetupError: it cannot be done; the text says why.
    """
    made = Plan()
    # A workspace's own wrapper need not be on PATH.
    if not str(tool.value(place)).startswith(tools.IN_WORKSPACE):
        made.link = links.needed(tool.program, caller, replace=others == REPLACE)
    work = _Work(tool, place, others, caller, made)
    if hosts is None:
        work.setting(tool.all_key, "all hosts")
    else:
        for url in hosts:
            work.host(url)
    work.say_what_stays()
    if work.config.settings:
        made.notes += work.what_changes_besides(for_all=hosts is None)
    made.files = [each.change() for each in (work.chain, work.config) if each.settings]
    if not made.wired:
        made.link = None  # what a tool does not ask need not be there
    for change in made.files:
        change.found.see_that_it_may_change()
        if os.path.islink(change.found.path):
            path, target = change.found.path, change.found.target
            made.notes.append(f"{path} is a link, and {target} is what changes")
    made.notes += tool.hints if not made.is_empty else ()
    variable = caller.get(tool.variable) if tool.variable else None
    if variable is not None and not tool.is_ours(variable):
        made.notes.append(f"{tool.variable} is set to {variable!r} and outranks this: unset it")
    return made


class _Work:
    """One tool's wiring while it is decided on, setting by setting."""

    def __init__(self, tool: Tool, place: Place, others: str, caller: Caller, made: Plan) -> None:
        self.config = Editor(place, caller)
        self.chain = Editor(places.Place(chained.path_of(caller), "json"), caller)
        self._tool = tool
        self._place = place
        self._others = others
        self._caller = caller
        self._made = made
        self._is_beside = False  # whether the tool itself asks others after us
        self._unnamed: list[str] = []
        self._staying: dict[str, list[str]] = {}
        self._passed_over: dict[str, list[str]] = {}

    def host(self, url: Url) -> None:
        """Wire one host."""
        keys = self._tool.keys(url) if self._tool.keys is not None else ()
        if not keys and self._all_are_ours():
            self._wired(url.netloc)
        elif not keys:
            self._unnamed.append(url.netloc)
        for key in keys:
            self.setting(key, url.netloc)

    def _for_all(self) -> Value | None:
        """The setting for all hosts, where it is in the same file."""
        tool = self._tool
        return None if tool.all_place else self.config.get((*self._place.table, *tool.all_key))

    def _all_are_ours(self) -> bool:
        wired = self._for_all()
        return wired is not None and self._tool.is_ours(wired)

    def setting(self, key: Key, what: str) -> None:
        """Put in one setting, unless it is there, or somebody else's."""
        tool, key = self._tool, (*self._place.table, *key)
        value = tool.value(self._place)
        now = self.config.get(key)
        if now is not None and wiring.gone(tool, now, self._place, self._caller):
            # Nobody has another helper there: ours has been moved.
            self.config.put(key, wiring.again(value, now))
            self._wired(what)
            return
        if tool.adds and self._others != REPLACE and isinstance(now, tuple):
            if not tool.is_ours(now):
                value, now = (*now, *value[-1:]), None
        elif isinstance(now, tuple) and isinstance(value, tuple) and set(now) < set(value):
            now = None  # no helper among them
        ours = now is not None and tool.is_ours(now)
        # Also what an earlier call has left out, or a --replace.
        chains = self._others == CHAIN
        wider = self.config.ask(tool.outranked, key) if now is None or (ours and chains) else None
        if ours and (wider is None or tool.is_ours(wider)):
            self._wired(what)
            if chains:
                self._parts(self.config.ask(tool.within, key))
            return
        if now is None and wider is not None and self.config.ask(tool.named, key):
            now, wider = wider, None
        if now is None and wider is not None and tool.is_ours(wider):
            self._wired(what)  # by the setting for all hosts
            return
        if now is not None and self._others == LEAVE:
            self._staying.setdefault(_shown(now), []).append(what)
            return
        parts = self.config.ask(tool.within, key)
        other = wider if now is None or ours else now
        if other is not None and chains:
            value = self._chained(key, value, other)
        elif now is None and other is not None:
            self._passed_over.setdefault(_shown(other), []).append(what)
        if value != now:
            self.config.put(key, value)
        self._wired(what)
        self._parts(parts)

    def _wired(self, what: str) -> None:
        self._made.wired += 1
        if what not in self._made.asked:
            self._made.asked.append(what)

    def _parts(self, parts: dict[str, tuple[str, ...]] | None) -> None:
        """Have the helpers for parts of what has been wired asked as before, or after us."""
        for url, helpers in (parts or {}).items():
            if self._others == LEAVE:
                self.config.put((url,), helpers)
                self._staying.setdefault(_shown(helpers), []).append(url)
            elif self._others == CHAIN and not self._tool.is_ours(self.config.get((url,)) or ()):
                self.config.put((url,), self._chained((url,), (), helpers))

    def say_what_stays(self) -> None:
        """Name what is not wired, and the helpers that are not asked any more."""
        tool, made = self._tool, self._made
        more = "" if tool.chain is None else "--chain asks it after credlatch, "
        made.left += [
            f"{several(hosts)}: {helper} stays: {more}--replace puts credlatch in its place"
            for helper, hosts in self._staying.items()
        ]
        if self._unnamed:
            pattern = any(host.startswith("*.") for host in self._unnamed)
            hint = "name the hosts themselves with --host, or " if pattern else ""
            made.left.append(
                f"{tool.name} cannot be told {several(self._unnamed)}: "
                f"{hint}wire all hosts with --all-hosts"
            )
        made.notes += [
            f"{helper} is not asked any more for {several(hosts)}: --chain asks it after credlatch"
            for helper, hosts in self._passed_over.items()
        ]

    def what_changes_besides(self, *, for_all: bool) -> list[str]:
        """What a person may not expect of the settings that are put in."""
        tool = self._tool
        notes = list(tool.consequences) if for_all else []
        if tool.keeps and not self._is_beside:
            notes.insert(0, tool.keeps)
        if tool.offer and not for_all and self._for_all() is None:
            notes.append(tool.offer)
        if tool.advice is not None:
            notes += tool.advice(self._place, self._caller)
        return notes

    def _chained(self, key: Key, value: Value, other: Value) -> Value:
        """Have another helper asked after us; the tool's own setting for that.

        Raises:
            SetupError: it cannot be asked.
        """
        chain, helpers = self._tool.chain, (other,) if isinstance(other, str) else other
        if chain is None:
            raise SetupError(f"{self._tool.name} asks one program only: it has no --chain")
        if not chain or isinstance(value, tuple):
            self._is_beside = self._tool.beside is not None
            value = self._tool.beside or value
            own = (value,) if isinstance(value, str) else value
            return (*own, *(each for each in helpers if each not in own))
        helper = helpers[-1]
        if chain == "bazel":
            helper = self._bazel_path(helper)
        elif programs.docker_helper(helper, self._caller.environ) is None:
            raise SetupError(f"docker-credential-{helper} is not on PATH: --replace it")
        name = tools.ALL if key == self._tool.all_key else key[-1]
        if self.chain.get((chain, name)) != helper:
            self.chain.put((chain, name), helper)
        return value

    def _bazel_path(self, helper: str) -> str:
        """The absolute path of a helper of Bazel's, which ran in the workspace."""
        path: str | None = helper
        if helper.startswith(tools.IN_WORKSPACE):
            root = places.workspace(self._caller)
            path = None if root is None else os.path.join(root, helper.partition("/")[2])
        elif not os.path.isabs(helper):
            path = programs.found(helper, self._caller.environ)
        if path is None or not os.access(path, os.X_OK):
            raise SetupError(f"{helper} is no program that can be found from here: --replace it")
        return path


def unknown_ports(asked: list[str]) -> list[str]:
    """What to tell a person whose tool tells ports apart, of hosts that stores have named."""
    portless = [name for name in asked if ":" not in name.rpartition("]")[2]]
    if not portless:
        return []
    why = "without a port, as some stores keep logins by host alone"
    return [f"{several(portless)}: {why}: name a registry at another port with --host HOST:PORT"]


def several(names: list[str]) -> str:
    """Some names as one text, of a length that a person reads."""
    if len(names) <= _SHOWN:
        return ", ".join(names)
    return f"{', '.join(names[: _SHOWN - 1])} and {len(names) - _SHOWN + 1} more"


def _shown(helper: Value) -> str:
    return helper if isinstance(helper, str) else ", ".join(helper)
