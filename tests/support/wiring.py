"""A home with programs on its PATH, where ``credlatch setup`` is run in this process."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from credlatch.caller import Caller
from credlatch.commands import setup
from credlatch.errors import CredlatchError
from credlatch.people import command

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.home import Home

PROGRAMS = ("credlatch", "docker-credential-credlatch")


class Wiring:
    """The command, and what it says.

    Attributes:
        home: the home.
        cwd: where it is called.
        bin: the folder on PATH that the program is in.
        said: what the last call wrote to standard output.
        warned: what it wrote to standard error.
    """

    def __init__(self, home: Home, read: Callable[[], tuple[str, str]]) -> None:
        self.home = home
        self.cwd = home.path
        self.bin = home.path / "bin"
        self.said = ""
        self.warned = ""
        self._read = read
        for name in PROGRAMS:
            self.program(name)
        home.env["GIT_CONFIG_SYSTEM"] = os.devnull
        home.hide("keyring")
        home.path_begins_with(self.bin)

    def program(self, name: str, script: str = "exit 1") -> Path:
        """Put a program on PATH."""
        return self.home.write(f"bin/{name}", f"#!/bin/sh\n{script}\n", mode=0o755)

    @property
    def caller(self) -> Caller:
        """Whoever calls."""
        return Caller(dict(self.home.env), str(self.cwd))

    def __call__(self, *words: str) -> int:
        """Run ``credlatch setup WORDS --yes``; its exit status."""
        try:
            return command.run(setup.COMMAND, [*words, "--yes"], self.caller)
        finally:
            self.said, self.warned = self._read()

    def read(self, name: str) -> str:
        """A file below the home."""
        return (self.home.path / name).read_bytes().decode()

    def files(self) -> dict[str, bytes | str]:
        """All that is below the home but our own notes: what files hold, and what links say."""
        found: dict[str, bytes | str] = {}
        for path in self.home.path.rglob("*"):
            name = str(path.relative_to(self.home.path))
            if name.startswith(".local/share/credlatch"):
                continue
            if path.is_symlink():
                found[name] = os.readlink(path)
            elif path.is_file():
                found[name] = path.read_bytes()
        return found


def refused(wiring: Wiring, *words: str) -> str:
    """What is said where nothing can be done; every file must be as it was."""
    before = wiring.files()
    with pytest.raises(CredlatchError) as raised:
        wiring(*words)
    assert wiring.files() == before
    assert "\n" not in str(raised.value)
    assert not [p for p in wiring.home.path.rglob("*") if p.name.endswith(".credlatch")]
    return str(raised.value)


@pytest.fixture
def wiring(home: Home, capfd: pytest.CaptureFixture[str]) -> Wiring:
    """The command in a home of its own, with a login for ``r.example``."""
    home.write_rattler({"r.example": {"BasicHTTP": {"username": "u", "password": "p"}}})

    def read() -> tuple[str, str]:
        captured = capfd.readouterr()
        return captured.out, captured.err

    return Wiring(home, read)
