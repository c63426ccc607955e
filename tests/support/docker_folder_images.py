"""The images that docker/'s own files start from, made here and held by the tests' registry."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import platform
import subprocess
import tempfile
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import pytest

from support.components import need
from support.home import Home
from support.images import Tree
from support.installed import PROGRAM
from support.uv import Uv

if TYPE_CHECKING:
    from collections.abc import Sequence

    from support.dockerd import Dockerd
    from support.registry import Registry

NAMES = {"pip": "base/python:3.13", "uv": "base/uv:python3.13", "pixi": "base/pixi:latest"}
GLIBC = "glibc:1"  # what the frozen program runs on, as any distribution with glibc
_OCI = "application/vnd.oci.image"
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True)
class Layer:
    """A part of an image, not compressed: nothing packs or unpacks it.

    Attributes:
        archive: the file.
        digest: of the file.
        env: as of the tree that it is made of.
    """

    archive: Path
    digest: str
    env: Sequence[str]

    @classmethod
    def of(cls, tree: Tree) -> Layer:
        """Make a tree a layer, in a file beside it."""
        archive = tree.path.with_suffix(".tar")
        owner = ("--owner=0", "--group=0")
        subprocess.run([need("tar"), *owner, "-cf", archive, "-C", tree.path, "."], check=True)
        with archive.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return cls(archive, f"sha256:{digest}", tree.env)


class _Pushing:
    """What puts images into a registry (OCI distribution specification, "Push")."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def image(self, name: str, *layers: Layer) -> None:
        """Put an image there, whose name has a tag."""
        repository, _, tag = name.partition(":")
        config = {
            "architecture": _MACHINES.get(platform.machine(), platform.machine()),
            "os": "linux",
            "config": {"Env": [each for layer in layers for each in layer.env], "Cmd": ["/bin/sh"]},
            "history": [{"created_by": "the tests"} for _ in layers],
            "rootfs": {"type": "layers", "diff_ids": [layer.digest for layer in layers]},
        }
        described = []
        for layer in layers:
            with layer.archive.open("rb") as file:
                self._blob(repository, layer.digest, file)
            described.append(_described("layer.v1.tar", layer.digest, layer.archive.stat().st_size))
        data = json.dumps(config).encode()
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        self._blob(repository, digest, data)
        kind = f"{_OCI}.manifest.v1+json"
        manifest = {
            "schemaVersion": 2,
            "mediaType": kind,
            "config": _described("config.v1+json", digest, len(data)),
            "layers": described,
        }
        location = f"/v2/{repository}/manifests/{tag}"
        self._send("PUT", location, json.dumps(manifest).encode(), {"Content-Type": kind})

    def _blob(self, repository: str, digest: str, content: bytes | IO[bytes]) -> None:
        begun = self._send("POST", f"/v2/{repository}/blobs/uploads/", b"", {})
        size = len(content) if isinstance(content, bytes) else os.fstat(content.fileno()).st_size
        kind = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
        self._send("PUT", f"{begun}&digest={digest}", content, kind)

    def _send(
        self, method: str, location: str, content: bytes | IO[bytes], headers: dict[str, str]
    ) -> str:
        registry = self._registry
        account = base64.b64encode(f"{registry.user}:{registry.secret}".encode()).decode()
        connection = HTTPConnection(registry.host)
        try:
            sent = {**headers, "Authorization": f"Basic {account}"}
            connection.request(
                method, location.removeprefix(f"http://{registry.host}"), content, sent
            )
            answer = connection.getresponse()
            assert answer.status in {201, 202}, (method, location, answer.status, answer.read())
            return answer.headers["Location"]
        finally:
            connection.close()


def _described(kind: str, digest: str, size: int) -> dict[str, Any]:
    return {"mediaType": f"{_OCI}.{kind}", "digest": digest, "size": size}


def _tree(folder: str, name: str) -> Tree:
    path = Path(folder) / name
    path.mkdir()
    return Tree(path)


@pytest.fixture(scope="session")
def base_images(registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The images that the Dockerfile starts from, in the registry: their references."""
    uv, *_ = Uv("0.13.8", Home(tmp_path_factory.mktemp("uv"))).command
    with tempfile.TemporaryDirectory(prefix="images-") as folder:
        trees = {target: _tree(folder, target) for target in NAMES}
        trees["pip"].add_python()
        trees["uv"].add(Path(uv), "/usr/local/bin/uv")
        trees["pixi"].add_pixi()
        made = {target: Layer.of(tree) for target, tree in trees.items()}
        for target, name in NAMES.items():
            parts = [made["pip"]] if target == "pip" else [made["pip"], made[target]]
            _Pushing(registry).image(name, *parts)
    return [f"{registry.host}/{name}" for name in NAMES.values()]


@pytest.fixture(scope="session")
def glibc_image(dockerd: Dockerd, folder: Path) -> str:
    """An image that the frozen program runs in, and that does not have it."""
    with tempfile.TemporaryDirectory(prefix="images-") as name:
        tree = _tree(name, "glibc")
        tree.add(folder)
        inside = folder.parent / "_internal"
        for linked in (inside / PROGRAM, *inside.rglob("*.so*")):
            tree.add_libraries(linked)
        (tree.path / str(folder).lstrip("/")).unlink()
        env = [word for each in tree.env for word in ("--change", f"ENV {each}")]
        with Layer.of(tree).archive.open("rb") as archive:
            dockerd.run("import", *env, "-", GLIBC, stdin=archive)
    return GLIBC
