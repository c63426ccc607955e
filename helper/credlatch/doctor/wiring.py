"""Each tool's own configuration: what of it leads to us, and what is in the way of that."""

from __future__ import annotations

import os
import re
import sys

from credlatch.doctor import logins, other_helpers
from credlatch.doctor.finding import FAIL, OFF, OK, WARN, Finding
from credlatch.errors import CredlatchError, ProgramError, SetupError
from credlatch.fixes import mending, shell
from credlatch.lines import printable
from credlatch.setup import plan, wiring
from credlatch.setup.formats.git_config import GitConfig
from credlatch.setup.tools import TOOLS
from credlatch.setup.wiring import Wiring
from credlatch.system import programs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from credlatch.caller import Caller
    from credlatch.fixes.mending import Repair
    from credlatch.setup.places import Place
    from credlatch.setup.tools import Tool

_VARIABLE = re.compile(r"^([A-Z_]+) is ")  # how a place says that a variable is in its way
_SETUP = 30.0  # seconds that one of ours may take
_SHOWN = 100  # characters of a value
_LARGEST = 1_000_000  # bytes: no configuration is as large
NOT_WIRED = "it does not ask credlatch"


def check(caller: Caller) -> Iterator[Finding]:
    """Each tool that is installed, or wired, in the order of ``setup``'s table."""
    netlocs = _netlocs(caller)
    for tool in _tools(caller):
        wirings, failures = _read(tool, caller)
        yield from failures
        ours = [each for each in wirings if each.ours or each.is_for_all]
        missing = [*other_helpers.missing(tool, wirings, netlocs, caller)]
        yield from missing
        if ours:
            problems = [*_problems(tool, wirings, netlocs, caller)]
            yield from problems
            if not problems:
                yield from _as_it_should(tool, ours)
        elif wiring.is_there(tool, caller) and not failures and not missing:
            yield _not_wired(tool, wirings, netlocs)


def needed(caller: Caller) -> dict[str, list[str]]:
    """The programs that wired tools start us by, each with the names of these tools."""
    found: dict[str, list[str]] = {}
    for tool in _tools(caller):
        for each in _read(tool, caller)[0]:
            if each.is_by_name and tool.name not in found.setdefault(tool.program, []):
                found[tool.program].append(tool.name)
    return {program: names for program, names in found.items() if names}


def _tools(caller: Caller) -> list[Tool]:
    known = [tool for tool in TOOLS.values() if not tool.done_by]
    # Git itself reads its configuration.
    return [tool for tool in known if tool.name != "git" or wiring.is_there(tool, caller)]


def _read(tool: Tool, caller: Caller) -> tuple[list[Wiring], list[Finding]]:
    """The tool's configurations, the user's first, and why one cannot be read."""
    found: list[Wiring] = []
    failures: list[Finding] = []
    for place in (tool.place, tool.all_place, tool.project):
        if place is None:
            continue
        try:
            where = place(caller)
        except (SetupError, ProgramError) as error:
            if place is not tool.project and wiring.is_there(tool, caller):
                failures.append(_in_the_way(tool, error))
            continue
        if any(each.place.path == where.path for each in found):
            continue
        try:
            found.append(Wiring(tool, where, caller, is_of_project=place is tool.project))
        except (SetupError, ProgramError) as error:
            # Docker's and podman's files are stores as well, and those have a check.
            if not where.is_private and (wiring.is_there(tool, caller) or _names_us(where)):
                fix, repair = mending.of(where.path, str(error))
                failures.append(Finding(FAIL, tool.name, str(error), fix, repair))
    return found, failures


def _names_us(place: Place) -> bool:
    if not os.path.isfile(place.path):
        return False
    try:
        with open(place.path, "rb") as file:
            return b"credlatch" in file.read(_LARGEST)
    except OSError:
        return False


def _in_the_way(tool: Tool, error: CredlatchError) -> Finding:
    variable = _VARIABLE.match(str(error))
    fix = shell.unset(variable[1]) if variable else ""
    return Finding(WARN, tool.name, str(error), fix)


def _as_it_should(tool: Tool, ours: list[Wiring]) -> Iterator[Finding]:
    for each in ours:
        hosts = "all hosts" if each.is_for_all or not each.ours else plan.several(each.ours)
        yield Finding(OK, tool.name, f"{each.place.path}: {hosts}")


