"""``credlatch login --fleet``: what a certified provider gives is put where machines share it."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from support.fleets import ACCESS, HOST, LOGIN, URL, configure, kept, version
from support.home import Home
from support.opened import Opened
from support.program import TIMEOUT, Program

if TYPE_CHECKING:
    from pathlib import Path

    from support.chromium import Chromium
    from support.openbao import Bao


def logged_in(frozen: Program, browser: Chromium, sso: str, user: str) -> tuple[int, str]:
    """What comes of a login in a browser."""
    opened = Opened(frozen.home)
    process = subprocess.Popen(
        [*frozen.command, "login", HOST, "--fleet", "--oauth", "--issuer", sso, "--no-check"],
        env=frozen.home.env, cwd=frozen.home.path, text=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        browser.log_in(opened.url(), user)
        said = process.communicate(timeout=TIMEOUT)[0]
    finally:
        process.kill()
        process.wait()
    return process.returncode, said


def test_a_login_is_kept_for_all_and_renewed_with_what_the_provider_gives(
    bao: Bao, frozen: Program, browser: Chromium, sso: str, tmp_path: Path
) -> None:
    configure(frozen.home, bao, "renewer")
    code, said = logged_in(frozen, browser, sso, "alice")
    assert code == 0, said
    assert f"Kept for {HOST} in fleet/{LOGIN}" in said
    assert f"Workers read its token in fleet/{ACCESS}" in said
    value = kept(bao, LOGIN)
    first = value["entry"]["OAuth"]
    assert (value["gen"], first["token_endpoint"]) == (1, f"{sso}/token")
    assert not (frozen.home.path / ".rattler").exists()
    worker = Program(frozen.command, Home(tmp_path / "worker"), tmp_path / "links")
    configure(worker.home, bao, "worker")
    assert worker.bazel(URL).authorization == f"Bearer {first['access_token']}"

    # A second one takes its place, and what had ended by then is forgotten.
    body = {**value, "dead": "somebody", "claim": {"id": "gone", "nonce": "n", "ttl": 60}}
    said_version = {"cas": version(bao, LOGIN)}
    bao.must("POST", f"fleet/data/{LOGIN}", {"options": said_version, "data": body})
    code, said = logged_in(frozen, browser, sso, "bob")
    assert code == 0, said
    value = kept(bao, LOGIN)
    assert (value["gen"], value["dead"], value["claim"]) == (2, None, None)
    assert value["entry"] != body["entry"]
    value["entry"]["OAuth"]["expires_at"] = 1
    said_version = {"cas": version(bao, LOGIN)}
    bao.must("POST", f"fleet/data/{LOGIN}", {"options": said_version, "data": value})
    done = frozen("fleet", "renew", "--once")
    assert (done.code, b"renewed (gen 3)" in done.out) == (0, True), done
    third = kept(bao, LOGIN)["entry"]["OAuth"]
    assert third["refresh_token"] != value["entry"]["OAuth"]["refresh_token"]
    assert worker.bazel(URL).authorization == f"Bearer {third['access_token']}"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--token-stdin",), "--fleet keeps a login that is renewed: --oauth or --device"),
        (("--username", "u", "--password-stdin"), "--fleet keeps a login that is renewed"),
        (("--posit",), "--fleet keeps a login that is renewed"),
    ],
)
def test_what_cannot_be_shared_is_refused_before_anybody_is_asked(
    bao: Bao, frozen: Program, words: tuple[str, ...], complaint: str
) -> None:
    done = frozen("login", HOST, "--fleet", "--device")
    assert (done.code, "fleet.toml is not there" in done.err) == (2, True)
    configure(frozen.home, bao, "worker")
    done = frozen("login", HOST, "--fleet", "--device")
    assert (done.code, "does not say where the login is" in done.err) == (2, True)
    configure(frozen.home, bao, "renewer")
    done = frozen("login", HOST, "--fleet", *words, stdin=b"s3cret\n")
    assert (done.code, complaint in done.err) == (2, True), done
    done = frozen("login", "other.example.com", "--fleet")
    assert (done.code, "has no row for other.example.com" in done.err) == (2, True)
    assert "s3cret" not in done.said


def test_who_may_not_read_the_login_is_told_before_anybody_is_asked(
    bao: Bao, frozen: Program, sso: str
) -> None:
    configure(frozen.home, bao, "worker")
    config = frozen.home.path / ".config/credlatch/fleet.toml"
    config.write_text(config.read_text().replace("access =", f'login = "{LOGIN}"\naccess =', 1))
    done = frozen("login", HOST, "--fleet", "--issuer", sso)
    assert done.code == 1
    assert f"needs a policy for fleet/data/{LOGIN}" in done.err
