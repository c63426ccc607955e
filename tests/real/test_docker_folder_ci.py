"""docker/example/build.yaml, step by step, by something that stands for GitHub's runner."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from support.components import need
from support.docker_folder import TARGETS
from support.in_memory import SHM
from support.program import run
from support.search import holders, holds

if TYPE_CHECKING:
    from support.buildkit import Buildkitd
    from support.docker_folder import Project

TOKEN = "a-token-of-the-repository-0123456789"


class Runner:
    """What runs a job's steps.

    Attributes:
        said: all that they have said.
    """

    def __init__(self, project: Project, context: dict[str, str]) -> None:
        self.said = ""
        self._project = project
        self._context = context
        self._temporary = project.home.path / "temporary"
        self._temporary.mkdir()
        self._paths = project.home.write("paths", "")

    def run(self, step: dict[str, Any]) -> None:
        """Run a step, which must succeed."""
        script = step.get("run") or self._action(step["uses"], step.get("with", {}))
        home = self._project.home
        env = {**home.env, "RUNNER_TEMP": str(self._temporary), "GITHUB_PATH": str(self._paths)}
        env |= {name: self._evaluated(text) for name, text in step.get("env", {}).items()}
        env["PATH"] = os.pathsep.join([*self._paths.read_text().split()[::-1], home.env["PATH"]])
        path = home.write("step.sh", script)
        answer = run(home, [need("bash"), "-e", path], cwd=self._project.path, env=env)
        self.said += answer.said
        assert answer.code == 0, (step, answer)

    def _evaluated(self, text: str) -> str:
        return re.sub(r"\$\{\{ (\S+) \}\}", lambda found: self._context[found[1]], text)

    def _action(self, name: str, inputs: dict[str, Any]) -> str:
        """What an action runs: of docker/build-push-action, as its src/context.ts has it (v7)."""
        if not name.startswith("docker/build-push-action@"):
            return ":"  # the project is there, and so is the builder
        files = f"--iidfile {self._temporary}/iid --metadata-file {self._temporary}/metadata"
        words = f"--tag {inputs['tags']} --target {inputs['target']}"
        assert inputs["push"] is True
        return (
            "docker version; docker buildx version; docker buildx inspect; "
            f"docker buildx build {files} {words} --push {inputs['context']}"
        )


@pytest.fixture
def state(docker_folder: Project, buildkitd: Buildkitd) -> Path:
    """What docker/setup-buildx-action leaves behind: a builder; the folder of all that it has."""
    for name in ("docker-buildx", "docker-compose"):
        docker_folder.plugin(name)
    docker_folder(f"docker buildx create --use --name builder --driver remote {buildkitd.address}")
    return buildkitd.folder


def test_the_workflow_builds_and_pushes_and_writes_no_secret_down(
    docker_folder: Project, state: Path, single: Path, tmp_path: Path
) -> None:
    project = docker_folder
    registry = project.registry
    project.store.unlink()  # nobody has logged in on a runner
    project.server.accepts = lambda authorization: holds(authorization.encode(), [TOKEN])
    project.forget_program()
    (digest, *_) = subprocess.run(
        [need("sha256sum"), single], capture_output=True, text=True, check=True
    ).stdout.split()
    context = {
        "vars.CREDLATCH_URL": single.as_uri(),
        "vars.CREDLATCH_SHA256": digest,
        "vars.REGISTRY_USERNAME": registry.user,
        "secrets.REGISTRY_PASSWORD": registry.secret,
        "secrets.PYPI_TOKEN": TOKEN,
        "secrets.CONDA_TOKEN": TOKEN,
    }
    workflow = yaml.safe_load((project.path / "build.yaml").read_text())
    (job,) = workflow["jobs"].values()
    runner = Runner(project, context)
    admitted = []
    for step in job["steps"]:
        runner.run(step)
        admitted.append(len(project.server.admitted))

    assert sorted(set(admitted))[0] == 0
    assert len(set(admitted)) == 3  # two steps build
    project.installed(*TARGETS)
    secrets = [TOKEN, registry.secret]
    assert not holds(runner.said.encode(), secrets)
    assert holders(secrets, tmp_path, state, SHM) == []
    path = Path(str(project.home.path)) / ".local/bin"
    project.home.env["PATH"] += f"{os.pathsep}{path}"
    project.home.write_rattler(
        {registry.host: {"BasicHTTP": {"username": registry.user, "password": registry.secret}}}
    )
    for tag in ("latest", *TARGETS):
        project(f"docker buildx imagetools inspect registry.example.com/team/app:{tag}")


def test_a_program_that_is_not_the_one_is_not_installed(
    docker_folder: Project, single: Path
) -> None:
    docker_folder.forget_program()
    context = {"vars.CREDLATCH_URL": single.as_uri(), "vars.CREDLATCH_SHA256": "0" * 64}
    workflow = yaml.safe_load((docker_folder.path / "build.yaml").read_text())
    (job,) = workflow["jobs"].values()
    (install,) = [step for step in job["steps"] if step.get("name") == "Install credlatch"]
    with pytest.raises(AssertionError, match="did NOT match"):
        Runner(docker_folder, context).run(install)
    assert not (docker_folder.home.path / ".local").exists()
