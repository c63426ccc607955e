"""What the doctor says of a test's home, and what comes of the fix that it prints."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import credlatch
from credlatch.doctor.finding import FAIL, WARN, Finding
from credlatch.setup.tools import TOOLS
from support.callers import caller_of
from support.program import run
from support.terminal import at_terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from credlatch.caller import Caller
    from support.home import Home

    Check = Callable[[Caller], Iterable[Finding]]

COMMANDS = tuple(name for tool in TOOLS.values() for name in tool.commands)
_ENVIRONMENT = "environment"
# What a person types after the fix: a shell shows what it has in its environment.
_SHOWN = "\nenv -0 > {}\n"
_EDITOR = f"{sys.executable} {Path(__file__).with_name('editor.py')}"


def problems(check: Check, home: Home) -> list[Finding]:
    """What is wrong, by one check or all."""
    return [each for each in check(caller_of(home)) if each.severity in {WARN, FAIL}]


def only_problem(check: Check, home: Home) -> Finding:
    """The one thing that is wrong."""
    found = problems(check, home)
    assert len(found) == 1, found
    return found[0]


def pasted(fix: str, home: Home, types: str = "", mends: str = "", cwd: Path | None = None) -> None:
    """Run a fix as a person does: in a shell, whose environment is the home's from then on.

    Args:
        fix: as it was printed.
        home: whose.
        types: what the person types.
        mends: what they do in their editor: Python, with the file's path in ``sys.argv[1]``.
        cwd: where.
    """
    assert fix
    told = home.write(f".tools/{_ENVIRONMENT}", "")
    shell = {"EDITOR": _EDITOR, "MENDS": mends, "SHELL": "/bin/bash"}
    # What asks, or begins a new shell, reads on where this one has read to.
    typed = f"\n{types}" if types else ""
    script = f"{fix}{typed}{_SHOWN.format(shlex.quote(str(told)))}"
    before = dict(home.env)
    home.env |= shell
    if "credlatch setup" in fix:  # which asks before it writes
        status, said = at_terminal(["/bin/bash", "-ec", script], home, "y\n", cwd)
    else:
        done = run(home, ["/bin/bash", "-e"], script.encode(), cwd)
        status, said = done.code, done.said
    assert status == 0, said
    rows = told.read_bytes().split(b"\0")[:-1]
    named = dict(os.fsdecode(row).split("=", 1) for row in rows)
    ignored = {*shell, "_", "PWD", "OLDPWD", "SHLVL"}
    kept = {name: value for name, value in named.items() if name not in ignored}
    home.env.clear()
    home.env |= kept | {name: before[name] for name in ignored & set(before)}


def on_path(home: Home, *tools: str) -> Path:
    """Have this program on PATH, and others that do nothing; the folder.

    Nothing else of that kind is found: what the machine has is not what a test is about.
    """
    for name in ("keyring", *COMMANDS):
        home.hide(name)
    folder = home.path / "bin"
    program = f'#!/bin/sh\nexec {sys.executable} -m credlatch "$@"\n'
    home.write("bin/credlatch", program, 0o755)
    (folder / "docker-credential-credlatch").symlink_to("credlatch")
    for name in tools:
        if name != "git":
            home.write(f"bin/{name}", "#!/bin/sh\nexit 1\n", 0o755)
    # What is hidden may have been in a folder with all else.
    for name in ("bash", "sh", "env", "sed", "rm", "mv", "ln", "chmod", "printenv", "id", "cat"):
        where = shutil.which(name)
        if where is not None and not (folder / name).exists():
            (folder / name).symlink_to(where)
    if "git" in tools and (git := shutil.which("git")) is not None:
        (folder / "git").symlink_to(git)
    home.env |= {
        "PYTHONPATH": str(Path(credlatch.__file__).parent.parent),
        "GIT_CONFIG_SYSTEM": os.devnull,
        "COLUMNS": "200",
    }
    home.path_begins_with(folder)
    return folder


def mended(check: Check, home: Home, types: str = "", mends: str = "") -> Finding:
    """The one thing that is wrong, of which the fix that is printed leaves nothing."""
    found = only_problem(check, home)
    pasted(found.fix, home, types, mends)
    assert problems(check, home) == []
    return found
