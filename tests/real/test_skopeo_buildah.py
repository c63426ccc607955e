"""skopeo and buildah, which know credential helpers from auth.json and from registries.conf."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from support.clients import REGISTRIES_CONF, calls_in, holders_of

if TYPE_CHECKING:
    from pathlib import Path

    from support.home import Home
    from support.program import Program
    from support.registry import Registry
    from support.tool import Tool

INSECURE = "--tls-verify=false"  # the registry is on loopback, without TLS


@pytest.fixture(params=["credHelpers of auth.json", "credential-helpers of registries.conf"])
def configured(request: pytest.FixtureRequest, skopeo: Tool, registry: Registry) -> Tool:
    """skopeo, told in either of the two ways to ask credlatch."""
    if "auth.json" in request.param:
        _use_for(registry, skopeo.home)
    else:
        skopeo.home.write(REGISTRIES_CONF, 'credential-helpers = ["credlatch"]\n')
    return skopeo


def _use_for(registry: Registry, home: Home) -> None:
    home.write("auth.json", json.dumps({"credHelpers": {registry.host: "credlatch"}}))


def _store(program: Program, registry: Registry) -> None:
    entry = {"ServerURL": registry.host, "Username": registry.user, "Secret": registry.secret}
    assert program.docker("store", entry).code == 0


def test_skopeo_inspects_and_copies_a_private_image(
    configured: Tool, registry: Registry, published: str, frozen: Program
) -> None:
    source = f"docker://{published}"
    assert "unauthorized" in configured.refused("inspect", INSECURE, source)
    _store(frozen, registry)
    inspected = json.loads(configured("inspect", INSECURE, source).out)
    assert inspected["Name"] == published.rpartition(":")[0]
    configured("copy", "--src-tls-verify=false", source, f"dir:{configured.home.path}/copy")
    assert (configured.home.path / "copy/manifest.json").exists()


def test_skopeo_asks_for_host_and_port(
    skopeo: Tool, registry: Registry, published: str, frozen: Program, recorded: Path
) -> None:
    _use_for(registry, skopeo.home)
    _store(frozen, registry)
    skopeo("inspect", INSECURE, f"docker://{published}")
    assert set(calls_in(recorded)) == {f"get {registry.host}"}


def test_skopeo_logs_in_and_out_through_the_helper(
    configured: Tool, registry: Registry, frozen: Program
) -> None:
    skopeo = configured
    login = "login", INSECURE, "--username", registry.user, "--password-stdin", registry.host
    skopeo(*login, stdin=registry.secret)
    stored = frozen.docker("get", registry.host).json()
    assert (stored["Username"], stored["Secret"]) == (registry.user, registry.secret)
    holders = holders_of(registry.secret, registry.user, skopeo.home.path)
    assert holders == [skopeo.home.path / ".rattler/credentials.json"]
    assert skopeo("login", "--get-login", registry.host).said.strip() == registry.user

    skopeo("logout", registry.host)
    assert frozen.docker("list").json() == {}
    assert holders_of(registry.secret, registry.user, skopeo.home.path) == []


def test_skopeo_gets_no_login_that_names_no_port(
    configured: Tool, registry: Registry, published: str
) -> None:
    host = registry.host.partition(":")[0]
    account = {"BasicHTTP": {"username": registry.user, "password": registry.secret}}
    configured.home.write_rattler({host: account})
    assert "unauthorized" in configured.refused("inspect", INSECURE, f"docker://{published}")


def test_skopeo_logout_where_nobody_is_logged_in_does_not_crash(
    configured: Tool, registry: Registry
) -> None:
    assert "Removed login credentials" in configured("logout", registry.host).said


def test_buildah_takes_a_private_image_as_base_and_pushes_the_result(
    buildah: Tool, registry: Registry, published: str, frozen: Program
) -> None:
    _use_for(registry, buildah.home)
    base = "from", INSECURE, "--name", "work", published
    assert "unauthorized" in buildah.refused(*base)
    _store(frozen, registry)
    buildah(*base)
    # Not by what it prints: on a busy machine buildah may end before it has passed that on.
    buildah("run", "work", "--", "/bin/busybox", "touch", "/it-runs")
    buildah("run", "work", "--", "/bin/busybox", "test", "-e", "/it-runs")
    buildah.refused("run", "work", "--", "/bin/busybox", "test", "-e", "/it-does-not")
    image = f"{registry.host}/built/by-buildah:1"
    buildah("commit", "work", image)
    buildah("push", INSECURE, image)
