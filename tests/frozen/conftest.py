"""What tests of the frozen program may ask for beside what all may."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.home import Home
from support.installed import for_a_stranger, have_unpacked
from support.logins import Login, OAuthLogin, PyxLogin
from support.program import Program

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.agent import Agent
    from support.token_server import TokenServer


@pytest.fixture
def agent(frozen: Program) -> Iterator[Agent]:
    """The agent of the frozen folder form, which the first call starts."""
    from support.agent import agent_of  # not where there is none: on Windows

    with agent_of(frozen) as agent:
        yield agent


@pytest.fixture
def strangers(folder: Path) -> Iterator[Agent]:
    """The agent of a user without privileges, who has never been here: for root to test.

    Its home is not below pytest's folders, which are the tests' own user's alone.
    """
    from support.agent import agent_of

    place = Path(tempfile.mkdtemp(prefix="credlatch-"))
    try:
        command, user = for_a_stranger(folder, place)
        home = Home(place / "home")
        with agent_of(Program(command, home, place)) as agent:
            for path in (agent.runtime, home.path, *home.path.rglob("*")):
                os.chown(path, user, user if user != os.getuid() else -1)
            yield agent
    finally:
        shutil.rmtree(place)


@pytest.fixture
def fresh(single: Path, home: Home, tmp_path: Path) -> Program:
    """The single file where it has never run."""
    return Program([str(single)], home, tmp_path / "links")


@pytest.fixture
def unpacked_single(fresh: Program, single_home: Home) -> Program:
    """The single file where it has unpacked itself."""
    have_unpacked(fresh.home, single_home)
    return fresh


@pytest.fixture
def login(home: Home, token_server: TokenServer) -> OAuthLogin:
    """An OAuth login of rattler's; a test may have another one by this name."""
    return OAuthLogin(home, token_server)


@pytest.fixture
def pyx(home: Home, token_server: TokenServer) -> PyxLogin:
    """A login at pyx; likewise."""
    return PyxLogin(home, token_server)


@pytest.fixture(params=[OAuthLogin, PyxLogin])
def each_login(request: pytest.FixtureRequest, home: Home, token_server: TokenServer) -> Login:
    """A login of each kind."""
    kind: type[OAuthLogin | PyxLogin] = request.param
    return kind(home, token_server)
