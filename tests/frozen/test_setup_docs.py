"""docs/setup.md says what the program does: its blocks are run at a terminal, by who says yes."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING

import pytest

from credlatch.caller import Caller
from credlatch.setup.tools import TOOLS
from support.page import Page
from support.terminal import at_terminal

if TYPE_CHECKING:
    from support.program import Program

PAGE = Page("docs/setup.md")
BLOCKS = PAGE.of_kind("sh")
HOSTS = ("registry.example.com", "git.example.com")


@pytest.fixture
def program(frozen: Program) -> Program:
    """The program on PATH, a login for two hosts, a helper that was there, and a workspace."""
    home = frozen.home
    for name in ("credlatch", "docker-credential-credlatch"):
        links = frozen.link_as(name)
    other = home.write("bin/docker-credential-pass", "#!/bin/sh\nexit 1\n", 0o755)
    home.env["PATH"] = os.pathsep.join((str(links), str(other.parent), home.env["PATH"]))
    login = {"BasicHTTP": {"username": "u", "password": "p"}}
    home.write_rattler(dict.fromkeys(HOSTS, login))
    home.write("project/MODULE.bazel", "")
    return frozen


def test_there_are_as_many_as_are_meant_to_be() -> None:
    commands = [line for block in BLOCKS for line in block.splitlines()]
    assert len(commands) == 10
    assert all("credlatch setup " in command for command in commands)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.splitlines()[0])
def test_a_block_runs_as_it_stands_and_is_undone(program: Program, block: str) -> None:
    home = program.home
    config = home.write(
        ".docker/config.json", '{"credsStore": "pass"}' if "chain" in block else "{}"
    )
    before = config.read_text()
    folder = home.path / "project"
    status, screen = at_terminal(["sh", "-ec", block], home, "y\n", folder)
    assert status == 0, screen
    for tool, project in re.findall(r"setup (\w+)( --project)?", block):
        words = [tool, *project.split()]
        if "--undo" not in block:
            assert f"{tool} asks credlatch now" in screen
            if block.startswith("DOCKER_CONFIG="):
                helm = home.path / ".config/helm/registry/config.json"
                assert json.loads(helm.read_text())["credHelpers"][HOSTS[0]] == "credlatch"
            assert program("setup", *words, "--undo", "--yes", cwd=folder).code == 0
    assert config.read_text() == before
    left = [path for path in home.path.rglob("*") if path.name in {".bazelrc", ".gitconfig"}]
    assert left == []


def test_what_it_shows_is_what_is_shown(program: Program) -> None:
    program.home.write_rattler({HOSTS[0]: {"BearerToken": "t"}})
    (diff,) = PAGE.of_kind("diff")
    shown = program("setup", "docker", "--dry-run").out.decode()
    assert shown.replace(str(program.home.path), "~").startswith(diff)


def test_the_table_is_the_program_s_own() -> None:
    caller = Caller({"HOME": "/home/somebody"}, "/")
    table = re.search(r"^\| tool .*?(?=^$)", PAGE.text, re.DOTALL | re.MULTILINE)
    assert table is not None
    found = {}
    for row in table[0].splitlines()[2:]:
        names, path, host, everybody = row.split("|")[1:5]
        for name in re.findall(r"`(\w+)`", names):
            found[name] = (path.strip(" `"), bool(host.strip()))
            words = re.findall(r"[\w-]+", host + everybody)
            settings = [part for part in TOOLS[name].all_key if part]
            assert set(settings) <= set(words)
    assert found == {
        tool.name: (
            tool.place(caller).path.replace("/home/somebody", "~"), tool.keys is not None
        )
        for tool in TOOLS.values()
    }  # fmt: skip
