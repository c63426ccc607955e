"""Whatever a token server does: one clear line in time, no login lost, nothing sent elsewhere."""

from __future__ import annotations

import calendar
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from support.components import need
from support.logins import (
    ENDED,
    FIRST,
    INSIDE,
    Login,
    OAuthLogin,
    PyxLogin,
    age_notes,
    bearer,
    docker_refusal,
    refusal,
    secret,
    timestamp,
    warning,
)
from support.program import IN_TIME, Program
from support.token_server import Fault, TokenServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.home import Home

MOMENT = 4.0  # seconds for which a failure is shared by all who ask
SOON = 60  # seconds within which a client asks again for a token that was not renewed
# After these, nobody knows whether the server has acted on the request.
UNKNOWN = [Fault.CLOSE, Fault.HANG, Fault.ENDLESS, Fault.GARBAGE_JSON, Fault.NO_TOKEN, Fault.HTML]
# With these comes a next refresh token, beside an access token that is of no use.
USELESS = [Fault.EXPIRED, Fault.CRLF_TOKEN]


@pytest.fixture
def other() -> Iterator[TokenServer]:
    """Somebody else's server, which must never be asked."""
    with TokenServer() as server:
        yield server
    assert server.requests == []


@pytest.fixture
def login(home: Home, token_server: TokenServer, other: TokenServer) -> OAuthLogin:
    token_server.redirect_to = f"{other.url}/token"
    return OAuthLogin(home, token_server)


@pytest.fixture
def pyx(home: Home, token_server: TokenServer, other: TokenServer) -> PyxLogin:
    token_server.redirect_to = f"{other.url}/auth/cli/refresh"
    return PyxLogin(home, token_server)


@pytest.fixture
def gone() -> TokenServer:
    """A server that has been stopped: its port refuses connections."""
    with TokenServer() as server:
        return server


@contextmanager
def in_time() -> Iterator[None]:
    begin = time.monotonic()
    yield
    assert time.monotonic() - begin < IN_TIME


def unharmed(login: Login, before: bytes, fault: Fault) -> None:
    """The store is as it was, but for a next refresh token that came."""
    if fault in USELESS:
        assert login.kept()[1] == "rotated-1"
    else:
        assert login.file.read_bytes() == before


@pytest.mark.parametrize("fault", Fault)
def test_both_protocols_are_told_in_one_line_and_in_time(
    frozen: Program, login: OAuthLogin, token_server: TokenServer, fault: Fault
) -> None:
    frozen.home.env["CREDLATCH_TIMEOUT"] = "9"  # as without it
    login.write(ENDED)
    before = login.file.read_bytes()
    token_server.fault = fault
    with in_time():
        answer = frozen.bazel(login.uri)
    assert token_server.url in refusal(answer)
    assert login.refresh_tokens() == [FIRST]
    unharmed(login, before, fault)
    assert token_server.url in docker_refusal(frozen.docker("get", login.key))


@pytest.mark.parametrize("fault", [Fault.STATUS_500, Fault.INVALID_GRANT, Fault.CRLF_TOKEN])
def test_a_token_that_is_still_good_is_served_with_a_warning_and_asked_for_again_soon(
    frozen: Program, login: OAuthLogin, token_server: TokenServer, fault: Fault
) -> None:
    good = login.write(INSIDE)
    before = login.file.read_bytes()
    token_server.fault = fault
    with in_time():
        answer = frozen.bazel(login.uri)
    assert bearer(answer) == good
    assert token_server.url in warning(answer)
    assert time.time() < seconds(answer.json()["expires"]) < time.time() + SOON
    unharmed(login, before, fault)
    with in_time():
        again = frozen.docker("get", login.key)
    assert secret(again) == good
    assert token_server.url in warning(again)


def seconds(timestamp: str) -> int:
    return calendar.timegm(time.strptime(timestamp, "%Y-%m-%dT%H:%M:%SZ"))


def test_a_token_with_less_left_than_that_is_asked_for_again_at_its_end(
    frozen: Program, login: OAuthLogin, token_server: TokenServer
) -> None:
    login.write(20)
    token_server.fault = Fault.STATUS_500
    assert frozen.bazel(login.uri).json()["expires"] == timestamp(login.ends())


def test_a_refresh_token_that_was_never_sent_is_sent_when_the_server_is_back(
    frozen: Program, home: Home, gone: TokenServer
) -> None:
    pyx = PyxLogin(home, gone)
    pyx.write(ENDED)
    assert gone.url in refusal(frozen.bazel(pyx.uri))
    with TokenServer(gone.port) as back:
        age_notes(home, MOMENT)
        assert bearer(frozen.bazel(pyx.uri)) == back.current_access_token
        assert len(back.posts(pyx.endpoint)) == 1


