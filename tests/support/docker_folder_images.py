"""The images that docker/'s own files start from, made here and held by the tests' registry."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.components import need
from support.home import Home
from support.images import Tree
from support.uv import Uv

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.dockerd import Dockerd
    from support.registry import Registry

NAMES = {"pip": "base/python:3.13", "uv": "base/uv:python3.13", "pixi": "base/pixi:latest"}
GLIBC = "glibc:1"  # what the frozen program runs on, as any distribution with glibc


class Workshop:
    """Where images are made.

    Args:
        dockerd: takes them.
        folder: where they are put together.
    """

    def __init__(self, dockerd: Dockerd, folder: Path) -> None:
        self._host = dockerd.host
        self._folder = folder

    def tree(self, name: str) -> Tree:
        """What an image is to have, in a folder of its own."""
        path = self._folder / name
        path.mkdir()
        return Tree(path)

    def take(self, tree: Tree, reference: str) -> None:
        """Make it an image of dockerd's."""
        archive = self._folder / f"{tree.path.name}.tar"
        subprocess.run([need("tar"), "-cf", archive, "-C", tree.path, "."], check=True)
        changes = [word for setting in tree.settings for word in ("--change", setting)]
        self._docker("import", *changes, "-", reference, stdin=archive)

    def push(self, registry: Registry, reference: str) -> None:
        """Move an image to the registry, without any helper."""
        account = base64.b64encode(f"{registry.user}:{registry.secret}".encode()).decode()
        config = json.dumps({"auths": {registry.host: {"auth": account}}})
        (self._folder / "config.json").write_text(config)
        self._docker("push", reference)
        self._docker("rmi", reference)

    def _docker(self, *words: str, stdin: Path | None = None) -> None:
        env = {"PATH": os.environ.get("PATH", os.defpath), "DOCKER_HOST": self._host}
        env |= {"HOME": str(self._folder), "DOCKER_CONFIG": str(self._folder)}
        with open(stdin or os.devnull, "rb") as given:
            done = subprocess.run(
                [need("docker"), *words],
                env=env,
                stdin=given,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                check=False,
            )
        assert done.returncode == 0, (words, done.stdout)


@contextmanager
def _workshop(dockerd: Dockerd) -> Iterator[Workshop]:
    with tempfile.TemporaryDirectory(prefix="images-") as name:
        yield Workshop(dockerd, Path(name))


@pytest.fixture(scope="session")
def base_images(
    dockerd: Dockerd, registry: Registry, tmp_path_factory: pytest.TempPathFactory
) -> list[str]:
    """The images that the Dockerfile starts from, in the registry: their references."""
    references = []
    uv, *_ = Uv("0.13.8", Home(tmp_path_factory.mktemp("uv"))).command
    with _workshop(dockerd) as workshop:
        for target, name in NAMES.items():
            tree = workshop.tree(target)
            tree.add_python()
            if target == "uv":
                tree.add(Path(uv), "/usr/local/bin/uv")
            if target == "pixi":
                tree.add_pixi()
            references.append(f"{registry.host}/{name}")
            workshop.take(tree, references[-1])
            workshop.push(registry, references[-1])
    return references


@pytest.fixture(scope="session")
def glibc_image(dockerd: Dockerd, folder: Path) -> str:
    """An image that the frozen program runs in, and that does not have it."""
    with _workshop(dockerd) as workshop:
        tree = workshop.tree("glibc")
        tree.add(folder)
        for library in folder.parent.rglob("*.so*"):
            tree.add_libraries(library)
        (tree.path / str(folder).lstrip("/")).unlink()
        workshop.take(tree, GLIBC)
    return GLIBC
