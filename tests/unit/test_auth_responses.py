"""What a token server's answer means, whichever server it is."""

from __future__ import annotations

import json

import pytest

from credlatch.auth import Auth, TokenResponse
from credlatch.auth.oauth import OAuthRefresh
from credlatch.auth.posit import PositIdentity
from credlatch.auth.pyx import PyxApiKey
from credlatch.auth.responses import checked, refusal
from credlatch.credential import Secret
from credlatch.errors import LoginError, RenewalError
from support.flows import answered
from support.jwt import make_jwt

NOW = 1_795_223_476.0
GRANT = OAuthRefresh(Secret("hunter2"), "https://auth.example/token", "cid", "pixi auth login x")
OTHERS = [kind(GRANT.secret, GRANT.server, GRANT.remedy) for kind in (PositIdentity, PyxApiKey)]


@pytest.mark.parametrize("grant", [GRANT, *OTHERS])
@pytest.mark.parametrize(
    ("status", "error", "for_good"),
    [
        (400, "invalid_grant", True),
        (400, "", True),
        (401, "", True),
        (403, "", False),
        (500, "invalid_grant", True),
        (403, "invalid_token", True),
        (404, "", False),
        (408, "", False),
        (429, "slow_down", False),
        (500, "", False),
        (502, "server_error", False),
        (503, "", False),
    ],
)
def test_whether_a_refusal_is_for_good(
    grant: Auth, status: int, error: str, *, for_good: bool
) -> None:
    with pytest.raises(RenewalError) as raised:
        answered(grant, json.dumps({"error": error}).encode(), status)
    said = str(raised.value)
    assert isinstance(raised.value, LoginError) is for_good
    assert ("pixi auth login x" in said) is for_good
    assert ("try again" in said) is not for_good
    assert "https://auth.example/token" in said
    assert (f"(HTTP {status}, {error})" if error else f"(HTTP {status})") in said
    assert "hunter2" not in said


@pytest.mark.parametrize("status", [401, 500])
def test_a_password_in_a_token_server_s_address_is_not_shown(status: int) -> None:
    grant = OAuthRefresh(Secret("r"), "https://u:hunter2@auth.example/token", "cid", "log in")
    answer = str(refusal(grant, status))
    assert "hunter2" not in answer
    assert "auth.example/token" in answer


@pytest.mark.parametrize(
    "body",
    [b'{"error":"a\\r\\nb"}', b'{"error":"\\u001b[2J"}', b'{"error":[]}', b'["error"]', b"<p>"],
)
def test_what_a_server_says_does_not_reach_the_terminal_unchecked(body: bytes) -> None:
    with pytest.raises(LoginError, match=r"\(HTTP 400\): pixi auth login x$"):
        answered(GRANT, body, 400)


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
