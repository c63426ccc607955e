"""BuildKit of today, which distributions have not got yet: its daemon, and docker's plugins."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support import daemon
from support.components import need
from support.tool import Tool

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.clients import Docker
    from support.home import Home

COMPOSE_AT_LEAST = 2  # the first that is a plugin, and builds with secrets


class Buildkitd:
    """A running buildkitd.

    Attributes:
        address: what ``--addr`` must be to speak to it.
        folder: where it keeps all that it has.
    """

    def __init__(self, address: str, folder: Path) -> None:
        self.address = address
        self.folder = folder


@pytest.fixture(scope="session")
def buildkitd() -> Iterator[Buildkitd]:
    """A buildkitd of the tests' own."""
    program = need("buildkitd")
    need("runc")
    # Not below pytest's folder: the path of a socket may have about a hundred characters.
    with tempfile.TemporaryDirectory(prefix="buildkitd-") as name:
        folder = Path(name)
        address = f"unix://{folder}/socket"
        config = folder / "buildkitd.toml"
        config.write_text("")
        command = [
            program,
            f"--config={config}",
            f"--addr={address}",
            f"--root={folder}/root",
            "--containerd-worker=false",
            "--oci-worker=true",
            "--oci-worker-net=host",
        ]
        with daemon.running(command, folder / "log", {"HOME": name, "TMPDIR": name}) as process:
            process.until(lambda: "running server" in process.said() or None)
            yield Buildkitd(address, folder)


@pytest.fixture
def buildctl(buildkitd: Buildkitd, home: Home) -> Tool:
    """buildctl, told to build the Dockerfile in the home's folder ``context``."""
    shutil.copy(need("busybox"), home.write("context/busybox", ""))
    context = ["--local", "context=context", "--local", "dockerfile=context"]
    command = [need("buildctl"), "--addr", buildkitd.address, "build", "--progress=plain"]
    return Tool(home, *command, "--no-cache", "--frontend=dockerfile.v0", *context)


def _plugin(docker: Docker, name: str) -> None:
    path = docker.home.path / ".docker/cli-plugins" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        path.symlink_to(need(name))


@pytest.fixture
def buildx(docker: Docker) -> Docker:
    """Each docker client in turn, with the plugin that builds."""
    _plugin(docker, "docker-buildx")
    return docker


@pytest.fixture
def compose(buildx: Docker) -> Docker:
    """The same with the plugin compose, too."""
    said = subprocess.run(
        [need("docker-compose"), "version", "--short"], capture_output=True, text=True, check=True
    )
    if int(said.stdout.strip().lstrip("v").split(".")[0]) < COMPOSE_AT_LEAST:
        pytest.skip("docker-compose is of version 1")
    _plugin(buildx, "docker-compose")
    return buildx
