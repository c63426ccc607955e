"""What a wiring by host cannot know, and what stays behind when it is undone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from support.wiring import Wiring

LOGIN = {"BasicHTTP": {"username": "ada", "password": "s3cret"}}
DOCKER = ".docker/config.json"
PODMAN = ".config/containers/auth.json"


@pytest.mark.parametrize(("tool", "path"), [("docker", DOCKER), ("podman", PODMAN)])
def test_a_host_without_a_port_is_said_to_be_one(wiring: Wiring, tool: str, path: str) -> None:
    wiring.home.write_rattler({"r.example": LOGIN, "q.example:5000": LOGIN})
    assert wiring(tool) == 0
    assert set(json.loads(wiring.read(path))["credHelpers"]) == {"r.example", "q.example:5000"}
    assert "r.example: without a port" in wiring.said
    assert "--host HOST:PORT" in wiring.said
    assert f"{tool} asks credlatch now for q.example:5000, r.example;" in wiring.said
    assert wiring(tool, "--host", "r.example:5000", "--force") == 0
    assert f"{tool} asks credlatch now for r.example:5000;" in wiring.said
    assert "r.example:5000" in json.loads(wiring.read(path))["credHelpers"]
    assert "without a port" not in wiring.said


def test_the_colons_of_an_address_are_no_port(wiring: Wiring) -> None:
    for host, told in (("[2001:db8::1]", True), ("[2001:db8::1]:5000", False)):
        wiring.home.write_rattler({host: LOGIN})
        assert wiring("docker") == 0
        assert (f"{host}: without a port" in wiring.said) is told
        assert f"docker asks credlatch now for {host};" in wiring.said


@pytest.mark.parametrize("tool", ["docker", "podman"])
@pytest.mark.parametrize(
    ("netrc", "host"),
    [
        ("machine r.example login ada password s3cret", "r.example:5000"),
        ("default login ada password s3cret", "r.example"),
    ],
)
def test_a_login_that_is_not_for_the_registry_is_said_not_to_be(
    wiring: Wiring, tool: str, netrc: str, host: str
) -> None:
    (wiring.home.path / ".rattler/credentials.json").unlink()
    wiring.home.write(".netrc", netrc)
    for _ in range(2):  # also when there is nothing to change
        assert wiring(tool, "--host", host) == 0
        assert f"{host}: {tool} is not given what is in {wiring.home.path}/.netrc" in wiring.said
        assert f"this registry and its port: {tool} login {host}\n" in wiring.said
    wiring.home.write_rattler({host: LOGIN})
    assert wiring(tool, "--host", host) == 0
    assert "is not given" not in wiring.said


def test_whoever_asks_by_url_or_has_a_token_of_pixi_s_needs_no_word_of_ports(
    wiring: Wiring,
) -> None:
    for tool, host, entry in (
        ("docker", "r.example:5000", {"BearerToken": "t"}),
        ("git", "r.example:5000", {"BearerToken": "t"}),
        ("git", "r.example", LOGIN),
        ("bazel", "r.example", LOGIN),
    ):
        wiring.home.write_rattler({"r.example": entry})
        assert wiring(tool, "--host", host) == 0
        assert "without a port" not in wiring.said
        assert "is not given" not in wiring.said


def stays(wiring: Wiring) -> str:
    """The one line of a login that stays."""
    (said,) = [row for row in wiring.said.splitlines() if " stays in " in row]
    return said


@pytest.mark.parametrize("tool", ["docker", "podman", "git"])
def test_the_logins_that_stay_are_named_when_it_is_undone(wiring: Wiring, tool: str) -> None:
    wiring.home.write_rattler({"r.example": LOGIN, "ada@r.example/ns": LOGIN, "o.example": LOGIN})
    assert wiring(tool, "--host", "r.example") == 0
    wiring.home.write_rattler(
        {"r.example": LOGIN, "r.example:5000": LOGIN, "o.example": LOGIN, "t": {"BearerToken": "x"}}
    )
    assert wiring(tool, "--undo") == 0
    said = stays(wiring)
    assert said.startswith("the login of ada for r.example stays in ")
    assert said.endswith(": echo r.example | docker-credential-credlatch erase takes it away")
    assert ".rattler/credentials.json" in said
    assert "s3cret" not in wiring.said


@pytest.mark.parametrize("tool", ["docker", "podman"])
@pytest.mark.parametrize(
    "key", ["docker.io", "https://index.docker.io/v1/", "registry-1.docker.io"]
)
def test_docker_hub_s_login_is_named_whichever_of_its_names_it_has(
    wiring: Wiring, tool: str, key: str
) -> None:
    wiring.home.write_rattler({key: LOGIN, "o.example": LOGIN})
    assert wiring(tool, "--host", "docker.io") == 0
    assert wiring(tool, "--undo") == 0
    assert stays(wiring).startswith(f"the login of ada for {key} stays in ")


def test_of_a_wiring_for_all_hosts_every_login_is_named(wiring: Wiring) -> None:
    wiring.home.write_rattler({"r.example": LOGIN, "o.example:5000": LOGIN})
    assert wiring("docker", "--all-hosts") == 0
    assert wiring("docker", "--undo") == 0
    assert wiring.said.count(" stays in ") == 2


@pytest.mark.parametrize("tool", ["bazel", "uv"])
def test_who_has_kept_nothing_leaves_nothing(wiring: Wiring, tool: str) -> None:
    wiring.home.write_rattler({"r.example": LOGIN})
    assert wiring(tool) == 0
    assert wiring(tool, "--undo") == 0
    assert " stays in " not in wiring.said


def test_a_store_that_cannot_be_read_is_no_hindrance(wiring: Wiring) -> None:
    wiring.home.write_rattler({"r.example": LOGIN})
    assert wiring("docker") == 0
    wiring.home.write(".rattler/credentials.json", "{")
    assert wiring("docker", "--undo") == 0
    assert "credentials.json" in wiring.warned
