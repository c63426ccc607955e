"""Where the single file unpacks itself when its first choice does not do, or is not safe."""

from __future__ import annotations

import os
import shutil
import stat
from typing import TYPE_CHECKING

import pytest

from support.components import need
from support.installed import aside, builds, run_folder
from support.program import Answer, Program, run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.home import Home

HOST = "packages.example.com"
REQUEST = b'{"uri":"https://packages.example.com/simple/"}'
NOBODY = 65_534


@pytest.fixture(autouse=True)
def stored(home: Home) -> None:
    home.write_rattler({HOST: {"BearerToken": "made-up"}})


@pytest.fixture
def program(fresh: Program) -> Program:
    return fresh


def below(script: str, program: Program, *args: str, stdin: bytes = REQUEST) -> Answer:
    """Run the program after a script, in a mount name space of its own: mounts go with it."""
    shell = f'{script}; exec "$@"'
    command = ["unshare", "--mount", "sh", "-e", "-c", shell, "sh", *program.command, *args]
    need("unshare")
    return run(program.home, command, stdin)


def run_in_runtime(home: Home) -> Path:
    return home.path / "run" / "credlatch" / "run"


def is_answered_from(run: Path, answer: Answer) -> bool:
    assert answer.authorization == "Bearer made-up"
    assert answer.err == ""
    (build,) = builds(run)
    return not aside(run) and (build / "unpacked").is_file()


@pytest.mark.parametrize("options", ["noexec", "size=4m", "ro"])
def test_a_cache_on_a_disk_that_does_not_do(program: Program, options: str) -> None:
    (program.home.path / ".cache").mkdir()
    mount = f'mount -t tmpfs -o {options} tmpfs "$XDG_CACHE_HOME"'

    answer = below(mount, program, "get")

    assert is_answered_from(run_in_runtime(program.home), answer)


def _is_a_file(cache: Path) -> None:
    cache.write_text("")


def _is_open_to_all(cache: Path) -> None:
    cache.mkdir()
    cache.chmod(0o777)


def _is_open_to_a_group(cache: Path) -> None:
    cache.mkdir()
    cache.chmod(0o775)


def _is_another_s(cache: Path) -> None:
    cache.mkdir()
    os.chown(cache, NOBODY, -1)


def _ours_is_another_s(cache: Path) -> None:
    (cache / "credlatch").mkdir(parents=True)
    os.chown(cache / "credlatch", NOBODY, -1)


def _ours_is_a_link(cache: Path) -> None:
    (cache / "elsewhere").mkdir(parents=True, mode=0o700)
    (cache / "credlatch").symlink_to("elsewhere")


def _programs_are_a_link(cache: Path) -> None:
    (cache / "credlatch").mkdir(parents=True)
    (cache / "elsewhere").mkdir(mode=0o700)
    (cache / "credlatch" / "run").symlink_to("../elsewhere")


def _programs_are_open_to_others(cache: Path) -> None:
    (cache / "credlatch" / "run").mkdir(parents=True)
    (cache / "credlatch" / "run").chmod(0o755)


def _programs_are_another_s(cache: Path) -> None:
    (cache / "credlatch" / "run").mkdir(parents=True, mode=0o700)
    os.chown(cache / "credlatch" / "run", NOBODY, -1)


CACHES = [
    _is_a_file, _is_open_to_all, _is_open_to_a_group, _is_another_s, _ours_is_another_s,
    _ours_is_a_link, _programs_are_a_link, _programs_are_open_to_others, _programs_are_another_s,
]  # fmt: skip


@pytest.mark.parametrize("make", CACHES)
def test_a_cache_in_which_others_could_put_a_program(
    program: Program, make: Callable[[Path], None]
) -> None:
    make(program.home.path / ".cache")

    assert is_answered_from(run_in_runtime(program.home), program("get", stdin=REQUEST))
    assert not (program.home.path / ".cache" / "elsewhere" / "run").exists()


def test_a_program_that_another_user_has_put_there_is_not_run(
    program: Program, single_home: Home
) -> None:
    run = run_folder(program.home)
    shutil.copytree(run_folder(single_home), run)
    run.parent.chmod(0o700)
    (build,) = builds(run)
    (build / "credlatch").write_text("#!/bin/sh\necho intruder\n")
    os.chown(build, NOBODY, -1)

    assert is_answered_from(run, program("get", stdin=REQUEST))
    assert build.stat().st_uid == os.getuid()


