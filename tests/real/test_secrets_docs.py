"""The files that docs/secrets.md shows, built as they stand by docker."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from support.dockerd import BASE
from support.page import Page

if TYPE_CHECKING:
    from support.clients import Docker
    from support.guarded import Guarded
    from support.program import Program

PAGE = Page("docs/secrets.md")
SITE = "https://pypi.example.com"
TOKEN = "t0k3n-of-these-tests"

pytestmark = pytest.mark.usefixtures("runtime")


def block(kind: str) -> str:
    """The one block of a kind."""
    (found,) = PAGE.of_kind(kind)
    return found


@pytest.fixture
def step(guarded: Guarded, frozen: Program) -> str:
    """The Dockerfile that is shown, of a server that there is."""
    guarded.accepts = f"Bearer {TOKEN}".__eq__
    guarded.files["/simple/"] = b"content"
    frozen.home.env["CREDLATCH_TOKEN_PYPI_EXAMPLE_COM"] = TOKEN
    start = f'FROM {BASE}\nRUN ["/bin/busybox", "--install", "/bin"]\n'
    return start + block("dockerfile").replace(SITE, guarded.url)


@pytest.fixture
def secret() -> tuple[str, str]:
    """The first command's."""
    found = re.search(
        r"^credlatch secrets (--secret) (\S+) -- docker build", PAGE.text, re.MULTILINE
    )
    assert found is not None
    return found[1], found[2]


def test_the_dockerfile(
    buildkit: Docker, frozen: Program, guarded: Guarded, step: str, secret: tuple[str, str]
) -> None:
    frozen.home.write("Dockerfile", step)
    words = ("build", "--no-cache", "--network=host", ".")
    answer = frozen("secrets", *secret, "--", *buildkit.command, *words)
    assert answer.code == 0, answer
    assert [visit.path for visit in guarded.admitted] == ["/simple/"]


def test_the_compose_file(
    compose: Docker, frozen: Program, guarded: Guarded, step: str, secret: tuple[str, str]
) -> None:
    context = "      context: .\n"
    frozen.home.write("Dockerfile", step)
    shown = block("yaml")
    assert context in shown
    # dockerd has no network of its own here.
    frozen.home.write("compose.yaml", shown.replace(context, f"{context}      network: host\n"))
    words = ("compose", "--progress=plain", "build", "--no-cache")
    answer = frozen("secrets", *secret, "--", *compose.command, *words)
    assert answer.code == 0, answer
    assert [visit.path for visit in guarded.admitted] == ["/simple/"]
