"""docker/example built by podman and buildah, and the blocks for config.json and auth.json."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from support.components import need
from support.docker_folder import BLOCKS, FOLDER, TARGETS, build_by

if TYPE_CHECKING:
    from pathlib import Path

    from support.clients import Docker
    from support.docker_folder import Project
    from support.tool import Tool

SETUP = BLOCKS["Base images"][4].text.strip()
CONFIG, STORE, BOTH = (BLOCKS["Base images"][number].text for number in (1, 2, 3))


@pytest.fixture(params=["podman", "buildah"])
def tool(request: pytest.FixtureRequest, project: Project, buildah: Tool) -> str:
    """One of them on PATH, with images in the home; it takes registries on loopback without TLS."""
    home = project.home
    assert buildah.home is home
    (home.path / home.env.pop("REGISTRY_AUTH_FILE")).unlink()
    name: str = request.param
    options = "--tls-verify=false --isolation=chroot"
    script = f"""#!/bin/sh
if test "$1" = build; then shift; set -- build {options} --network=host "$@"; fi
exec {need(name)} "$@"
"""
    home.write(f"bin/{name}", script, 0o700)
    home.env["PATH"] = f"{home.path}/bin{os.pathsep}{home.env['PATH']}"
    return name


@pytest.mark.parametrize(
    ("tool", "targets"), [("podman", ("uv",)), ("buildah", TARGETS)], indirect=["tool"]
)
def test_targets_install_and_keep_no_secret(
    tool: str, project: Project, tmp_path: Path, targets: tuple[str, ...]
) -> None:
    build = build_by(f"{tool} build")
    (written,) = [target for target in TARGETS if f"--target {target} " in build]
    assert "unauthorized" in project.refused(build)
    project(f"{SETUP} --yes")
    said = ""
    for target in targets:
        said += project(build.replace(written, target)).said
        project.installed(target)
        said += project(f"{tool} inspect app:{target}").said
    project.kept_nowhere(said, tmp_path)


def test_without_its_secret_a_build_ends(tool: str, project: Project) -> None:
    project(f"{SETUP} --yes")
    said = project.refused(build_by(f"{tool} build").removeprefix("./with-secrets "))
    assert "secret required but no secret with id" in said
    assert project.server.admitted == project.server.refused == []


@pytest.mark.parametrize("text", [(FOLDER / "config.json").read_text(), CONFIG, STORE, BOTH])
def test_docker_pulls_by_the_blocks_of_config_json(docker_folder: Project, text: str) -> None:
    pull = "docker pull registry.example.com/base/python:3.13"
    docker_folder.home.write(".docker/config.json", '{"auths": {"o.example": {}}}')
    assert "no basic auth credentials" in docker_folder.refused(pull)
    docker_folder.home.write(".docker/config.json", docker_folder.here(text))
    docker_folder(pull)


def test_skopeo_reads_the_block_of_auth_json(project: Project, skopeo: Tool) -> None:
    del project.home.env["REGISTRY_AUTH_FILE"]
    image = f"docker://{project.registry.host}/base/python:3.13"
    look = ("inspect", "--tls-verify=false", image)
    assert "unauthorized" in skopeo.refused(*look)
    text = (FOLDER / "auth.json").read_text()
    project.home.write(".config/containers/auth.json", project.here(text))
    skopeo(*look)


def test_the_catch_all_keeps_logins_where_all_can_use_them(
    docker_folder: Project, buildkit: Docker
) -> None:
    """What the README says of it."""
    registry, home = docker_folder.registry, docker_folder.home
    docker_folder.store.unlink()
    home.write(".docker/config.json", STORE)
    buildkit.login(registry.host, registry.user, registry.secret)
    assert registry.host in home.read_rattler()
    docker_folder(f"docker pull {registry.host}/base/python:3.13")
