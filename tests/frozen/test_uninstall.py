"""``credlatch uninstall``: all that was installed goes, and nothing else."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from support.agent import agent_of
from support.installed import installed, tree
from support.program import TIMEOUT

if TYPE_CHECKING:
    from pathlib import Path

    from support.home import Home
    from support.program import Program

HOST = "packages.example.com"


@pytest.fixture
def prefix(home: Home) -> Path:
    return home.path / ".local"


def test_uninstalling_leaves_what_others_put_there(
    each_form: Program, home: Home, prefix: Path
) -> None:
    (prefix / "bin").mkdir(parents=True)
    (prefix / "bin" / "other").write_text("theirs")
    (prefix / "lib" / "other").mkdir(parents=True)
    before = tree(prefix)
    each_form("install")
    said = each_form("uninstall")

    assert (said.code, said.err) == (0, "")
    assert "no longer installed" in said.out.decode()
    assert tree(prefix) == before
    assert not (home.path / ".cache" / "credlatch" / "run").exists()
    again = installed(prefix, home)
    assert not os.path.lexists(again.command[0])


def test_a_foreign_link_of_the_name_is_not_uninstalled(frozen: Program, prefix: Path) -> None:
    (prefix / "bin").mkdir(parents=True)
    theirs = prefix / "bin" / "credlatch"
    theirs.symlink_to("/opt/credlatch/credlatch")

    said = frozen("uninstall")

    assert (said.code, said.err) == (0, "")
    assert "nothing is installed" in said.out.decode()
    assert theirs.is_symlink()
    (prefix / "lib" / "credlatch").mkdir(parents=True)
    (prefix / "lib" / "credlatch" / "notes").write_text("mine")
    assert "they stay" in frozen("uninstall").out.decode()


def test_an_installation_uninstalls_itself(frozen: Program, home: Home, prefix: Path) -> None:
    frozen("install")
    said = installed(prefix, home)("uninstall")

    assert (said.code, said.err) == (0, "")
    assert tree(prefix) == {"bin", "lib"}


def test_the_agent_that_runs_from_there_ends(frozen: Program, home: Home, prefix: Path) -> None:
    del home.env["CREDLATCH_AGENT"]
    home.write_rattler({HOST: {"BearerToken": "made-up"}})
    frozen("install")
    program = installed(prefix, home)
    try:
        assert program.bazel(f"https://{HOST}/").authorization == "Bearer made-up"
        deadline = time.monotonic() + TIMEOUT
        while program("agent", "status").code:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert program("uninstall").code == 0
        while not frozen("agent", "status").code:
            assert time.monotonic() < deadline
            time.sleep(0.02)
    finally:
        frozen("agent", "stop")


def test_what_is_outside_of_prefix_and_home_is_not_touched(
    frozen: Program, home: Home, prefix: Path, tmp_path: Path
) -> None:
    """Another prefix's program, its agent, and what it has unpacked where all homes meet."""
    other = tmp_path / "other"
    frozen("install", "--prefix", str(other))
    frozen("install")
    shared = tmp_path / "shared" / f"credlatch-{os.getuid()}" / "run"
    (shared / ("0" * 16)).mkdir(parents=True)
    shared.chmod(0o700)
    home.env["TMPDIR"] = str(tmp_path / "shared")
    with agent_of(installed(other, home)) as agent:
        pid = agent.warm()
        before = tree(other), tree(tmp_path / "shared")
        said = installed(prefix, home)("uninstall")
        assert (said.code, said.err) == (0, "")
        assert f"{shared / ('0' * 16)}, unpacked by the single file too" in said.out.decode()
        assert (tree(other), tree(tmp_path / "shared")) == before
        assert agent.pid() == pid
    assert tree(prefix) == {"bin", "lib"}


@pytest.mark.parametrize("args", [["--prefix"], ["--prefix="], ["--nonsense"], ["word"]])
@pytest.mark.parametrize("word", ["install", "uninstall"])
def test_wrong_options_are_one_line(
    frozen: Program, prefix: Path, word: str, args: list[str]
) -> None:
    said = frozen(word, *args)

    assert (said.code, said.out, said.err.count("\n")) == (2, b"", 1)
    assert not prefix.exists()
