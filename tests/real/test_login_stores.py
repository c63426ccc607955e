"""What a login keeps is what the tools that share the store read: rattler, and posit-keyring."""

from __future__ import annotations

import subprocess
import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from support.matching import basic
from support.python_keyring import keyring
from support.registry import TokenRegistry

if TYPE_CHECKING:
    from support.home import Home
    from support.internet import Internet
    from support.program import Program
    from support.rattler import Rattler
    from support.rattler_places import Place
    from support.registry import Registry
    from support.secret_service import SecretService
    from support.token_server import TokenServer

HOST = "conda.example"
PATIENCE = 120.0


def test_rattler_sends_what_was_kept_and_nothing_after_a_logout(
    frozen: Program, rattler: Rattler, place: Place
) -> None:
    place.write({"other.example": {"BearerToken": "other"}})
    words = ("--no-check", "--username", "alice", "--password-stdin")
    said = frozen("login", HOST, *words, stdin=b"pass word\n")
    assert said.code == 0, said
    assert ("keyring (service rattler)" in said.out.decode()) == (place.service is not None)
    sent = basic("alice", "pass word")
    assert rattler.authorization(HOST) == sent
    assert frozen.bazel(f"https://{HOST}/x").authorization == sent
    assert frozen("logout", HOST, "--yes").code == 0
    assert place.read() == {"other.example": {"BearerToken": "other"}}
    assert rattler.authorization(HOST) is None
    assert frozen.bazel(f"https://{HOST}/x").authorization is None


def test_rattler_finds_a_conda_token_and_the_channels_of_prefix_dev(
    frozen: Program, rattler: Rattler, home: Home
) -> None:
    assert frozen("login", HOST, "--no-check", "--conda-token-stdin", stdin=b"c-1").code == 0
    (sent,) = rattler.fetch(f"http://{HOST}/channel/noarch/repodata.json")
    assert "/t/c-1/" in sent.url
    assert frozen("login", "prefix.dev", "--no-check", "--token-stdin", stdin=b"p-1").code == 0
    assert set(home.read_rattler()) == {HOST, "*.prefix.dev"}
    for host in ("prefix.dev", "repo.prefix.dev"):
        assert rattler.authorization(host) == "Bearer p-1"


@pytest.mark.parametrize("kind", ["registry", "token_registry"])
def test_a_real_registry_s_login_is_tried_and_a_wrong_one_not_kept(
    home: Home, frozen: Program, request: pytest.FixtureRequest, kind: str
) -> None:
    registry: Registry = request.getfixturevalue(kind)
    if isinstance(registry, TokenRegistry):
        registry.tokens.admit_only(registry.user, registry.secret)
    words = ("login", registry.host, "--username", registry.user, "--password-stdin")
    wrong = frozen(*words, stdin=b"wrong")
    assert wrong.code == 1
    assert "does not take it (HTTP 401): nothing was kept" in wrong.err
    assert not (home.path / ".rattler").exists()
    right = frozen(*words, stdin=registry.secret.encode())
    assert right.code == 0, right
    assert "takes it (HTTP 200" in right.out.decode()
    kept = frozen.docker("get", registry.host).json()
    assert (kept["Username"], kept["Secret"]) == (registry.user, registry.secret)


def test_posit_keyring_reads_the_token_of_a_person_who_has_logged_in(
    home: Home, frozen: Program, token_server: TokenServer
) -> None:
    manager = token_server
    home.env["PACKAGEMANAGER_ADDRESS"] = manager.url
    place = manager.url.removeprefix("http://")
    with subprocess.Popen(
        [*frozen.command, "login", place, "--posit", "--check", f"{manager.url}/protected/x"],
        env=home.env, cwd=home.path, text=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        shown = ""
        while "Waiting for you" not in shown:
            line = process.stdout.readline()
            assert line, shown
            shown += line
        assert f"{manager.url}/activate?user_code={manager.device.USER_CODE}" in shown
        assert not (home.path / ".ppm/tokens.toml").exists()
        manager.device.is_approved = True
        shown += process.communicate(timeout=PATIENCE)[0]
    assert process.returncode == 0, shown
    token = manager.current_access_token
    assert token is not None
    (exchanged,) = manager.posts("/__api__/token")
    assert exchanged.form["subject_token"] == "identity-of-a-person"
    assert "takes it (HTTP 200; without: 401)" in shown
    assert "Used by: posit-keyring" in shown
    kept: dict[str, Any] = tomllib.loads((home.path / ".ppm/tokens.toml").read_text())
    assert kept == {
        "connections": [{"address": manager.url, "token": token, "auth_type": "sso"}]
    }  # fmt: skip
    asked = len(manager.posts("/__api__/device"))
    read = keyring(home, "get", manager.url, "__token__", backend=None)
    assert read.out.decode().strip() == token, read
    assert frozen.bazel(f"{manager.url}/cran/x").authorization == basic("__token__", token)
    assert len(manager.posts("/__api__/device")) == asked
    assert frozen("logout", place, "--yes").code == 0
    assert frozen.bazel(f"{manager.url}/cran/x").authorization is None


def test_a_locked_keyring_is_noticed_before_anybody_is_asked(
    home: Home, frozen: Program, secret_service: SecretService, internet: Internet
) -> None:
    secret_service.lock()
    for words in (("--oauth",), ("--device",)):
        said = frozen("login", HOST, *words)
        assert said.code == 1
        assert "the keyring is locked" in said.err
        assert said.err.count("\n") == 1
    assert internet.asked == []
    assert not (home.path / ".rattler/credentials.json").exists()