def _not_wired(tool: Tool, wirings: list[Wiring], netlocs: list[str]) -> Finding:
    other = next((each.all for each in wirings if each.all), None)
    helper = other if isinstance(other, str) else ", ".join(other or ())
    instead = f", and asks {printable(helper, _SHOWN)}" if other else ""
    words = ["--chain" if tool.chain is not None else "--replace"] if other else []
    # Without any login there is no host to wire.
    fix = shell.setup(tool.name, *words) if netlocs or tool.keys is None else ""
    return Finding(OFF, tool.name, f"{NOT_WIRED}{instead}", fix)


def _problems(
    tool: Tool, wirings: list[Wiring], netlocs: list[str], caller: Caller
) -> Iterator[Finding]:
    """What is in the way of a tool that is wired."""
    variable = caller.get(tool.variable) if tool.variable else None
    if variable is not None and not tool.is_ours(variable):
        value = printable(variable, _SHOWN)
        what = f"{tool.variable} is {value!r}, and outranks its configuration"
        yield Finding(FAIL, tool.name, what, shell.unset(tool.variable))
    for each in wirings:
        yield from _gone(tool, each)
        if tool.ports and each.ours:
            yield from _ports(tool, each, wirings, netlocs, caller)
        if each.is_for_all:
            yield from other_helpers.before_us(tool, each, netlocs)
        if isinstance(each.format, GitConfig):
            yield from other_helpers.of_git(tool, each, each.format)
    if tool.keys is None:
        yield from _of_project(tool, wirings)


def _gone(tool: Tool, each: Wiring) -> Iterator[Finding]:
    """Paths at which we are no more."""
    paths = {name: each.gone(each.hosts[name]) for name in each.ours}
    if each.is_for_all and each.all is not None:
        paths[""] = each.gone(each.all)
    for path in dict.fromkeys(filter(None, paths.values())):
        if os.path.isfile(path):
            fix = shell.command("chmod", "+x", path)
            yield Finding(
                FAIL, tool.name, f"{each.place.path} names {path}, which cannot be run", fix
            )
            continue
        hosts = [name for name, named in paths.items() if named == path and name]
        words = ["--project"] if each.is_of_project else []
        if hosts:
            words += ["--host", *hosts, "--force"]
        elif tool.keys is not None:
            words.append("--all-hosts")
        what = f"{each.place.path} names {path}, which is not there"
        plain = all(map(logins.is_host, hosts))
        fix = shell.setup(tool.name, *words) if plain else shell.edited(each.place.path)
        yield Finding(FAIL, tool.name, what, fix)


def _ports(
    tool: Tool, each: Wiring, wirings: list[Wiring], netlocs: list[str], caller: Caller
) -> Iterator[Finding]:
    """Registries that are wired without the port at which there is a login for them."""
    if any(other.is_for_all for other in wirings):
        return
    for host in each.ours:
        at_ports = [name for name in netlocs if name.rpartition(":")[0] == host]
        left = [name for name in at_ports if name not in each.hosts]
        if host in netlocs or not left:
            continue
        words = ("--host", *left)
        yield Finding(
            FAIL,
            tool.name,
            f"{each.place.path} wires {host}, and the login is for {plan.several(left)}: "
            f"{tool.name} asks for a registry with its port",
            shell.setup(tool.name, *words),
            by_setup(tool.name, words, caller),
        )


def _of_project(tool: Tool, wirings: list[Wiring]) -> Iterator[Finding]:
    """A project that says otherwise than its user."""
    for each in wirings:
        if each.is_of_project and each.all is not None and not tool.is_ours(each.all):
            value = printable(str(each.all), _SHOWN)
            yield Finding(
                FAIL,
                tool.name,
                f"{each.place.path} says {tool.all_key[-1]} = {value!r}, which outranks your own",
                shell.setup(tool.name, "--project", "--replace"),
            )


def _netlocs(caller: Caller) -> list[str]:
    """The hosts, with their ports, that the stores have logins for."""
    known = logins.logins(logins.files_only(caller))
    # With a port a netrc's entry is for nobody.
    urls = [each.url for each in known if each.store != "netrc" or ":" not in each.key]
    return sorted({url.netloc for url in urls if url is not None and url.scheme != "s3"})


def by_setup(tool: str, words: tuple[str, ...], caller: Caller) -> Repair:
    """The same by our own program, which asks nobody."""

    def repair() -> str:
        own = (
            [sys.executable]
            if getattr(sys, "frozen", False)
            else [sys.executable, "-m", "credlatch"]
        )
        command = [*own, "setup", tool, *words, "--yes"]
        done = programs.ask(command, b"", caller, caller.left(_SETUP))
        if done.status:
            raise SetupError(done.said or f"setup ended with {done.status}")
        return shell.command("credlatch", "setup", tool, *words)

    return repair
