"""However many helpers ask at once, an expired token is renewed once, and all have the new one."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from support.logins import (
    ENDED,
    FIRST,
    INSIDE,
    Login,
    OAuthLogin,
    PyxLogin,
    bearer,
    docker_refusal,
    refusal,
    secret,
)
from support.program import IN_TIME
from support.storm import at_once, bazel, docker
from support.token_server import Fault, TokenServer

if TYPE_CHECKING:
    from pathlib import Path

    from support.home import Home
    from support.program import Program
    from support.storm import Timed

FEW = 3  # requests to a server that fails, of all the callers together


def same_fresh_token(answers: list[Timed], login: Login, server: TokenServer) -> None:
    """One request was sent, and every Bazel answer is what came back, with its end."""
    assert login.refresh_tokens() == [FIRST]
    token, refresh = login.kept()
    assert (token, refresh) == (server.current_access_token, "rotated-1")
    assert {answer.code for answer in answers} == {0}, set(map(repr, answers))
    assert {bearer(answer) for answer in answers} == {token}
    assert {answer.json()["expires"] for answer in answers} == {login.asks_again()}
    assert {answer.err for answer in answers} == {""}


def test_40_helpers_on_one_expired_token_send_one_request_and_give_40_right_answers(
    frozen: Program, login: OAuthLogin, token_server: TokenServer, tmp_path: Path
) -> None:
    login.write(ENDED)
    calls = [bazel(f"{login.uri}?{number}") for number in range(40)]
    answers = at_once(frozen, calls, tmp_path / "storm")
    assert len(answers) == 40
    same_fresh_token(answers, login, token_server)


def test_20_helpers_on_one_pyx_login_use_its_refresh_token_once(
    frozen: Program, pyx: PyxLogin, token_server: TokenServer, tmp_path: Path
) -> None:
    pyx.write(ENDED)
    answers = at_once(frozen, [bazel(pyx.uri)] * 20, tmp_path / "storm")
    same_fresh_token(answers, pyx, token_server)
    assert token_server.replayed == []


def test_callers_of_both_protocols_share_one_renewal(
    frozen: Program, login: OAuthLogin, token_server: TokenServer, tmp_path: Path
) -> None:
    login.write(ENDED)
    answers = at_once(frozen, [bazel(login.uri), docker(login.key)] * 10, tmp_path / "storm")
    same_fresh_token(answers[::2], login, token_server)
    assert {secret(answer) for answer in answers[1::2]} == {token_server.current_access_token}
    assert {answer.err for answer in answers[1::2]} == {""}


def test_a_token_inside_the_margin_is_renewed_once_and_nobody_is_left_without_one(
    frozen: Program, login: OAuthLogin, token_server: TokenServer, tmp_path: Path
) -> None:
    good = login.write(INSIDE)
    # Longer than anybody waits who has a token to serve, so both kinds of answer are seen.
    token_server.delay = 4.0
    answers = at_once(frozen, [bazel(login.uri)] * 20, tmp_path / "storm")
    assert login.refresh_tokens() == [FIRST]
    fresh = token_server.current_access_token
    assert login.kept()[0] == fresh
    served = [bearer(answer) for answer in answers]
    assert set(served) == {good, fresh}
    for token, answer in zip(served, answers, strict=True):
        if token == fresh:
            assert answer.json()["expires"] == login.asks_again()
        else:
            assert answer.json()["expires"] < login.asks_again()
            assert "still good" in answer.err, answer


@pytest.mark.parametrize(
    "fault", [Fault.STATUS_500, Fault.INVALID_GRANT, Fault.CLOSE, Fault.HANG, Fault.EXPIRED]
)
def test_a_failing_server_is_not_asked_by_everybody_and_everybody_is_told_in_time(
    frozen: Program, login: OAuthLogin, token_server: TokenServer, tmp_path: Path, fault: Fault
) -> None:
    login.write(ENDED)
    before = login.file.read_bytes()
    token_server.fault = fault
    answers = at_once(frozen, [bazel(login.uri), docker(login.key)] * 10, tmp_path / "storm")
    assert 1 <= len(login.refresh_tokens()) <= FEW
    for answer in answers[::2]:
        assert token_server.url in refusal(answer)
    for answer in answers[1::2]:
        assert token_server.url in docker_refusal(answer)
    assert max(answer.seconds for answer in answers) < IN_TIME
    if fault is not Fault.EXPIRED:  # there the next refresh token is kept
        assert login.file.read_bytes() == before


def test_a_failure_is_shared_for_a_moment_only(
    frozen: Program, login: OAuthLogin, token_server: TokenServer
) -> None:
    login.write(ENDED)
    token_server.fault = Fault.STATUS_500
    assert "HTTP 500" in refusal(frozen.bazel(login.uri))
    token_server.fault = None
    begin = time.monotonic()
    while (answer := frozen.bazel(login.uri)).code != 0:
        assert "HTTP 500" in refusal(answer)
        assert time.monotonic() - begin < IN_TIME, "a server that has recovered is not asked"
    assert bearer(answer) == token_server.current_access_token
    assert login.refresh_tokens() == [FIRST, FIRST]


def test_logins_of_one_store_that_are_renewed_at_once_do_not_overwrite_each_other(
    frozen: Program, home: Home, token_server: TokenServer, tmp_path: Path
) -> None:
    logins = [OAuthLogin(home, token_server, f"h{number}.example.com") for number in range(8)]
    for number, login in enumerate(logins):
        login.write(ENDED, f"refresh-of-{number}")
    answers = at_once(frozen, [bazel(login.uri) for login in logins], tmp_path / "storm")
    kept = [login.kept()[0] for login in logins]
    assert [bearer(answer) for answer in answers] == kept
    assert len(set(kept)) == 8
    assert sorted(logins[0].refresh_tokens()) == sorted(f"refresh-of-{n}" for n in range(8))


def test_a_login_whose_server_hangs_does_not_keep_the_others_from_being_renewed(
    frozen: Program, home: Home, login: OAuthLogin, token_server: TokenServer, tmp_path: Path
) -> None:
    login.write(ENDED)
    with TokenServer() as hanging:
        stuck = OAuthLogin(home, hanging, "stuck.example.com")
        stuck.write(ENDED, "refresh of the stuck one")
        hanging.fault = Fault.HANG
        calls = [bazel(stuck.uri)] * 5 + [bazel(login.uri)] * 5
        answers = at_once(frozen, calls, tmp_path / "storm")
        assert len(hanging.posts("/token")) == 1
    for answer in answers[:5]:
        assert hanging.url in refusal(answer)
    same_fresh_token(answers[5:], login, token_server)
    assert max(answer.seconds for answer in answers) < IN_TIME
