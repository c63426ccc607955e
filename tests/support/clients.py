"""The container clients that the tests run, each set up by its own files in an isolated home."""

from __future__ import annotations

import base64
import json
import os
import shlex
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support.components import need
from support.tool import Tool

if TYPE_CHECKING:
    from support.dockerd import Dockerd
    from support.home import Home
    from support.program import Answer, Program

HELPER = "docker-credential-credlatch"
REGISTRIES_CONF = ".config/containers/registries.conf"


class Docker(Tool):
    """A docker client, with its config.json."""

    @property
    def config(self) -> dict[str, Any]:
        """What config.json holds now."""
        loaded: dict[str, Any] = json.loads(self._config_json.read_text())
        return loaded

    def configure(self, **settings: object) -> None:
        """Write config.json, replacing what was there."""
        self.home.write(str(self._config_json.relative_to(self.home.path)), json.dumps(settings))

    @property
    def _config_json(self) -> Path:
        folder = self.home.env.get("DOCKER_CONFIG", str(self.home.path / ".docker"))
        return Path(folder, "config.json")

    def login(self, host: str, user: str, secret: str) -> Answer:
        """``docker login``, the secret on standard input."""
        return self("login", "--username", user, "--password-stdin", host, stdin=secret)


def calls_in(recorded: Path) -> list[str]:
    """How the helper was called, each as ``ACTION STDIN``."""
    return [line for line in recorded.read_text().splitlines() if line]


def holders_of(secret: str, user: str, folder: Path) -> list[Path]:
    """The files below ``folder`` that hold the secret, as it is or as the Basic credential."""
    forms = secret.encode(), base64.b64encode(f"{user}:{secret}".encode())
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return [path for path in files if any(form in path.read_bytes() for form in forms)]


@cache
def _all_dockers() -> tuple[str, ...]:
    """Every docker client on PATH: a machine may have its own beside the distribution's."""
    found = (Path(folder, "docker") for folder in os.environ.get("PATH", "").split(os.pathsep))
    return tuple(dict.fromkeys(str(path.resolve()) for path in found if path.is_file()))


@pytest.fixture
def helper(frozen: Program) -> Path:
    """The frozen program on the PATH of the clients, under the name that Docker expects."""
    return frozen.put_on_path(HELPER) / HELPER


@pytest.fixture
def recorded(helper: Path, home: Home) -> Path:
    """A file that tells how clients call the helper: its action and standard input, a line each."""
    log = home.path / "calls"
    script = home.write(
        f"recording/{HELPER}",
        f'#!/bin/sh\nprintf "%s " "$1" >>{log}\n'
        f'tee -a {log} | {shlex.quote(str(helper))} "$1"\nstatus=$?\n'
        f"echo >>{log}\nexit $status\n",
        mode=0o700,
    )
    home.path_begins_with(script.parent)
    return log


def _docker(program: str, dockerd: Dockerd, home: Home) -> Docker:
    home.env["DOCKER_HOST"] = dockerd.host
    return Docker(home, need(program))


@pytest.fixture(params=_all_dockers() or ("docker",))
def docker(request: pytest.FixtureRequest, dockerd: Dockerd, home: Home, helper: Path) -> Docker:
    """Each docker client in turn, with the helper on its PATH, speaking to the tests' dockerd."""
    assert helper.exists()
    client = _docker(request.param, dockerd, home)
    version = client.attempt("version").said
    if "is too new" in version or "is too old" in version:
        pytest.skip(f"{request.param} and dockerd have no version of the API in common")
    return client


@pytest.fixture
def buildkit(dockerd: Dockerd, home: Home, helper: Path) -> Docker:
    """The first docker client that can build with BuildKit: newer ones need a plugin for it."""
    assert helper.exists()
    home.env["DOCKER_BUILDKIT"] = "1"
    for program in _all_dockers():
        client = _docker(program, dockerd, home)
        # It names the plugin that it wants; and the folder, which may be called anything.
        absent = str(home.path / "absent")
        if "buildx" not in client.attempt("build", absent).said.replace(absent, ""):
            return client
    pytest.skip("docker-buildx is not installed")


@pytest.fixture
def skopeo(home: Home, helper: Path) -> Tool:
    """skopeo, with the helper on its PATH."""
    assert helper.exists()
    _containers(home)
    return Tool(home, need("skopeo"))


@pytest.fixture
def buildah(home: Home, helper: Path) -> Tool:
    """buildah, with the helper on its PATH and its images in the home."""
    assert helper.exists()
    _containers(home)
    home.env["CONTAINERS_STORAGE_CONF"] = str(
        home.write(
            "storage.conf",
            f'[storage]\ndriver = "vfs"\ngraphroot = "{home.path}/images"\n'
            f'runroot = "{home.path}/run/images"\n',
        )
    )
    home.env["BUILDAH_ISOLATION"] = "chroot"
    return Tool(home, need("buildah"))


def _containers(home: Home) -> None:
    """Give the containers/* tools configuration of the home's, so that they read no other."""
    home.write(".config/containers/policy.json", '{"default":[{"type":"insecureAcceptAnything"}]}')
    # podman's locks would be in a place that is all podmans'; its helpers are not on all PATHs.
    home.env["CONTAINERS_CONF"] = str(home.write("containers.conf", '[engine]\nlock_type="file"\n'))
    home.env["PATH"] += ":/usr/sbin:/sbin"
    home.write(REGISTRIES_CONF, "")
    home.env["REGISTRY_AUTH_FILE"] = str(home.write("auth.json", "{}"))
    home.env["TMPDIR"] = str(home.path / "run")
