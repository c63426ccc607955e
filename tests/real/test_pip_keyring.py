"""The OS keyring as pip and uv use it: python's keyring writes, and we answer Bazel and Docker."""

from __future__ import annotations

import importlib.util
import sys
from typing import TYPE_CHECKING

import pytest

from support.matching import basic
from support.program import run
from support.python_keyring import SYSTEM, keyring, set_password

if TYPE_CHECKING:
    from support.home import Home
    from support.program import Program
    from support.secret_service import SecretService
    from support.token_server import TokenServer
    from support.uv import Uv

pytestmark = pytest.mark.usefixtures("secret_service")


@pytest.mark.parametrize(
    ("service", "url"),
    [
        ("https://pypi.example/simple/", "https://pypi.example/simple/"),
        ("pypi.example:8443", "https://pypi.example:8443/simple/pkg/"),
        ("pypi.example", "https://PyPI.example:443/simple/pkg/"),
        ("http://localhost:9000", "http://localhost:9000/simple/"),
    ],
)
def test_the_full_url_and_the_host_find_the_password(
    home: Home, frozen: Program, service: str, url: str
) -> None:
    set_password(home, service, "bob", "p:ä w")
    assert frozen.bazel(url).authorization == basic("bob", "p:ä w")


def test_docker_gets_it_too(home: Home, frozen: Program) -> None:
    set_password(home, "registry.example:5000", "bob", "pw")
    assert frozen.docker("get", "registry.example:5000").json() == {
        "ServerURL": "registry.example:5000", "Username": "bob", "Secret": "pw"
    }  # fmt: skip


def test_pythons_keyring_reads_what_docker_stored(
    home: Home, frozen: Program, secret_service: SecretService
) -> None:
    login = {"ServerURL": "registry.example", "Username": "bob", "Secret": "pw"}
    assert frozen.docker("store", login).code == 0
    assert len(secret_service.items()) == 1
    answer = keyring(home, "get", "rattler", "registry.example")
    assert answer.out == b'{"BasicHTTP":{"username":"bob","password":"pw"}}\n'


def what_pip_sends(home: Home, server: TokenServer, index: str) -> str | None:
    """The header of pip's last try at an index that wants a login."""
    if importlib.util.find_spec("pip") is None:
        pytest.skip("pip is not installed in the environment of the tests")
    command = [
        sys.executable, "-m", "pip", "download", "--no-input", "--disable-pip-version-check",
        "--no-deps", "--keyring-provider=import", "--index-url", index, "no-such-package",
    ]  # fmt: skip
    run(home, command, env={**home.env, "PYTHON_KEYRING_BACKEND": SYSTEM})
    return server.requests[-1].headers.get("authorization")


def what_uv_sends(home: Home, uv: Uv, server: TokenServer, index: str) -> str | None:
    """The header of uv's last try, with the keyring command that it finds on PATH."""
    command = home.write(
        "bin/keyring", f'#!/bin/sh\nexec {sys.executable} -m keyring -b {SYSTEM} "$@"\n', 0o700
    )
    home.path_begins_with(command.parent)
    uv("pip", "install", "--no-cache", "--python", sys.executable, "--target", "installed",
       "--keyring-provider=subprocess", "--index-url", index, "no-such-package")  # fmt: skip
    return server.requests[-1].headers.get("authorization")


def test_pip_uv_and_we_find_the_same_password(
    home: Home, frozen: Program, uv: Uv, token_server: TokenServer
) -> None:
    host = token_server.url.removeprefix("http://")
    set_password(home, host, "bob", "p: w")
    index = f"http://bob@{host}/protected/simple/"
    header = basic("bob", "p: w")
    assert what_pip_sends(home, token_server, index) == header
    assert what_uv_sends(home, uv, token_server, index) == header
    assert frozen.bazel(index).authorization == header
