"""Docker Hub has three names, and each client uses another: one login serves them all.

The Hub is out of a test's reach, so a daemon that admits everybody stands in for the docker
command's own; what is asked of the helper is the real command's doing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.clients import calls_in
from support.docker_api import HUB

if TYPE_CHECKING:
    from pathlib import Path

    from support.clients import Docker
    from support.docker_api import LenientDaemon
    from support.program import Program
    from support.tool import Tool

ACCOUNT = {"ServerURL": HUB, "Username": "bob", "Secret": "hub-secret"}
NOT_FOUND = b"credentials not found in native keychain"


@pytest.fixture
def hub(docker: Docker, lenient_daemon: LenientDaemon) -> Docker:
    """docker, speaking to the daemon that stands in."""
    docker.configure(credsStore="credlatch")
    docker.home.env["DOCKER_HOST"] = lenient_daemon.host
    return docker


def test_login_without_a_registry_stores_the_index_url_and_logs_in_with_it_again(
    hub: Docker, lenient_daemon: LenientDaemon, frozen: Program, recorded: Path
) -> None:
    hub("login", "--username", "bob", "--password-stdin", stdin="hub-secret")
    assert frozen.docker("list").json() == {HUB: "bob"}
    assert frozen.docker("get", HUB).json() == ACCOUNT
    recorded.unlink()
    hub("login")
    assert calls_in(recorded)[0] == f"get {HUB}"
    given = [(login["username"], login["password"]) for login in lenient_daemon.logins]
    assert given == [("bob", "hub-secret"), ("bob", "hub-secret")]


def test_logout_without_a_registry_leaves_nothing_of_the_hub(
    hub: Docker, frozen: Program, recorded: Path
) -> None:
    frozen.docker("store", ACCOUNT)
    done = hub("logout")
    assert done.err == ""
    # Clients that know the device login ask for its refresh token first, to have it revoked.
    assert set(calls_in(recorded)) - {f"get {HUB}refresh-token"} == {f"erase {HUB}"}
    assert frozen.docker("list").json() == {}


def test_the_password_is_not_given_out_as_the_refresh_token_of_a_device_login(
    frozen: Program,
) -> None:
    frozen.docker("store", ACCOUNT)
    for key in (f"{HUB}refresh-token", f"{HUB}access-token"):
        answer = frozen.docker("get", key)
        assert (answer.code, answer.out.strip()) == (1, NOT_FOUND)


@pytest.mark.parametrize("key", [HUB, "docker.io", "index.docker.io"])
def test_docker_pulls_from_the_hub_with_a_login_under_any_of_its_names(
    hub: Docker, lenient_daemon: LenientDaemon, frozen: Program, key: str
) -> None:
    frozen.docker("store", {**ACCOUNT, "ServerURL": key})
    hub("pull", "busybox")
    (account,) = lenient_daemon.pulls
    assert (account["username"], account["password"]) == ("bob", "hub-secret")


def test_skopeo_finds_the_login_that_docker_stored(hub: Docker, skopeo: Tool) -> None:
    hub("login", "--username", "bob", "--password-stdin", stdin="hub-secret")
    skopeo.home.write("auth.json", '{"credHelpers":{"docker.io":"credlatch"}}')
    assert skopeo("login", "--get-login", "docker.io").out == b"bob\n"
