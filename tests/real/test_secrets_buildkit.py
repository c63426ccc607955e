"""BuildKit of today: buildctl, and what it asks for itself when it fetches over HTTP and git."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from credlatch.secrets.wanted import NOBODYS
from support.expiring import FILE, LIFETIME, fetch, six_steps, tokens_of_six_steps
from support.in_memory import runtime_of
from support.logins import oauth
from support.search import holders, holds

if TYPE_CHECKING:
    from pathlib import Path

    from support.buildkit import Buildkitd
    from support.guarded import Guarded
    from support.program import Answer, Program
    from support.token_server import TokenServer
    from support.tool import Tool

pytestmark = pytest.mark.usefixtures("runtime")

START = 'FROM scratch\nCOPY busybox /bin/busybox\nRUN ["/bin/busybox", "--install", "/bin"]\n'


@pytest.fixture(autouse=True)
def login(buildctl: Tool, token_server: TokenServer) -> None:
    token_server.lifetime = 60
    buildctl.home.write_rattler({"127.0.0.1": oauth(token_server, -60)})


def built(program: Program, buildctl: Tool, *secrets: str) -> Answer:
    return program("secrets", *secrets, "--", *buildctl.command)


@pytest.mark.parametrize("kind", [(), ("--fifo",)])
def test_buildctl_gives_each_step_a_token_that_is_good(
    buildctl: Tool, frozen: Program, guarded: Guarded, kind: tuple[str, ...]
) -> None:
    guarded.files[FILE] = b"content"
    text = START + "".join(fetch(guarded, number) for number in range(3))
    buildctl.home.write("context/Dockerfile", text)
    answer = built(frozen, buildctl, "--secret", f"id=token,url={guarded.url}/", *kind)
    assert answer.code == 0, answer
    assert [visit.path for visit in guarded.admitted] == [FILE] * 3
    assert guarded.refused == []


def test_six_steps_read_a_fifo_while_their_token_expires_twice_and_it_is_found_nowhere(
    buildctl: Tool,
    buildkitd: Buildkitd,
    frozen: Program,
    guarded: Guarded,
    token_server: TokenServer,
    tmp_path: Path,
) -> None:
    token_server.lifetime = LIFETIME
    store = frozen.home.path / ".rattler/credentials.json"
    buildctl.home.write("context/Dockerfile", START + six_steps(guarded))
    image = ("--output", "type=oci,dest=image.tar,compression=uncompressed,force-compression=true")
    cache = ("--export-cache", "type=local,dest=cache,mode=max,compression=uncompressed")
    secret = ("--secret", f"id=token,url={guarded.url}/", "--fifo")

    answer = frozen("secrets", *secret, "--", *buildctl.command, *image, *cache)

    assert answer.code == 0, answer
    tokens = tokens_of_six_steps(guarded)
    assert not holds(answer.out + answer.err.encode(), tokens)
    assert holds((frozen.home.path / "image.tar").read_bytes(), ["step5"])  # it can be read
    assert holders(["step5"], frozen.home.path / "cache") != []
    assert holders(tokens, store.parent) == [str(store)]
    places = (buildkitd.folder, tmp_path, runtime_of(frozen.home))
    assert holders(tokens, *places, but=[store]) == []


def test_the_search_finds_a_secret_that_a_step_has_copied(
    buildctl: Tool, buildkitd: Buildkitd, frozen: Program
) -> None:
    token = "a-token-that-leaks-9876543210"
    frozen.home.env["CREDLATCH_TOKEN_PACKAGES_EXAMPLE_COM"] = token
    leak = "RUN --mount=type=secret,id=token echo xy$(cat /run/secrets/token) | base64 >/leak\n"
    buildctl.home.write("context/Dockerfile", START + leak)
    secret = ("--secret", "id=token,url=https://packages.example.com/")
    assert built(frozen, buildctl, *secret).code == 0
    assert holders([token], buildkitd.folder) != []


def test_a_step_finds_its_secret_in_a_variable_or_where_its_tool_looks(
    buildctl: Tool, frozen: Program
) -> None:
    """As the page has it for ``url`` and ``config.json``."""
    frozen.home.env["CREDLATCH_TOKEN_PACKAGES_EXAMPLE_COM"] = "hunter2"
    site = "packages.example.com/simple/"
    target = "/root/.docker/config.json"
    steps = (
        "RUN --mount=type=secret,id=index,env=PIP_INDEX_URL "
        f'test "$PIP_INDEX_URL" = https://__token__:hunter2@{site}\n'
        f"RUN --mount=type=secret,id=config,target={target} grep auths {target}\n"
    )
    buildctl.home.write("context/Dockerfile", START + steps)
    secrets = (
        *("--secret", f"id=index,url=https://{site},as=url"),
        *("--secret", f"id=config,url=https://{site},as=config.json"),
    )
    answer = built(frozen, buildctl, *secrets)
    assert answer.code == 0, answer
    assert "credlatch: " not in answer.err


def test_add_over_http_sends_the_header(
    buildctl: Tool, frozen: Program, guarded: Guarded, token_server: TokenServer
) -> None:
    guarded.files["/package"] = b"content"
    text = f"{START}ADD {guarded.url}/package /package\nRUN grep -x content /package\n"
    buildctl.home.write("context/Dockerfile", text)
    assert "invalid response status 401" in buildctl.refused()
    assert guarded.admitted == []

    answer = built(frozen, buildctl, "--http-auth", guarded.url)
    assert answer.code == 0, answer
    assert guarded.admitted
    assert guarded.admitted[-1].authorization == f"Bearer {token_server.current_access_token}"


@pytest.mark.parametrize("kind", ["HTTP_AUTH_HEADER_", "GIT_AUTH_HEADER."])
def test_a_login_that_has_gone_does_not_make_buildkit_ask_as_nobody(
    buildctl: Tool, frozen: Program, guarded: Guarded, repository: str, kind: str
) -> None:
    frozen.home.write_rattler({"127.0.0.1": {"BearerToken": "hunter2"}})
    guarded.accepts = lambda authorization: "hunter2" in authorization
    for_http = kind.startswith("HTTP")
    source = "package" if for_http else f"{repository}#main"
    buildctl.home.write("context/Dockerfile", f"{START}ADD {guarded.url}/{source} /there\n")
    option = "--http-auth" if for_http else "--git-auth"
    script = (
        f"rm .rattler/credentials.json; set -- $CREDLATCH_SECRETS/*; "
        f"exec {' '.join(buildctl.command)} --secret id=${{1##*/}},src=$1"
    )
    answer = frozen("secrets", option, guarded.url, "--", "sh", "-ec", script)
    assert answer.code == 1
    assert f"credlatch: the secret '{kind}127.0.0.1" in answer.err
    assert "no store has a credential" in answer.err
    assert guarded.admitted == []
    assert {visit.authorization for visit in guarded.refused} == {NOBODYS.decode()}


def test_add_of_a_git_repository_sends_the_login(
    buildctl: Tool, frozen: Program, guarded: Guarded, repository: str
) -> None:
    text = f"{START}ADD {guarded.url}/{repository}#main /app\nRUN test -f /app/Dockerfile\n"
    buildctl.home.write("context/Dockerfile", text)
    buildctl.refused()
    assert guarded.admitted == []

    answer = built(frozen, buildctl, "--git-auth", guarded.url)
    assert answer.code == 0, answer
    assert guarded.admitted
    assert all(visit.authorization.startswith("Basic ") for visit in guarded.admitted)


def test_a_user_name_and_password_go_as_they_are(
    buildctl: Tool, frozen: Program, guarded: Guarded, repository: str
) -> None:
    login = {"BasicHTTP": {"username": "bob", "password": "pass word"}}
    buildctl.home.write_rattler({"127.0.0.1": login})
    guarded.accepts = lambda authorization: authorization == "Basic Ym9iOnBhc3Mgd29yZA=="
    guarded.files["/package"] = b"content"
    text = f"{START}ADD {guarded.url}/package /package\nADD {guarded.url}/{repository}#main /app\n"
    buildctl.home.write("context/Dockerfile", text)
    secrets = ("--http-auth", guarded.url, "--git-auth", guarded.url)
    answer = built(frozen, buildctl, *secrets)
    assert answer.code == 0, answer
    assert guarded.refused == []
