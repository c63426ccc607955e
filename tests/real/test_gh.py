"""gh's own file is read, and each host gets the token that gh itself would send there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.components import need
from support.forges import GitHub
from support.program import run

if TYPE_CHECKING:
    from support.home import Home
    from support.internet import Internet
    from support.program import Program

SERVER = "ghe.corp.example"


@pytest.fixture
def gh(home: Home, internet: Internet) -> str:
    """gh, logged in to github.com and to an enterprise server."""
    program = need("gh")
    home.env |= {"GH_NO_UPDATE_NOTIFIER": "1", "GH_PROMPT_DISABLED": "1", "NO_COLOR": "1"}
    GitHub(internet, {"gho_ours"})
    GitHub(internet, {"ghes_theirs"}, SERVER)
    for host, token in (("github.com", b"gho_ours"), (SERVER, b"ghes_theirs")):
        words = ("auth", "login", "--with-token", "--hostname", host)
        done = run(home, [program, *words], stdin=token)
        assert done.code == 0, done
    return program


URLS = {
    "github.com": "https://github.com/o/private/archive/v1.tar.gz",
    SERVER: f"https://{SERVER}/o/private/archive/v1.tar.gz",
}
VARIABLES: list[dict[str, str]] = [
    {},
    {"GH_TOKEN": "g"},
    {"GITHUB_TOKEN": "h"},
    {"GH_TOKEN": "g", "GITHUB_TOKEN": "h"},
    {"GH_ENTERPRISE_TOKEN": "e"},
    {"GITHUB_ENTERPRISE_TOKEN": "f"},
    {"GH_ENTERPRISE_TOKEN": "e", "GITHUB_ENTERPRISE_TOKEN": "f", "GH_HOST": SERVER},
    {"GH_TOKEN": "g", "GH_ENTERPRISE_TOKEN": "e", "GH_HOST": SERVER},
]


def test_each_host_gets_the_token_that_gh_has_for_it(home: Home, frozen: Program, gh: str) -> None:
    assert (home.path / ".config/gh/hosts.yml").stat().st_mode & 0o77 == 0
    for variables in VARIABLES:
        before = dict(home.env)
        home.env |= variables
        for host, url in URLS.items():
            said = run(home, [gh, "auth", "token", "--hostname", host])
            assert said.code == 0, said
            token = said.out.decode().strip()
            assert frozen.bazel(url).authorization == f"Bearer {token}", (variables, host)
        home.env.clear()
        home.env |= before


def test_a_host_that_gh_has_left_gets_nothing(home: Home, frozen: Program, gh: str) -> None:
    assert run(home, [gh, "auth", "logout", "--hostname", SERVER]).code == 0
    assert frozen.bazel(URLS[SERVER]).json() == {"headers": {}}
    assert frozen.bazel(URLS["github.com"]).authorization == "Bearer gho_ours"
