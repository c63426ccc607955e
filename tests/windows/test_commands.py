"""What people type, in the Windows program."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from support.wine import Windows

if TYPE_CHECKING:
    from support.program import Answer

PREFIX = r"C:\credlatch tests\ünï cödé"


def line(answer: Answer, code: int) -> str:
    """The one line on standard error."""
    assert (answer.code, answer.out) == (code, b""), answer
    assert answer.err.startswith("credlatch: "), answer
    assert answer.err.count("\n") == 1, answer
    return answer.err


@pytest.mark.parametrize("word", ["status", "log", "stop"])
def test_there_is_no_agent_and_it_says_so(windows: Windows, word: str) -> None:
    assert "there is no agent here" in line(windows("agent", word), 1)


def test_secrets_need_wsl(windows: Windows) -> None:
    said = windows("secrets", "--secret", "id=a,url=https://x.example/", "--", "docker", "build")
    assert "WSL" in line(said, 1)


@pytest.mark.parametrize("words", [["no-such-word"], ["get", "more"], ["token"], ["keyring"]])
def test_wrong_usage(folder: Windows, words: list[str]) -> None:
    line(folder(*words), 2)


def test_setup_says_what_to_do_where_tools_will_not_find_us(folder: Windows, host: str) -> None:
    said = line(folder("setup", "docker", "--host", host, "--force", "--dry-run"), 1)
    assert "the folder that it names" in said


def test_setup_shows_writes_and_takes_back(folder: Windows, host: str) -> None:
    docker = folder.copy_as("docker-credential-credlatch")
    folder.found_on_path(folder.program.parent)
    config = folder.home.write(".docker/config.json", '{\r\n  "kept": 1\r\n}\r\n')
    before = config.read_bytes()
    words = ("setup", "docker", "--host", host, "--force")
    try:
        shown = folder(*words, "--dry-run")
        assert shown.code == 0, shown
        assert host.encode() in shown.out
        assert config.read_bytes() == before
        written = folder(*words, "--yes")
        assert written.code == 0, written
        assert json.loads(config.read_bytes()) == {"kept": 1, "credHelpers": {host: "credlatch"}}
        undone = folder("setup", "docker", "--undo", "--yes")
        assert undone.code == 0, undone
        assert config.read_bytes() == before
    finally:
        docker.program.unlink()


@pytest.mark.parametrize("tool", ["bazel", "podman", "uv", "pip", "pixi"])
def test_setup_of_every_tool_shows_its_plan(folder: Windows, tool: str, host: str) -> None:
    docker = folder.copy_as("docker-credential-credlatch")
    folder.found_on_path(folder.program.parent)
    words = [] if tool in {"uv", "pip", "pixi"} else ["--host", host, "--force"]
    try:
        said = folder("setup", tool, *words, "--dry-run")
        assert said.code == 0, said
        assert b"credlatch" in said.out or b"keyring" in said.out, said
    finally:
        docker.program.unlink()


def test_setup_of_a_tool_that_is_not_there_says_so(folder: Windows, host: str) -> None:
    said = folder("setup", "git", "--host", host, "--force", "--dry-run")
    assert "git is not on PATH" in line(said, 1)


def test_installing_twice_running_it_and_taking_it_away(windows: Windows) -> None:
    first = windows("install", "--prefix", PREFIX)
    assert first.code == 0, first
    lib = windows.home.drive / "credlatch tests" / "ünï cödé" / "lib" / "credlatch"
    (version,) = [path for path in lib.iterdir() if path.is_dir()]
    again = windows("install", "--prefix", PREFIX)
    assert (again.code, again.err) == (0, "")
    assert b"is already installed" in again.out
    for name in ("credlatch", "docker-credential-credlatch"):
        program = Windows(version / f"{name}.exe", windows.home)
        assert program("version" if name.startswith("docker") else "--version").code == 0
    gone = windows("uninstall", "--prefix", PREFIX)
    assert gone.code == 0, gone
    assert not lib.exists()
    assert windows("--version").code == 0
