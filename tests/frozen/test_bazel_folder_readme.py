"""Every block of bazel/README.md does what the README says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from credlatch.url import parse
from support import bazel_client, bazel_example
from support.bazel_example import FOLDER, LOGINS
from support.bazel_helpers import Helpers
from support.bazel_rc import Options
from support.bazel_readme import PAGE, block, rows
from support.components import need
from support.program import run
from support.terminal import at_terminal

if TYPE_CHECKING:
    from pathlib import Path

    from support.home import Home
    from support.program import Program

REGISTRY = "https://registry.example.com/bazel/"
SENT = {"Authorization": ["Bearer of-ci"]}


@pytest.fixture
def home(home: Home, folder: Path) -> Home:
    """A home with the program on PATH, logins, and a checkout of credlatch."""
    home.env["PATH"] = f"{home.path}/links{os.pathsep}{os.defpath}"
    (home.path / "links").mkdir()
    (home.path / "links/credlatch").symlink_to(folder)
    home.write_rattler(LOGINS)
    (home.path / "credlatch").symlink_to(FOLDER.parent)
    return home


@pytest.fixture
def workspace(home: Home) -> Path:
    """A workspace that nobody has wired, in version control."""
    root = home.write("ws/MODULE.bazel", 'module(name = "ws")\n').parent
    subprocess.run([need("git"), "init", "--quiet", root], env=home.env, check=True)
    return root


def pasted(script: str, home: Home, cwd: Path) -> str:
    """Paste a block into a terminal, and answer whatever is asked with yes; the screen."""
    code, screen = at_terminal(["sh", "-e", "-c", script], home, "y\n", cwd)
    assert code == 0, screen
    return screen


def asked(home: Home, workspace: Path, uri: str) -> dict[str, list[str]] | None:
    """What Bazel sends with a request, with the options that the workspace has by now."""
    return Helpers(Options(workspace, home.path), workspace, home.env).headers(uri)


def test_all_blocks_are_known_here() -> None:
    # A block that nobody runs would drift: whoever adds one adds its test.
    assert {head: [kind for kind, _ in blocks] for head, blocks in PAGE.blocks.items()} == {
        "In five minutes": ["sh", "sh", ""],
        "The program, by hash": ["starlark", "sh"],  # tests/frozen/test_bazel_module.py
        "Registries of images": ["starlark"],  # tests/real/test_oci_registries.py
        "Windows": [""],
        "CI": ["yaml", "yaml"],
        "When it does not work": ["sh"],
    }


def test_all_that_it_links_to_is_there() -> None:
    named = re.findall(r"\]\(([^):]+)\)", PAGE.text)
    assert "tools/credlatch" in named
    assert [path for path in named if not (FOLDER / path).exists()] == []


def test_setup_for_oneself(home: Home, workspace: Path) -> None:
    assert "[y/N]" in pasted(block("In five minutes"), home, home.path)
    assert asked(home, workspace, "https://files.example.com/x") == {
        "Authorization": ["Bearer for-the-files"]
    }
    assert asked(home, workspace, "https://other.example.com/x") is None


def test_setup_for_a_workspace(home: Home, folder: Path, workspace: Path) -> None:
    assert "[y/N]" in pasted(block("In five minutes", 1), home, workspace)
    home.env["PATH"] = os.defpath  # as whoever builds it may have it
    (home.path / ".local/bin").mkdir(parents=True)
    (home.path / ".local/bin/credlatch").symlink_to(folder)
    assert asked(home, workspace, REGISTRY)
    staged = run(home, [need("git"), "ls-files", "--stage"], cwd=workspace)
    assert {line.split()[-1]: line.split()[0] for line in staged.said.splitlines()} == {
        ".bazelrc": "100644",
        "tools/credlatch": "100755",
    }


def test_the_block_is_the_one_beside_it(home: Home, workspace: Path) -> None:
    assert block("In five minutes", 2) == (FOLDER / "bazelrc").read_text()
    shutil.copytree(FOLDER / "tools", workspace / "tools")
    shutil.copy(FOLDER / "bazelrc", workspace / "tools/credlatch.bazelrc")
    (line,) = re.findall(r"`(import [^`]+)`", PAGE.text)
    (workspace / ".bazelrc").write_text(f"{line}\n")
    assert asked(home, workspace, REGISTRY)
    assert asked(home, workspace, "https://example.org/") is None


def test_windows_has_a_program_and_all_others_the_script(home: Home) -> None:
    root = bazel_example.copied(home)
    (root / ".bazelrc").write_text(block("Windows"))
    helpers = {
        platform: Options(root, home.path, platform=platform).last("credential_helper")
        for platform in ("linux", "macos", "windows")
    }
    script = "*.example.com=%workspace%/tools/credlatch"
    assert helpers == {
        "linux": script,
        "macos": script,
        "windows": "*.example.com=credlatch.exe",
    }
    assert asked(home, root, REGISTRY)


class Runner:
    """A CI's runner, where nothing is installed yet."""

    def __init__(self, home: Home, single: Path) -> None:
        self.home = home
        self.root = bazel_example.copied(home)
        temporary = home.path / "temporary"
        temporary.mkdir()
        home.env |= {"RUNNER_TEMP": str(temporary), "PATH": f"{home.path}/bin:{os.defpath}"}
        home.write_rattler({})
        (home.path / "credlatch").unlink()
        # A curl that has the file, and a bazel that asks for a URL and tells its environment.
        home.write("bin/curl", f'#!/bin/sh\nexec cp "{single}" "$2"\n', 0o755)
        home.write("bin/bazel", f'#!/bin/sh\nenv >"{home.path}/bazel.env"\n', 0o755)

    def step(self, script: str, env: dict[str, str]) -> None:
        """Run one step of a job."""
        subprocess.run(
            ["sh", "-e", "-c", script], env={**self.home.env, **env}, cwd=self.root, check=True
        )

    def answer(self, uri: str) -> dict[str, list[str]]:
        """What Bazel sends, in the environment that it was run in."""
        lines = (self.home.path / "bazel.env").read_text().splitlines()
        env = dict(line.split("=", 1) for line in lines)
        assert "of-ci" not in env.get("REGISTRY_TOKEN", "")
        helpers = Helpers(Options(self.root, self.home.path), self.root, env)
        return helpers.headers(uri) or {}


