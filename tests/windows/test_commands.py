"""What people type, in the Windows program."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from support.logins import refusal
from support.wine import Windows

if TYPE_CHECKING:
    from collections.abc import Iterator


PREFIX = r"C:\credlatch tests\ünï cödé"


def test_forwarding_needs_wsl(windows: Windows) -> None:
    assert "WSL" in refusal(windows("agent", "forward", "a.example"), 1)


def test_secrets_need_wsl(windows: Windows) -> None:
    said = windows("secrets", "--secret", "id=a,url=https://x.example/", "--", "docker", "build")
    assert "WSL" in refusal(said, 1)


WRONG = [
    "no-such-word",
    "get more",
    "token",
    "keyring",
    "header",
    "git",
    "setup",
    "secrets",
]


@pytest.mark.parametrize("words", [*WRONG, "bazel", "install more", "uninstall --prefix"])
def test_wrong_usage(windows: Windows, words: str) -> None:
    refusal(windows(*words.split()), 2)


def test_nothing_to_do_is_answered_with_what_there_is(windows: Windows) -> None:
    said = windows()
    assert (said.code, said.out) == (2, b"")
    assert said.err.startswith("usage: credlatch ")


COMMANDS = ["get", "bazel", "docker", "git", "keyring", "header", "token", "agent"]
PEOPLE = ["explain", "list", "login", "logout", "setup", "secrets", "doctor", "config"]


@pytest.mark.parametrize("word", [*COMMANDS, *PEOPLE, "install", "uninstall", "completion"])
def test_every_command_has_its_help(windows: Windows, word: str) -> None:
    said = windows(word, "--help")
    assert (said.code, said.err) == (0, ""), said
    assert said.out.lower().startswith(b"usage: ")
    assert b"\r" not in said.out


def test_setup_says_what_to_do_where_tools_will_not_find_us(windows: Windows, host: str) -> None:
    said = refusal(windows("setup", "docker", "--host", host, "--force", "--dry-run"), 1)
    assert "the folder that it names" in said


@pytest.fixture
def found(windows: Windows) -> Iterator[Windows]:
    """Either form on PATH, by both its names."""
    docker = windows.copy_as("docker-credential-credlatch")
    windows.found_on_path(windows.program.parent)
    yield windows
    docker.program.unlink()
    windows.program.with_name("keyring.exe").unlink(missing_ok=True)


def test_setup_of_docker_keeps_what_is_there_byte_for_byte(found: Windows, host: str) -> None:
    config = found.home.write(".docker/config.json", '{\r\n  "kept": 1\r\n}\r\n')
    before = config.read_bytes()
    words = ("setup", "docker", "--host", host, "--force")
    shown = found(*words, "--dry-run")
    assert shown.code == 0, shown
    assert host.encode() in shown.out
    assert config.read_bytes() == before
    written = found(*words, "--yes")
    assert written.code == 0, written
    assert json.loads(config.read_bytes()) == {"kept": 1, "credHelpers": {host: "credlatch"}}
    undone = found("setup", "docker", "--undo", "--yes")
    assert undone.code == 0, undone
    assert config.read_bytes() == before


TOOLS = {
    "bazel": ".bazelrc",
    "docker": ".docker/config.json",
    "buildkit": ".docker/config.json",
    "podman": "AppData/Roaming/containers/auth.json",
    "containers": "AppData/Roaming/containers/auth.json",
    "uv": "AppData/Roaming/uv/uv.toml",
    "pip": "AppData/Roaming/pip/pip.ini",
    "pixi": ".pixi/config.toml",
}


@pytest.mark.parametrize("tool", TOOLS)
def test_setup_of_every_tool_shows_writes_and_takes_back(
    found: Windows, tool: str, host: str
) -> None:
    config = found.home.path / TOOLS[tool]
    keyring = found.program.with_name("keyring.exe")
    asks_keyring = tool in {"uv", "pip", "pixi"}
    words = ["setup", tool, *([] if asks_keyring else ["--host", host, "--force"])]
    shown = found(*words, "--dry-run")
    assert shown.code == 0, shown
    assert b"credlatch" in shown.out or b"keyring" in shown.out
    assert not config.exists()
    written = found(*words, "--yes")
    assert written.code == 0, written
    assert ("keyring-provider" if asks_keyring else host) in config.read_text()
    assert keyring.exists() == asks_keyring
    undone = found("setup", tool, "--undo", "--yes")
    assert undone.code == 0, undone
    assert not config.exists()
    assert not keyring.exists()


def test_setup_of_a_tool_that_is_not_there_says_so(found: Windows, host: str) -> None:
    said = found("setup", "git", "--host", host, "--force", "--dry-run")
    assert "git is not on PATH" in refusal(said, 1)


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
