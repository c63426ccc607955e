"""Python's keyring command, as pip, uv and people run it, in an isolated home."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from support.program import Answer, run

if TYPE_CHECKING:
    from support.home import Home

SYSTEM = "keyring.backends.SecretService.Keyring"


def keyring(home: Home, *args: str, backend: str | None = SYSTEM, password: str = "") -> Answer:
    """Run ``keyring ARGS``; without a backend, keyring takes the one of the highest priority."""
    chosen = ["-b", backend] if backend else []
    return run(home, [sys.executable, "-m", "keyring", *chosen, *args], password.encode())


def set_password(home: Home, service: str, username: str, password: str) -> None:
    """``keyring set`` into the Secret Service."""
    answer = keyring(home, "set", service, username, password=password)
    assert answer.code == 0, answer
