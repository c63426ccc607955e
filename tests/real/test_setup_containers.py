"""podman, buildah and skopeo with nothing done before but ``credlatch setup podman``."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from support.clients import REGISTRIES_CONF
from support.components import need
from support.tool import Tool

if TYPE_CHECKING:
    from pathlib import Path

    from support.home import Home
    from support.program import Program
    from support.registry import Registry

AUTH = ".config/containers/auth.json"
# What is there before, for one of them each.
AUTHS = {"skopeo": "", "buildah": '{ "auths" : {}\n}', "podman": '{"credHelpers":{"o":"x"}}'}
CONFS = {"skopeo": "# mine\n", "buildah": 'credential-helpers = ["containers-auth.json"]\n'}
INSECURE = "--tls-verify=false"  # the registry is on loopback, without TLS


@pytest.fixture(params=["skopeo", "buildah", "podman"])
def ask(request: pytest.FixtureRequest, buildah: Tool, published: str) -> list[str]:
    """How one of them is told to fetch the image; they read what any of them would."""
    home = buildah.home
    # Where nothing is named, each looks where it always does.
    (home.path / home.env.pop("REGISTRY_AUTH_FILE")).unlink()
    (home.path / REGISTRIES_CONF).unlink()
    if request.param == "skopeo":
        return [need("skopeo"), "inspect", INSECURE, f"docker://{published}"]
    again = ["--policy=always"] if request.param == "buildah" else []  # podman always asks
    return [need(request.param), "pull", INSECURE, "--quiet", *again, published]


@pytest.fixture
def client(ask: list[str], home: Home) -> Tool:
    """One of them, told to fetch the image."""
    return Tool(home, *ask)


def name_of(client: Tool) -> str:
    return os.path.basename(client.command[0])


def log_in(home: Home, registry: Registry) -> None:
    login = {"username": registry.user, "password": registry.secret}
    home.write_rattler({registry.host: {"BasicHTTP": login}})


def done(program: Program, *words: str) -> None:
    answer = program("setup", "podman", *words, "--yes")
    assert answer.code == 0, answer


def files(home: Home) -> dict[Path, bytes]:
    """The configuration."""
    folder = home.path / ".config"
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_it_fetches_after_setup_and_not_after_undo(
    client: Tool, registry: Registry, frozen: Program
) -> None:
    home = client.home
    log_in(home, registry)
    if there := AUTHS[name_of(client)]:
        home.write(AUTH, there)
    before = files(home)
    assert "unauthorized" in client.refused()
    done(frozen)
    assert json.loads((home.path / AUTH).read_text())["credHelpers"][registry.host] == "credlatch"
    client()
    done(frozen, "--undo")
    assert files(home) == before
    assert "unauthorized" in client.refused()


def test_for_all_registries_too(client: Tool, registry: Registry, frozen: Program) -> None:
    home = client.home
    log_in(home, registry)
    if there := CONFS.get(name_of(client)):
        home.write(REGISTRIES_CONF, there)
    before = files(home)
    assert "unauthorized" in client.refused()
    done(frozen, "--all-hosts")
    client()
    done(frozen, "--undo")
    assert files(home) == before


def test_skopeo_logs_in_and_out_through_us(
    ask: list[str], home: Home, registry: Registry, frozen: Program
) -> None:
    skopeo = Tool(home, need("skopeo"))
    done(frozen, "--all-hosts")
    login = "login", INSECURE, "--username", registry.user, "--password-stdin", registry.host
    skopeo(*login, stdin=registry.secret)
    Tool(home, *ask)()
    skopeo("logout", registry.host)
    assert "unauthorized" in Tool(home, *ask).refused()
