"""``credlatch uninstall``: all that was installed goes, and nothing else."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

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


@pytest.mark.parametrize("args", [["--prefix"], ["--prefix="], ["--nonsense"], ["word"]])
@pytest.mark.parametrize("word", ["install", "uninstall"])
def test_wrong_options_are_one_line(
    frozen: Program, prefix: Path, word: str, args: list[str]
) -> None:
    said = frozen(word, *args)

    assert (said.code, said.out, said.err.count("\n")) == (2, b"", 1)
    assert not prefix.exists()
