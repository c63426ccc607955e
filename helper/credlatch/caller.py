"""Whoever called: the environment and the folders that count for this call.

No other module of the quick path reads ``os.environ``: what a caller's environment says counts for
that caller, also when a process serves several.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from credlatch.system.keyring import Keyring


class Caller:
    """The surroundings of one call.

    Attributes:
        environ: the environment.
        cwd: the working directory, which relative paths in the environment start from.
        warnings: lines for a person to read, gathered as the call goes on.
    """

    def __init__(self, environ: Mapping[str, str] | None = None, cwd: str | None = None) -> None:
        self.environ = os.environ if environ is None else environ
        self._cwd = cwd
        self.warnings: list[str] = []
        self._keyring: Keyring | None = None
        self._keyring_opened = False

    @property
    def cwd(self) -> str:
        """The working directory; ``/`` when it has been removed."""
        if self._cwd is None:
            try:
                self._cwd = os.getcwd()
            except OSError:
                self._cwd = "/"
        return self._cwd

    def get(self, name: str) -> str | None:
        """A variable; an empty or blank one counts as unset, as CI templates leave them."""
        value = self.environ.get(name)
        return value if value and not value.isspace() else None

    def warn(self, line: str) -> None:
        """Say something that does not stop the call."""
        if line not in self.warnings:
            self.warnings.append(line)

    def path(self, name: str) -> str | None:
        """A variable that names a file or folder, made absolute."""
        value = self.get(name)
        return os.path.join(self.cwd, value) if value else None

    @property
    def home(self) -> str:
        """The home directory, from the account when the environment names none."""
        home = self.get("USERPROFILE" if sys.platform == "win32" else "HOME")
        return home or os.path.expanduser("~")

    def in_home(self, *parts: str) -> str:
        """A path below the home directory."""
        return "/".join((self.home, *parts))

    def data(self, *parts: str) -> str:
        """A path below the folder where tools keep what lasts (XDG Base Directory, or APPDATA)."""
        return "/".join((self._base("XDG_DATA_HOME", "APPDATA", ".local/share"), *parts))

    def config(self, *parts: str) -> str:
        """A path below the folder where tools keep their settings."""
        return "/".join((self._base("XDG_CONFIG_HOME", "APPDATA", ".config"), *parts))

    def cache(self, *parts: str) -> str:
        """A path below the folder for what may be lost."""
        return "/".join((self._base("XDG_CACHE_HOME", "LOCALAPPDATA", ".cache"), *parts))

    def _base(self, xdg: str, windows: str, default: str) -> str:
        if sys.platform == "win32":
            return self.get(windows) or self.in_home(default)
        # "All paths … must be absolute. If … relative … consider the path invalid and ignore it."
        value = self.get(xdg)
        return value if value and value.startswith("/") else self.in_home(default)

    def keyring(self) -> Keyring | None:
        """The keyring of the operating system, or None where there is none."""
        if not self._keyring_opened:
            from credlatch.system import keyring

            self._keyring = keyring.open_keyring(self.get, self.warn)
            self._keyring_opened = True
        return self._keyring
