"""Every block of the README does what the README says."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from devtools import release
from devtools.release import manifests
from devtools.release.assets import this_target
from devtools.release.contents import Contents

from credlatch.setup.tools import TOOLS
from support import bazel_client
from support.page import ROOT, Page
from support.program import run
from support.terminal import at_terminal

if TYPE_CHECKING:
    from pathlib import Path

    from support.home import Home
    from support.program import Program

README = Page("README.md")
SECTIONS = {head: [block.text for block in blocks] for head, blocks in README.blocks.items()}
LOGIN = {"pypi.example.com": {"BasicHTTP": {"username": "u", "password": "p"}}}


def shell(script: str, home: Home, path: Path) -> str:
    """Run a block as a person who pasted it, with ``path`` in front of PATH."""
    env = {**home.env, "PATH": f"{path}{os.pathsep}{home.env['PATH']}"}
    done = run(home, ["sh", "-e", "-c", script], env=env)
    assert done.code == 0, done
    return done.out.decode()


def test_all_sections_are_known_here() -> None:
    # A block that nobody runs would drift: whoever adds one adds its test.
    assert {head: len(blocks) for head, blocks in SECTIONS.items()} == {
        "Install": 6,  # what is said to uv, apt and dnf: tests/real/test_release.py
        "Set up": 1,
        "Ask": 1,
        "See why": 1,
        "Try it": 1,
        "Bazel": 2,
        "Docker, podman, skopeo, buildah": 2,
        "BuildKit": 2,
        "pip, uv, pixi": 1,
        "git": 1,
        "Go": 1,  # tests/real/test_go_asks.py
        "cargo": 1,
        "curl and scripts": 1,
    }


def test_the_two_commands_are_those_of_dev() -> None:
    commands = re.findall(r"^\$ \./dev (\w+)$", SECTIONS["Try it"][0], re.MULTILINE)
    assert commands == ["try", "test"]
    usage = subprocess.check_output([sys.executable, ROOT / "dev", "--help"]).decode()
    assert all(re.search(rf"^  {command}\b", usage, re.MULTILINE) for command in commands)


def test_install(single: Path, home: Home, tmp_path: Path) -> None:
    # The block in a copy of the checkout that has been built: ./dev build itself is not run again.
    checkout = tmp_path / "checkout"
    (checkout / "dist").mkdir(parents=True)
    shutil.copy(single, checkout / "dist/credlatch")
    (checkout / "dev").write_text("#!/bin/sh\n")
    (checkout / "dev").chmod(0o755)
    block = SECTIONS["Install"][-1]
    subprocess.run(["sh", "-e", "-c", block], cwd=checkout, env=home.env, check=True)
    shutil.rmtree(checkout)
    is_installed(home)


def test_install_from_a_release(single: Path, home: Home, tmp_path: Path) -> None:
    # The block itself, of a release of the program that is in a folder, and not at GitHub.
    into = tmp_path / "release"
    into.mkdir()
    release.pack(single.parent, this_target(), into)
    contents = Contents(into, into.as_uri())
    manifests.write(contents)
    block = SECTIONS["Install"][0]
    at = f"{contents.homepage}/releases/latest/download/"
    assert at in block
    shell(block.replace(at, f"{into.as_uri()}/"), home, tmp_path)
    is_installed(home)


def is_installed(home: Home) -> None:
    """See that it is, and take it away."""

    def said(program: str, word: str) -> bytes:
        command = [str(home.path / ".local/bin" / program), word]
        return subprocess.run(command, env=home.env, capture_output=True, check=True).stdout

    assert said("credlatch", "--version").startswith(b"credlatch ")
    helper = said("docker-credential-credlatch", "version")
    assert helper.startswith(b"docker-credential-credlatch (credlatch) v")
    assert b"no longer installed" in said("credlatch", "uninstall")
    assert not (home.path / ".local/bin/credlatch").is_symlink()


def test_the_picture_and_the_pages_that_it_names_are_there() -> None:
    named = re.findall(r"\]\(([^):#]+)\)", README.text)
    assert "docs/bench.svg" in named
    assert [path for path in named if not (ROOT / path).is_file()] == []


def test_set_up_writes_what_the_sections_show(frozen: Program, home: Home) -> None:
    home.write_rattler({"registry.example.com": LOGIN["pypi.example.com"]})
    frozen.put_on_path()
    (block,) = SECTIONS["Set up"]
    command, _, others = block.partition("#")
    config, store = map(json.loads, SECTIONS["Docker, podman, skopeo, buildah"])
    written = home.path / ".docker/config.json"
    for each in (command.strip(), f"{command.strip()} --all-hosts"):
        assert at_terminal(["sh", "-ec", each], home, "y\n").code == 0
    assert json.loads(written.read_text()) == {**config, **store}
    assert frozen("setup", "docker", "--undo", "--yes").code == 0
    assert not written.exists()
    names = re.findall(r"\w+", others.removeprefix(" or"))
    assert {"docker", "buildkit", "containers", *names} == set(TOOLS)


def test_what_stands_first_is_what_a_new_user_does_first() -> None:
    heads = list(README.sections)
    first = ["Install", "Set up", "Ask", "See why", "Try it", "By hand", "Bazel"]
    assert heads[: len(first)] == first
    assert re.findall(r"!\[[^]]*\]\((\S+)\)", README.sections["See why"]) == [
        "docs/explain.svg", "docs/doctor.svg"
    ]  # fmt: skip


def test_one_request_has_the_answer_that_is_shown(frozen: Program, home: Home) -> None:
    home.write_rattler({"pypi.example.com": {"BearerToken": "made-up"}})
    (block,) = SECTIONS["Ask"]
    asked, answer = block.removeprefix("$ ").split("\n", 1)
    assert shell(asked, home, frozen.link_as("credlatch")) == answer


def test_explain_answers_what_is_pasted(frozen: Program, home: Home) -> None:
    home.write_rattler({"conda.example.com": {"BearerToken": "t"}})
    out = shell(SECTIONS["See why"][0], home, frozen.link_as("credlatch"))
    assert out.startswith("https://conda.example.com/channel/  answered by rattler\n")


def test_bazel(frozen: Program, home: Home) -> None:
    home.write_rattler(LOGIN)
    bazelrc, shown = SECTIONS["Bazel"]
    found = re.fullmatch(r"common --credential_helper=(\w+)\n", bazelrc)
    assert found
    name = found[1]
    path = frozen.link_as(name)
    # Bazel looks a bare name up on PATH.
    helper = shutil.which(name, path=str(path))
    assert helper
    got = bazel_client.get_credentials(helper, "https://pypi.example.com/simple/?a=b&c", home.env)
    assert got.headers == {"Authorization": ["Basic dTpw"]}
    answer = json.loads(shell(shown, home, path))
    assert answer == {"headers": {"Authorization": ["Basic dTpw"]}}


def test_buildkit_is_handed_what_the_step_mounts(frozen: Program, home: Home) -> None:
    home.write_rattler(LOGIN)
    path = frozen.link_as("credlatch")
    # A docker that reads the secret and says what else it was given: with the real one, tests/real.
    fake = path / "docker"
    fake.write_text('#!/bin/sh\necho "$1 $2 ${3%%,*} $4"; cat "${3#*,src=}"\n')
    fake.chmod(0o755)
    step, block = SECTIONS["BuildKit"]
    assert "--mount=type=secret,id=pip," in step
    said = shell(block, home, path)
    conf = "[global]\nindex-url = https://u:p@pypi.example.com/simple/\n"
    assert said == f"build --secret id=pip .\n{conf}"


def test_an_index_with_a_user_has_that_user_s_login(frozen: Program, home: Home) -> None:
    path = frozen.link_as("credlatch")
    (block,) = SECTIONS["pip, uv, pixi"]
    assert shell(f"{{ {block}}} </dev/stdin <<end\nkept\nend\n", home, path) == "kept\n"
    index = "https://pypi.example.com/simple/"
    assert frozen("keyring", "get", index, "ada").out == b"kept\n"
    assert frozen("keyring", "get", index, "__token__").code == 1


def test_git_asks_what_its_configuration_names(frozen: Program, home: Home) -> None:
    home.write_rattler(LOGIN)
    path = frozen.link_as("credlatch")
    (block,) = SECTIONS["git"]
    shell(block, home, path)
    asked = "printf 'protocol=https\\nhost=pypi.example.com\\n\\n' | git credential fill"
    filled = shell(asked, home, path).splitlines()
    assert {"username=u", "password=p"} <= set(filled)


def test_cargo_asks_what_setup_writes(frozen: Program, home: Home) -> None:
    frozen.put_on_path("credlatch")
    (block,) = SECTIONS["cargo"]
    assert frozen("setup", "cargo", "--yes").code == 0
    assert (home.path / ".cargo/config.toml").read_text() == block


def test_curl_gets_the_header(frozen: Program, home: Home) -> None:
    home.write_rattler(LOGIN)
    path = frozen.link_as("credlatch")
    # A curl that says what it was given: with the real one, tests/real fetches.
    fake = path / "curl"
    fake.write_text('#!/bin/sh\ncat; printf "%s" "$*"\n')
    fake.chmod(0o755)
    (block,) = SECTIONS["curl and scripts"]
    url = "https://pypi.example.com/simple/"
    assert shell(block, home, path) == f"Authorization: Basic dTpw\n-H @- {url}"
