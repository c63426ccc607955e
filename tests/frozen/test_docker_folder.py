"""docker/: its files fit each other and the README; what they build is proved in tests/real."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from credlatch.secrets.shapes import SHAPES
from support.docker_folder import BLOCKS, EXAMPLE, FOLDER, README, TARGETS
from support.program import Answer, run

if TYPE_CHECKING:
    from support.program import Program

DOCKERFILE = (EXAMPLE / "Dockerfile").read_text()
WRAPPER = (EXAMPLE / "with-secrets").read_text()
WORKFLOW = yaml.safe_load((EXAMPLE / "build.yaml").read_text())


def steps() -> list[dict[str, Any]]:
    (job,) = WORKFLOW["jobs"].values()
    found: list[dict[str, Any]] = job["steps"]
    return found


def test_all_blocks_are_known_here() -> None:
    # Each is run by a test below or in tests/real: whoever adds one adds its test.
    assert {head: [kind for kind, _ in blocks] for head, blocks in BLOCKS.items()} == {
        "Base images": ["sh", "json", "json", "json", "sh"],
        "Private indexes": ["dockerfile", "sh"],
        "Dev containers": ["sh", "sh"],
    }


def test_each_file_of_the_folder_is_named() -> None:
    named = re.findall(r"\]\(([^)]+)\)", README)  # tests/unit/test_pages: they are there
    known = {path for path in named if not path.startswith("..")}
    files = {str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*") if path.is_file()}
    assert {"config.json", "auth.json", "example/build.yaml"} <= known <= files | {"example/"}


def test_the_blocks_and_the_files_say_the_same() -> None:
    block = json.loads(BLOCKS["Base images"][1].text)
    for name in ("config.json", "auth.json"):
        assert json.loads((FOLDER / name).read_text()) == block
    assert BLOCKS["Private indexes"][0].text in DOCKERFILE


def test_the_dockerfile_asks_for_what_the_wrapper_gives() -> None:
    given = dict(re.findall(r"--secret id=(\w+),url=https://\S+,as=(\S+)", WRAPPER))
    assert re.findall(r"^FROM \S+ AS (\w+)$", DOCKERFILE, re.MULTILINE) == list(TARGETS)
    assert re.findall(r"--mount=type=secret,id=(\w+),required=true ", DOCKERFILE) == list(given)
    assert DOCKERFILE.count("type=secret") == len(given)
    rows = re.findall(r"^\| (\w+) \| `(\S+)` \| `(.+)` \|$", README, re.MULTILINE)
    assert [tool for tool, *_ in rows] == [*TARGETS, "npm"]
    for tool, shape, step in rows:
        assert shape in SHAPES
        if tool != "npm":  # which the example has not
            assert given[tool] == shape
            assert step.removesuffix(" …") in DOCKERFILE


def test_the_workflow_keeps_secrets_to_the_steps_that_build() -> None:
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert [*WORKFLOW["jobs"]] == ["build"]
    assert "env" not in WORKFLOW
    for step in steps():
        text = json.dumps(step)
        builds = "build-push-action" in text or "buildx bake" in text
        assert ("${{ secrets." in text) == builds
        # A script gets values as variables: what stands in its text would be run.
        assert "${{" not in step.get("run", "")


@pytest.mark.parametrize("script", [WRAPPER, *(s["run"] for s in steps() if "run" in s)])
def test_shellcheck_finds_nothing(script: str) -> None:
    done = subprocess.run(
        [Path(sys.executable).parent / "shellcheck", "--shell=bash", "-"],
        input=f"set -e\n{script}",  # as the runner has bash do
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, ""), done


class TestWrapper:
    """with-secrets, by the program."""

    def test_it_gives_each_shape(self, frozen: Program) -> None:
        for host in ("PYPI", "CONDA"):
            frozen.home.env[f"CREDLATCH_TOKEN_{host}_EXAMPLE_COM"] = f"token-for-{host}"
        done = self._run(frozen, 'cat "$CREDLATCH_SECRETS"/*')
        assert (done.code, done.err) == (0, "")
        url = "https://__token__:token-for-PYPI@pypi.example.com/simple/"
        assert done.out.decode().splitlines() == [
            "[global]",
            f"index-url = {url}",
            '{"conda.example.com": {"BearerToken": "token-for-CONDA"}}',
            f"export UV_DEFAULT_INDEX={url}",
        ]

    def test_without_a_login_nothing_is_built(self, frozen: Program) -> None:
        done = self._run(frozen, "echo built")
        assert (done.code, done.out) == (1, b"")
        assert "no store has a credential for https://pypi.example.com/simple/" in done.err
        asked = frozen("token", "--user", "registry.example.com")
        assert asked.code == 1
        assert "no store has a credential for" in asked.err

    def _run(self, frozen: Program, script: str) -> Answer:
        frozen.put_on_path("credlatch")
        return run(frozen.home, [EXAMPLE / "with-secrets", "sh", "-ec", script])
