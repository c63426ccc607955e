"""What tests of the frozen program may ask for beside what all may."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.home import Home
from support.program import Program

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.agent import Agent


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

    user = os.getuid() or 1_000_000 + os.getpid()
    place = Path(tempfile.mkdtemp(prefix="credlatch-"))
    try:
        place.chmod(0o755)
        shutil.copytree(folder.parent, place / "program", symlinks=True)
        command = [str(place / "program" / folder.name)]
        if user != os.getuid():
            command = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", *command]
        home = Home(place / "home")
        with agent_of(Program(command, home, place)) as agent:
            for path in (agent.runtime, home.path, *home.path.rglob("*")):
                os.chown(path, user, user if user != os.getuid() else -1)
            yield agent
    finally:
        shutil.rmtree(place)