def test_root_makes_no_cache_in_another_user_s_home(
    program: Program, tmp_path_factory: pytest.TempPathFactory
) -> None:
    temporary = tmp_path_factory.mktemp("temporary")
    program.home.env["TMPDIR"] = str(temporary)
    os.chown(program.home.path, NOBODY, -1)

    answer = program("get", stdin=REQUEST)
    assert is_answered_from(temporary / f"credlatch-{os.getuid()}" / "run", answer)
    assert not (program.home.path / ".cache").exists()


def test_our_own_folder_is_closed_where_it_stands_open(program: Program) -> None:
    # Other files of ours make it as the umask says.
    ours = program.home.path / ".cache" / "credlatch"
    ours.mkdir(parents=True)
    ours.chmod(0o775)

    assert is_answered_from(run_folder(program.home), program("get", stdin=REQUEST))
    assert stat.S_IMODE(ours.stat().st_mode) == 0o700


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_the_umask_is_no_matter(program: Program, umask: int) -> None:
    answer = below(f"umask {umask:o}", program, "get")

    assert is_answered_from(run_folder(program.home), answer)
    (build,) = builds(run_folder(program.home))
    for path in (build, *build.rglob("*")):
        assert path.stat().st_mode & 0o077 == 0


def test_the_cache_may_be_a_link(program: Program) -> None:
    (program.home.path / "disk").mkdir()
    (program.home.path / ".cache").symlink_to("disk")

    assert is_answered_from(run_folder(program.home), program("get", stdin=REQUEST))


@pytest.mark.parametrize("gone", ["unset", "empty", "absent"])
def test_without_a_home_the_runtime_folder_or_a_temporary_one_does(
    program: Program, gone: str
) -> None:
    home = program.home
    home.env["CREDLATCH_TOKEN_PACKAGES_EXAMPLE_COM"] = "made-up"
    home.env["TMPDIR"] = str(home.path / "tmp")
    (home.path / "tmp").mkdir(mode=0o1777)
    for name in ("HOME", "XDG_CACHE_HOME"):
        home.env[name] = {"unset": "", "empty": "", "absent": "/nowhere/at/all"}[gone]
        if gone == "unset":
            del home.env[name]

    assert is_answered_from(run_in_runtime(home), program("get", stdin=REQUEST))
    del home.env["XDG_RUNTIME_DIR"]
    answer = program("get", stdin=REQUEST)
    assert is_answered_from(home.path / "tmp" / f"credlatch-{os.getuid()}" / "run", answer)
    assert os.listdir(home.path / "tmp") == [f"credlatch-{os.getuid()}"]


# Everything that could take it is a disk of 64 KB, but for the loader's temporary folder, in which
# a file has the name that we would use.
NO_PLACE = """
mount --bind "$HOME" /mnt
mount -t tmpfs -o size=64k tmpfs /tmp
mount -t tmpfs -o size=64k tmpfs /mnt/.cache
mount -t tmpfs -o size=64k,mode=700 tmpfs /mnt/run
touch /mnt/tmp/credlatch-$(id -u)
export HOME=/mnt XDG_CACHE_HOME=/mnt/.cache XDG_RUNTIME_DIR=/mnt/run TMPDIR=/mnt/tmp
cd /"""


@pytest.mark.parametrize(("word", "stdin"), [("bazel", REQUEST), ("docker", HOST.encode())])
def test_without_any_place_a_line_says_what_to_do(
    program: Program, word: str, stdin: bytes
) -> None:
    home = program.home.path
    for name in (".cache", "tmp"):
        (home / name).mkdir(mode=0o1777)
    # A copy that is still seen when /tmp is covered: the checkout may be there.
    shutil.copy(program.command[0], home / "credlatch")
    covered = Program(["/mnt/credlatch"], program.home, home)

    answer = below(NO_PLACE, covered, word, "get", stdin=stdin)

    line = answer.out.decode() if word == "docker" else answer.err
    assert (answer.code, line.count("\n"), bool(answer.out)) == (1, 1, word == "docker")
    for place in ("/mnt/.cache/credlatch/run", "/mnt/run/credlatch/run", "/tmp/credlatch-0/run"):  # noqa: S108
        assert f"{place}: no space left on device" in line
    assert "/mnt/tmp/credlatch-0/run: not a directory" in line
    assert "set XDG_CACHE_HOME to" in line
    assert "made-up" not in line
