"""An isolated home directory, and the environment that goes with it."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

# What a program needs of the surrounding environment to start at all, on each OS.
_KEPT = ("PATH", "SYSTEMROOT", "TMPDIR", "TEMP", "LANG", "SSL_CERT_FILE", "SSL_CERT_DIR")


class Home:
    """A home folder with an environment in which nothing of the user's is visible.

    Attributes:
        path: the home folder, made.
        env: the whole environment of what is run in it; a test adds to it as it likes.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        runtime = path / "run"
        runtime.mkdir(mode=0o700, exist_ok=True)
        self.env: dict[str, str] = {k: os.environ[k] for k in _KEPT if k in os.environ}
        self.env |= {
            "CREDLATCH_AGENT": "off",  # a test that is about the agent removes it
            # On a busy machine nine seconds are not enough; a test that is about them says so.
            "CREDLATCH_TIMEOUT": "45",
            "HOME": str(path),
            "USERPROFILE": str(path),
            "XDG_CONFIG_HOME": str(path / ".config"),
            "XDG_DATA_HOME": str(path / ".local/share"),
            "XDG_STATE_HOME": str(path / ".local/state"),
            "XDG_CACHE_HOME": str(path / ".cache"),
            "XDG_RUNTIME_DIR": str(runtime),
        }

    def write(self, name: str, content: str | bytes, mode: int = 0o600) -> Path:
        """Write a file below the home, its folders made, and give its path."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        path.chmod(mode)
        return path

    def path_begins_with(self, folder: Path) -> None:
        """Have programs looked for in a folder before all others."""
        self.env["PATH"] = f"{folder}{os.pathsep}{self.env['PATH']}"

    def hide(self, name: str) -> None:
        """Take the folders that have a program of a name from PATH."""
        folders = self.env["PATH"].split(os.pathsep)
        left = [folder for folder in folders if not os.path.exists(os.path.join(folder, name))]
        self.env["PATH"] = os.pathsep.join(left)

    def write_rattler(self, entries: dict[str, Any]) -> Path:
        """Write ``~/.rattler/credentials.json`` as rattler does."""
        return self.write(".rattler/credentials.json", json.dumps(entries, separators=(",", ":")))

    def read_rattler(self) -> dict[str, Any]:
        """Read ``~/.rattler/credentials.json`` back."""
        loaded: dict[str, Any] = json.loads((self.path / ".rattler/credentials.json").read_text())
        return loaded
