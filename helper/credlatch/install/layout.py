"""What belongs to an installation, by name."""

from __future__ import annotations

import os
import sys

from credlatch import __version__
from credlatch.errors import PlaceError
from credlatch.system import folders

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_EXE = ".exe" if sys.platform == "win32" else ""
PROGRAM = f"credlatch{_EXE}"
KEYRING = f"keyring{_EXE}"  # the name by which pip, uv and pixi look for it: setup makes it
HELPER = f"docker-credential-credlatch{_EXE}"  # the name by which Docker looks for it
LOCK = "lock"
_DIGITS = 16  # of a build's identity


class Running:
    """The frozen program in its folder form.

    Attributes:
        folder: where it is.
        name: what its folder is called where it is installed.
    """

    __slots__ = ("folder", "name")

    def __init__(self, folder: str, build: str) -> None:
        self.folder = folder
        self.name = f"{__version__}-{build}"


def running() -> Running:
    """The program that runs.

    Raises:
        PlaceError: it runs from source, where there is nothing to install.
    """
    build = sys._xoptions.get("utf8 credlatch")
    if not isinstance(build, str) or not getattr(sys, "frozen", False):
        raise PlaceError("this runs from source, and only the executable can be installed")
    return Running(os.path.dirname(os.path.realpath(sys.executable)), build)


class Layout:
    """The names of an installation.

    Args:
        prefix: the folder with ``bin`` and ``lib`` in it; absolute.

    Attributes:
        bin: the folder of the links.
        lib: the folder of the versions.
        current: the link to the one that is used.
        links: the links in ``bin``.
        keyring: what ``credlatch setup`` may have made beside them.
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self.bin = os.path.join(prefix, "bin")
        self.lib = os.path.join(prefix, "lib", "credlatch")
        self.current = os.path.join(self.lib, "current")
        self.links = [os.path.join(self.bin, name) for name in (PROGRAM, HELPER)]
        self.keyring = os.path.join(self.bin, KEYRING)

    @property
    def link_text(self) -> str:
        """What the links in ``bin`` say, also where that folder is itself a link."""
        program = os.path.join(os.path.realpath(self.lib), "current", PROGRAM)
        return os.path.relpath(program, os.path.realpath(self.bin))

    def is_ours(self, path: str | os.DirEntry[str]) -> bool:
        """Whether something in ``bin`` is a link to one of our versions."""
        text = text_of(path)
        if text is None:
            return False
        target = os.path.normpath(os.path.join(os.path.realpath(self.bin), text))
        return target.startswith((self._below(self.lib), self._below(os.path.realpath(self.lib))))

    def has_our_keyring(self) -> bool:
        """Whether ``keyring`` is a link to our link beside it."""
        return text_of(self.keyring) == PROGRAM and self.is_ours(self.links[0])

    def is_within(self, folder: str) -> bool:
        """Whether a folder of the prefix is really in it, and no link leads out of it."""
        return os.path.realpath(folder).startswith(self._below(os.path.realpath(self._prefix)))

    @staticmethod
    def _below(folder: str) -> str:
        return os.path.join(folder, "")

    def now(self) -> str | None:
        """The name of the version that ``current`` points to."""
        text = text_of(self.current)
        return None if text is None else os.path.basename(text)

    def versions(self) -> Iterator[os.DirEntry[str]]:
        """The versions that are there."""
        for entry in entries(self.lib):
            if is_build(entry.name.rpartition("-")[2]) and entry.is_dir(follow_symlinks=False):
                yield entry

    def leftovers(self) -> Iterator[os.DirEntry[str]]:
        """What killed installations have left."""
        for entry in (*entries(self.lib), *filter(self.is_ours, entries(self.bin))):
            if folders.is_beside(entry.name):
                yield entry


def text_of(path: str | os.DirEntry[str]) -> str | None:
    """What a link says; None: there is none."""
    try:
        return os.readlink(path)
    except OSError:
        return None


def is_build(name: str) -> bool:
    """Whether a name is a build's identity."""
    return len(name) == _DIGITS and set(name) <= set("0123456789abcdef")


def entries(folder: str) -> list[os.DirEntry[str]]:
    """What is in a folder that may not be there; by name."""
    try:
        return sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return []
