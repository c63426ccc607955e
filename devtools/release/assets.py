"""What the files of a release are called."""

from __future__ import annotations

import platform
import re
import sys

from devtools.steps import ROOT

SYSTEMS = {"linux": "linux", "macos": "darwin", "windows": "win32"}  # to us, and to Python
NOTICES = "THIRD-PARTY-NOTICES"  # which the build has put into the folder form, and so into both
MANUAL = "credlatch.1"  # which is in packaging/, and in the archives of systems that have man(1)
_MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}  # as Windows and macOS call them


class Assets:
    """The files of one platform.

    Attributes:
        version: of the release.
        target: SYSTEM-MACHINE, as in linux-x86_64, and -musl for a Linux without glibc.
        system: the first part of it.
        machine: the second.
    """

    def __init__(self, version: str, target: str) -> None:
        self.version = version
        self.target = target
        self.system, self.machine, *_ = target.split("-")

    def built(self, name: str) -> str:
        """What a program is called there."""
        return f"{name}.exe" if self.system == "windows" else name

    @property
    def top(self) -> str:
        """The one folder in the archive."""
        return f"credlatch-{self.version}"

    @property
    def archive(self) -> str:
        """The folder form."""
        return f"{self.top}-{self.target}.{'zip' if self.system == 'windows' else 'tar.gz'}"

    @property
    def single(self) -> str:
        """The single file."""
        return self.built(f"{self.top}-{self.target}")

    @property
    def bom(self) -> str:
        """The bill of materials, of both."""
        return f"{self.top}-{self.target}.cdx.json"


def this_target() -> str:
    """The platform that this runs on."""
    system = next(ours for ours, pythons in SYSTEMS.items() if sys.platform == pythons)
    machine = platform.machine().lower()
    return f"{system}-{_MACHINES.get(machine, machine)}"


def version() -> str:
    """Of the sources that are here."""
    text = (ROOT / "helper" / "credlatch" / "__init__.py").read_text()
    found = re.search(r'^__version__ = "([^"]+)"$', text, re.MULTILINE)
    if found is None:
        raise ValueError("helper/credlatch/__init__.py has no __version__")
    return found[1]
