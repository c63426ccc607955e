"""pyx's token folder, shared with uv 0.12.6, the last uv that knew pyx."""

from __future__ import annotations

import json
import stat
import time
from typing import TYPE_CHECKING

import pytest

from support.storm import ask_together
from support.token_server import make_jwt

if TYPE_CHECKING:
    from pathlib import Path

    from support.home import Home
    from support.program import Program
    from support.token_server import TokenServer
    from support.uv import Uv

REFRESH = "/auth/cli/refresh"
EXCHANGE = "/auth/cli/access-token"
HELPER = ["auth", "helper", "--protocol=bazel", "get"]
KEY = "pyx-sk-test"
KEY_DIGEST = "15ae9040b21bcc16"
CALLERS = 12  # of each program


@pytest.fixture
def pyx(home: Home, token_server: TokenServer) -> TokenServer:
    """A pyx server, which the environment names."""
    home.env["PYX_API_URL"] = token_server.url
    return token_server


def root(home: Home) -> Path:
    return home.path / ".local/share/pyx/credentials"


@pytest.fixture
def realm(home: Home, pyx: TokenServer, uv_with_pyx: Uv) -> Path:
    """The folder that uv itself chooses for this server, without any token in it."""
    home.env["PYX_API_KEY"] = "of the fixture"
    assert uv_with_pyx.bazel(f"{pyx.url}/x").authorization is not None
    del home.env["PYX_API_KEY"]
    (token,) = root(home).glob("*/*.json")
    token.unlink()
    pyx.requests.clear()
    return token.parent


def expired(realm: Path, refresh_token: str = "login-refresh") -> Path:
    path = realm / "tokens.json"
    pair = {"access_token": make_jwt(int(time.time()) - 60), "refresh_token": refresh_token}
    path.write_text(json.dumps(pair, separators=(",", ":")))
    path.chmod(0o600)
    return path


def bearer(server: TokenServer) -> str:
    assert server.current_access_token is not None
    return f"Bearer {server.current_access_token}"


def test_uv_and_we_post_a_refresh_token_once_however_many_ask_at_once(
    home: Home, frozen: Program, uv_with_pyx: Uv, pyx: TokenServer, realm: Path
) -> None:
    expired(realm)
    pyx.delay = 0.5  # everybody has asked before the answer comes
    ours, theirs = [*frozen.command, "get"], [*uv_with_pyx.command, *HELPER]
    headers = ask_together(home, f"{pyx.url}/simple/acme/", ours, theirs, times=CALLERS)
    assert headers == {bearer(pyx)}
    (post,) = pyx.requests
    assert (post.path, post.json) == (REFRESH, {"refresh_token": "login-refresh"})
    assert pyx.replayed == []


def test_the_next_time_they_post_the_rotated_one_once(
    home: Home, frozen: Program, uv_with_pyx: Uv, pyx: TokenServer, realm: Path
) -> None:
    path = expired(realm)
    pyx.lifetime = 2  # it has ended at the next use
    assert frozen.bazel(f"{pyx.url}/x").authorization == bearer(pyx)
    rotated = json.loads(path.read_text())["refresh_token"]
    pyx.lifetime = 3600
    time.sleep(2)
    pyx.delay = 0.5
    ours, theirs = [*frozen.command, "get"], [*uv_with_pyx.command, *HELPER]
    assert ask_together(home, f"{pyx.url}/x", ours, theirs, times=CALLERS) == {bearer(pyx)}
    posted = [post.json["refresh_token"] for post in pyx.posts(REFRESH)]
    assert posted == ["login-refresh", rotated]
    assert pyx.replayed == []


def test_an_expired_token_of_an_api_key_is_exchanged_once(
    home: Home, frozen: Program, uv_with_pyx: Uv, pyx: TokenServer, realm: Path
) -> None:
    home.env["PYX_API_KEY"] = KEY
    cached = realm / f"{KEY_DIGEST}.json"
    cached.write_text(make_jwt(int(time.time()) - 60))
    pyx.delay = 0.5
    ours, theirs = [*frozen.command, "get"], [*uv_with_pyx.command, *HELPER]
    assert ask_together(home, f"{pyx.url}/x", ours, theirs, times=CALLERS) == {bearer(pyx)}
    (post,) = pyx.requests
    assert (post.path, post.headers["authorization"]) == (EXCHANGE, f"Bearer {KEY}")
    assert cached.read_text() == pyx.current_access_token


def test_a_first_exchange_of_an_api_key_is_ours_alone_to_make_once(
    home: Home, frozen: Program, pyx: TokenServer, realm: Path
) -> None:
    # uv takes no lock for its own first one; we do.
    home.env["PYX_API_KEY"] = KEY
    pyx.delay = 0.5
    assert ask_together(home, f"{pyx.url}/x", [*frozen.command, "get"], times=CALLERS) == {
        bearer(pyx)
    }
    assert len(pyx.requests) == 1
    assert (realm / f"{KEY_DIGEST}.json").read_text() == pyx.current_access_token


def test_uv_reads_what_we_renewed(
    frozen: Program, uv_with_pyx: Uv, pyx: TokenServer, realm: Path
) -> None:
    path = expired(realm)
    assert frozen.bazel(f"{pyx.url}/x").authorization == bearer(pyx)
    assert uv_with_pyx.bazel(f"{pyx.url}/x").authorization == bearer(pyx)
    assert len(pyx.requests) == 1
    assert json.loads(path.read_text()) == {
        "access_token": pyx.current_access_token, "refresh_token": "rotated-2"
    }  # fmt: skip
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_we_read_what_uv_renewed(
    frozen: Program, uv_with_pyx: Uv, pyx: TokenServer, realm: Path
) -> None:
    expired(realm)
    assert uv_with_pyx.bazel(f"{pyx.url}/x").authorization == bearer(pyx)
    answer = frozen.bazel(f"{pyx.url}/x")
    assert answer.authorization == bearer(pyx)
    assert "expires" in answer.json()
    assert len(pyx.requests) == 1


