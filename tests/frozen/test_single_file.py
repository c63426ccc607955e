"""The single file: it unpacks the folder form once, and then is as good as that."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from support.installed import aside, builds, have_unpacked, identity, run_folder
from support.program import TIMEOUT, Program
from support.storm import ask_together
from support.waiting import waiting

if TYPE_CHECKING:
    from pathlib import Path

    from support.home import Home

HOST = "packages.example.com"
URI = f"https://{HOST}/simple/"
DAY = 86_400
SEED = 77


@pytest.fixture(autouse=True)
def stored(home: Home) -> None:
    home.write_rattler({HOST: {"BearerToken": "made-up"}})


@pytest.fixture
def program(unpacked_single: Program) -> Program:
    return unpacked_single


def age(path: Path, seconds: float) -> None:
    when = time.time() - seconds
    os.utime(path, (when, when), follow_symlinks=False)


def answers(program: Program) -> bool:
    return program.bazel(URI).authorization == "Bearer made-up"


def test_the_first_call_unpacks_and_the_next_ones_find_it(
    fresh: Program, folder: Path, single: Path
) -> None:
    assert answers(fresh)
    run = run_folder(fresh.home)
    (build,) = builds(run)
    before = build.stat()
    assert answers(fresh)

    assert build.name == identity(single) == identity(folder)
    assert (build.stat().st_ino, build.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert aside(run) == []
    for private in (build, run, run.parent):
        assert private.stat().st_mode & 0o777 == 0o700
    files = {str(path.relative_to(build)) for path in build.rglob("*")} - {"unpacked"}
    assert files == {str(path.relative_to(folder.parent)) for path in folder.parent.rglob("*")}
    for name in files:
        if (build / name).is_file():
            assert (build / name).read_bytes() == (folder.parent / name).read_bytes()


def test_thirty_first_calls_at_once_unpack_once(fresh: Program) -> None:
    headers = ask_together(fresh.home, URI, [*fresh.command, "get"], times=30)

    run = run_folder(fresh.home)
    assert headers == {"Bearer made-up"}
    assert len(builds(run)) == 1
    assert aside(run) == []


def test_a_call_killed_while_it_unpacks_harms_no_later_one(fresh: Program) -> None:
    run = run_folder(fresh.home)
    (fresh.home.path / "tmp").mkdir()
    fresh.home.env["TMPDIR"] = str(fresh.home.path / "tmp")  # which the killed loaders leave full
    chance = random.Random(SEED)  # noqa: S311 - to be repeated, not to be secret
    killed = 0
    for _ in range(8):
        shutil.rmtree(run, ignore_errors=True)
        with subprocess.Popen(
            [*fresh.command, "--version"],
            env=fresh.home.env,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        ) as process:
            while process.poll() is None and not (run.is_dir() and aside(run)):
                time.sleep(0.001)
            time.sleep(chance.uniform(0, 0.2))
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        left = aside(run)
        killed += bool(left)
        assert answers(fresh)
        assert len(builds(run)) == 1
    assert killed > 0


def test_what_killed_calls_left_is_removed_and_what_others_unpack_is_not(fresh: Program) -> None:
    run = run_folder(fresh.home)
    forsaken, held = (run / f".new-{'0' * 16}-1-{name}" for name in "ab")
    for folder in (forsaken, held):
        (folder / "_internal").mkdir(parents=True)
    for folder in (run, run.parent):
        folder.chmod(0o700)
    holding = os.open(held, os.O_RDONLY)
    try:
        subprocess.run(["flock", "--shared", str(holding)], pass_fds=[holding], check=True)
        assert answers(fresh)
        assert aside(run) == [held.name]
    finally:
        os.close(holding)


def test_a_build_that_nobody_calls_any_more_is_removed(fresh: Program, single_home: Home) -> None:
    run = run_folder(fresh.home)
    have_unpacked(fresh.home, single_home)
    (build,) = builds(run)
    unused, used, running = (run / (digit * 16) for digit in "123")
    shutil.copytree(build, unused, copy_function=os.link)
    shutil.copytree(build, used, copy_function=os.link)
    build.rename(running)
    age(unused, 31 * DAY)
    age(used, 29 * DAY)
    with waiting(Program([str(running / "credlatch")], fresh.home, run)) as call:
        age(running, 31 * DAY)
        assert answers(fresh)
        assert {path.name for path in builds(run)} == {build.name, used.name, running.name}
        assert call.ask(URI) == "Bearer made-up"


def test_a_use_is_noted_once_a_day(program: Program) -> None:
    (build,) = builds(run_folder(program.home))
    age(build, 2 * DAY)
    assert answers(program)
    assert time.time() - build.stat().st_mtime < TIMEOUT
    age(build, DAY / 2)
    assert answers(program)
    assert time.time() - build.stat().st_mtime > DAY / 3


def test_what_runs_keeps_its_folder(program: Program) -> None:
    (build,) = builds(run_folder(program.home))
    with waiting(program) as call:
        lock = ["flock", "--exclusive", "--nonblock", str(build), "true"]
        assert subprocess.run(lock, check=False).returncode == 1
        assert call.ask(URI) == "Bearer made-up"
    assert subprocess.run(lock, check=False).returncode == 0


@pytest.mark.parametrize("damage", ["gone", "short", "written", "list", "listed", "all", "file"])
def test_a_damaged_folder_is_unpacked_again(fresh: Program, damage: str, single_home: Home) -> None:
    run = run_folder(fresh.home)
    shutil.copytree(run_folder(single_home), run)  # no links: the files are to be damaged
    run.parent.chmod(0o700)
    (build,) = builds(run)
    library = build / "_internal" / "libssl.so.3"
    listed = build / "unpacked"
    with waiting(fresh) as call:
        if damage == "gone":
            library.unlink()
        elif damage == "short":
            os.truncate(library, 1000)
        elif damage == "written":
            age(library, -10)
        elif damage == "list":
            listed.unlink()
        elif damage == "listed":
            age(listed, 10)
        else:
            shutil.rmtree(build)
        if damage == "file":
            build.write_text("")
        assert answers(fresh)
        assert call.ask(URI) == "Bearer made-up"

    assert aside(run) == []
    before = build.stat()
    assert answers(fresh)
    assert build.stat().st_ino == before.st_ino
