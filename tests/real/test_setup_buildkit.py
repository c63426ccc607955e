"""BuildKit's own client, buildx and compose with nothing done before but ``credlatch setup``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.clients import Docker
    from support.home import Home
    from support.program import Program
    from support.registry import Registry
    from support.tool import Tool

CONFIG = ".docker/config.json"
MINE = '{ "auths":{"o.example": {}} }'
COMPOSE = "services: {app: {build: {context: context, network: host}}}\n"
DENIED = ("401 Unauthorized", "authorization failed", "no basic auth credentials")


def see(
    home: Home, registry: Registry, frozen: Program, build: Callable[[], object], tool: str
) -> None:
    """A build from a private base image is denied, then not, then denied again."""
    config = home.write(CONFIG, MINE)
    login = {"username": registry.user, "password": registry.secret}
    home.write_rattler({registry.host: {"BasicHTTP": login}})

    def denied() -> None:
        with pytest.raises(AssertionError) as raised:
            build()
        assert any(text in str(raised.value) for text in DENIED), raised.value

    denied()
    assert frozen("setup", tool, "--yes").code == 0
    assert registry.host in config.read_text()
    build()
    assert frozen("setup", tool, "--undo", "--yes").code == 0
    assert config.read_text() == MINE
    denied()


@pytest.mark.usefixtures("helper")
def test_buildctl(
    buildctl: Tool, registry: Registry, published: str, frozen: Program, home: Home
) -> None:
    home.write("context/Dockerfile", f"FROM {published}\nLABEL built=yes\n")
    see(home, registry, frozen, buildctl, "buildkit")


def test_buildx(buildx: Docker, registry: Registry, published: str, frozen: Program) -> None:
    home = buildx.home
    home.write("context/Dockerfile", f"FROM {published}\nLABEL built=yes\n")
    words = "buildx", "build", "--pull", "--no-cache", "--progress=plain", "context"
    see(home, registry, frozen, lambda: buildx(*words), "buildkit")


def test_compose(compose: Docker, registry: Registry, published: str, frozen: Program) -> None:
    home = compose.home
    home.write("context/Dockerfile", f"FROM {published}\nLABEL built=yes\n")
    home.write("compose.yaml", COMPOSE)
    words = "compose", "build", "--pull", "--no-cache"
    see(home, registry, frozen, lambda: compose(*words), "docker")
