"""Each shape of a secret, read by the tool that it is for."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from support import simple_index
from support.components import need
from support.matching import basic

if TYPE_CHECKING:
    from support.guarded import Guarded
    from support.home import Home
    from support.program import Answer, Program
    from support.registry import Registry
    from support.tool import Tool
    from support.uv import Uv

BEARER = {"BearerToken": "t0k.en"}
# What each of these files, the shell and URLs give a meaning to.
ODD = """p@ss/w:o=rd %41 "q" $HOME ${HOME} `x` #;'\\n\\"""
BASIC = {"BasicHTTP": {"username": "b'ob @home", "password": ODD}}


ACCEPTED = {
    "token": {"Bearer t0k.en", basic("__token__", "t0k.en"), basic("oauth2", "t0k.en")},
    "password": {basic("b'ob @home", ODD)},
}
PIP = (
    f"{sys.executable} -m pip download --quiet --no-cache-dir --no-deps --no-input --dest=got demo"
)


@pytest.fixture(params=["token", "password"])
def server(request: pytest.FixtureRequest, guarded: Guarded, home: Home) -> Guarded:
    """A server that takes one of two credentials, which we have for it."""
    accepted = ACCEPTED[request.param]
    guarded.accepts = accepted.__contains__
    home.write_rattler({"127.0.0.1": BEARER if request.param == "token" else BASIC})
    return guarded


@pytest.fixture
def index(server: Guarded) -> str:
    """A simple index on that server, with one package in it; its URL."""
    return simple_index.publish(server, "demo")


def run(program: Program, shape: str, url: str, script: str, index: str = "") -> Answer:
    """Run a script whose secret is called ``s``."""
    secret = f"id=s,url={url},as={shape}" + (f",index={index}" if index else "")
    return program("secrets", "--secret", secret, "--", "sh", "-ec", script)


def worked(answer: Answer, server: Guarded) -> None:
    assert answer.code == 0, answer
    assert server.admitted, answer


def downloaded(home: Home) -> bool:
    return (home.path / "got/demo-1.0-py3-none-any.whl").exists()


def test_pip_reads_pip_conf(frozen: Program, server: Guarded, index: str) -> None:
    worked(run(frozen, "pip.conf", index, f"PIP_CONFIG_FILE=$CREDLATCH_SECRETS/s {PIP}"), server)
    assert downloaded(frozen.home)


def test_pip_reads_netrc(frozen: Program, server: Guarded, index: str) -> None:
    script = f"NETRC=$CREDLATCH_SECRETS/s {PIP} --index-url={index}"
    worked(run(frozen, "netrc", index, script), server)
    assert downloaded(frozen.home)


def test_pip_reads_a_url_from_a_variable(frozen: Program, server: Guarded, index: str) -> None:
    variable = ("--as-env", f"id=PIP_INDEX_URL,url={index},as=url")
    worked(frozen("secrets", *variable, "--", *PIP.split()), server)
    assert downloaded(frozen.home)


def test_uv_reads_its_environment(frozen: Program, server: Guarded, index: str, uv: Uv) -> None:
    install = " ".join([*uv.command, "pip install --target=got --no-cache demo"])
    worked(run(frozen, "uv.env", index, f". $CREDLATCH_SECRETS/s; {install}"), server)
    assert (frozen.home.path / "got/demo/__init__.py").exists()


def test_uv_reads_the_login_of_an_index_with_a_name(
    frozen: Program, server: Guarded, index: str, uv: Uv
) -> None:
    install = " ".join([*uv.command, "pip install --target=got --no-cache demo"])
    script = f". $CREDLATCH_SECRETS/s; {install} --index my-team={index}"
    worked(run(frozen, "uv.env", index, script, index="my-team"), server)
    assert (frozen.home.path / "got/demo/__init__.py").exists()


def test_uv_reads_netrc(frozen: Program, server: Guarded, index: str, uv: Uv) -> None:
    install = " ".join([*uv.command, "pip install --target=got --no-cache demo"])
    script = f"NETRC=$CREDLATCH_SECRETS/s {install} --default-index={index}"
    worked(run(frozen, "netrc", index, script), server)


def test_npm_reads_npmrc(frozen: Program, server: Guarded) -> None:
    versions = {"1.2.3": {"name": "demo", "version": "1.2.3", "dist": {}}}
    about = {"name": "demo", "dist-tags": {"latest": "1.2.3"}, "versions": versions}
    server.files["/npm/demo"] = json.dumps(about).encode()
    script = (
        f"NPM_CONFIG_USERCONFIG=$CREDLATCH_SECRETS/s {need('npm')} view demo version "
        f"--registry={server.url}/npm/ --fetch-retries=0"
    )
    answer = run(frozen, ".npmrc", f"{server.url}/npm/", script)
    worked(answer, server)
    assert answer.out.strip() == b"1.2.3"


