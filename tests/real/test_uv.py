"""uv's store, shared: uv writes and we read, by uv's own rules and under its lock."""

from __future__ import annotations

import fcntl
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from support.matching import UV_STORE, basic

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.home import Home
    from support.program import Program
    from support.secret_service import SecretService
    from support.uv import Uv

STORE = ".local/share/uv/credentials/credentials.toml"
PASSWORD = "p\"w\\é' \t:"


@pytest.fixture(params=["0.13.8", "0.12.6"])
def each_uv(request: pytest.FixtureRequest) -> Uv:
    """uv as it writes today, and as it wrote when it still knew pyx."""
    name = "uv" if request.param == "0.13.8" else "uv_with_pyx"
    chosen: Uv = request.getfixturevalue(name)
    return chosen


@pytest.mark.parametrize("chosen", [None, "credentials of my own"])
def test_we_read_what_uv_auth_login_wrote(
    home: Home, frozen: Program, each_uv: Uv, chosen: str | None
) -> None:
    if chosen is not None:
        home.env["UV_CREDENTIALS_DIR"] = str(home.path / chosen)
    each_uv.login("https://example.com", "--username", "bob", "--password", PASSWORD)
    each_uv.login("https://example.com/team", "--token", "tok")
    each_uv.login("http://localhost:9000", "--username", "local", "--password", "p")
    assert frozen.bazel("https://example.com/x").authorization == basic("bob", PASSWORD)
    assert frozen.bazel("https://example.com/team/x").authorization == basic("__token__", "tok")
    assert frozen.bazel("http://localhost:9000/x").authorization == basic("local", "p")
    assert (home.path / STORE).exists() == (chosen is None)
    assert each_uv("auth", "logout", "https://example.com", "--username", "bob").code == 0
    assert frozen.bazel("https://example.com/x").authorization is None


def test_docker_gets_what_uv_auth_login_wrote(frozen: Program, uv: Uv) -> None:
    uv.login("https://registry.example:5000", "--username", "bob", "--password", "pw")
    assert frozen.docker("get", "registry.example:5000").json() == {
        "ServerURL": "registry.example:5000", "Username": "bob", "Secret": "pw"
    }  # fmt: skip


@contextmanager
def flocked(path: Path) -> Iterator[None]:
    """The lock file held, as uv holds it while it writes."""
    with path.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def test_we_wait_for_a_uv_that_is_writing(home: Home, frozen: Program) -> None:
    # uv 0.12.6 truncates the file and writes it anew: without the lock, half of it would be read.
    store = home.write(STORE, UV_STORE[: len(UV_STORE) // 2])
    lock = home.write(f"{STORE}.lock", "")
    answers = []
    thread = threading.Thread(
        target=lambda: answers.append(frozen.bazel("https://special.example/"))
    )
    with flocked(lock):
        thread.start()
        thread.join(1)  # it must not have answered from the half
        assert thread.is_alive()
        store.write_text(UV_STORE)
    thread.join()
    assert answers[0].authorization == basic("a@b", 'p"w\\é')


def test_a_uv_that_never_lets_go_costs_seconds_and_no_hang(home: Home, frozen: Program) -> None:
    home.env["CREDLATCH_TIMEOUT"] = "9"  # as without it
    home.write(STORE, UV_STORE)
    home.write(".netrc", "machine other.example login u password p\n")
    with flocked(home.write(f"{STORE}.lock", "")):
        start = time.monotonic()
        answer = frozen.bazel("https://other.example/")
        assert time.monotonic() - start < 30
        assert answer.authorization == basic("u", "p")
        assert "credentials.toml.lock" in answer.err


def test_readers_do_not_keep_uv_from_writing(home: Home, frozen: Program, uv: Uv) -> None:
    uv.login("https://example.com", "--token", "one")
    assert frozen.bazel("https://example.com/").authorization == basic("__token__", "one")
    uv.login("https://example.com", "--token", "two")
    assert frozen.bazel("https://example.com/").authorization == basic("__token__", "two")
    names = {path.name for path in (home.path / STORE).parent.iterdir()}
    assert names <= {"credentials.toml", "credentials.toml.lock", ".gitignore", ".lock"}


def test_one_bad_entry_hides_no_other(home: Home, frozen: Program) -> None:
    home.write(STORE, f'{UV_STORE}\n[[credential]]\nservice = "https://new.example/"\nscheme = "x"')
    assert frozen.bazel("https://special.example/").authorization == basic("a@b", 'p"w\\é')


def test_we_read_what_uv_wrote_into_the_keyring(
    frozen: Program, uv: Uv, secret_service: SecretService
) -> None:
    uv.preview("native-auth")
    uv.login("https://example.com/simple", "--username", "bob", "--password", PASSWORD)
    uv.login("https://host.example:8443/path", "--token", "tok")
    uv.login("http://localhost:9000", "--username", "u", "--password", "p")
    uv.login("https://[::1]:8443", "--username", "six", "--password", "p")
    assert len(secret_service.items()) == 4
    for url, header in {
        "https://example.com/any": basic("bob", PASSWORD),
        "https://EXAMPLE.com:443/any": basic("bob", PASSWORD),
        "https://bob@example.com/any": basic("bob", PASSWORD),
        "https://alice@example.com/any": None,
        "https://below.example.com/any": None,
        "https://host.example:8443/": basic("__token__", "tok"),
        "https://host.example/": None,
        "http://localhost:9000/": basic("u", "p"),
        "https://localhost:9000/": None,
        "https://[::1]:8443/": basic("six", "p"),
    }.items():
        assert (url, frozen.bazel(url).authorization) == (url, header)


def test_two_users_in_uvs_keyring_are_ambiguous_until_the_url_names_one(
    frozen: Program, uv: Uv, secret_service: SecretService
) -> None:
    uv.preview("native-auth")
    for user in ("alice", "bob"):
        uv.login("https://example.com", "--username", user, "--password", f"{user}'s")
    assert len(secret_service.items()) == 2
    answer = frozen.bazel("https://example.com/")
    assert (answer.code, answer.out) == (1, b"")
    assert "user name" in answer.err
    assert frozen.bazel("https://bob@example.com/").authorization == basic("bob", "bob's")


def test_uvs_file_is_asked_before_its_keyring(
    frozen: Program, uv: Uv, secret_service: SecretService
) -> None:
    uv.login("https://example.com", "--token", "of the file")
    uv.preview("native-auth").login("https://example.com", "--token", "of the keyring")
    assert len(secret_service.items()) == 1
    assert frozen.bazel("https://example.com/").authorization == basic("__token__", "of the file")
