"""Other helpers that are there already: left alone, replaced, or asked after us."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from support.wiring import refused

if TYPE_CHECKING:
    from support.wiring import Wiring

DOCKER = ".docker/config.json"
CHAIN = ".config/credlatch/chain.json"
HOST = "r.example"


def config(wiring: Wiring, **settings: object) -> None:
    wiring.home.write(DOCKER, json.dumps(settings, indent=2))


@pytest.fixture
def taken(wiring: Wiring) -> Wiring:
    """Docker asks somebody else for the host."""
    wiring.program("docker-credential-ecr-login")
    config(wiring, credHelpers={HOST: "ecr-login", "o.example": "pass"})
    return wiring


def test_docker_s_other_helper_stays_unless_told(taken: Wiring) -> None:
    before = taken.files()
    assert taken("docker") == 1
    assert f"{HOST}: ecr-login stays: --chain asks it after credlatch, --replace" in taken.said
    assert taken.files() == before
    for _ in range(2):  # while other hosts are wired
        assert taken("docker", "--host", HOST, "n.example", "--force") == 0
        helpers = json.loads(taken.read(DOCKER))["credHelpers"]
        assert helpers == {HOST: "ecr-login", "o.example": "pass", "n.example": "credlatch"}


def test_replaced_it_is_not_asked_any_more(taken: Wiring) -> None:
    before = taken.files()
    assert taken("docker", "--replace") == 0
    assert json.loads(taken.read(DOCKER))["credHelpers"][HOST] == "credlatch"
    assert not (taken.home.path / CHAIN).exists()
    assert taken("docker", "--undo") == 0
    assert taken.files() == before


def test_chained_it_is_written_down_to_be_asked_after_us(taken: Wiring) -> None:
    before = taken.files()
    assert taken("docker", "--chain") == 0
    assert json.loads(taken.read(DOCKER))["credHelpers"][HOST] == "credlatch"
    assert json.loads(taken.read(CHAIN)) == {"docker": {HOST: "ecr-login"}}
    assert f"+++ {taken.home.path / CHAIN}" in taken.said
    assert taken("docker", "--chain") == 0
    assert "nothing to change" in taken.said
    assert taken("docker", "--undo") == 0
    assert taken.files() == before
    assert not (taken.home.path / CHAIN).parent.exists()


def test_a_chained_helper_must_be_there(wiring: Wiring) -> None:
    config(wiring, credHelpers={HOST: "gone"})
    said = refused(wiring, "docker", "--chain")
    assert "docker-credential-gone is not on PATH: --replace it" in said


def test_the_helper_for_all_registries_is_passed_over_and_that_is_said(wiring: Wiring) -> None:
    config(wiring, credsStore="pass")
    assert wiring("docker") == 0
    assert f"pass is not asked any more for {HOST}: --chain asks it" in wiring.said
    assert json.loads(wiring.read(DOCKER)) == {
        "credsStore": "pass", "credHelpers": {HOST: "credlatch"}
    }  # fmt: skip
    wiring.program("docker-credential-pass")  # as that advises
    assert wiring("docker", "--chain") == 0
    assert json.loads(wiring.read(CHAIN)) == {"docker": {HOST: "pass"}}
    assert wiring("docker", "--chain") == 0
    assert "nothing to change" in wiring.said


def test_the_helper_for_all_registries_is_chained_for_a_host_known_or_not(wiring: Wiring) -> None:
    wiring.program("docker-credential-pass")
    config(wiring, credsStore="pass")
    assert "no store has a login" in refused(wiring, "docker", "--host", "n.example")
    chain = {}
    for words, host in (([], HOST), (["--host", "n.example"], "n.example")):
        assert wiring("docker", "--chain", *words) == 0
        chain[host] = "pass"
        assert json.loads(wiring.read(CHAIN)) == {"docker": chain}


def test_the_helper_for_all_registries_gives_way_when_told(wiring: Wiring) -> None:
    wiring.program("docker-credential-pass")
    config(wiring, credsStore="pass", x=1)
    before = wiring.files()
    assert wiring("docker", "--all-hosts") == 1
    assert "all hosts: pass stays" in wiring.said
    assert wiring("docker", "--all-hosts", "--chain") == 0
    assert json.loads(wiring.read(DOCKER)) == {"credsStore": "credlatch", "x": 1}
    assert json.loads(wiring.read(CHAIN)) == {"docker": {"*": "pass"}}
    assert wiring("docker", "--undo") == 0
    assert wiring.files() == before


def test_what_is_chained_already_stays_chained_and_is_not_written_again(taken: Wiring) -> None:
    path = taken.home.write(CHAIN, '{"docker": {"x.example": "pass"}, "bazel": {}}\n')
    assert taken("docker", "--chain") == 0
    both = '{"docker": {"x.example": "pass", "r.example": "ecr-login"}, "bazel": {}}\n'
    assert path.read_text() == both
    before = path.stat().st_ino
    config(taken, credHelpers={HOST: "ecr-login"})
    assert taken("docker", "--chain") == 0
    assert (path.read_text(), path.stat().st_ino) == (both, before)


@pytest.mark.parametrize(
    ("line", "chained"),
    [
        ("common --credential_helper=r.example=/opt/helper\n", {"r.example": "/opt/helper"}),
        ("common --credential_helper=*.example=/opt/helper\n", {"r.example": "/opt/helper"}),
        ("common --credential_helper=company\n", {"r.example": "{bin}/company"}),
        ("common --credential_helper=%workspace%/tools/h\n", {"r.example": "{home}/tools/h"}),
    ],
)
def test_bazel_s_other_helper_is_chained_by_its_path(
    wiring: Wiring, line: str, chained: dict[str, str]
) -> None:
    wiring.program("company")
    wiring.home.write("MODULE.bazel", "")
    wiring.home.write("tools/h", "", 0o755)
    helper = str(wiring.program("opt-helper"))
    wiring.home.write(".bazelrc", line.replace("/opt/helper", helper))
    before = wiring.files()
    assert wiring("bazel", "--chain") == 0
    ours = "common --credential_helper=r.example=credlatch\n"
    assert ours in wiring.read(".bazelrc")
    places = {"home": str(wiring.home.path), "bin": str(wiring.bin)}
    expected = {
        host: path.format(**places).replace("/opt/helper", helper) for host, path in chained.items()
    }
    assert json.loads(wiring.read(CHAIN)) == {"bazel": expected}
    assert wiring("bazel", "--undo") == 0
    assert wiring.files() == before


@pytest.mark.parametrize("helper", ["gone", "%workspace%/tools/gone", "/gone"])
def test_bazel_s_helper_that_cannot_be_found_is_not_chained(wiring: Wiring, helper: str) -> None:
    wiring.home.write(".bazelrc", f"common --credential_helper=r.example={helper}\n")
    assert "--replace it" in refused(wiring, "bazel", "--chain")


def test_a_bazel_pattern_of_ours_covers_its_hosts_unless_another_line_contradicts_it(
    wiring: Wiring,
) -> None:
    wiring.home.write(".bazelrc", "common --credential_helper=*.example=/opt/x/credlatch\n")
    assert wiring("bazel") == 0
    assert "nothing to change" in wiring.said
    option = "--credential_helper=r.example="
    lines = f"common {option}credlatch\nbuild {option}x\n"
    wiring.home.write(".bazelrc", lines)
    assert wiring("bazel") == 1
    assert "r.example: credlatch, x stays" in wiring.said
    assert wiring("bazel", "--replace") == 0
    assert wiring.read(".bazelrc") == lines.replace("=x", "=credlatch")


GIT = '[credential "https://r.example"]\n\thelper =\n\thelper = !credlatch git\n'


# Git has each of its helpers keep what one of them has given: the other one's is not ours to keep.
BESIDE = GIT.replace("credlatch git", "credlatch git --read-only")


def test_git_s_helper_for_the_host_stays_unless_told(wiring: Wiring) -> None:
    other = '[credential "https://r.example"]\n\thelper = store\n'
    wiring.home.write(".gitconfig", other)
    before = wiring.files()
    assert wiring("git") == 1
    assert wiring.files() == before
    assert wiring("git", "--replace") == 0
    assert wiring.read(".gitconfig") == other + GIT
    assert wiring("git", "--undo") == 0
    assert wiring("git", "--chain") == 0
    assert wiring.read(".gitconfig") == other + BESIDE + "\thelper = store\n"
    assert "rattler's store" not in wiring.said
    assert wiring("git") == 0
    assert "nothing to change" in wiring.said
    assert wiring("git", "--undo") == 0
    assert wiring.files() == before


@pytest.mark.parametrize("place", [".gitconfig", "system"])
def test_git_s_helper_for_all_hosts_is_passed_over_or_chained(wiring: Wiring, place: str) -> None:
    wiring.home.env["GIT_CONFIG_SYSTEM"] = str(wiring.home.path / "system")
    wiring.home.write(place, "[credential]\n\thelper = osxkeychain\n")
    assert wiring("git") == 0
    assert "osxkeychain is not asked any more for r.example: --chain" in wiring.said
    assert wiring("git", "--undo") == 0
    assert wiring("git", "--chain") == 0
    assert wiring.read(".gitconfig").endswith(BESIDE + "\thelper = osxkeychain\n")


@pytest.mark.parametrize(
    ("tool", "path", "text"),
    [
        ("uv", ".config/uv/uv.toml", 'keyring-provider = "disabled" # mine\n'),
        ("pip", ".config/pip/pip.conf", "[global]\nkeyring-provider = import\n"),
        ("pixi", ".pixi/config.toml", '[pypi-config]\nkeyring-provider = "disabled"\n'),
    ],
)
def test_another_way_of_asking_for_passwords_stays_unless_told(
    wiring: Wiring, tool: str, path: str, text: str
) -> None:
    wiring.home.write(path, text)
    before = wiring.files()
    assert wiring(tool) == 1
    assert "stays: --replace puts credlatch in its place" in wiring.said
    assert wiring.files() == before
    assert wiring(tool, "--replace") == 0
    assert wiring.read(path) != text
    assert wiring(tool, "--undo") == 0
    assert wiring.files() == before


@pytest.mark.parametrize("variable", ["UV_KEYRING_PROVIDER", "PIP_KEYRING_PROVIDER"])
def test_a_variable_that_outranks_the_file_is_named(wiring: Wiring, variable: str) -> None:
    tool = variable.partition("_")[0].lower()
    wiring.home.env[variable] = "disabled"
    assert wiring(tool) == 0
    assert f"{variable} is set to 'disabled' and outranks this: unset it" in wiring.said
    wiring.home.env[variable] = "subprocess"
    assert wiring(tool) == 0
    assert variable not in wiring.said
