"""PATH, and the names that tools start us by."""

from __future__ import annotations

import os
import sys

from credlatch import __version__
from credlatch.doctor import wiring
from credlatch.doctor.finding import FAIL, OK, WARN, Finding
from credlatch.errors import ProgramError
from credlatch.fixes import shell
from credlatch.install import layout
from credlatch.lines import printable
from credlatch.setup import links, names
from credlatch.setup.links import Link
from credlatch.setup.tools import DOCKER_PROGRAM, KEYRING
from credlatch.system import programs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from credlatch.caller import Caller
    from credlatch.fixes.mending import Repair

SUBJECT = "PATH"
_EXE = ".exe" if sys.platform == "win32" else ""
_PATIENCE = 3.0  # seconds for another program to say which version it is
_SHOWN = 60  # characters of that


def check(caller: Caller) -> Iterator[Finding]:
    """What PATH finds by our names."""
    asked = wiring.needed(caller)
    ours = programs.found(names.PROGRAM, caller.environ)
    problems = [*_dangling(caller, ours)]
    if ours is None:
        problems += _not_found(asked, problems)
    else:
        problems += _another(ours, caller)
        if DOCKER_PROGRAM in asked:
            problems += _helper(ours, asked[DOCKER_PROGRAM], caller)
        if KEYRING in asked:
            problems += _keyring(ours, asked[KEYRING], caller)
    yield from problems
    if ours is not None and not problems:
        found = [name for name in (names.PROGRAM, *asked) if programs.found(name, caller.environ)]
        yield Finding(OK, SUBJECT, ", ".join(dict.fromkeys([ours, *found[1:]])))


def _folders(caller: Caller) -> list[str]:
    """The folders that programs are looked for in."""
    path = caller.environ.get("PATH", os.defpath).split(os.pathsep)
    return list(dict.fromkeys(folder for folder in path if os.path.isabs(folder)))


def _running() -> str | None:
    """This program's own file, or what a wheel has put in its place; None: it runs from source."""
    if getattr(sys, "frozen", False):
        return sys.executable
    path = os.path.abspath(sys.argv[0])
    return path if os.path.basename(path) == names.PROGRAM + _EXE else None


def _dangling(caller: Caller, ours: str | None) -> Iterator[Finding]:
    """Links of ours that lead nowhere."""
    leads_to = ours or _running()
    for folder in _folders(caller):
        for name in (names.PROGRAM, DOCKER_PROGRAM, KEYRING):
            path = os.path.join(folder, name + _EXE)
            text = layout.text_of(path)
            if text is None or os.path.exists(path):
                continue
            if names.PROGRAM not in os.path.basename(text):
                continue  # somebody else's keyring
            what = f"{path} is a link to {text}, which is not there"
            if leads_to is None or programs.found(name, caller.environ) is not None:
                yield Finding(WARN, SUBJECT, what, shell.removed(path), _unlink(path))
            else:
                fix = shell.command("ln", "-sfn", leads_to, path)
                yield Finding(FAIL, SUBJECT, what, fix, _relink(path, leads_to))


def _unlink(path: str) -> Repair:
    def repair() -> str:
        os.unlink(path)
        return shell.removed(path)

    return repair


def _relink(path: str, target: str) -> Repair:
    def repair() -> str:
        os.unlink(path)
        os.symlink(target, path)
        return shell.command("ln", "-sfn", target, path)

    return repair


def _not_found(asked: dict[str, list[str]], before: list[Finding]) -> Iterator[Finding]:
    if any(found.severity == FAIL for found in before):
        return  # a link of that name
    running = _running()
    tools = sorted({tool for each in asked.values() for tool in each})
    what = f"{names.PROGRAM} is not on PATH"
    if tools:
        what += f", where {', '.join(tools)} looks for it"
    fix = _put_there(running)
    yield Finding(FAIL if tools else WARN, SUBJECT, what, fix)