@pytest.mark.parametrize("name", ["tokens.json", "with a space.json"])
def test_nothing_is_sent_for_a_store_that_is_a_mount_and_cannot_be_replaced(
    frozen: Program, pyx: PyxLogin, token_server: TokenServer, name: str, tmp_path: Path
) -> None:
    """A container into which a file is mounted, and not its folder."""
    pyx.write(ENDED)
    before = pyx.file.read_bytes()
    real = pyx.file.rename(pyx.file.with_name(name))
    if real != pyx.file:
        pyx.file.symlink_to(real)
    mounted = ["unshare", "--mount", "sh", "-c", 'mount --bind "$0" "$0" && exec "$@"', str(real)]
    need("unshare")
    inside = Program([*mounted, *frozen.command], frozen.home, tmp_path)
    assert "mounted by itself: mount its folder" in refusal(inside.bazel(pyx.uri))
    assert pyx.refresh_tokens() == []
    assert real.read_bytes() == before
    assert bearer(frozen.bazel(pyx.uri)) == token_server.current_access_token


def test_another_cache_folder_is_no_reason_to_send_a_single_use_again(
    frozen: Program, home: Home, pyx: PyxLogin, token_server: TokenServer
) -> None:
    pyx.write(ENDED)
    token_server.fault = Fault.CLOSE
    said = {refusal(frozen.bazel(pyx.uri))}
    token_server.fault = None
    for cache in ("here", "there"):
        home.env["XDG_CACHE_HOME"] = str(home.path / cache)
        said.add(refusal(frozen.bazel(pyx.uri)))
    assert len(said) == 1
    assert "cut off" not in said.pop()
    assert pyx.refresh_tokens() == [FIRST]


@pytest.mark.parametrize("fault", UNKNOWN)
def test_a_single_use_refresh_token_whose_fate_is_unknown_is_never_sent_again(
    frozen: Program, pyx: PyxLogin, token_server: TokenServer, fault: Fault
) -> None:
    pyx.write(ENDED)
    before = pyx.file.read_bytes()
    token_server.fault = fault
    assert token_server.url in refusal(frozen.bazel(pyx.uri))
    token_server.fault = None
    for _ in range(3):
        assert "log in again" in refusal(frozen.bazel(pyx.uri))
    assert "log in again" in docker_refusal(frozen.docker("get", pyx.key))
    assert pyx.refresh_tokens() == [FIRST]
    assert pyx.file.read_bytes() == before
    pyx.write(ENDED, "of the next login")
    assert bearer(frozen.bazel(pyx.uri)) == token_server.current_access_token


def test_while_its_token_is_good_such_a_login_is_served_and_its_refresh_token_left_alone(
    frozen: Program, pyx: PyxLogin, token_server: TokenServer
) -> None:
    good = pyx.write(INSIDE)
    token_server.fault = Fault.CLOSE
    for _ in range(3):
        answer = frozen.bazel(pyx.uri)
        assert bearer(answer) == good
        warning(answer)
        token_server.fault = None
    assert pyx.refresh_tokens() == [FIRST]


@pytest.mark.parametrize("fault", USELESS)
def test_the_next_refresh_token_is_kept_though_the_access_token_with_it_is_useless(
    frozen: Program,
    home: Home,
    token_server: TokenServer,
    fault: Fault,
    each_login: Login,
) -> None:
    old = each_login.write(ENDED)
    token_server.fault = fault
    token_server.fault_times = 1
    assert token_server.url in refusal(frozen.bazel(each_login.uri))
    assert each_login.kept() == (old, "rotated-1")
    age_notes(home, MOMENT)
    assert bearer(frozen.bazel(each_login.uri)) == token_server.current_access_token
    assert each_login.refresh_tokens() == [FIRST, "rotated-1"]
    assert token_server.replayed == []


def test_a_refused_login_says_how_to_log_in_again_and_is_not_sent_over_and_over(
    frozen: Program, token_server: TokenServer, each_login: Login
) -> None:
    each_login.write(ENDED)
    token_server.fault = Fault.INVALID_GRANT
    said = {refusal(frozen.bazel(each_login.uri)) for _ in range(5)}
    assert len(said) == 1
    assert "log in again: " in said.pop()
    assert each_login.refresh_tokens() == [FIRST]