@pytest.fixture
def runner(home: Home, single: Path) -> Runner:
    return Runner(home, single)


def test_github_s_job(runner: Runner) -> None:
    job = yaml.safe_load(block("CI"))["jobs"]["build"]
    install, build = (step for step in job["steps"] if "run" in step)
    env: dict[str, Any] = build["env"]
    assert all(re.fullmatch(r"\$\{\{ secrets\.\w+ \}\}", value) for value in env.values())
    runner.step(install["run"], {})
    runner.step(build["run"], dict.fromkeys(env, "of-ci"))
    assert runner.answer(REGISTRY) == SENT
    assert runner.answer("https://cache.example.com:443/bazel") == SENT
    assert runner.answer("https://files.example.com/") == {}


def test_gitlab_s_job(runner: Runner) -> None:
    job = yaml.safe_load(block("CI", 1))["build"]
    env = {**job["variables"], "REGISTRY_TOKEN": "of-ci"}
    # One shell for all, as there.
    runner.step("\n".join([*job["before_script"], *job["script"]]), env)
    assert (runner.home.path / ".netrc").stat().st_mode & 0o777 == 0o600
    assert runner.answer(REGISTRY) == {"Authorization": ["Basic Y2k6b2YtY2k="]}


def test_what_one_asks_when_it_does_not_work(home: Home) -> None:
    root = bazel_example.copied(home)
    command = ["sh", "-e", "-c", block("When it does not work")]
    got = bazel_client.get_credentials(root / "tools/credlatch", REGISTRY, home.env, root)
    assert run(home, command, cwd=root).json() == {"headers": got.headers}
    home.write_rattler({})
    again = run(home, command, cwd=root)
    (meaning,) = re.findall(r'`(\{"headers".*)` means: no store has a login', PAGE.text)
    assert again.out.decode().strip() == meaning


def test_the_script_s_own_words_are_in_the_table() -> None:
    (words,) = [row[0] for row in rows("When it does not work") if row[0].startswith("tools/")]
    assert words.removesuffix(" …").partition(": ")[2] in (FOLDER / "tools/credlatch").read_text()


def test_the_variable_for_a_port_is_the_program_s(frozen: Program) -> None:
    (name,) = re.findall(r"`(CREDLATCH_TOKEN_\w+_8443)`", PAGE.text)
    frozen.home.env[name] = "t"
    assert frozen.bazel("https://cache.example.com:8443/x").authorization == "Bearer t"
    assert frozen.bazel("https://cache.example.com/x").authorization == "Bearer for-the-cache"
    assert parse("https://cache.example.com:443/").default_port
