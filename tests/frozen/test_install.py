"""``credlatch install``: what it puts where, and what it leaves alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from support import mounts
from support.installed import another_build, identity, installed, tree
from support.program import TIMEOUT, Program, run
from support.waiting import waiting

if TYPE_CHECKING:
    from pathlib import Path

    from support.home import Home

HOST = "packages.example.com"
NAMES = ("credlatch", "docker-credential-credlatch")
DAY = 86_400


@pytest.fixture(autouse=True)
def stored(home: Home) -> None:
    home.write_rattler({HOST: {"BearerToken": "made-up"}})


@pytest.fixture
def prefix(home: Home) -> Path:
    return home.path / ".local"


def versions(prefix: Path) -> set[str]:
    there = (prefix / "lib" / "credlatch").iterdir()
    return {path.name.rpartition("-")[2] for path in there if path.is_dir()} - {"current"}


def current(prefix: Path) -> str:
    return os.readlink(prefix / "lib" / "credlatch" / "current").rpartition("-")[2]


def age(prefix: Path, build: str, seconds: float) -> None:
    """Have the version end to be current so long ago."""
    (version,) = (prefix / "lib" / "credlatch").glob(f"*-{build}")
    when = time.time() - seconds
    os.utime(version, (when, when))


def test_what_is_installed_answers_by_both_names(each_form: Program, prefix: Path) -> None:
    home = each_form.home
    said = each_form("install")

    assert (said.code, said.err) == (0, "")
    assert "put it there" in said.out.decode()  # ~/.local/bin is not on the tests' PATH
    assert installed(prefix, home).bazel(f"https://{HOST}/").authorization == "Bearer made-up"
    home.path_begins_with(prefix / "bin")
    done = run(home, ["docker-credential-credlatch", "get"], HOST.encode())
    assert done.json()["Secret"] == "made-up"
    assert "PATH" not in each_form("install").out.decode()


def test_both_forms_install_the_same(
    folder: Path, single: Path, home: Home, tmp_path: Path
) -> None:
    trees = []
    for program in (folder, single):
        prefix = tmp_path / f"from-{program.parent.name}"
        assert Program([str(program)], home, tmp_path)("install", f"--prefix={prefix}").code == 0
        trees.append(tree(prefix))
        for name in NAMES:
            link = os.readlink(prefix / "bin" / name)
            assert link == "../lib/credlatch/current/credlatch"
    assert trees[0] == trees[1]
    assert {"credlatch", "_internal/base_library.zip"} <= tree(
        prefix / "lib" / "credlatch" / "current"
    )


def test_others_may_use_what_the_single_file_unpacked_for_its_user_alone(
    single: Path, home: Home, tmp_path: Path
) -> None:
    prefix = tmp_path / "for-all"
    Program([str(single)], home, tmp_path)("install", "--prefix", str(prefix))

    for path in (prefix / "lib" / "credlatch" / "current").resolve().rglob("*"):
        mode = path.stat().st_mode & 0o777
        assert mode == (0o755 if path.is_dir() or path.name == "credlatch" else mode & 0o755)
        assert mode & 0o044 == 0o044


@pytest.mark.parametrize("umask", ["000", "077"])
def test_its_folders_are_for_all_to_read_and_nobody_else_to_write(
    frozen: Program, home: Home, prefix: Path, umask: str
) -> None:
    command = ["sh", "-c", f'umask {umask}; exec "$@"', "sh", *frozen.command, "install"]
    subprocess.run(command, env=home.env, stdout=subprocess.DEVNULL, check=True)
    folders = [prefix, *(path for path in prefix.rglob("*") if path.is_dir())]
    assert {path.stat().st_mode & 0o7777 for path in folders} == {0o755}


def test_a_second_time_changes_nothing(frozen: Program, prefix: Path) -> None:
    frozen("install")
    before = {path: path.lstat() for path in prefix.rglob("*")}
    said = frozen("install")

    assert "already" in said.out.decode()
    assert {path: path.lstat().st_mtime_ns for path in prefix.rglob("*")} == {
        path: status.st_mtime_ns for path, status in before.items()
    }


def test_an_installation_may_install_itself_again_or_elsewhere(
    frozen: Program, home: Home, prefix: Path, tmp_path: Path
) -> None:
    frozen("install")
    program = installed(prefix, home)
    assert "already" in program("install").out.decode()
    assert program("install", "--prefix", "there", cwd=tmp_path).code == 0
    assert installed(tmp_path / "there", home)("--version").code == 0


def test_what_is_damaged_is_mended(frozen: Program, home: Home, prefix: Path) -> None:
    frozen("install")
    inside = (prefix / "lib" / "credlatch" / "current").resolve() / "_internal"
    (inside / "base_library.zip").write_bytes(b"")
    shutil.rmtree(inside / "msgspec")
    assert installed(prefix, home)("--version").code != 0

    assert "already" not in frozen("install").out.decode()

    assert installed(prefix, home)("--version").code == 0
    assert (inside / "msgspec").is_dir()
    assert [name for name in os.listdir(inside.parent.parent) if name.startswith(".")] == []


def test_upgrading_twice_breaks_no_helper_that_waits(
    folder: Path, home: Home, prefix: Path, tmp_path: Path
) -> None:
    old = another_build(folder, tmp_path / "old", "0" * 16)
    middle = another_build(folder, tmp_path / "middle", "1" * 16)
    Program([str(old)], home, tmp_path)("install")
    with waiting(installed(prefix, home)) as call:
        # Later than a day, and not the one before: only that it runs keeps it.
        Program([str(middle)], home, tmp_path)("install")
        age(prefix, "0" * 16, 2 * DAY)
        Program([str(folder)], home, tmp_path)("install")
        assert current(prefix) == identity(folder)
        assert versions(prefix) == {"0" * 16, "1" * 16, identity(folder)}
        assert call.ask(f"https://{HOST}/") == "Bearer made-up"


def test_a_version_goes_when_it_can_no_longer_run(
    folder: Path, home: Home, prefix: Path, tmp_path: Path
) -> None:
    names = [digit * 16 for digit in "0123"]
    programs = [another_build(folder, tmp_path / name, name) for name in names]
    for program in programs:
        assert Program([str(program)], home, tmp_path)("install").code == 0
    assert versions(prefix) == set(names)  # all were current within a day

    age(prefix, names[0], 2 * DAY)
    age(prefix, names[1], 2 * DAY - 1)
    Program([str(programs[3])], home, tmp_path)("install")
    assert versions(prefix) == {names[2], names[3]}
    age(prefix, names[2], 2 * DAY)
    Program([str(programs[3])], home, tmp_path)("install")
    assert versions(prefix) == {names[2], names[3]}  # the one before, to go back to

    Program([str(programs[2])], home, tmp_path)("install")
    assert current(prefix) == names[2]  # downgrading is the same


def test_what_a_killed_installation_left_is_removed(frozen: Program, prefix: Path) -> None:
    frozen("install")
    lib = prefix / "lib" / "credlatch"
    left = [lib / f".new-0.1.0-{'0' * 16}-1-aa", lib / f".old-0.1.0-{'0' * 16}-1-aa"]
    for folder in left:
        (folder / "_internal").mkdir(parents=True)
    links = [lib / ".new-current-1-aa", prefix / "bin" / ".new-credlatch-1-aa"]
    links[0].symlink_to("gone")
    links[1].symlink_to("../lib/credlatch/current/credlatch")
    foreign = prefix / "bin" / ".new-thing"
    foreign.symlink_to("somewhere")

    frozen("install")

    assert not any(os.path.lexists(path) for path in (*left, *links))
    assert foreign.is_symlink()


@pytest.mark.parametrize("name", NAMES)
def test_another_s_program_is_not_replaced_unless_forced(
    frozen: Program, home: Home, prefix: Path, name: str
) -> None:
    (prefix / "bin").mkdir(parents=True)
    theirs = prefix / "bin" / name
    theirs.write_text("theirs")
    said = frozen("install")

    assert (said.code, said.out) == (1, b"")
    assert str(theirs) in said.err
    assert said.err.count("\n") == 1
    assert tree(prefix) == {"bin", f"bin/{name}"}

    assert frozen("install", "--force").code == 0
    assert installed(prefix, home)("--version").code == 0
    theirs.unlink()
    theirs.mkdir()
    assert frozen("install", "--force").code == 1


@pytest.mark.parametrize("location", ["file", "file/below", "/proc/none", "/dev/null"])
def test_a_prefix_that_cannot_be_one(frozen: Program, home: Home, location: str) -> None:
    (home.path / "file").write_text("")
    before = tree(home.path)
    said = frozen("install", "--prefix", location, cwd=home.path)

    assert (said.code, said.out, said.err.count("\n")) == (1, b"", 1)
    assert location.removesuffix("/below") in said.err or "/proc" in said.err
    assert tree(home.path) == before


def test_a_full_disk_leaves_nothing_half_done(frozen: Program, tmp_path: Path) -> None:
    prefix = tmp_path / "small"
    with mounts.small_disk(prefix):
        said = frozen("install", "--prefix", str(prefix))
        assert (said.code, said.out, said.err.count("\n")) == (1, b"", 1)
        assert "no space left" in said.err
        assert tree(prefix) == set()


def test_a_read_only_prefix_stays_as_it_is(folder: Path, home: Home, tmp_path: Path) -> None:
    prefix = tmp_path / "prefix"
    old = another_build(folder, tmp_path / "old", "0" * 16)
    Program([str(old)], home, tmp_path)("install", "--prefix", str(prefix))
    with mounts.read_only(prefix):
        for word in ("install", "uninstall"):
            said = Program([str(folder)], home, tmp_path)(word, "--prefix", str(prefix))
            assert (said.code, said.out, said.err.count("\n")) == (1, b"", 1)
            assert "read-only" in said.err
        assert current(prefix) == "0" * 16
        assert installed(prefix, home)("--version").code == 0


def test_bin_may_be_a_link_to_elsewhere(frozen: Program, home: Home, prefix: Path) -> None:
    elsewhere = home.path / "a" / "b" / "bin"
    elsewhere.mkdir(parents=True)
    prefix.mkdir()
    (prefix / "bin").symlink_to(elsewhere)

    assert frozen("install").code == 0
    assert installed(prefix, home)("--version").code == 0
    assert "already" in frozen("install").out.decode()
    assert frozen("uninstall").code == 0
    assert list(elsewhere.iterdir()) == []


def test_installing_at_once_is_as_good_as_once(
    folder: Path, home: Home, prefix: Path, tmp_path: Path
) -> None:
    programs = [another_build(folder, tmp_path / str(n), str(n) * 16) for n in range(3)]
    running = [
        subprocess.Popen([str(program), "install"], env=home.env, stdout=subprocess.DEVNULL)
        for program in programs * 5
    ]
    assert [process.wait(TIMEOUT) for process in running] == [0] * 15
    assert versions(prefix) == {"0" * 16, "1" * 16, "2" * 16}
    assert current(prefix) in versions(prefix)
    assert installed(prefix, home)("--version").code == 0


def test_a_program_that_path_finds_first_is_named(
    frozen: Program, home: Home, prefix: Path
) -> None:
    first = home.write("first/credlatch", "#!/bin/sh\n", 0o755).parent
    home.env["PATH"] = f"{first}{os.pathsep}{prefix / 'bin'}"

    assert f"PATH finds {first / 'credlatch'} first" in frozen("install").out.decode()


def test_from_source_there_is_nothing_to_install(source: Program, prefix: Path) -> None:
    said = source("install")

    assert (said.code, said.out) == (1, b"")
    assert "from source" in said.err
    assert not prefix.exists()
