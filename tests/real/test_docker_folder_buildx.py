"""docker/example built by buildx, bake and compose on a BuildKit of today."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from support.docker_folder import (
    TARGETS,
    build_by,
)

if TYPE_CHECKING:
    from pathlib import Path

    from support.buildkit import Buildkitd
    from support.docker_folder import Project
    from support.dockerd import Dockerd

BAKE = build_by("docker buildx bake")
COMPOSE = build_by("docker compose build")


@pytest.fixture(autouse=True)
def state(docker_folder: Project, buildkitd: Buildkitd) -> Path:
    """docker with its plugins, which build by buildkitd; the folder of all that buildkitd has."""
    for name in ("docker-buildx", "docker-compose"):
        docker_folder.plugin(name)
    docker_folder("credlatch setup docker --yes")
    docker_folder(f"docker buildx create --name tests --driver remote {buildkitd.address}")
    docker_folder.home.env["BUILDX_BUILDER"] = "tests"
    return buildkitd.folder


def test_a_plugin_builds_a_target_and_pushes_it(
    docker_folder: Project, state: Path, tmp_path: Path
) -> None:
    image = "registry.example.com/team/app:uv"
    build = build_by("docker buildx build").replace("app:uv", f"{image} --push")
    said = docker_folder(build).said
    docker_folder.installed("uv")
    said += docker_folder(f"docker buildx imagetools inspect --raw {image}").said
    docker_folder.kept_nowhere(said, state, tmp_path)


def test_bake_builds_all_with_no_secret_in_its_file(
    docker_folder: Project, state: Path, tmp_path: Path
) -> None:
    printed = docker_folder("docker buildx bake --file docker-bake.hcl --print").out.decode()
    targets = json.loads(printed)["target"]
    assert {target["target"] for target in targets.values()} == set(TARGETS)
    assert {target["tags"][0] for target in targets.values()} == {f"app:{t}" for t in TARGETS}
    assert "secret" not in printed

    # Without --file it reads what is for compose, too.
    assert "use ./with-secrets" in docker_folder.refused("docker buildx bake --print")

    said = docker_folder(BAKE).said
    assert "credlatch: " not in said
    docker_folder.installed(*TARGETS)
    docker_folder.kept_nowhere(said, state, tmp_path)


def test_compose_builds_all_by_the_files_that_it_names(
    docker_folder: Project, dockerd: Dockerd, state: Path, tmp_path: Path
) -> None:
    printed = docker_folder("./with-secrets docker compose config --format json")
    services = json.loads(printed.out)["services"]
    for target in TARGETS:
        assert services[target]["build"]["target"] == target
        assert services[target]["build"]["secrets"][0]["source"] == target
    assert "nobody has read the secret" in printed.err
    assert "use ./with-secrets" in docker_folder.refused("docker compose build")

    said = docker_folder(COMPOSE).said
    assert "nobody has read" not in said
    docker_folder.installed(*TARGETS)
    docker_folder.kept_nowhere(said, state, dockerd.folder, tmp_path)


def test_without_its_secret_a_build_ends_at_once(docker_folder: Project) -> None:
    said = docker_folder.refused(build_by("docker buildx build").removeprefix("./with-secrets "))
    assert "secret uv: not found" in said
    assert docker_folder.server.admitted == docker_folder.server.refused == []


def test_a_helper_that_is_not_on_path_is_said(docker_folder: Project) -> None:
    docker_folder.forget_program()
    said = docker_folder.refused("docker buildx build --target pip .")
    assert 'exec: "docker-credential-credlatch": executable file not found in $PATH' in said
