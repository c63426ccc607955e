"""A registry's blobs and manifests as Bazel downloads them, with what the frozen program gives."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from support import bazel_starlark, oci_client
from support.agent import agent_of, bazel_get
from support.bazel_readme import block
from support.program import TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.agent import Agent
    from support.home import Home
    from support.program import Program
    from support.registry import Registry, TokenRegistry

CALLERS = 200
BLOB = b"a layer"


def log_in(home: Home, host: str, user: str, password: str) -> None:
    """Keep a login as docker login does; ``<token>`` for an identity token."""
    auth = {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}
    if user == "<token>":
        auth = {"auth": base64.b64encode(b"u:").decode(), "identitytoken": password}
    home.write(".docker/config.json", json.dumps({"auths": {host: auth}}))


def headers(program: Program, url: str) -> dict[str, list[str]]:
    """What Bazel gets of the frozen program."""
    said: dict[str, list[str]] = program.bazel(url).json()["headers"]
    return said


@pytest.fixture
def agent(frozen: Program) -> Iterator[Agent]:
    with agent_of(frozen) as started:
        yield started


@pytest.fixture
def logged_in(token_registry: TokenRegistry, home: Home) -> TokenRegistry:
    """The registry that has a token server, and a login for it that may read one repository."""
    log_in(home, token_registry.host, token_registry.user, token_registry.secret)
    token_registry.tokens.allows = lambda user, name: bool(user) and name == "team/one"
    return token_registry


def test_a_blob_comes_with_a_token_for_its_repository_and_no_other(
    logged_in: TokenRegistry, frozen: Program
) -> None:
    one = oci_client.push(logged_in, "team/one", BLOB)
    other = oci_client.push(logged_in, "team/other", BLOB)
    token = headers(frozen, one)
    assert oci_client.get(one, token).content == BLOB
    refused = oci_client.get(other, token)
    assert refused.status_code == 401
    assert 'error="insufficient_scope"' in refused.headers["www-authenticate"]
    answer = frozen.bazel(other)
    assert (answer.code, answer.out) == (1, b"")
    assert "gives no token to read team/other (HTTP 401)" in answer.err
    assert f"docker login {logged_in.host}" in answer.err
    login = frozen.docker("get", logged_in.host).json()
    assert (login["Username"], login["Secret"]) == (logged_in.user, logged_in.secret)


def test_what_bazel_s_readme_has_for_a_blob_is_downloaded(
    logged_in: TokenRegistry, frozen: Program
) -> None:
    pushed = oci_client.push(logged_in, "team/app", BLOB)
    logged_in.tokens.allows = lambda user, _: bool(user)
    ((rule, said),) = bazel_starlark.module_file(block("Registries of images"))
    (url,) = said["urls"]
    url = url.replace("https://registry.example.com/", f"http://{logged_in.host}/")
    assert (rule, url) == ("http_file", pushed)
    content = oci_client.get(url, headers(frozen, url)).content
    assert hashlib.sha256(content).hexdigest() == said["sha256"]


def test_a_wrong_account_is_refused_in_one_line(
    logged_in: TokenRegistry, home: Home, frozen: Program
) -> None:
    log_in(home, logged_in.host, "mallory", "sesame")
    answer = frozen.bazel(oci_client.push(logged_in, "team/one", BLOB))
    assert (answer.code, len(answer.err.splitlines())) == (1, 1)
    assert "the login is wrong, or may not read it" in answer.err
    assert "sesame" not in answer.said


def test_an_identity_token_is_good_for_a_blob(
    logged_in: TokenRegistry, home: Home, frozen: Program
) -> None:
    url = oci_client.push(logged_in, "team/one", BLOB)
    log_in(home, logged_in.host, "<token>", logged_in.tokens.identity(logged_in.user))
    assert oci_client.get(url, headers(frozen, url)).content == BLOB
    assert logged_in.tokens.grants() == ["refresh_token"]


def test_what_everybody_may_read_is_read_without_a_login(
    token_registry: TokenRegistry, frozen: Program
) -> None:
    token_registry.tokens.allows = lambda _, name: name == "public/app"
    url = oci_client.push(token_registry, "public/app", BLOB)
    assert oci_client.get(url, {}).status_code == 401
    assert oci_client.get(url, headers(frozen, url)).content == BLOB
    assert not any(sent.authorization for sent in token_registry.tokens.requests)
    private = frozen.bazel(oci_client.push(token_registry, "team/one", BLOB))
    assert private.json() == {"headers": {}}
    assert "no token to read team/one (HTTP 401) without a login" in private.err


def test_an_index_comes_as_it_is(logged_in: TokenRegistry, frozen: Program) -> None:
    url, content = oci_client.push_index(logged_in, "team/one")
    sent = headers(frozen, url)
    response = oci_client.get(url, sent)
    assert response.content == content
    assert response.headers["content-type"] == oci_client.INDEX
    del sent["Accept"]
    assert oci_client.get(url, sent).content != content


def test_a_registry_that_takes_passwords_gets_the_login_itself(
    registry: Registry, home: Home, frozen: Program
) -> None:
    log_in(home, registry.host, registry.user, registry.secret)
    url = f"http://{registry.host}/v2/team/none/tags/list"
    assert oci_client.get(url, {}).status_code == 401
    response = oci_client.get(url, headers(frozen, url))
    assert (response.status_code, response.json()["errors"][0]["code"]) == (404, "NAME_UNKNOWN")


def test_two_repositories_cost_200_callers_one_token_each(
    logged_in: TokenRegistry, agent: Agent
) -> None:
    one = oci_client.push(logged_in, "team/one", BLOB)
    other = oci_client.push(logged_in, "team/other", BLOB)
    agent.warm()
    logged_in.tokens.requests.clear()
    # Asked by this process: a launcher gives up an agent that is silent for three seconds, and then
    # asks by itself.
    environ = agent.home.env | {"CREDLATCH_TIMEOUT": "200"}
    variables = [f"{name}={value}" for name, value in environ.items()]
    ready = threading.Barrier(CALLERS)

    def asked(url: str) -> tuple[int, bytes, bytes]:
        *fields, _ = bazel_get(url, str(agent.home.path))
        ready.wait(TIMEOUT)
        answer = agent.ask(*fields, "\0".join(variables).encode())
        assert answer is not None
        return answer

    with ThreadPoolExecutor(CALLERS) as pool:
        answers = list(pool.map(asked, [one, other] * (CALLERS // 2)))
    (token,) = {out for _, out, _ in answers[::2]}
    assert oci_client.get(one, json.loads(token)["headers"]).content == BLOB
    ((status, out, err),) = set(answers[1::2])
    assert (status, out) == (1, b"")
    assert b"gives no token to read team/other" in err
    assert sorted(sent.target.partition("scope=")[2] for sent in logged_in.tokens.requests) == [
        "repository%3Ateam%2Fone%3Apull",
        "repository%3Ateam%2Fother%3Apull",
    ]