def _put_there(running: str | None) -> str:
    """What has this program found, in which its own folder need not be on PATH."""
    if running is None:
        return ""
    if getattr(sys, "frozen", False):
        return shell.command(running, "install")
    return shell.found_first(os.path.dirname(running))


def _another(ours: str, caller: Caller) -> Iterator[Finding]:
    """Another version of ours, which tools start."""
    running = _running()
    if running is None or programs.is_same(ours, running):
        return
    try:
        done = programs.ask([ours, "--version"], b"", caller, caller.left(_PATIENCE))
        said = done.out.decode(errors="replace").split("\n")
    except ProgramError as error:
        yield Finding(FAIL, SUBJECT, f"PATH finds {ours}, which does not answer: {error}")
        return
    build = sys._xoptions.get("utf8 credlatch")
    same = not isinstance(build, str) or f"build: {build}" in said
    if said[0] == f"credlatch {__version__}" and same:
        return  # the same, as the single file has unpacked it
    mine = next(
        (path for path in _each(names.PROGRAM, caller) if programs.is_same(path, running)), None
    )
    fix = _put_there(running) if mine is None else shell.found_first(os.path.dirname(mine))
    which = printable(said[0], _SHOWN) or "a program that says nothing"
    yield Finding(WARN, SUBJECT, f"tools start another one, {ours}: {which}", fix)


def _each(name: str, caller: Caller) -> Iterator[str]:
    """Every program of a name on PATH."""
    for folder in _folders(caller):
        path = os.path.join(folder, name + _EXE)
        if os.access(path, os.X_OK) and os.path.isfile(path):
            yield path


def _helper(ours: str, tools: list[str], caller: Caller) -> Iterator[Finding]:
    """The name that Docker's clients start."""
    folder = os.path.dirname(ours)
    found = programs.found(DOCKER_PROGRAM, caller.environ)
    if found is None:
        path = os.path.join(folder, DOCKER_PROGRAM + _EXE)
        command = shell.command("ln", "-s", os.path.basename(ours), path)

        def repair() -> str:
            links.make(Link(path, os.path.basename(ours), made=True))
            return command

        yield Finding(
            FAIL,
            SUBJECT,
            f"{DOCKER_PROGRAM} is not on PATH, where {' and '.join(tools)} look for it",
            command if sys.platform != "win32" else shell.command("copy", ours, path),
            None if os.path.lexists(path) else repair,
        )
    # A wheel's two programs are two files, in one folder.
    elif os.path.dirname(found) != folder and not programs.is_same(found, ours):
        yield Finding(
            WARN,
            SUBJECT,
            f"{DOCKER_PROGRAM} is found in {os.path.dirname(found)}, and {names.PROGRAM} in "
            f"{folder}: {' and '.join(tools)} may ask another version",
            shell.found_first(folder),
        )


def _keyring(ours: str, tools: list[str], caller: Caller) -> Iterator[Finding]:
    """The name that pip, uv and pixi start."""
    found = programs.found(KEYRING, caller.environ)
    folder = os.path.dirname(ours)
    path = os.path.join(folder, KEYRING + _EXE)
    ask, setup = " and ".join(tools), shell.command("credlatch", "setup", tools[0])
    if found is None:
        what = f"there is no {KEYRING} on PATH, which {ask} would start"
        yield Finding(FAIL, KEYRING, what, setup, wiring.by_setup(tools[0], (), caller))
        return
    if programs.is_same(found, ours) or links.leads_to(found, ours):
        return
    of_venv = os.path.exists(os.path.join(os.path.dirname(found), os.pardir, "pyvenv.cfg"))
    whose = ", of a virtual environment," if of_venv else ""
    folders = _folders(caller)
    first = os.path.dirname(found) in folders and folder in folders
    first = first and folders.index(os.path.dirname(found)) <= folders.index(folder)
    missing = not links.leads_to(path, ours)
    yield Finding(
        FAIL,
        KEYRING,
        f"PATH finds {found}{whose} before ours: {ask} start that one",
        shell.both(
            shell.found_first(folder) if first else "",
            f"{setup} --replace" if missing else "",
        )
        or setup,
    )
