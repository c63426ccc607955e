"""docker/example built by docker: the Dockerfile installs, and keeps no secret."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from support.docker_folder import BLOCKS, TARGETS, build_by

if TYPE_CHECKING:
    from pathlib import Path

    from support.docker_folder import Project
    from support.dockerd import Dockerd
    from support.token_server import TokenServer

SETUP = BLOCKS["Base images"][0].text.strip()
LIFETIME = 20  # seconds of a token: pip alone may need some


def test_a_base_image_is_pulled_after_setup_and_not_after_undo(docker_folder: Project) -> None:
    build = f"{build_by('docker build')} --pull"
    # Where there is no login at all, docker asks whichever helper it finds.
    docker_folder.home.write(".docker/config.json", '{"auths": {"o.example": {}}}')
    assert "401 Unauthorized" in docker_folder.refused(build)
    docker_folder(f"{SETUP} --yes")
    docker_folder(build)
    docker_folder(f"{SETUP} --undo --yes")
    assert "401 Unauthorized" in docker_folder.refused(build)


def test_the_step_s_token_is_good_where_that_of_the_build_s_start_has_ended(
    docker_folder: Project, token_server: TokenServer
) -> None:
    docker_folder(f"{SETUP} --yes")
    token_server.lifetime = LIFETIME
    docker_folder.home.env["PAUSE"] = str(LIFETIME + 1)
    docker_folder(build_by("docker build"))
    docker_folder.installed("pip")
    # One before the build starts, to see that each secret can be had, and one at the step; more
    # where the first was half over when the next secret was looked for.
    assert 2 <= len(token_server.posts("/token")) <= len(TARGETS) + 1


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_installs_and_keeps_no_secret(
    docker_folder: Project, dockerd: Dockerd, tmp_path: Path, target: str
) -> None:
    docker_folder(f"{SETUP} --yes")
    said = docker_folder(build_by("docker build").replace("pip", target)).said
    docker_folder.installed(target)
    docker_folder(f"docker save -o saved.tar app:{target}")
    for words in (f"history --no-trunc app:{target}", f"inspect app:{target}"):
        said += docker_folder(f"docker {words}").said
    docker_folder.kept_nowhere(said, dockerd.folder, tmp_path)


@pytest.mark.parametrize("target", TARGETS)
def test_without_its_secret_a_build_ends_at_once(docker_folder: Project, target: str) -> None:
    docker_folder(f"{SETUP} --yes")
    build = build_by("docker build").replace("pip", target).removeprefix("./with-secrets ")
    said = docker_folder.refused(f"DOCKER_BUILDKIT=1 {build}")
    assert re.search(f"secret {target}(:| not found:) not found", said)
    assert docker_folder.server.admitted == docker_folder.server.refused == []


def test_a_new_token_does_not_run_a_step_again(docker_folder: Project) -> None:
    docker_folder(f"{SETUP} --yes")
    build = build_by("docker build")
    docker_folder(build)
    before = len(docker_folder.server.admitted)
    docker_folder.home.env["CACHE"] = ""
    assert "nobody has read the secret 'pip'" in docker_folder(build).err
    assert len(docker_folder.server.admitted) == before
    docker_folder.path.joinpath("requirements.txt").write_text("# another file\nteamlib\n")
    docker_folder(build)
    assert len(docker_folder.server.admitted) > before
