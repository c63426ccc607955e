"""docs/secrets.md says what the program does: its blocks are run, with tools that read and tell."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest

from credlatch.secrets.shapes import SHAPES
from support.page import Page
from support.program import run

if TYPE_CHECKING:
    from support.program import Program

PAGE = Page("docs/secrets.md")
COMMANDS = [
    command
    for block in PAGE.of_kind("sh")
    for command in re.split(r"\n(?=credlatch )", block.strip())
]
HOSTS = ("PYPI", "NPM", "FILES", "GIT")
# Stands for a tool that builds: tells its command line, and reads every secret.
TOOL = """#!/bin/sh
echo "${0##*/} $*"
test -z "$CREDLATCH_SECRETS" || cat "$CREDLATCH_SECRETS"/*
echo "$TOKEN"
"""


def test_there_are_as_many_as_are_meant_to_be() -> None:
    assert len(COMMANDS) == 8
    assert all(command.startswith("credlatch secrets ") for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_block_runs_as_it_stands(frozen: Program, command: str) -> None:
    home = frozen.home
    for host in HOSTS:
        home.env[f"CREDLATCH_TOKEN_{host}_EXAMPLE_COM"] = f"token-for-{host}"
    for name in ("tools/docker", "tools/podman", "build.sh"):
        home.write(name, TOOL, mode=0o700)
    links = frozen.link_as("credlatch")
    home.env["PATH"] = os.pathsep.join((str(links), f"{home.path}/tools", home.env["PATH"]))
    done = run(home, ["sh", "-ec", command])
    assert (done.code, done.err) == (0, "")
    told, *secrets = done.out.decode().splitlines()
    words = command.partition(" -- ")[2].replace("\\\n", "").split()
    left = [word for word in told.split() if "id=" not in word]
    assert [word for word in left if word not in {"--secret", "--set"}] == [
        words[0].removeprefix("./"),
        *words[1:],
    ]
    asked = re.findall(r"--(?:secret|as-env|http-auth|git-auth) ", command)
    named = "build.sh" not in words[0] and "compose" not in words
    assert len(re.findall(r"\bid=", told)) == (len(asked) if named else 0)
    assert "".join(secrets).strip()


def test_the_shapes_are_those_of_the_table() -> None:
    table = re.search(r"^\| `as=` .*?(?=^$)", PAGE.text, re.DOTALL | re.MULTILINE)
    assert table is not None
    first = [row.split("|")[1] for row in table[0].splitlines()[2:]]
    assert [name for cell in first for name in re.findall(r"`([^`]+)`", cell)] == list(SHAPES)
