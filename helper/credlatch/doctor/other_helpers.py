"""Helpers that are not ours: which come before us, are left out, or are not there at all."""

from __future__ import annotations

import os

from credlatch.doctor import logins
from credlatch.doctor.finding import FAIL, WARN, Finding
from credlatch.fixes import shell
from credlatch.lines import printable
from credlatch.setup import wiring
from credlatch.setup.precedence import AUTH_FILES
from credlatch.setup.tools import DOCKER_PROGRAM
from credlatch.system import programs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from credlatch.caller import Caller
    from credlatch.setup.formats.git_config import GitConfig
    from credlatch.setup.tools import Tool
    from credlatch.setup.wiring import Wiring

_SHOWN = 100  # characters of a value


def missing(
    tool: Tool, wirings: list[Wiring], netlocs: list[str], caller: Caller
) -> Iterator[Finding]:
    """Helpers of others that are not there, as a configuration has that another system has written.

    Docker's clients and Bazel then fail, or go on without a login, for the hosts of these.
    """
    if tool.program != DOCKER_PROGRAM and tool.name != "bazel":
        return
    for each in wirings if wiring.is_there(tool, caller) else ():
        named = {**each.hosts, **({"": each.all} if each.all is not None else {})}
        for host, value in named.items():
            for helper in (value,) if isinstance(value, str) else value:
                program = _of_others(tool, helper)
                if not program or programs.found(program, caller.environ) is not None:
                    continue
                plain = not host or logins.is_host(host)
                words = ("--host", host, "--force") if host else ("--all-hosts",)
                shown = f"for {printable(host, _SHOWN)} " if host else ""
                yield Finding(
                    # Nobody may want anything of that host here.
                    FAIL if not host or host in netlocs else WARN,
                    tool.name,
                    f"{each.place.path} {shown}names {printable(program, _SHOWN)}, which is not on "
                    "PATH",
                    shell.setup(tool.name, *words, "--replace")
                    if plain
                    else shell.edited(each.place.path),
                )


def _of_others(tool: Tool, helper: str) -> str:
    """Somebody else's program that a helper is, by its name; empty: it is ours, or no name."""
    if not helper or tool.is_ours(helper) or helper == AUTH_FILES or os.path.dirname(helper):
        return ""
    return f"docker-credential-{helper}" if tool.program == DOCKER_PROGRAM else helper


def before_us(tool: Tool, each: Wiring, netlocs: list[str]) -> Iterator[Finding]:
    """Helpers for one host, which come before us for that host."""
    for host, value in each.hosts.items():
        if host in netlocs and not tool.is_ours(value):
            helper = printable(value if isinstance(value, str) else ", ".join(value), _SHOWN)
            words = ("--host", host, "--chain" if tool.chain is not None else "--replace")
            yield Finding(
                WARN,
                tool.name,
                f"{each.place.path}: for {host} it asks {helper}, and not credlatch",
                shell.setup(tool.name, *words),
            )


def of_git(tool: Tool, each: Wiring, form: GitConfig) -> Iterator[Finding]:
    """Helpers that git asks before us, or has been told to forget."""
    wired = [(name, each.hosts[name]) for name in each.ours]
    wired += [("", each.all)] if each.is_for_all and each.all is not None else []
    for name, value in wired:
        hosts = ("--host", name) if name else ("--all-hosts",)
        words = (*(("--project",) if each.is_of_project else ()), *hosts)
        asked = form.now((name,))
        shown = name or "all hosts"
        if not tool.is_ours(asked):
            helper = printable(", ".join(asked), _SHOWN) or "nobody"
            yield Finding(
                FAIL,
                tool.name,
                f"{each.place.path} is wired for {shown}, and git asks {helper}, by a setting that "
                "it reads later",
                shell.setup(tool.name, "--project", *hosts, "--replace"),
            )
            continue
        left = [helper for helper in form.former(each.text, (name,)) if helper not in asked]
        if left and value:
            yield Finding(
                WARN,
                tool.name,
                f"{each.place.path} is wired for {shown}, where git's {', '.join(left)} is no "
                "longer asked",
                shell.setup(tool.name, *words, "--chain"),
            )
