"""git itself, in an isolated home, and repositories for it to clone."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

import pytest

from support.components import need
from support.git_helper import NAME
from support.guarded import Guarded
from support.home import Home
from support.matching import basic
from support.tool import Tool

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.program import Program

_WHO = ("-c", "user.name=Test", "-c", "user.email=test@test.example")


class Git(Tool):
    """git, in a home of its own, that asks nobody."""

    def __init__(self, home: Home) -> None:
        super().__init__(home, need("git"), *_WHO)
        home.env |= {"GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}

    def types(self, username: str, password: str) -> None:
        """Have somebody there who types this when git asks (gitcredentials(7), GIT_ASKPASS)."""
        script = self.home.write(
            "askpass",
            '#!/bin/sh\ncase "$1" in\n'
            f"Username*) printf '%s\\n' {shlex.quote(username)} ;;\n"
            f"*) printf '%s\\n' {shlex.quote(password)} ;;\nesac\n",
            0o700,
        )
        self.home.env["GIT_ASKPASS"] = str(script)

    def nobody_types(self) -> None:
        """Have nobody there."""
        self.home.env.pop("GIT_ASKPASS", None)


def bare_repository(folder: Path, git: Git, file: str = "file", content: str = "one\n") -> None:
    """A bare repository, ``repo.git``, with one commit, which takes pushes over http."""
    git("init", "--quiet", "--initial-branch=main", "work")
    git.home.write(f"work/{file}", content)
    git("-C", "work", "add", file)
    git("-C", "work", "commit", "--quiet", "--message", "one")
    bare = folder / "repo.git"
    git("clone", "--quiet", "--bare", "work", str(bare))
    git("-C", str(bare), "config", "http.receivepack", "true")


@pytest.fixture
def repository(guarded: Guarded, home: Home, tmp_path: Path) -> str:
    """The path on that server of a git repository with a Dockerfile that builds from nothing."""
    guarded.repositories = tmp_path / "repositories"
    git = Git(Home(tmp_path / "author"))
    bare_repository(guarded.repositories, git, "Dockerfile", "FROM scratch\nCOPY Dockerfile /\n")
    home.env["GIT_CONFIG_NOSYSTEM"] = "1"
    return "repo.git"


@pytest.fixture
def git(home: Home) -> Git:
    """git in the test's home."""
    return Git(home)


@pytest.fixture
def git_server(git: Git, tmp_path: Path) -> Iterator[Guarded]:
    """Such a repository, ``/repo.git``, that bob may use."""
    folder = tmp_path / "repositories"
    folder.mkdir()
    bare_repository(folder, git)
    with Guarded(basic("bob", "p: w").__eq__) as server:
        server.repositories = folder
        yield server


class Recorded:
    """Our helper on PATH, which writes down what git says to it."""

    def __init__(self, frozen: Program, folder: Path) -> None:
        self._log = folder / "said"
        ours = frozen.called(NAME).command
        script = folder / "bin" / NAME
        script.parent.mkdir(parents=True)
        log = shlex.quote(str(self._log))
        script.write_text(
            f'#!/bin/sh\n{{ printf "%s: " "$*"; }} >> {log}\n'
            f'tee -a {log} | {shlex.join(ours)} "$@"\n'
        )
        script.chmod(0o755)
        frozen.home.path_begins_with(script.parent)

    def since(self) -> str:
        """What git has said since this was asked last: the operation, and the description.

        Without what newer versions say besides, of themselves and of the server.
        """
        said = self._log.read_text() if self._log.exists() else ""
        self._log.write_text("")
        return re.sub(r"(capability|wwwauth|state)\[\]=.*\n", "", said)
