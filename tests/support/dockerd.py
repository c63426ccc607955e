"""A dockerd of the tests' own, with its own containerd: nothing of the system's Docker is used."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING

import pytest

from support import daemon
from support.components import need

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.registry import Registry, TokenRegistry

BASE = "base:1"  # an image that needs no registry: busybox and nothing else


class Dockerd:
    """A running dockerd.

    Attributes:
        host: what DOCKER_HOST must be to speak to it.
        folder: where it keeps all that it has.
    """

    def __init__(self, host: str, folder: Path) -> None:
        self.host = host
        self.folder = folder

    def import_base(self) -> None:
        """Make the image BASE."""
        busybox = Path(need("busybox"))
        archive = ["tar", "-c", "-C", str(busybox.parent), "--transform", "s,^,bin/,", busybox.name]
        with subprocess.Popen(archive, stdout=subprocess.PIPE) as tar:
            self.run("import", "--change", 'CMD ["/bin/busybox"]', "-", BASE, stdin=tar.stdout)
        assert tar.returncode == 0

    def publish(self, registry: Registry, name: str) -> str:
        """Push BASE to a registry as ``name``, without any helper; gives the whole reference."""
        reference = f"{registry.host}/{name}"
        account = base64.b64encode(f"{registry.user}:{registry.secret}".encode()).decode()
        config = {"auths": {registry.host: {"auth": account}}}
        (self.folder / "config.json").write_text(json.dumps(config))
        self.run("tag", BASE, reference)
        self.run("push", reference)
        self.run("rmi", reference)
        return reference

    def run(self, *args: str, stdin: IO[bytes] | None = None) -> None:
        """Let docker do something there, without any helper."""
        env = {"PATH": os.environ.get("PATH", os.defpath), "DOCKER_HOST": self.host}
        env |= {"HOME": str(self.folder), "DOCKER_CONFIG": str(self.folder)}
        done = subprocess.run(
            [need("docker"), *args],
            env=env,
            stdin=stdin or subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, (args, done.stdout)


def _config(program: str, folder: Path) -> Path:
    """A configuration instead of the system's, and no key left in /etc by the versions that do."""
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    version = re.search(r"version (\d+)\.", said.stdout)
    writes_key = version is not None and int(version.group(1)) <= 20
    path = folder / "daemon.json"
    config = {"deprecated-key-path": str(folder / "key.json")} if writes_key else {}
    path.write_text(json.dumps(config))
    return path


def _containerd_config(folder: Path) -> Path:
    path = folder / "containerd.toml"
    path.write_text(f"""version = 2
root = "{folder}/containerd"
state = "{folder}/containerd-run"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = "{folder}/containerd.sock"
""")
    return path


@pytest.fixture(scope="session")
def dockerd() -> Iterator[Dockerd]:
    """A dockerd on a socket of its own, which holds the image BASE."""
    program, containerd = need("dockerd"), need("containerd")
    if os.geteuid() != 0:
        pytest.skip("dockerd must be started by root")
    # Not below pytest's folder: the path of a socket may have about a hundred characters.
    with tempfile.TemporaryDirectory(prefix="dockerd-") as name:
        folder = Path(name)
        socket = folder / "docker.sock"
        command = [
            program,
            f"--config-file={_config(program, folder)}",
            f"--containerd={folder}/containerd.sock",
            f"--data-root={folder}/data",
            f"--exec-root={folder}/exec",
            f"--pidfile={folder}/pid",
            f"--host=unix://{socket}",
            f"--group={os.getgid()}",
            # The machine's network stays as it is.
            "--bridge=none",
            "--iptables=false",
            "--ip-forward=false",
            "--ip-masq=false",
        ]
        below = [containerd, f"--config={_containerd_config(folder)}"]
        with (
            daemon.running(below, folder / "containerd.log") as images,
            daemon.running(command, folder / "dockerd.log", {"TMPDIR": name}) as docker,
        ):
            images.until(lambda: "successfully booted" in images.said() or None)
            docker.until(lambda: "API listen on" in docker.said() or None)
            started = Dockerd(f"unix://{socket}", folder)
            started.import_base()
            yield started
        # Where the root folder is no shared mount, dockerd makes its own one, and leaves it.
        subprocess.run(["umount", "--quiet", "--lazy", folder / "data"], check=False)


@pytest.fixture(scope="session")
def published(dockerd: Dockerd, registry: Registry) -> str:
    """The image BASE in the registry, for those who may pull: its whole reference."""
    return dockerd.publish(registry, "published/base:1")


@pytest.fixture
def token_image(dockerd: Dockerd, token_registry: TokenRegistry) -> str:
    """The same in the registry that has a token server."""
    reference = dockerd.publish(token_registry, "published/base:1")
    token_registry.tokens.requests.clear()
    return reference
