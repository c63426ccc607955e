"""What cannot be wired: one clear line, and every file as it was."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from credlatch.errors import SetupError
from support.mounts import fill, read_only, small_disk
from support.users import EVE, as_root, owned
from support.wiring import refused

if TYPE_CHECKING:
    from support.wiring import Wiring

PLACES = {
    "docker": ".docker/config.json",
    "podman": ".config/containers/auth.json",
    "bazel": ".bazelrc",
    "git": ".gitconfig",
    "uv": ".config/uv/uv.toml",
    "pip": ".config/pip/pip.conf",
    "pixi": ".pixi/config.toml",
}
MALFORMED = {
    "docker": '{"auths": {',
    "podman": "[]",
    "git": "[user\n",
    "uv": "a = = 1\n",
    "pip": "no section = here\n",
    "pixi": 'pypi-config = "x"\n',
}


@as_root
@pytest.mark.parametrize("by_link", [False, True])
@pytest.mark.parametrize("tool", PLACES)
def test_a_configuration_that_another_user_may_have_put_there(
    wiring: Wiring, tool: str, by_link: bool
) -> None:
    path = wiring.home.write(PLACES[tool], "{}" if PLACES[tool].endswith(".json") else "")
    if by_link:
        path = path.rename(path.with_name("meant"))
        link = path.with_name(os.path.basename(PLACES[tool]))
        link.symlink_to("meant")
        path = link
    owned(path, EVE)
    path.parent.chmod(0o777)
    assert "belongs to another user" in refused(wiring, tool)
    path.parent.chmod(0o755)
    owned(path, os.getuid())
    assert wiring(tool, "--all-hosts") == 0


@pytest.mark.parametrize("tool", MALFORMED)
def test_a_malformed_configuration(wiring: Wiring, tool: str) -> None:
    path = wiring.home.write(PLACES[tool], MALFORMED[tool])
    said = refused(wiring, tool)
    assert wiring.warned == ""
    assert said.startswith(f"{path} cannot be changed as ")
    assert said.endswith(": mend it, or change it by hand")


@pytest.mark.parametrize("tool", PLACES)
def test_what_is_read_only_or_no_file_in_its_place(wiring: Wiring, tool: str) -> None:
    path = wiring.home.write(PLACES[tool], "{}\n" if "json" in PLACES[tool] else "", 0o444)
    assert refused(wiring, tool).startswith(f"{path} is read-only: nothing was written; make it")
    path.unlink()
    path.mkdir()
    assert refused(wiring, tool) == f"{path} is not a file: move it away"
    path.rmdir()
    os.mkfifo(path)  # an error and no hang
    assert "is not a file" in refused(wiring, tool)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b'{"a": "\xff"}', "is not UTF-8 text"),
        (b"\xff\xfe{\0}\0", "is not UTF-8 text"),
        (b"\xef\xbb\xbf{}", "JSON: it begins with a byte order mark: mend it, or change it"),
    ],
)
def test_what_docker_does_not_read_either(wiring: Wiring, data: bytes, said: str) -> None:
    wiring.home.write(PLACES["docker"], data)
    assert said in refused(wiring, "docker")


def test_what_is_no_configuration(wiring: Wiring) -> None:
    (wiring.home.path / ".bazelrc").symlink_to(".bazelrc")
    assert "cannot be read" in refused(wiring, "bazel")
    os.truncate(path := wiring.home.write(PLACES["docker"], "{}"), 1 << 30)
    with pytest.raises(SetupError, match="it is no configuration"):
        wiring("docker")
    path.unlink()
    path.parent.rmdir()
    path.parent.touch()
    assert str(path.parent) in refused(wiring, "docker")


@pytest.mark.parametrize(
    ("tool", "variable", "why"),
    [
        ("git", "GIT_CONFIG_GLOBAL", "a variable has /dev/null read as the configuration: unset"),
        ("uv", "UV_CONFIG_FILE", "a variable has /dev/null read as the configuration: unset"),
        ("pip", "PIP_CONFIG_FILE", "PIP_CONFIG_FILE is /dev/null, with which pip reads no file"),
    ],
)
def test_a_configuration_that_a_variable_switches_off(
    wiring: Wiring, tool: str, variable: str, why: str
) -> None:
    wiring.home.env[variable] = "/dev/null"
    assert refused(wiring, tool).startswith(why)


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("*", "'*' is no host: --all-hosts wires them all"),
        ("u.example", "no store has a login for u.example: log in first, or wire it with --force"),
    ],
)
def test_a_host_that_nobody_knows_or_that_is_none(wiring: Wiring, host: str, said: str) -> None:
    assert refused(wiring, "docker", "--host", host) == said


@pytest.mark.parametrize("tool", PLACES)
def test_a_program_that_is_on_path_only_in_a_project_s_folders(wiring: Wiring, tool: str) -> None:
    for program in wiring.bin.iterdir():
        program.rename(wiring.home.path / program.name)
    wiring.home.env["PATH"] = f".::{wiring.home.env['PATH']}"
    said = refused(wiring, tool)
    assert "is not on PATH: credlatch install puts it into ~/.local/bin" in said


def test_git_that_is_not_there(wiring: Wiring) -> None:
    wiring.home.env["PATH"] = str(wiring.bin)
    assert "git is not on PATH: install it" in refused(wiring, "git")


def test_without_a_terminal_nothing_is_written(wiring: Wiring) -> None:
    from credlatch.commands import setup
    from credlatch.people import command

    before = wiring.files()
    with pytest.raises(SetupError, match="no terminal"):
        command.run(setup.COMMAND, ["docker"], wiring.caller)
    assert wiring.files() == before


@pytest.mark.parametrize("tool", ["bazel", "git", "uv", "pixi"])
def test_a_project_that_is_none(wiring: Wiring, tool: str) -> None:
    assert "there is no " in refused(wiring, tool, "--project")


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a file system, as root may")
@pytest.mark.parametrize("tool", ["docker", "bazel"])
def test_a_read_only_disk(wiring: Wiring, tool: str) -> None:
    path = wiring.home.path / "d" / ("config.json" if tool == "docker" else "x")
    wiring.home.write("d/config.json", "{}")
    wiring.home.env["DOCKER_CONFIG"] = str(path.parent)
    if tool == "bazel":
        (wiring.home.path / ".bazelrc").symlink_to("d/x")
    with read_only(path.parent):
        said = refused(wiring, tool)
    assert "read-only" in said


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a file system, as root may")
def test_a_full_disk(wiring: Wiring) -> None:
    folder = wiring.home.path / "d"
    with small_disk(folder):
        wiring.home.write("d/config.json", "{}")
        wiring.home.env["DOCKER_CONFIG"] = str(folder)
        fill(folder)
        said = refused(wiring, "docker")
    assert said == (
        f"{folder / 'config.json'} cannot be written: no space left on device: "
        "nothing has been changed"
    )
