"""gh's own file is read, and each host gets the token that gh itself would send there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.components import need
from support.forges import GitHub
from support.program import run

if TYPE_CHECKING:
    from collections.abc import Callable

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


# What gh 2.40 and newer keep, by their own libraries


@pytest.fixture
def keep(home: Home) -> Callable[..., None]:
    """Makes a user the active one of a host, as gh's login does."""
    program = need("ghlogin")

    def keep(host: str, user: str, *, secure: bool = False) -> None:
        action = "keep-secure" if secure else "keep"
        done = run(home, [program, action, host, user], stdin=f"{user}-of-{host}".encode())
        assert done.code == 0, done

    return keep


def bearer(frozen: Program, url: str) -> str:
    return (frozen.bazel(url).authorization or "").removeprefix("Bearer ")


def test_of_several_accounts_in_gh_s_file_the_active_one_or_the_one_that_is_named(
    frozen: Program, keep: Callable[..., None]
) -> None:
    url = URLS["github.com"]
    for user in ("monalisa", "hubot"):
        keep("github.com", user)
    assert bearer(frozen, url) == "hubot-of-github.com"
    named = url.replace("//", "//monalisa@")
    assert bearer(frozen, named) == "monalisa-of-github.com"


@pytest.mark.usefixtures("secret_service")
def test_tokens_that_gh_keeps_in_the_keyring(
    home: Home, frozen: Program, keep: Callable[..., None]
) -> None:
    keep("github.com", "monalisa", secure=True)
    keep("github.com", "hubot", secure=True)
    keep(SERVER, "ada", secure=True)
    assert b"-of-" not in (home.path / ".config/gh/hosts.yml").read_bytes()
    url = URLS["github.com"]
    assert bearer(frozen, url) == "hubot-of-github.com"
    assert bearer(frozen, url.replace("//", "//monalisa@")) == "monalisa-of-github.com"
    assert bearer(frozen, URLS[SERVER]) == f"ada-of-{SERVER}"


def test_what_is_sent_is_what_gh_s_libraries_have_for_the_host_or_nothing(
    home: Home, frozen: Program, keep: Callable[..., None]
) -> None:
    hosts = ("github.com", SERVER, "octo.ghe.com")
    for host in hosts:
        keep(host, "ada")
    for variables in (*VARIABLES, {"GH_TOKEN": "g", "GH_HOST": "octo.ghe.com"}):
        before = dict(home.env)
        home.env |= variables
        sent = {}
        for host in hosts:
            theirs = run(home, [need("ghlogin"), "token", host]).out.decode().strip()
            sent[host] = bearer(frozen, f"https://{host}/o/private/archive/v1.tar.gz")
            # Ours go by the variable for one host of a kind; for another one by its own login.
            assert sent[host] in {theirs, f"ada-of-{host}"}, (variables, host)
        assert len(set(sent.values())) == len(hosts), variables  # no token for two of them
        home.env.clear()
        home.env |= before
