"""``credlatch setup`` killed, or failing, at each of its steps: files are old or new, and whole."""

from __future__ import annotations

import json
import shutil
from itertools import cycle
from typing import TYPE_CHECKING

import pytest

from support.steps import Stepper
from support.storm import Call

if TYPE_CHECKING:
    from pathlib import Path

    from support.home import Home
    from support.program import Program

CONFIG = ".docker/config.json"
CHAIN = ".config/credlatch/chain.json"
OLD = '{ "auths":{"o.example":{"auth":"dTpw"}},\n\n "credsStore":"other" }'
NEW = '{ "auths":{"o.example":{"auth":"dTpw"}},\n\n "credsStore":"credlatch" }'
CHAINED = {"docker": {"*": "other"}}
SETUP = ("setup", "docker", "--all-hosts", "--chain", "--yes")
UNDO = ("setup", "docker", "--undo", "--yes")


@pytest.fixture
def program(frozen: Program) -> Program:
    """The program on PATH, and another helper that Docker asks."""
    home = frozen.home
    other = home.write("bin/docker-credential-other", "#!/bin/sh\nexit 1\n", 0o755)
    links = frozen.link_as("docker-credential-credlatch")
    home.env["PATH"] = f"{links}:{other.parent}:{home.env['PATH']}"
    return frozen


def prepare(home: Home, *, done: bool, program: Program) -> None:
    """The home before the call: nothing of ours in it, or all."""
    for name in (".docker", ".config", ".local"):
        shutil.rmtree(home.path / name, ignore_errors=True)
    home.write(CONFIG, OLD, 0o640)
    if done:
        assert program(*SETUP).code == 0


def folders(home: Home) -> list[Path]:
    """All that it may write to."""
    return [home.path / name for name in (".docker", ".config", ".local")]


def states(home: Home) -> tuple[str, object]:
    """What the two files say; None: not there."""
    chain = home.path / CHAIN
    return (home.path / CONFIG).read_text(), json.loads(
        chain.read_text()
    ) if chain.exists() else None


def whole(home: Home, step: object) -> None:
    """Each of the files is as it was or as it is to be, with the mode that it had."""
    config, chain = states(home)
    assert config in {OLD, NEW}, step
    assert chain in (None, CHAINED), step
    # A private file is never less private, not even for a moment.
    assert (home.path / CONFIG).stat().st_mode & 0o777 in {0o600, 0o640}, step


@pytest.mark.parametrize("words", [SETUP, UNDO], ids=["setup", "undo"])
def test_killed_at_each_step(program: Program, tmp_path: Path, words: tuple[str, ...]) -> None:
    home = program.home
    stepper = Stepper(program, Call(words, b""), tmp_path / "strace")
    prepare(home, done=words == UNDO, program=program)
    steps = [step for step in stepper.steps(folders(home)) if step.changes]
    assert len(steps) > 8
    for step in steps:
        prepare(home, done=words == UNDO, program=program)
        assert stepper.kill_at(step).code != 0, step
        whole(home, step)
        # Whatever was done: once more does it, and undoing takes it back.
        if words == SETUP:
            assert program(*SETUP).code == 0, step
            assert states(home) == (NEW, CHAINED), step
        answer = program(*UNDO)
        assert answer.code == 0, (step, answer)
        assert states(home) == (OLD, None), step


def test_failing_at_each_step(program: Program, tmp_path: Path) -> None:
    home = program.home
    stepper = Stepper(program, Call(SETUP, b""), tmp_path / "strace")
    prepare(home, done=False, program=program)
    for step, error in zip(stepper.steps(folders(home)), cycle(("EIO", "ENOSPC")), strict=False):
        prepare(home, done=False, program=program)
        answer = stepper.fail_at(step, error)
        if answer.code == 0:
            assert states(home) == (NEW, CHAINED), step  # it could do without
        else:
            assert states(home) == (OLD, None), (step, answer)
            assert answer.err.startswith("credlatch: "), (step, answer)
            assert answer.err.count("\n") == 1, (step, answer)
