"""Python's keyring command, as pip, uv and people run it, in an isolated home."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from support.program import TIMEOUT, Answer

if TYPE_CHECKING:
    from support.home import Home

SYSTEM = "keyring.backends.SecretService.Keyring"


def keyring(home: Home, *args: str, backend: str | None = SYSTEM, password: str = "") -> Answer:
    """Run ``keyring ARGS``; without a backend, keyring takes the one of the highest priority."""
    chosen = ["-b", backend] if backend else []
    return Answer(
        subprocess.run(
            [sys.executable, "-m", "keyring", *chosen, *args],
            input=password.encode(),
            capture_output=True,
            env=home.env,
            cwd=home.path,
            timeout=TIMEOUT,
            check=False,
        )
    )


def set_password(home: Home, service: str, username: str, password: str) -> None:
    """``keyring set`` into the Secret Service."""
    answer = keyring(home, "set", service, username, password=password)
    assert answer.code == 0, answer
