"""With one path every machine renews: one request, whoever asks how often, and all are answered."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from support.fleets import LOGIN, URL, configure, kept, put_login
from support.home import Home
from support.logins import ENDED, FIRST, oauth
from support.program import Program

if TYPE_CHECKING:
    from pathlib import Path

    from support.openbao import Bao
    from support.token_server import TokenServer

ONE = f'one-path = true\nlogin = "{LOGIN}"'


@pytest.fixture
def machines(bao: Bao, frozen: Program, tmp_path: Path) -> list[Program]:
    """The program on three machines."""
    made = []
    for number in range(3):
        home = Home(tmp_path / f"machine-{number}")
        configure(home, bao, "renewer", "one-path = true")
        made.append(Program(frozen.command, home, tmp_path / f"links-{number}"))
    return made


def test_one_of_all_renews_and_all_have_the_token(
    bao: Bao, machines: list[Program], token_server: TokenServer
) -> None:
    token_server.delay = 0.5
    put_login(bao, oauth(token_server, ENDED))
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda number: machines[number % 3].bazel(URL), range(12)))
    assert {each.authorization for each in answers} == {
        f"Bearer {token_server.current_access_token}"
    }
    sent = [post.form["refresh_token"] for post in token_server.posts("/token") if post.form]
    assert sent == [FIRST]
    assert token_server.replayed == []
    assert kept(bao, LOGIN)["entry"]["OAuth"]["refresh_token"] == "rotated-1"


def test_a_token_that_lives_is_given_whoever_is_renewing(
    bao: Bao, machines: list[Program], token_server: TokenServer
) -> None:
    entry = oauth(token_server, 120)
    put_login(bao, entry)
    with token_server.paused():
        first = machines[0].bazel(URL)  # by chance it may try, and nobody answers
        assert first.authorization == f"Bearer {entry['OAuth']['access_token']}"
    assert machines[1].bazel(URL).authorization is not None
