"""pip, with ``--keyring-provider=subprocess``, installs from a protected index."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from support.guarded import Guarded
from support.logins import OAuthLogin
from support.matching import basic
from support.program import run
from support.recording import Recording
from support.simple_index import INDEX, publish, with_user

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.home import Home
    from support.program import Program
    from support.token_server import TokenServer

BOB = {"BasicHTTP": {"username": "bob", "password": "p: w"}}
HEADER = basic("bob", "p: w")


@pytest.fixture
def server() -> Iterator[Guarded]:
    """An index that bob may use."""
    with Guarded(HEADER.__eq__) as server:
        yield server


@pytest.fixture
def index(server: Guarded) -> str:
    """Its URL."""
    return publish(server, "demo")


@pytest.fixture
def keyring(frozen: Program, tmp_path: Path) -> Recording:
    """Our keyring on PATH."""
    return Recording(frozen, "keyring", tmp_path / "keyring")


class Pip:
    """pip, which installs into a folder of its own."""

    def __init__(self, home: Home) -> None:
        if importlib.util.find_spec("pip") is None:
            pytest.skip("pip is not installed in the environment of the tests")
        self._home = home
        self.target = home.path / "installed"
        home.env |= {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_CONFIG_FILE": "/dev/null"}

    def install(self, index: str, *options: str, stdin: str = "") -> str:
        """``pip install demo``; what it says."""
        command = [
            sys.executable, "-m", "pip", "install", "--no-cache-dir", "--no-deps", "--target",
            str(self.target), "--keyring-provider=subprocess", "--index-url", index, *options,
            "demo",
        ]  # fmt: skip
        return run(self._home, command, stdin.encode(), stderr=subprocess.STDOUT).said

    @property
    def has_installed(self) -> bool:
        """Whether the package is there."""
        return (self.target / "demo" / "__init__.py").exists()


@pytest.fixture
def pip(home: Home) -> Pip:
    """pip in the test's home."""
    return Pip(home)


@pytest.mark.parametrize("user", ["", "bob"])
def test_the_password_comes_from_the_store(
    pip: Pip, home: Home, keyring: Recording, server: Guarded, index: str, user: str
) -> None:
    home.write_rattler({"127.0.0.1": BOB})
    said = pip.install(with_user(index, user) if user else index, "--no-input")
    assert pip.has_installed, said
    assert {visit.authorization for visit in server.admitted} == {HEADER}
    # How pip calls it, which tests/unit/test_keyring_protocol.py answers byte for byte.
    call = ["--mode=creds", "--output=json", "get", index]
    assert keyring.calls == [[*call, user] if user else call]


def test_an_expired_token_is_renewed_for_pip(
    pip: Pip, home: Home, keyring: Recording, token_server: TokenServer
) -> None:
    login = OAuthLogin(home, token_server, "127.0.0.1")
    login.write(left=-60)
    with Guarded() as server:  # which takes tokens that have not ended, as a password too
        said = pip.install(publish(server, "demo"), "--no-input")
    assert pip.has_installed, said
    fresh = str(token_server.current_access_token)
    assert {visit.authorization for visit in server.admitted} == {basic("__token__", fresh)}
    assert len(login.refresh_tokens()) == 1
    assert keyring.calls


def test_nobody_else_s_password_is_sent(
    pip: Pip, home: Home, keyring: Recording, server: Guarded, index: str
) -> None:
    home.write_rattler({"127.0.0.1": BOB})
    said = pip.install(with_user(index, "alice"), "--no-input")
    assert not pip.has_installed
    assert "401" in said
    assert "Traceback" not in said
    assert server.admitted == []
    assert {visit.authorization for visit in server.refused} == {basic("alice", "")}
    host = index.removeprefix("http://").removesuffix(INDEX)
    call = ["--mode=creds", "--output=json", "get"]
    assert keyring.calls[:2] == [[*call, index, "alice"], [*call, host, "alice"]]


def test_what_somebody_types_and_lets_pip_save_is_there_the_next_time(
    pip: Pip, home: Home, keyring: Recording, server: Guarded, index: str
) -> None:
    said = pip.install(index, stdin="bob\np: w\ny\n")
    assert pip.has_installed, said
    host = index.removeprefix("http://").removesuffix(INDEX)
    assert keyring.calls[-1] == ["set", host, "bob"]
    assert home.read_rattler() == {host: BOB}
    server.admitted.clear()
    said = pip.install(index, "--no-input", "--upgrade")
    assert {visit.authorization for visit in server.admitted} == {HEADER}, said
