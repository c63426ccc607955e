"""``credlatch setup`` as people and scripts call it."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING

import pytest

from support.program import Program, run
from support.terminal import at_terminal

if TYPE_CHECKING:
    from pathlib import Path

    from support.home import Home

DOCKER = ".docker/config.json"
SECRET = "kept-from-everybody"
ODD = '{ "auths":{"o.example":{"auth":"a2VwdC1mcm9t"}},\n\n "credsStore":"pass" }'


@pytest.fixture
def program(frozen: Program) -> Program:
    """The program, on PATH by both its names, with a login for ``r.example``."""
    return on_path(frozen)


def on_path(program: Program) -> Program:
    program.put_on_path()
    program.home.write_rattler({"r.example": {"BasicHTTP": {"username": "u", "password": SECRET}}})
    return program


@pytest.mark.parametrize("types", ["y\n", "YES\n"])
def test_it_shows_the_change_asks_and_writes(program: Program, types: str) -> None:
    path = program.home.write(DOCKER, ODD)
    code, screen = at_terminal([*program.command, "setup", "docker"], program.home, types)
    assert code == 0
    shown, _, _ = screen.partition("Write this? [y/N] ")
    assert f"--- {path}\n+++ {path}\n@@ " in shown
    assert '"credHelpers"' in shown
    assert "a2VwdC1mcm9t" not in screen
    assert SECRET not in screen
    config = json.loads(path.read_text())
    assert config["credHelpers"] == {"o.example": "credlatch", "r.example": "credlatch"}

    code, screen = at_terminal([*program.command, "setup", "docker", "--undo"], program.home, types)
    assert code == 0
    assert path.read_text() == ODD


@pytest.mark.parametrize("types", ["\n", "n\n", "yesterday\n", "\x04"])
@pytest.mark.parametrize("words", [["--host", "r.example"], ["--undo"]])
def test_any_other_answer_writes_nothing(program: Program, words: list[str], types: str) -> None:
    path = program.home.write(DOCKER, ODD)
    if words == ["--undo"]:
        assert program("setup", "docker", "--yes").code == 0
    before = path.read_bytes()
    code, screen = at_terminal([*program.command, "setup", "docker", *words], program.home, types)
    assert code == 1
    assert screen.endswith("nothing was written\n")
    assert path.read_bytes() == before


@pytest.mark.parametrize("words", [["docker"], ["docker", "--undo"], ["uv"]])
def test_without_a_terminal_it_is_one_line(program: Program, words: list[str]) -> None:
    before = sorted(program.home.path.rglob("*"))
    answer = program("setup", *words)
    assert (answer.code, answer.out) == (1, b"")
    assert re.fullmatch(r"credlatch: this is no terminal, .*--yes .*--dry-run .*\n", answer.err)
    assert sorted(program.home.path.rglob("*")) == before


def test_a_dry_run_needs_no_terminal(program: Program) -> None:
    before = sorted(program.home.path.rglob("*"))
    answer = program("setup", "docker", "--dry-run")
    assert (answer.code, answer.err) == (0, "")
    assert b'+\t\t"r.example": "credlatch"\n' in answer.out
    assert sorted(program.home.path.rglob("*")) == before


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ([], 2, "missing argument 'TOOL'. Choose from: bazel, docker,"),
        (["svn"], 2, "'svn' is not one of"),
        (["docker", "--yes", "--host"], 2, "requires an argument"),
        (["docker", "--yes", "--host", "x.example"], 1, "no store has a login for x.example: log"),
        (["uv", "--yes", "--host", "r.example"], 2, "uv has one setting for all hosts"),
        (["docker", "--yes", "--project"], 2, "docker is not wired by a project"),
        (["bazel", "--yes", "--project"], 1, "there is no MODULE.bazel in it or above it"),
    ],
)
def test_wrong_usage_is_one_line_on_standard_error(
    program: Program, words: list[str], code: int, said: str
) -> None:
    answer = program("setup", *words)
    assert (answer.code, answer.out) == (code, b"")
    assert said in answer.err
    assert answer.err.startswith("credlatch: ")
    assert answer.err.count("\n") == 1


def test_help_names_every_tool_and_option(program: Program) -> None:
    answer = program("setup", "--help")
    assert answer.code == 0
    text = answer.out.decode()
    tools = (
        "bazel",
        "docker",
        "podman",
        "containers",
        "buildkit",
        "uv",
        "pip",
        "pixi",
        "git",
        "cargo",
    )
    assert [tool for tool in tools if not re.search(rf"^    {tool}\b", text, re.MULTILINE)] == []
    options = ("--host", "--all-hosts", "--force", "--project", "--replace", "--chain", "--undo")
    assert [word for word in (*options, "--dry-run", "--yes") if word not in text] == []


def test_a_broken_store_is_warned_of_on_standard_error(program: Program) -> None:
    program.home.write(".netrc", "machine n.example login u password p\n", 0o644)
    answer = program("setup", "docker", "--dry-run")
    assert answer.code == 0
    assert "can be read by other users" in answer.err
    assert b"n.example" in answer.out


def test_a_reader_who_has_gone_is_no_error(program: Program) -> None:
    script = f'"{program.command[0]}" setup docker --dry-run | true'
    assert run(program.home, ["sh", "-c", script]) == (0, b"", "")


def test_an_installed_program_is_called_by_the_name_that_is_made(frozen: Program) -> None:
    home = frozen.home
    prefix = home.path / ".local"
    assert frozen("install", "--prefix", str(prefix)).code == 0
    home.path_begins_with(prefix / "bin")
    home.write_rattler({"r.example": {"BasicHTTP": {"username": "u", "password": SECRET}}})
    installed = Program([str(prefix / "bin/credlatch")], home, home.path / "links")
    assert installed("setup", "pip", "--replace", "--yes").code == 0
    assert os.readlink(prefix / "bin/keyring") == "credlatch"
    answer = Program([str(prefix / "bin/keyring")], home, home.path / "links")(
        "get", "https://r.example/simple/", "u"
    )
    assert (answer.code, answer.out) == (0, f"{SECRET}\n".encode())
    assert installed("setup", "pip", "--undo", "--yes").code == 0
    assert not os.path.lexists(prefix / "bin/keyring")


def test_uninstalled_it_says_which_tools_still_ask_it(frozen: Program, single: Path) -> None:
    home = frozen.home
    prefix = home.path / ".local"
    home.write_rattler({"r.example": {"BasicHTTP": {"username": "u", "password": SECRET}}})
    home.write("project/MODULE.bazel", "")
    assert frozen("install").code == 0
    home.hide("keyring")
    home.path_begins_with(prefix / "bin")
    installed = Program([str(prefix / "bin/credlatch")], home, home.path / "links")
    for words in (["docker"], ["uv"], ["pip"], ["bazel", "--project"]):
        assert installed("setup", *words, "--yes", cwd=home.path / "project").code == 0
    (home.path / ".config/pip/pip.conf").unlink()
    said = installed("uninstall")
    assert (said.code, said.err) == (0, "")
    assert re.findall(rf"{home.path}/(\S+) is still .* setup (.*) takes", said.out.decode()) == [
        ("project/.bazelrc", "bazel --project --undo"),
        (".docker/config.json", "docker --undo"),
        (".config/uv/uv.toml", "uv --undo"),
    ]
    assert os.listdir(prefix / "bin") == []
    # What it says, done.
    copy = Program([str(single)], home, home.path / "links")
    for words in (["docker"], ["uv"], ["bazel", "--project"]):
        undone = copy("setup", *words, "--undo", "--yes", cwd=home.path / "project")
        assert undone.code == 0, undone
    assert not (home.path / ".docker").exists()
    assert not (home.path / ".config/uv").exists()
    assert not (home.path / "project/.bazelrc").exists()


def test_the_single_file_does_the_same(each_form: Program) -> None:
    program = on_path(each_form)
    before = files(program.home)
    assert program("setup", "docker", "--yes").code == 0
    assert program("setup", "uv", "--yes").code == 0
    assert json.loads((program.home.path / DOCKER).read_text())["credHelpers"]
    assert program("setup", "uv", "--undo", "--yes").code == 0
    assert program("setup", "docker", "--undo", "--yes").code == 0
    assert files(program.home) == before


def files(home: Home) -> dict[Path, bytes]:
    """What is in the home, but our own folders."""
    return {
        path: path.read_bytes()
        for path in home.path.rglob("*")
        if path.is_file() and "credlatch" not in path.parts
    }
