"""The person's web browser, where there is one to be opened.

Python's own ``webbrowser`` waits for some browsers to end, takes a failure of others for success,
and gives them our loader's libraries.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys

from credlatch.system import programs
from credlatch.system.environment import environment_without_loader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from credlatch.caller import Caller

_REMOTE = ("SSH_CONNECTION", "SSH_TTY")
_SHOWN = ("DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME")
# What asks the desktop for the browser that the person has chosen.
_OPENERS = ("wslview", "xdg-open", "sensible-browser", "x-www-browser")
_FAILS_WITHIN = 2.0  # seconds: what is still running then is taken for a browser


def is_here(caller: Caller) -> bool:
    """Whether a browser can be expected to open where the person looks.

    Not at the other end of SSH, nor where nothing is shown: one that writes to the terminal would
    take the place of what we say.
    """
    if caller.get("BROWSER"):
        return True
    if any(map(caller.get, _REMOTE)):
        return False
    return sys.platform in {"darwin", "win32"} or any(map(caller.get, _SHOWN))


def opened(url: str, caller: Caller) -> bool:
    """Open a URL; whether something has been started that did not fail at once."""
    if sys.platform == "win32":
        from credlatch.system import windows_processes

        windows_processes.let_go_of_libraries()
        if not caller.get("BROWSER"):
            try:
                os.startfile(url)  # noqa: S606 - a URL of https, or of this machine: it was checked
            except OSError:
                return False
            return True
    return any(_started(words, caller) for words in _commands(url, caller))


def _commands(url: str, caller: Caller) -> Iterator[list[str]]:
    """What may open it, in order: as others read the variable, its programs alone if it is set."""
    said = caller.get("BROWSER")
    if said is None:
        openers = ("open",) if sys.platform == "darwin" else _OPENERS
        for name in openers:
            yield [name, url]
        return
    for each in said.split(os.pathsep):
        if words := _words(each.rstrip(" &")):
            with_url = [word.replace("%s", url) for word in words]
            yield with_url if with_url != words else [*words, url]


def _words(said: str) -> list[str]:
    """A program and its arguments; a path with blanks is one that is there. None: they are none."""
    if os.path.isabs(said) and os.path.isfile(said):
        return [said]
    try:
        if sys.platform == "win32":  # where a backslash is a part of a path
            return [word.strip('"') for word in shlex.split(said, posix=False)]
        return shlex.split(said)
    except ValueError:
        return []


def _started(words: list[str], caller: Caller) -> bool:
    path = words[0] if os.path.isabs(words[0]) else programs.found(words[0], caller.environ)
    if path is None:
        return False
    nowhere = subprocess.DEVNULL  # what it says would stand amid what we say
    flags = 0
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP
    try:
        process = subprocess.Popen(  # noqa: S603 - the person's own choice, told a URL alone
            [path, *words[1:]],
            stdin=nowhere,
            stdout=nowhere,
            stderr=nowhere,
            env=environment_without_loader(caller.environ),
            start_new_session=True,  # Ctrl-C is for us
            creationflags=flags,  # likewise
        )
    except OSError:
        return False
    try:
        return process.wait(_FAILS_WITHIN) == 0
    except subprocess.TimeoutExpired:
        return True
