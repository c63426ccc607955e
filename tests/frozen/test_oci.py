"""The frozen program and registries by their real names: who is asked, and with what."""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING

import pytest

from support.agent import agent_of
from support.program import IN_TIME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.agent import Agent
    from support.home import Home
    from support.internet import Answer, Internet, Visit
    from support.program import Program

HUB, HUB_TOKENS = "registry-1.docker.io", "auth.docker.io"
ALPINE = f"https://{HUB}/v2/library/alpine/blobs/sha256:0"
GHCR = "https://ghcr.io/v2/team/app/blobs/sha256:0"
LOGIN = base64.b64encode(b"u:sesame").decode()


def serving(realm: str, service: str) -> dict[str, Answer]:
    """What a registry's hosts answer by path: its challenge, with a scope of somebody else's."""
    said = f'Bearer realm="{realm}",service="{service}",scope="repository:user/image:pull"'
    return {"/v2/": (401, {"WWW-Authenticate": said}, {"errors": []})}


@pytest.fixture(autouse=True)
def registries(internet: Internet) -> None:
    """Docker Hub and GHCR, which give everybody a token, and another one for a login."""

    def tokens(visit: Visit) -> Answer:
        kind = "of-u" if visit.authorization == f"Basic {LOGIN}" else "of-everybody"
        scope = visit.target.partition("scope=")[2]
        return 200, {}, {"token": f"{kind}-{scope}", "expires_in": 300}

    hub = serving(f"https://{HUB_TOKENS}/token", "registry.docker.io")
    ghcr = serving("https://ghcr.io/token", "ghcr.io")
    internet.hosts[HUB] = lambda visit: hub[visit.path]
    internet.hosts[HUB_TOKENS] = tokens
    internet.hosts["ghcr.io"] = lambda visit: ghcr.get(visit.path) or tokens(visit)


@pytest.fixture
def agent(frozen: Program) -> Iterator[Agent]:
    with agent_of(frozen) as started:
        yield started


def log_in(home: Home, key: str) -> None:
    home.write(".docker/config.json", json.dumps({"auths": {key: {"auth": LOGIN}}}))


@pytest.mark.parametrize(
    ("url", "key", "repository"),
    [(ALPINE, "https://index.docker.io/v1/", "library%2Falpine"), (GHCR, "ghcr.io", "team%2Fapp")],
)
def test_a_registry_s_token_comes_with_a_login_and_without(
    home: Home, frozen: Program, url: str, key: str, repository: str
) -> None:
    of_nobody = frozen.bazel(url)
    assert of_nobody.authorization == f"Bearer of-everybody-repository%3A{repository}%3Apull"
    assert of_nobody.err == ""
    log_in(home, key)
    assert frozen.bazel(url).authorization == f"Bearer of-u-repository%3A{repository}%3Apull"
    assert frozen("header", url).out.startswith(b"Authorization: Bearer of-u-")


def test_the_agent_asks_once_for_a_registry_and_once_for_a_repository(
    agent: Agent, internet: Internet
) -> None:
    agent.warm()
    other = GHCR.replace("team/app", "team/other")
    for _ in range(3):
        assert agent.call(GHCR).authorization
        assert agent.call(other).authorization
    assert [visit.path for visit in internet.visits] == ["/v2/", "/token", "/token"]


def test_a_login_goes_to_no_other_s_token_server(
    home: Home, frozen: Program, internet: Internet
) -> None:
    lying = serving("https://evil.github.io/token", "ghcr.io")
    internet.hosts["good.github.io"] = lambda visit: lying[visit.path]
    internet.hosts["*"] = lambda _: (200, {}, {"token": "t"})
    log_in(home, "good.github.io")
    answer = frozen.bazel(GHCR.replace("ghcr.io", "good.github.io"))
    assert (answer.code, answer.out) == (1, b"")
    assert 'endpoint = "https://evil.github.io"' in answer.err
    assert [visit.host for visit in internet.visits] == ["good.github.io"]
    assert LOGIN not in str(internet.visits)


def test_who_is_silent_is_not_waited_for(frozen: Program, internet: Internet) -> None:
    internet.hosts["ghcr.io"] = None
    begin = time.monotonic()
    answer = frozen.bazel(GHCR)
    assert time.monotonic() - begin < IN_TIME
    assert answer.json() == {"headers": {}}
    assert answer.err.count("\n") == 1
    assert "the request goes without a credential" in answer.err


def test_docker_and_git_have_nothing_asked(home: Home, frozen: Program, internet: Internet) -> None:
    log_in(home, "ghcr.io")
    assert frozen.docker("get", "ghcr.io").json()["Secret"] == "sesame"
    assert frozen("keyring", "get", GHCR, "u").out == b"sesame\n"
    assert internet.visits == []
