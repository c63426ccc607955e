"""docker buildx, bake and compose."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest

from support.dockerd import BASE

if TYPE_CHECKING:
    from support.clients import Docker
    from support.program import Answer, Program

STEP = "RUN --mount=type=secret,id=token wc -c /run/secrets/token"
DOCKERFILE = f'FROM {BASE}\nRUN ["/bin/busybox", "--install", "/bin"]\n{STEP}\n'
TOKEN = "x" * 3000
SECRET = ("--secret", "id=token,url=https://packages.example.com/")


def _prepare(docker: Docker) -> None:
    docker.home.env["CREDLATCH_TOKEN_PACKAGES_EXAMPLE_COM"] = TOKEN
    docker.home.write("context/Dockerfile", DOCKERFILE)


def read(answer: Answer) -> int:
    """How many steps have read the secret, whole."""
    assert answer.code == 0, answer
    assert TOKEN not in answer.err + answer.out.decode()
    return len(re.findall(r" 3000 /run/secrets/token", answer.err + answer.out.decode()))


def run(program: Program, docker: Docker, *words: str, secret: tuple[str, str] = SECRET) -> Answer:
    return program("secrets", *secret, "--", *docker.command, *words)


@pytest.mark.parametrize("words", ["build", "buildx build", "--debug image build", "builder build"])
def test_buildx(buildx: Docker, frozen: Program, words: str) -> None:
    _prepare(buildx)
    options = ("--no-cache", "--network=none", "--progress=plain", "context")
    assert read(run(frozen, buildx, *words.split(), *options)) == 1


BAKE = """
target "default" {
  context = "context"
  network = "none"
}
"""
NAMED = """
variable "CREDLATCH_SECRETS" {}
target "default" {
  context = "context"
  network = "none"
  secret = ["id=other,env=OTHER", "id=token,src=${CREDLATCH_SECRETS}/token"]
}
"""


@pytest.mark.parametrize(("file", "kind"), [(BAKE, "--secret"), (NAMED, "--as-env")])
def test_bake_needs_nothing_in_its_file(
    buildx: Docker, frozen: Program, file: str, kind: str
) -> None:
    _prepare(buildx)
    buildx.home.write("docker-bake.hcl", file)
    words = ("buildx", "bake", "--no-cache", "--progress=plain")
    assert read(run(frozen, buildx, *words, secret=(kind, SECRET[1]))) == 1


def test_bake_keeps_the_secrets_of_its_file(buildx: Docker, frozen: Program) -> None:
    _prepare(buildx)
    buildx.home.write("docker-bake.hcl", NAMED)
    buildx.home.env["OTHER"] = "another"
    text = f"{DOCKERFILE}RUN --mount=type=secret,id=other cat /run/secrets/other\n"
    buildx.home.write("context/Dockerfile", text)
    answer = run(frozen, buildx, "buildx", "bake", "--no-cache", "--progress=plain")
    assert read(answer) == 1
    assert re.search(r"^#\d+ [\d.]+ another", answer.err, re.MULTILINE)


COMPOSE = """
services:
  app:
    build:
      context: context
      network: none
      secrets: [token]
secrets:
  token:
"""
LIVE = COMPOSE + "    file: ${CREDLATCH_SECRETS:?run this in credlatch secrets}/token\n"
ONCE = COMPOSE + "    environment: token\n"


@pytest.mark.parametrize("bake", ["true", "false"])
def test_compose_reads_the_file_that_its_own_file_names(
    compose: Docker, frozen: Program, bake: str
) -> None:
    _prepare(compose)
    compose.home.env["COMPOSE_BAKE"] = bake
    compose.home.write("compose.yaml", LIVE)
    words = ("compose", "--progress=plain", "build", "--no-cache")
    assert "run this in credlatch secrets" in compose.refused(*words)
    assert read(run(frozen, compose, *words)) == 1


def test_compose_reads_a_variable(compose: Docker, frozen: Program) -> None:
    _prepare(compose)
    compose.home.write("compose.yaml", ONCE)
    words = ("compose", "--progress=plain", "build", "--no-cache")
    assert read(run(frozen, compose, *words, secret=("--as-env", SECRET[1]))) == 1


def test_a_script_may_call_any_of_them(buildx: Docker, frozen: Program) -> None:
    _prepare(buildx)
    secret = "--secret=id=token,src=$CREDLATCH_SECRETS/token"
    script = (
        f"{buildx.command[0]} build --network=none --no-cache --progress=plain {secret} context"
    )
    buildx.home.write("build.sh", f"#!/bin/sh\n{script}\n", mode=0o700)
    path = os.path.join(buildx.home.path, "build.sh")
    assert read(frozen("secrets", *SECRET, "--", path)) == 1
