"""curl, with the headers that ``credlatch header`` gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.components import need
from support.guarded import Guarded
from support.logins import OAuthLogin
from support.matching import basic
from support.program import run as run_in

if TYPE_CHECKING:
    from support.home import Home
    from support.program import Program
    from support.token_server import TokenServer

# Both ways that curl's manual has: from standard input, and from a file.
COMMANDS = [
    'credlatch header "$URL" | curl -sSf -H @- "$URL"',
    'credlatch header "$URL" > headers && curl -sSf --header @headers "$URL"',
]


def run(frozen: Program, script: str, url: str) -> str:
    """What a shell's line says, with our program and curl on PATH."""
    need("curl")
    frozen.put_on_path("credlatch")
    frozen.home.env["URL"] = url
    answer = run_in(frozen.home, ["sh", "-c", script])
    assert answer.code == 0, answer
    return answer.out.decode()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_login_and_a_token(frozen: Program, home: Home, command: str) -> None:
    logins = {
        basic("bob", "p: ä"): {"BasicHTTP": {"username": "bob", "password": "p: ä"}},
        "Bearer t": {"BearerToken": "t"},
    }
    for header, login in logins.items():
        home.write_rattler({"127.0.0.1": login})
        with Guarded(header.__eq__) as server:
            server.files["/file"] = b"content"
            assert run(frozen, command, f"{server.url}/file") == "content"
        assert [visit.authorization for visit in server.admitted] == [header]


@pytest.mark.parametrize("command", COMMANDS)
def test_an_expired_token_is_renewed_for_curl(
    frozen: Program, home: Home, token_server: TokenServer, command: str
) -> None:
    OAuthLogin(home, token_server, "127.0.0.1").write(left=-60)
    with Guarded() as server:
        server.files["/file"] = b"content"
        assert run(frozen, command, f"{server.url}/file") == "content"
    assert [visit.authorization for visit in server.admitted] == [
        f"Bearer {token_server.current_access_token}"
    ]


def test_the_token_alone_is_for_scripts(frozen: Program, home: Home) -> None:
    home.write_rattler({"127.0.0.1": {"BearerToken": "t"}})
    with Guarded("Bearer t".__eq__) as server:
        server.files["/file"] = b"content"
        script = 'TOKEN=$(credlatch token "$URL") && printf "header = \\"Authorization: Bearer '
        script += '%s\\"" "$TOKEN" | curl -sSf -K - "$URL"'
        assert run(frozen, script, f"{server.url}/file") == "content"
