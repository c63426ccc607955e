"""Other programs, found and asked: in a bounded time, with the surroundings that the caller has.

What belongs to our own start is not theirs: the loader of the frozen program adds its folder to
``LD_LIBRARY_PATH``, and a system's program that found our libraries there would not run. On Windows
it has told the system.
"""

from __future__ import annotations

import os
import sys

from credlatch.errors import ProgramError
from credlatch.system.environment import environment_without_loader
from credlatch.system.files import reason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Protocol

    class Surroundings(Protocol):
        """Whose environment and folder count."""

        @property
        def environ(self) -> Mapping[str, str]:
            """The environment."""

        @property
        def cwd(self) -> str:
            """The working directory."""


_ENDINGS = ".COM;.EXE;.BAT;.CMD"  # of programs, where Windows does not say
_LONGEST = 200  # characters of what a program says that are passed on


class Done:
    """What a program left behind.

    Attributes:
        status: its exit status; less than 0: the signal it died of.
        out: its standard output.
        said: the last line of its standard error, for a person.
    """

    __slots__ = ("out", "said", "status")

    def __init__(self, status: int, out: bytes, err: bytes) -> None:
        self.status = status
        self.out = out
        rows = [" ".join(row.split()) for row in err.decode(errors="replace").split("\n")]
        self.said = next((row[:_LONGEST] for row in reversed(rows) if row), "")


def is_same(one: str, other: str) -> bool:
    """Whether two paths lead to one file, or folder: names need not agree in case, as on macOS."""
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False  # one is not there


def is_name(text: str) -> bool:
    """Whether a program can be called so, or be told that."""
    try:
        return b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        return False


def docker_helper(name: str, environ: Mapping[str, str]) -> str | None:
    """Where a credential helper of Docker's is, by its name in a configuration; as ``found``."""
    return found(f"docker-credential-{name}", environ)


def found(name: str, environ: Mapping[str, str]) -> str | None:
    """The absolute path of a program on PATH; None when it is not there.

    Folders that PATH names from the working directory are passed over: somebody else's project may
    be there. For the same reason a name with a folder in it is none, and on Windows the working
    directory itself is not looked in.
    """
    if os.path.dirname(name):
        return None
    path = environ.get("PATH", os.defpath).split(os.pathsep)
    folders = [folder for folder in path if os.path.isabs(folder)]
    if sys.platform == "win32":
        return _found_on_windows(name, folders, environ.get("PATHEXT", _ENDINGS))
    import shutil

    return shutil.which(name, path=os.pathsep.join(folders)) if folders else None


def _found_on_windows(name: str, folders: list[str], endings: str) -> str | None:
    """What ``shutil.which`` gives, which looks in the working directory first, whatever PATH is."""
    each = [ending for ending in endings.split(os.pathsep) if ending]
    whole = name.lower().endswith(tuple(ending.lower() for ending in each))
    names = [name] if whole else [f"{name}{ending}" for ending in each]
    paths = (os.path.join(folder, candidate) for folder in folders for candidate in names)
    return next(filter(os.path.isfile, paths), None)


def ask(
    command: Sequence[str], stdin: bytes, caller: Surroundings, patience: float, **more: str
) -> Done:
    """Run a program with something on its standard input, and wait for its end.

    Args:
        command: the program, by its path or a name on PATH, and its arguments.
        stdin: what it reads.
        caller: whose environment it gets, and where it runs.
        patience: seconds that it may take; then it is killed, with all that it has started.
        more: variables that it gets besides.

    Raises:
        ProgramError: it is not there, cannot be run, or takes too long.
    """
    import subprocess

    if not all(map(is_name, command)):
        raise ProgramError(f"{command[0]!a} is no name of a program, or is told what is no text")
    name = os.path.basename(command[0])
    path = command[0] if os.path.isabs(command[0]) else found(name, caller.environ)
    if path is None:
        raise ProgramError(f"{name} is not on PATH: install it")
    if sys.platform == "win32":
        from credlatch.system import windows_processes

        windows_processes.let_go_of_libraries()
    pipe = subprocess.PIPE
    try:
        with (
            subprocess.Popen(  # noqa: S603 - a program that the user has named
                [path, *command[1:]],
                stdin=pipe,
                stdout=pipe,
                stderr=pipe,
                env={**environment_without_loader(caller.environ), **more},
                cwd=caller.cwd,
                start_new_session=True,
            ) as process
        ):
            try:
                out, err = process.communicate(stdin, timeout=patience)
            except BaseException:
                _kill(process.pid)
                raise
    except subprocess.TimeoutExpired:
        raise ProgramError(f"{path} has not answered for {patience:.0f} s") from None
    except OSError as error:
        raise ProgramError(f"{path} cannot be run: {reason(error)}") from None
    return Done(process.returncode, out, err)


def _kill(pid: int) -> None:
    import signal

    try:
        if sys.platform == "win32":
            os.kill(pid, signal.SIGTERM)
        else:
            os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return  # it has just ended
