"""uv itself, in the two versions that matter, run in an isolated home."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.program import Answer, run

if TYPE_CHECKING:
    from support.home import Home

_TOOLS = Path(__file__).resolve().parents[2] / ".scratch" / "tools"


class Uv:
    """One version of uv in a home.

    Attributes:
        command: the words that start it; ``preview`` adds the feature of that name.
    """

    def __init__(self, version: str, home: Home) -> None:
        path = _TOOLS / f"uv-{version}" / "bin" / "uv"
        if not path.exists():
            pytest.skip(f"uv {version} is not installed: run ./dev test")
        self._home = home
        self.command = [str(path), "--no-config", "--color=never"]

    def preview(self, feature: str) -> Uv:
        """The same uv with a preview feature, for every call from now on."""
        self.command += ["--preview-features", feature]
        return self

    def __call__(self, *args: str, stdin: bytes = b"") -> Answer:
        """Run ``uv ARGS`` and wait for it."""
        return run(self._home, [*self.command, *args], stdin)

    def login(self, service: str, *options: str) -> None:
        """``uv auth login``, which must succeed."""
        answer = self("auth", "login", service, *options)
        assert answer.code == 0, answer

    def token(self, service: str, *options: str) -> str:
        """``uv auth token``: the password or token that uv has for a service."""
        answer = self("auth", "token", service, *options)
        assert answer.code == 0, answer
        return answer.out.decode().strip()

    def bazel(self, uri: str) -> Answer:
        """``uv auth helper`` as Bazel calls it."""
        words = ("auth", "helper", "--protocol=bazel", "get")
        return self(*words, stdin=json.dumps({"uri": uri}).encode())


@pytest.fixture
def uv(home: Home) -> Uv:
    """A uv of today."""
    return Uv("0.13.8", home)


@pytest.fixture
def uv_with_pyx(home: Home) -> Uv:
    """The last uv that knew pyx."""
    return Uv("0.12.6", home)
