"""Builds by buildah and podman, which take the same files as docker does."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from support.components import need
from support.expiring import FILE, fetch
from support.in_memory import runtime_of
from support.logins import oauth
from support.search import holders

if TYPE_CHECKING:
    from pathlib import Path

    from support.guarded import Guarded
    from support.program import Answer, Program
    from support.token_server import TokenServer
    from support.tool import Tool

pytestmark = pytest.mark.usefixtures("runtime")

STEPS = 3


@pytest.fixture(params=[("buildah", "bud"), ("podman", "build")])
def command(request: pytest.FixtureRequest, buildah: Tool) -> list[str]:
    """A build without layers of its own, from nothing and without a network."""
    assert buildah.home.path.exists()
    program, word = request.param
    return [need(program), word, "--no-cache", "--isolation=chroot", "--tag=built:1", "context"]


def write(program: Program, *steps: str) -> None:
    """A Dockerfile."""
    start = 'FROM scratch\nCOPY busybox /bin/busybox\nRUN ["/bin/busybox","--install","/bin"]\n'
    path = program.home.write("context/Dockerfile", start + "".join(f"{s}\n" for s in steps))
    shutil.copy(need("busybox"), path.parent / "busybox")


def built(program: Program, command: list[str], *secrets: str) -> Answer:
    return program("secrets", *secrets, "--", *command)


@pytest.mark.parametrize("kind", [(), ("--fifo",)])
def test_each_step_gets_a_token_that_is_good_and_none_is_left(
    frozen: Program,
    command: list[str],
    guarded: Guarded,
    token_server: TokenServer,
    tmp_path: Path,
    kind: tuple[str, ...],
) -> None:
    token_server.lifetime = 60
    store = frozen.home.write_rattler({"127.0.0.1": oauth(token_server, -60)})
    guarded.files[FILE] = b"content"
    write(frozen, *(fetch(guarded, number) for number in range(STEPS)))

    answer = built(frozen, command, "--secret", f"id=token,url={guarded.url}/", *kind)

    assert answer.code == 0, answer
    assert guarded.refused == []
    assert len(guarded.admitted) == STEPS
    tokens = {visit.secret for visit in guarded.admitted}
    assert holders(tokens, store.parent) == [str(store)]
    assert holders(tokens, tmp_path, runtime_of(frozen.home), but=[store]) == []


def test_a_variable_serves_too(frozen: Program, command: list[str]) -> None:
    frozen.home.env["CREDLATCH_TOKEN_PACKAGES_EXAMPLE_COM"] = "hunter2"
    # The step itself looks: buildah may lose what a quick one says.
    write(frozen, "RUN --mount=type=secret,id=TOKEN test $(cat /run/secrets/TOKEN) = hunter2")
    answer = built(frozen, command, "--as-env", "id=TOKEN,url=https://packages.example.com/")
    assert answer.code == 0, answer


def test_a_credential_that_has_gone_does_not_make_the_build_go_on_without(
    frozen: Program, command: list[str], guarded: Guarded
) -> None:
    """These tools know no limit: the step gets a text that opens nothing."""
    frozen.home.write_rattler({"127.0.0.1": {"BearerToken": "hunter2"}})
    guarded.accepts = lambda authorization: authorization == "Bearer hunter2"
    guarded.files[FILE] = b"content"
    store = frozen.home.path / ".rattler/credentials.json"
    write(frozen, fetch(guarded, 0))
    secret = "--secret=id=token,src=$CREDLATCH_SECRETS/token"
    script = f'rm {store}; program=$1 word=$2; shift 2; exec $program $word {secret} "$@"'
    words = ["sh", "-c", script, "sh", *command]
    answer = built(frozen, words, "--secret", f"id=token,url={guarded.url}/")
    assert answer.code not in {0, 2}
    assert guarded.admitted == []
    assert "the secret 'token': no store has a credential" in answer.err
