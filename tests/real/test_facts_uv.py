"""What uv does with its stores: what we read and match is built on this."""

from __future__ import annotations

import fcntl
import os
import stat
import subprocess
import sys
import tomllib
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from support.matching import AMBIGUOUS, UV_ROWS, UV_STORE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.home import Home
    from support.secret_service import SecretService
    from support.uv import Uv

STORE = ".local/share/uv/credentials/credentials.toml"


@pytest.mark.parametrize(("url", "header"), UV_ROWS)
def test_each_url_gets_the_header_of_the_table(
    home: Home, uv: Uv, url: str, header: str | None
) -> None:
    home.write(STORE, UV_STORE)
    answer = uv.bazel(url)
    if header == AMBIGUOUS:
        assert answer.code == 2
        assert "Multiple credentials found for URL" in answer.err
    else:
        assert answer.authorization == header


def test_a_login_leaves_a_file_for_the_user_alone_and_a_lock_beside_it(home: Home, uv: Uv) -> None:
    uv.login("https://example.com", "--username", "bob", "--password", 'p"w\\é')
    uv.login("https://host.example:8443/path", "--token", "tok")
    path = home.path / STORE
    assert sorted(tomllib.loads(path.read_text())["credential"], key=lambda e: e["service"]) == [
        {"service": "https://example.com/", "username": "bob",
         "scheme": "basic", "password": 'p"w\\é'},
        {"service": "https://host.example:8443/path", "username": "__token__",
         "scheme": "basic", "password": "tok"},
    ]  # fmt: skip
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.with_name("credentials.toml.lock").exists()


@pytest.mark.parametrize(
    "entry",
    [
        'service = "https://a.example/"',
        'service = "no url"\nusername = "u"\npassword = "p"',
        'service = "https://a.example/"\nusername = "u"\npassword = "p"\nscheme = "digest"',
    ],
)
def test_one_bad_entry_makes_it_refuse_the_whole_file(home: Home, uv: Uv, entry: str) -> None:
    home.write(STORE, f"{UV_STORE}\n[[credential]]\n{entry}\n")
    answer = uv.bazel("https://special.example/")
    assert answer.code == 2
    assert "Failed to parse TOML credential file" in answer.err


def test_it_takes_a_host_with_a_dot_at_its_end_for_another_one(home: Home, uv: Uv) -> None:
    home.write(STORE, UV_STORE)
    assert uv.bazel("https://a.example./").authorization is None


def test_it_does_not_read_a_netrc(home: Home, uv: Uv) -> None:
    home.write(".netrc", "machine a.example login u password p\n")
    assert uv.bazel("https://a.example/").authorization is None


@contextmanager
def locked(path: Path, how: str) -> Iterator[None]:
    """Another process holds the lock file, by ``fcntl.flock`` or by ``fcntl.lockf``."""
    script = (
        "import fcntl, sys\n"
        "file = open(sys.argv[1], 'r+')\n"
        "getattr(fcntl, sys.argv[2])(file, fcntl.LOCK_EX)\n"
        "print('locked', flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(path), how],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"locked\n"
        yield


def test_it_reads_under_flock_which_lockf_does_not_meet(home: Home, uv: Uv) -> None:
    home.write(STORE, UV_STORE)
    lock = home.write(f"{STORE}.lock", "")
    with locked(lock, "lockf"):
        assert uv.bazel("https://a.example/").code == 0
    with locked(lock, "flock"):
        home.env["UV_LOCK_TIMEOUT"] = "1"
        answer = uv.bazel("https://a.example/")
        assert answer.code == 2
        assert "lock" in answer.err


def test_the_last_uv_with_pyx_takes_the_same_lock(home: Home, uv_with_pyx: Uv) -> None:
    lock = home.write(f"{STORE}.lock", "")
    with lock.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        home.env["UV_LOCK_TIMEOUT"] = "1"
        answer = uv_with_pyx("auth", "login", "https://a.example", "--token", "t")
        assert answer.code != 0
        assert not os.path.exists(home.path / STORE)


def test_its_native_keyring_has_one_item_for_a_host_and_user(
    home: Home, uv: Uv, secret_service: SecretService
) -> None:
    uv.preview("native-auth")
    uv.login("https://example.com/simple/deep", "--username", "bob", "--password", "one")
    uv.login("https://example.com", "--username", "bob", "--password", "two")
    uv.login("https://host.example:8443/path", "--token", "tok")
    uv.login("http://localhost:9000", "--username", "u", "--password", "p")
    uv.login("https://[::1]:8443", "--username", "six", "--password", "p")
    found = [(i.names["service"], i.names["username"], i.secret) for i in secret_service.items()]
    assert sorted(found) == [
        ("uv:[::1]:8443", "six", "p"),
        ("uv:example.com", "bob", "two"),
        ("uv:host.example:8443", "__token__", "tok"),
        ("uv:http://localhost:9000", "u", "p"),
    ]
    for item in secret_service.items():
        assert set(item.names) == {"application", "service", "target", "username"}
        assert (item.attributes["application"], item.attributes["target"]) == ("uv", "default")
    assert not (home.path / STORE).exists()


def test_its_native_keyring_answers_only_when_the_url_names_the_user(
    uv: Uv, secret_service: SecretService
) -> None:
    assert secret_service.items() == []
    uv.preview("native-auth")
    uv.login("https://example.com", "--username", "bob", "--password", "one")
    assert uv.bazel("https://example.com/").authorization is None
    assert uv.bazel("https://bob@example.com/any/path").authorization == "Basic Ym9iOm9uZQ=="
