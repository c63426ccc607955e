"""Renewal on Windows: once among all processes, through httpx and the system's certificates."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from support.certificates import authority
from support.logins import ENDED, FIRST, oauth
from support.token_server import TokenServer
from support.wine import Vault, windows_path

if TYPE_CHECKING:
    from pathlib import Path

    from support.wine import Windows

CALLERS = 5


def test_five_processes_renew_once_and_write_it_back(
    windows: Windows, host: str, token_server: TokenServer
) -> None:
    file = windows.home.write("a ü.json", json.dumps({host: oauth(token_server, ENDED)}))
    windows.env["RATTLER_AUTH_FILE"] = windows_path(file)
    assert windows("--version").code == 0  # the single file has unpacked itself
    request = json.dumps({"uri": f"https://{host}/x"}).encode()
    token_server.delay = 0.5
    callers = [windows.start("get") for _ in range(CALLERS)]
    for caller in callers:
        assert caller.stdin is not None
        caller.stdin.write(request)
        caller.stdin.close()
        caller.stdin = None
    answers = [(*caller.communicate(), caller.returncode) for caller in callers]
    fresh = token_server.current_access_token
    assert fresh is not None
    for out, err, code in answers:
        assert code == 0, (out, err)
        assert json.loads(out)["headers"] == {"Authorization": [f"Bearer {fresh}"]}
        assert json.loads(out)["expires"].endswith("Z")
    assert [post.form["refresh_token"] for post in token_server.posts("/token")] == [FIRST]
    kept = json.loads(file.read_bytes())[host]["OAuth"]
    assert (kept["access_token"], kept["refresh_token"]) == (fresh, "rotated-1")


def test_a_login_in_the_credential_manager_is_renewed_there(
    windows: Windows, host: str, token_server: TokenServer
) -> None:
    vault = Vault()
    vault.put(f"{host}.rattler", host, json.dumps(oauth(token_server, ENDED)))
    try:
        answer = windows.bazel(f"https://{host}/x")
        fresh = token_server.current_access_token
        assert answer.authorization == f"Bearer {fresh}"
        kept = json.loads(vault.get(f"{host}.rattler"))["OAuth"]
        assert (kept["access_token"], kept["refresh_token"]) == (fresh, "rotated-1")
        assert windows.bazel(f"https://{host}/x").authorization == f"Bearer {fresh}"
        assert len(token_server.posts("/token")) == 1
    finally:
        vault.delete(f"{host}.rattler")


def test_a_certificate_that_windows_does_not_know_is_refused_in_one_line(
    windows: Windows, host: str, tmp_path: Path
) -> None:
    _, tls = authority(tmp_path / "authority")
    with TokenServer(tls=tls) as server:
        file = windows.home.write("auth.json", json.dumps({host: oauth(server, ENDED)}))
        windows.env["RATTLER_AUTH_FILE"] = windows_path(file)
        answer = windows.bazel(f"https://{host}/x")
        assert (answer.code, answer.out) == (1, b"")
        assert "certificate" in answer.err.lower()
        assert answer.err.count("\n") == 1
        assert FIRST not in answer.err
        assert server.posts("/token") == []
        assert json.loads(file.read_bytes())[host]["OAuth"]["refresh_token"] == FIRST