def test_git_sends_the_header(frozen: Program, server: Guarded, repository: str) -> None:
    command = f'{need("git")} -c http.extraHeader="$(cat $CREDLATCH_SECRETS/s)" ls-remote'
    answer = run(frozen, "header", server.url, f"{command} {server.url}/{repository}")
    worked(answer, server)
    assert b"refs/heads/main" in answer.out


def test_git_reads_netrc(frozen: Program, server: Guarded, repository: str) -> None:
    """In its home folder, where a build mounts it."""
    script = f"ln -s $CREDLATCH_SECRETS/s .netrc; {need('git')} ls-remote {server.url}/{repository}"
    answer = run(frozen, "netrc", server.url, script)
    worked(answer, server)
    assert b"refs/heads/main" in answer.out


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ("header", "-H @{secret} {url}"),
        ("netrc", "--netrc-file {secret} {url}"),
        ("url", '"$(cat {secret})"'),
    ],
)
def test_curl_reads_a_header_a_netrc_and_a_url(
    frozen: Program, server: Guarded, shape: str, words: str
) -> None:
    server.files["/file"] = b"content"
    url = f"{server.url}/file"
    words = words.format(secret="$CREDLATCH_SECRETS/s", url=url)
    answer = run(frozen, shape, url, f"{need('curl')} --disable --fail --silent {words}")
    worked(answer, server)
    assert answer.out == b"content"


def test_wget_sends_the_authorization(frozen: Program, server: Guarded) -> None:
    server.files["/file"] = b"content"
    fetch = f"{need('busybox')} wget -q -O - --header"
    script = f'{fetch} "Authorization: $(cat $CREDLATCH_SECRETS/s)" {server.url}/file'
    answer = run(frozen, "authorization", server.url, script)
    worked(answer, server)
    assert answer.out == b"content"


@pytest.mark.parametrize("shape", ["token", "password"])
def test_user_and_token_are_a_login(frozen: Program, server: Guarded, shape: str) -> None:
    server.files["/file"] = b"content"
    secrets = [word for name in ("user", shape) for word in _named(name, server.url)]
    script = (
        f'printf "%s:%s" "$(cat $CREDLATCH_SECRETS/user)" "$(cat $CREDLATCH_SECRETS/{shape})" | '
        f"base64 -w0 >login; {need('busybox')} wget -q -O - --header "
        f'"Authorization: Basic $(cat login)" {server.url}/file'
    )
    worked(frozen("secrets", *secrets, "--", "sh", "-ec", script), server)


def _named(shape: str, url: str) -> tuple[str, str]:
    return "--secret", f"id={shape},url={url},as={shape}"


def test_skopeo_reads_config_json(
    frozen: Program, skopeo: Tool, registry: Registry, published: str
) -> None:
    login = {"BasicHTTP": {"username": registry.user, "password": registry.secret}}
    frozen.home.write_rattler({registry.host: login})
    inspect = f"{skopeo.command[0]} inspect --tls-verify=false docker://{published}"
    assert "unauthorized" in skopeo.refused(*inspect.split()[1:])
    script = f"REGISTRY_AUTH_FILE=$CREDLATCH_SECRETS/s {inspect}"
    answer = run(frozen, "config.json", f"http://{registry.host}", script)
    assert answer.json()["Name"] == published.rpartition(":")[0]


_RATTLER = """
import asyncio, os, sys
from rattler.networking import AuthenticationMiddleware, Client
from rattler.package_streaming import download_bytes
found = asyncio.run(download_bytes(Client([AuthenticationMiddleware()]), sys.argv[1]))
print(bytes(found).decode(), flush=True)
os._exit(0)
"""


def test_rattler_reads_credentials_json(frozen: Program, server: Guarded) -> None:
    server.files["/file"] = b"content"
    program = frozen.home.write("fetch.py", _RATTLER)
    fetch = f"{sys.executable} {program} {server.url}/file"
    script = f"HOME=/absent RATTLER_AUTH_FILE=$CREDLATCH_SECRETS/s {fetch}"
    answer = run(frozen, "credentials.json", server.url, script)
    worked(answer, server)
    assert answer.out == b"content\n"
