"""uv and pip install with nothing done before but ``credlatch setup``."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from typing import TYPE_CHECKING

import pytest

from support.guarded import Guarded
from support.matching import basic
from support.program import run
from support.simple_index import publish, with_user
from support.uv import Uv

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.home import Home
    from support.program import Program

HEADER = basic("bob", "p: w")
PROJECT = """\
# a project
[project]
name = "project"
version = "1.0"
requires-python = ">=3.11"
dependencies = ["demo"]

[[tool.uv.index]]
name = "team"  # ours
url = "{index}"
default = true

[tool.other]
x = 1
"""


@pytest.fixture
def index() -> Iterator[str]:
    """An index that bob may use."""
    with Guarded(HEADER.__eq__) as server:
        yield with_user(publish(server, "demo"), "bob")


@pytest.fixture
def program(frozen: Program) -> Program:
    """The program on PATH, and bob's login in rattler's store."""
    home = frozen.home
    home.hide("keyring")
    frozen.put_on_path("credlatch")
    home.write_rattler({"127.0.0.1": {"BasicHTTP": {"username": "bob", "password": "p: w"}}})
    home.env |= {"UV_NO_CACHE": "1", "UV_PYTHON": sys.executable, "UV_PYTHON_DOWNLOADS": "never"}
    home.env |= {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_CACHE_DIR": "1"}
    return frozen


def uv_of(version: str) -> Callable[[Home, str], tuple[int, str]]:
    def install(home: Home, index: str) -> tuple[int, str]:
        uv = Uv(version, home)
        uv.command.remove("--no-config")
        answer = uv("pip", "install", "--target", "installed", "--default-index", index, "demo")
        return answer.code, answer.err

    return install


def pip(home: Home, index: str) -> tuple[int, str]:
    if importlib.util.find_spec("pip") is None:
        pytest.skip("pip is not installed in the environment of the tests")
    words = ["install", "--no-deps", "--no-input", "--target", "installed", "--index-url", index]
    answer = run(home, [sys.executable, "-m", "pip", *words, "demo"])
    return answer.code, answer.said


CLIENTS = {"uv 0.12.6": uv_of("0.12.6"), "uv 0.13.8": uv_of("0.13.8"), "pip": pip}


@pytest.mark.parametrize("client", CLIENTS)
def test_it_installs_after_setup_and_not_after_undo(
    program: Program, index: str, client: str
) -> None:
    home, tool = program.home, client.partition(" ")[0]
    path = f".config/{tool}/{'uv.toml' if tool == 'uv' else 'pip.conf'}"
    text = "# mine\noffline = false\n" if tool == "uv" else "; mine\n[global]\ntimeout = 20\n"
    config = home.write(path, text)
    package = home.path / "installed/demo/__init__.py"
    code, said = CLIENTS[client](home, index)
    assert (code != 0, package.exists()) == (True, False), said

    answer = program("setup", tool, "--yes")
    assert answer.code == 0, answer
    assert b"symbolic link" in answer.out
    code, said = CLIENTS[client](home, index)
    assert (code, package.exists()) == (0, True), said

    assert program("setup", tool, "--undo", "--yes").code == 0
    assert config.read_text() == text
    assert not os.path.lexists(program.link_as("credlatch") / "keyring")
    shutil.rmtree(home.path / "installed")
    assert CLIENTS[client](home, index)[0] != 0


@pytest.mark.parametrize("name", ["pyproject.toml", "uv.toml"])
def test_a_project_of_uv_s_is_wired_in_its_own_file(
    program: Program, index: str, name: str
) -> None:
    home = program.home
    text = PROJECT.format(index=index)
    project = home.write("project/pyproject.toml", text)
    if name == "uv.toml":
        lines = f'# mine\n[[index]]\nurl = "{index}"\ndefault = true\n'
        home.write("project/uv.toml", lines)
    path = home.path / "project" / name
    before = path.read_text()
    uv = Uv("0.13.8", home)
    uv.command.remove("--no-config")
    sync = ("--directory", "project", "sync", "--no-install-project")
    assert uv(*sync).code != 0

    answer = program("setup", "uv", "--project", "--yes", cwd=project.parent)
    assert answer.code == 0, answer
    added = [line for line in path.read_text().splitlines() if line not in before.splitlines()]
    assert [line for line in added if line not in {"", "[tool.uv]"}] == [
        'keyring-provider = "subprocess"'
    ]
    answer = uv(*sync)
    assert answer.code == 0, answer

    assert program("setup", "uv", "--project", "--undo", "--yes", cwd=project.parent).code == 0
    assert path.read_text() == before