def test_uv_goes_on_with_the_refresh_token_that_we_got_and_we_with_uvs(
    frozen: Program, uv_with_pyx: Uv, pyx: TokenServer, realm: Path
) -> None:
    path = expired(realm)
    for _ in range(3):
        assert frozen.bazel(f"{pyx.url}/x").authorization == bearer(pyx)
        # `uv auth token` renews whatever there is; as one process at a time, it does so rightly.
        assert uv_with_pyx.token(pyx.url) == pyx.current_access_token
        expired(realm, json.loads(path.read_text())["refresh_token"])
    assert len(pyx.posts(REFRESH)) == 6
    assert pyx.replayed == []


@pytest.mark.parametrize("url", ["", "/", "/base", "/base/", "/base?query=1", "/a%20b/C"])
def test_uv_and_we_keep_the_same_server_under_the_same_name(
    home: Home, frozen: Program, uv_with_pyx: Uv, pyx: TokenServer, url: str
) -> None:
    home.env["PYX_API_URL"] = pyx.url + url
    home.env["PYX_API_KEY"] = KEY
    assert frozen.bazel(f"{pyx.url}/x").authorization == bearer(pyx)
    assert uv_with_pyx.bazel(f"{pyx.url}/x").authorization == bearer(pyx)
    (post,) = pyx.requests
    assert (post.path, post.headers["authorization"]) == (EXCHANGE, f"Bearer {KEY}")
    (cached,) = root(home).glob("*/*.json")
    assert cached.name == f"{KEY_DIGEST}.json"
    assert cached.read_text() == pyx.current_access_token


@pytest.mark.parametrize("key", ["abc", "a key of more than eight bytes", "ключ", "x" * 64])
def test_uv_and_we_keep_the_same_key_under_the_same_name(
    home: Home, frozen: Program, uv_with_pyx: Uv, pyx: TokenServer, key: str
) -> None:
    home.env["UV_API_KEY"] = key
    uv_with_pyx.bazel(f"{pyx.url}/x")
    before = [path.name for path in root(home).glob("*/*.json")]
    asked = len(pyx.requests)
    assert frozen.bazel(f"{pyx.url}/x").authorization == bearer(pyx)
    assert [path.name for path in root(home).glob("*/*.json")] == before
    assert len(pyx.requests) == asked == 1


class Both:
    """The two programs that share the folder."""

    def __init__(self, ours: Program, theirs: Uv) -> None:
        self.ours = ours
        self.theirs = theirs


@pytest.fixture
def both(frozen: Program, uv_with_pyx: Uv) -> Both:
    return Both(frozen, uv_with_pyx)


@pytest.mark.parametrize("variable", ["PYX_CREDENTIALS_DIR", "UV_CREDENTIALS_DIR"])
def test_uv_and_we_share_a_folder_that_the_environment_names(
    home: Home, both: Both, pyx: TokenServer, realm: Path, variable: str
) -> None:
    chosen = home.path / "chosen"
    chosen.mkdir()
    moved = realm.rename(chosen / realm.name)
    home.env[variable] = str(chosen)
    expired(moved)
    assert both.ours.bazel(f"{pyx.url}/x").authorization == bearer(pyx)
    assert both.theirs.bazel(f"{pyx.url}/x").authorization == bearer(pyx)
    assert len(pyx.requests) == 1


@pytest.mark.parametrize(
    ("environment", "header"),
    [
        ({"PYX_AUTH_TOKEN": "a", "UV_AUTH_TOKEN": "b", "PYX_API_KEY": KEY}, "Bearer a"),
        ({"UV_AUTH_TOKEN": "b", "PYX_API_KEY": KEY}, "Bearer b"),
        ({"PYX_API_KEY": KEY, "UV_API_KEY": "other"}, None),
    ],
)
def test_uv_and_we_prefer_the_same_variable(
    home: Home,
    both: Both,
    pyx: TokenServer,
    environment: dict[str, str],
    header: str | None,
) -> None:
    home.env |= environment
    theirs = both.theirs.bazel(f"{pyx.url}/x").authorization
    assert both.ours.bazel(f"{pyx.url}/x").authorization == theirs
    assert theirs == (header or bearer(pyx))
    assert [r.headers["authorization"] for r in pyx.requests] == [f"Bearer {KEY}"] * (not header)


def test_the_token_stays_at_the_origin_that_it_is_for(
    frozen: Program, uv_with_pyx: Uv, pyx: TokenServer, realm: Path
) -> None:
    expired(realm)
    assert frozen.bazel(f"{pyx.url}/x").authorization == bearer(pyx)
    leaks = ["https://dev", "https://api.pyx.dev:8443/x", "http://pyx.dev/x"]
    assert uv_with_pyx.bazel(leaks[0]).authorization == bearer(pyx)  # which we do not copy
    for url in [*leaks, "https://127.0.0.1/x", "http://127.0.0.1:9/x", "https://pyx.dev.example/"]:
        answer = frozen.bazel(url)
        assert b"Authorization" not in answer.out
