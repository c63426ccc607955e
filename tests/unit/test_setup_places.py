"""Where each tool's wiring goes: the user's own configuration, and a project's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from support.wiring import Wiring


@pytest.mark.parametrize(
    ("variable", "value", "tool", "path"),
    [
        ("DOCKER_CONFIG", "d", "docker", "d/config.json"),
        ("REGISTRY_AUTH_FILE", "a.json", "podman", "a.json"),
        ("XDG_CONFIG_HOME", "{home}/c", "podman", "c/containers/auth.json"),
        ("XDG_CONFIG_HOME", "{home}/c", "uv", "c/uv/uv.toml"),
        ("XDG_CONFIG_HOME", "{home}/c", "pip", "c/pip/pip.conf"),
        ("UV_CONFIG_FILE", "u.toml", "uv", "u.toml"),
        ("PIXI_HOME", "p", "pixi", "p/config.toml"),
        ("GIT_CONFIG_GLOBAL", "g", "git", "g"),
    ],
)
def test_the_file_is_the_one_that_the_tool_reads(
    wiring: Wiring, variable: str, value: str, tool: str, path: str
) -> None:
    wiring.home.env[variable] = value.format(home=wiring.home.path)
    assert wiring(tool) == 0
    assert (wiring.home.path / path).exists()
    assert wiring(tool, "--undo") == 0
    assert not (wiring.home.path / path).exists()


def test_pip_s_own_variable_counts_where_its_file_is_there(wiring: Wiring) -> None:
    wiring.home.env["PIP_CONFIG_FILE"] = str(wiring.home.path / "p.conf")
    wiring.home.write("p.conf", "[install]\n")
    assert wiring("pip") == 0
    assert wiring.read("p.conf") == "[install]\n\n[global]\nkeyring-provider = subprocess\n"
    assert not (wiring.home.path / ".config/pip").exists()
    assert wiring("pip", "--undo") == 0
    # pip reads the user's where there is no such file: making it would end that.
    (wiring.home.path / "p.conf").unlink()
    assert wiring("pip") == 0
    assert (wiring.home.path / ".config/pip/pip.conf").exists()
    assert not (wiring.home.path / "p.conf").exists()


def test_git_s_xdg_file_is_used_where_there_is_no_other(wiring: Wiring) -> None:
    wiring.home.write(".config/git/config", "[user]\n\tname = A\n")
    assert wiring("git", "--host", "r.example") == 0
    assert "!credlatch git" in wiring.read(".config/git/config")
    wiring.home.write(".gitconfig", "")
    assert wiring("git", "--host", "r.example") == 0
    assert "nothing to change" in wiring.said  # git reads both
    assert wiring("git", "--undo") == 0
    assert wiring("git", "--host", "r.example") == 0
    assert "!credlatch git" in wiring.read(".gitconfig")


@pytest.mark.parametrize(
    ("wrapper", "helper", "said"),
    [
        (False, "credlatch", "whoever builds this needs credlatch on PATH, or tools/credlatch"),
        (True, "%workspace%/tools/credlatch", "--project --undo takes it back"),
    ],
)
def test_a_bazel_workspace_is_wired_in_its_own_file_and_to_its_wrapper(
    wiring: Wiring, helper: str, said: str, *, wrapper: bool
) -> None:
    wiring.home.write("MODULE.bazel", "")
    if wrapper:
        wiring.home.write("tools/credlatch", "#!/bin/sh\n", 0o755)
    wiring.home.write(".bazelrc", "build --x  # mine\n")
    wiring.home.env["XDG_CONFIG_HOME"] = str(wiring.home.path / "c")
    before = wiring.files()
    assert wiring("bazel", "--project", "--host", "r.example") == 0
    assert wiring.read(".bazelrc") == (
        f"build --x  # mine\ncommon --credential_helper=r.example={helper}\n"
    )
    assert said in wiring.said
    assert ("whoever builds this" in wiring.said) is not wrapper
    assert wiring("bazel", "--project", "--undo") == 0
    assert wiring.files() == before


def test_a_wrapper_is_for_its_own_workspace_s_file(wiring: Wiring) -> None:
    wiring.home.write("project/MODULE.bazel", "")
    wrapper = wiring.home.write("project/tools/credlatch", "#!/bin/sh\n", 0o755)
    wiring.cwd = wrapper.parent
    assert wiring("bazel") == 0
    assert "workspace" not in wiring.read(".bazelrc")
    root = wiring.home.path / "project"
    assert f"{root} has tools/credlatch: --project wires that, for everybody" in wiring.said
    wrapper.chmod(0o644)
    wiring("bazel", "--undo")
    assert wiring("bazel") == 0
    assert "--project" not in wiring.said


def test_a_project_and_the_user_s_own_are_undone_apart(wiring: Wiring) -> None:
    home = wiring.home
    home.write("project/pixi.toml", "")
    assert wiring("pixi") == 0
    wiring.cwd = home.path / "project"
    assert wiring("pixi", "--project") == 0
    path = home.path / "project/.pixi/config.toml"
    assert path.read_text() == '[pypi-config]\nkeyring-provider = "subprocess"\n'
    assert wiring("pixi", "--undo") == 0
    assert not (home.path / ".pixi").exists()
    assert path.exists()
    assert (wiring.bin / "keyring").is_symlink()
    assert wiring("pixi", "--project", "--undo") == 0
    assert not path.parent.exists()
    assert not (wiring.bin / "keyring").is_symlink()


@pytest.mark.parametrize("below", ["", "a/b"])
def test_a_project_is_found_from_below(wiring: Wiring, below: str) -> None:
    (wiring.home.path / "project" / below).mkdir(parents=True)
    wiring.home.write("project/pyproject.toml", "# mine\n")
    wiring.cwd = wiring.home.path / "project" / below
    assert wiring("uv", "--project") == 0
    assert wiring.read("project/pyproject.toml") == (
        '# mine\n\n[tool.uv]\nkeyring-provider = "subprocess"\n'
    )
