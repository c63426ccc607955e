"""The docker command and a real dockerd, with credlatch as their credential helper."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.clients import calls_in, holders_of
from support.dockerd import BASE

if TYPE_CHECKING:
    from pathlib import Path

    from support.clients import Docker
    from support.program import Program
    from support.registry import Registry
    from support.secret_service import SecretService

REFUSED = "no basic auth credentials"  # what the registry's challenge becomes without a credential


@pytest.fixture(params=["credsStore", "credHelpers"])
def configured(request: pytest.FixtureRequest, docker: Docker, registry: Registry) -> Docker:
    """docker, told in either of the two ways to ask credlatch for this registry."""
    if request.param == "credsStore":
        docker.configure(credsStore="credlatch")
    else:
        docker.configure(credHelpers={registry.host: "credlatch"})
    return docker


def test_login_push_and_pull_work_and_logout_ends_them(
    configured: Docker, registry: Registry, frozen: Program
) -> None:
    docker = configured
    image = f"{registry.host}/team/app:1"
    docker("tag", BASE, image)
    assert REFUSED in docker.refused("push", image)

    docker.login(registry.host, registry.user, registry.secret)
    docker("push", image)
    docker("rmi", image)
    docker("pull", image)

    docker("logout", registry.host)
    docker("rmi", image)
    assert REFUSED in docker.refused("pull", image)
    assert registry.host not in docker.config.get("auths", {})
    assert frozen.docker("list").json() == {}
    assert holders_of(registry.secret, registry.user, docker.home.path) == []


def test_login_puts_the_secret_into_rattlers_store_and_nowhere_else(
    configured: Docker, registry: Registry
) -> None:
    docker = configured
    said = docker.login(registry.host, registry.user, registry.secret).said
    assert "unencrypted" not in said
    holders = holders_of(registry.secret, registry.user, docker.home.path)
    assert holders == [docker.home.path / ".rattler/credentials.json"]
    entry = {"BasicHTTP": {"username": registry.user, "password": registry.secret}}
    assert docker.home.read_rattler() == {registry.host: entry}


def test_where_there_is_a_keyring_login_uses_it_and_logout_empties_it(
    docker: Docker, registry: Registry, published: str, secret_service: SecretService
) -> None:
    docker.configure(credsStore="credlatch")
    docker.login(registry.host, registry.user, registry.secret)
    (item,) = secret_service.items(service="rattler")
    assert item.names == {"service": "rattler", "username": registry.host}
    assert registry.secret in item.secret
    assert holders_of(registry.secret, registry.user, docker.home.path) == []
    docker("pull", published)
    docker("logout", registry.host)
    assert secret_service.items(service="rattler") == []


def test_a_login_that_names_no_port_is_not_for_this_one(
    configured: Docker, registry: Registry, published: str
) -> None:
    docker, (host, _, _) = configured, registry.host.partition(":")
    account = {"BasicHTTP": {"username": registry.user, "password": registry.secret}}
    docker.home.write_rattler({host: account})
    docker.home.write(".netrc", f"default login {registry.user} password {registry.secret}\n")
    assert REFUSED in docker.refused("pull", published)
    docker.home.write_rattler({registry.host: account})
    docker("pull", published)


def test_login_over_a_token_of_pixi_s_works_and_logout_leaves_the_token(
    configured: Docker, registry: Registry, published: str
) -> None:
    docker = configured
    token = {registry.host: {"BearerToken": "of pixi"}}
    docker.home.write_rattler(token)
    docker.login(registry.host, registry.user, registry.secret)
    docker("pull", published)
    said = docker("logout", registry.host).err
    assert docker.home.read_rattler() == token
    # The same line for each `erase HOST`: the command sends it twice, and is told twice.
    (line,) = set(said.splitlines())
    assert "credentials.json" in line
    assert "of pixi" not in said


def test_a_wrong_password_is_not_stored(
    configured: Docker, registry: Registry, frozen: Program
) -> None:
    login = "login", "--username", registry.user, "--password-stdin", registry.host
    assert "401" in configured.refused(*login, stdin="wrong")
    assert frozen.docker("list").json() == {}


def test_a_second_login_needs_no_password(configured: Docker, registry: Registry) -> None:
    configured.login(registry.host, registry.user, registry.secret)
    assert "Login Succeeded" in configured("login", registry.host).said


def test_logging_out_where_nobody_is_logged_in_is_no_error(
    configured: Docker, registry: Registry
) -> None:
    assert configured("logout", registry.host).err == ""


def test_logout_erases_each_of_the_keys_under_which_older_clients_stored(
    docker: Docker, registry: Registry, frozen: Program, recorded: Path
) -> None:
    docker.configure(credsStore="credlatch")
    keys = {registry.host, f"http://{registry.host}", f"https://{registry.host}"}
    for key in keys:
        frozen.docker("store", {"ServerURL": key, "Username": "u", "Secret": "s"})
    assert frozen.docker("list").json().keys() == keys
    docker("logout", registry.host)
    assert set(calls_in(recorded)) == {f"erase {key}" for key in keys}
    assert frozen.docker("list").json() == {}


def test_the_logins_of_two_registries_are_kept_apart(
    configured: Docker, registry: Registry, frozen: Program, published: str
) -> None:
    other = {"ServerURL": "registry.example:5000", "Username": "bob", "Secret": "other"}
    frozen.docker("store", other)
    assert REFUSED in configured.refused("pull", published)
    configured.login(registry.host, registry.user, registry.secret)
    configured("pull", published)
    configured("logout", registry.host)
    assert frozen.docker("list").json() == {"registry.example:5000": "bob"}
    assert frozen.docker("get", "registry.example:5000").json() == other


def test_a_classic_build_lists_the_logins_and_pulls_its_private_base_image(
    docker: Docker, registry: Registry, published: str, recorded: Path
) -> None:
    docker.configure(credsStore="credlatch")
    docker.login(registry.host, registry.user, registry.secret)
    recorded.unlink()
    docker.home.write("context/Dockerfile", f"FROM {published}\nLABEL built=yes\n")
    docker.home.env["DOCKER_BUILDKIT"] = "0"
    docker("build", "--pull", "--network=none", "context")
    assert calls_in(recorded) == ["list unused", f"get {registry.host}"]


def test_buildkit_pulls_its_private_base_image(
    buildkit: Docker, registry: Registry, published: str, recorded: Path
) -> None:
    docker = buildkit
    docker.configure(credsStore="credlatch")
    docker.home.write("context/Dockerfile", f"FROM {published}\nLABEL built=yes\n")
    build = "build", "--pull", "--network=none", "context"
    assert "401 Unauthorized" in docker.refused(*build)
    docker.login(registry.host, registry.user, registry.secret)
    docker(*build)
    assert f"get {registry.host}" in calls_in(recorded)


def test_login_over_a_broken_store_says_so_and_leaves_it_as_it_is(
    docker: Docker, registry: Registry
) -> None:
    docker.configure(credsStore="credlatch")
    broken = docker.home.write(".rattler/credentials.json", '{"prefix.dev":{"BearerTo')
    login = "login", "--username", registry.user, "--password-stdin", registry.host
    said = docker.refused(*login, stdin=registry.secret)
    assert str(broken) in said
    assert "Traceback" not in said
    assert registry.secret not in said
    assert broken.read_text() == '{"prefix.dev":{"BearerTo'
