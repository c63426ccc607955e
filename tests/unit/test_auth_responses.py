"""What a token server's answer means, whichever server it is."""

from __future__ import annotations

import pytest

from credlatch.auth import TokenResponse
from credlatch.auth.oauth import OAuthRefresh
from credlatch.auth.responses import checked, refusal
from credlatch.credential import Secret
from credlatch.errors import LoginError, RenewalError
from support.jwt import make_jwt

NOW = 1_795_223_476.0
GRANT = OAuthRefresh(Secret("hunter2"), "https://auth.example/token", "cid", "pixi auth login x")


@pytest.mark.parametrize(
    ("status", "error", "for_good"),
    [
        (400, "invalid_grant", True),
        (400, "", True),
        (401, "", True),
        (403, "", False),
        (500, "invalid_grant", True),
        (200, "invalid_token", True),
        (404, "", False),
        (408, "", False),
        (429, "slow_down", False),
        (500, "", False),
        (502, "server_error", False),
        (503, "", False),
    ],
)
def test_whether_a_refusal_is_for_good(status: int, error: str, *, for_good: bool) -> None:
    answer = refusal(GRANT, status, error)
    assert isinstance(answer, LoginError) is for_good
    assert ("pixi auth login x" in str(answer)) is for_good
    assert ("try again" in str(answer)) is not for_good
    assert "https://auth.example/token" in str(answer)
    assert f"HTTP {status}" in str(answer)
    assert "hunter2" not in str(answer)


@pytest.mark.parametrize("status", [401, 500])
def test_a_password_in_a_token_server_s_address_is_not_shown(status: int) -> None:
    grant = OAuthRefresh(Secret("r"), "https://u:hunter2@auth.example/token", "cid", "log in")
    answer = str(refusal(grant, status))
    assert "hunter2" not in answer
    assert "auth.example/token" in answer


@pytest.mark.parametrize("error", ["a\r\nb", "\x1b[2J", "x" * 10_000])
def test_what_a_server_says_does_not_reach_the_terminal_unchecked(error: str) -> None:
    answer = str(refusal(GRANT, 400, error))
    assert answer.isprintable()
    assert len(answer) < 300


@pytest.mark.parametrize(
    ("fresh", "complaint"),
    [
        (TokenResponse(Secret("t")), None),
        (TokenResponse(Secret("t"), expires=int(NOW) + 1), None),
        (TokenResponse(Secret(make_jwt(int(NOW) + 1))), None),
        (TokenResponse(Secret(make_jwt(None))), None),
        (TokenResponse(Secret("")), "no header"),
        (TokenResponse(Secret("a\r\nX-Injected: yes")), "no header"),
        (TokenResponse(Secret("a\tb")), "no header"),
        (TokenResponse(Secret("é")), "no header"),
        (TokenResponse(Secret("t"), expires=int(NOW)), "already expired"),
        (TokenResponse(Secret("t"), expires=0), "already expired"),
        (TokenResponse(Secret(make_jwt(int(NOW) - 1))), "already expired"),
    ],
)
def test_whether_a_fresh_token_can_be_used(fresh: TokenResponse, complaint: str | None) -> None:
    answer = checked(GRANT, fresh, NOW)
    assert (answer is None) is (complaint is None)
    if complaint is not None:
        assert complaint in str(answer)
        assert isinstance(answer, RenewalError)
        assert "X-Injected" not in str(answer)
