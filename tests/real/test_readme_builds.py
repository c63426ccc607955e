"""The README's step, built by docker as its command says, from an index that wants a token."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.page import Page

if TYPE_CHECKING:
    from pathlib import Path

    from support.docker_folder import Project
    from support.dockerd import Dockerd

STEP, COMMAND = (block.text for block in Page("README.md").blocks["BuildKit"])


def test_a_step_installs_from_a_private_index_and_keeps_no_secret(
    docker_folder: Project, dockerd: Dockerd, tmp_path: Path
) -> None:
    docker_folder("credlatch setup docker --yes")
    start = f"FROM {docker_folder.registry.host}/base/python:3.13\nCOPY requirements.txt .\n"
    docker_folder.path.joinpath("Dockerfile").write_text(start + STEP)
    said = docker_folder(COMMAND).said
    docker_folder.installed("pip")
    docker_folder.kept_nowhere(said, dockerd.folder, tmp_path)
