"""Logins that docker and skopeo wrote into their own files, without any helper."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.matching import basic

if TYPE_CHECKING:
    from support.clients import Docker
    from support.program import Program
    from support.registry import Registry, TokenRegistry
    from support.tool import Tool


def _basic(registry: Registry) -> str:
    return basic(registry.user, registry.secret)


def _login_without_helper(docker: Docker, registry: Registry) -> None:
    # A client that finds a well-known helper on PATH chooses it by itself.
    path = docker.home.env.pop("PATH")
    docker.login(registry.host, registry.user, registry.secret)
    docker.home.env["PATH"] = path
    assert set(docker.config) == {"auths"}


@pytest.mark.parametrize("place", [".docker", "DOCKER_CONFIG"])
def test_bazel_gets_what_docker_login_wrote_into_config_json_until_logout(
    docker: Docker, registry: Registry, frozen: Program, place: str
) -> None:
    if place == "DOCKER_CONFIG":
        docker.home.env["DOCKER_CONFIG"] = str(docker.home.path / "elsewhere")
    url = f"http://{registry.host}/v2/"
    assert frozen.bazel(url).authorization is None
    _login_without_helper(docker, registry)
    assert frozen.bazel(url).authorization == _basic(registry)
    docker("logout", registry.host)
    assert frozen.bazel(url).authorization is None


def test_bazel_gets_what_skopeo_login_wrote_into_auth_json(
    skopeo: Tool, registry: Registry, frozen: Program
) -> None:
    login = "login", "--tls-verify=false", "--username", registry.user, "--password-stdin"
    skopeo(*login, registry.host, stdin=registry.secret)
    assert frozen.bazel(f"http://{registry.host}/v2/").authorization == _basic(registry)


def test_docker_pulls_with_the_login_in_config_json_when_credlatch_takes_over(
    docker: Docker, registry: Registry, published: str
) -> None:
    _login_without_helper(docker, registry)
    docker.configure(**docker.config, credsStore="credlatch")
    docker("pull", published)


def test_docker_pulls_with_the_identity_token_in_config_json_when_credlatch_takes_over(
    docker: Docker, token_registry: TokenRegistry, token_image: str
) -> None:
    _login_without_helper(docker, token_registry)
    docker.configure(**docker.config, credsStore="credlatch")
    token_registry.tokens.requests.clear()
    docker("pull", token_image)
    assert set(token_registry.tokens.grants()) == {"refresh_token"}
