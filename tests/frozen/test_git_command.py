"""``git-credential-credlatch`` as a process, by git's own bytes: tests/real runs git itself."""

from __future__ import annotations

import os
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest

from support.every_store import STORES, TOKEN
from support.git_helper import GitHelper
from support.logins import OAuthLogin, refusal
from support.program import TIMEOUT

if TYPE_CHECKING:
    from support.agent import Agent
    from support.home import Home
    from support.program import Program
    from support.token_server import TokenServer

NEW = ("capability[]=authtype", "capability[]=state")  # git from 2.46 on
BOB = ("username=bob", "password=p: w")
TOLD_EARLY = 30  # seconds


@pytest.fixture
def git(frozen: Program) -> GitHelper:
    """The helper."""
    return GitHelper(frozen)


def login(username: str, password: str) -> dict[str, Any]:
    return {"BasicHTTP": {"username": username, "password": password}}


def test_the_word_does_what_the_name_does(frozen: Program, git: GitHelper) -> None:
    STORES["netrc"].write(git.home)
    by_word = frozen("git", "get", stdin=b"protocol=https\nhost=host.example\n")
    assert by_word == git("get") == (0, b"username=bob\npassword=p: w\n", "")


def test_the_single_file_may_have_the_name_too(each_form: Program) -> None:
    helper = GitHelper(each_form)
    STORES["netrc"].write(helper.home)
    assert helper.get() == {"username": "bob", "password": "p: w"}


def test_an_agent_that_runs_does_not_take_it_for_docker_s(agent: Agent) -> None:
    helper = GitHelper(agent.program)
    STORES["netrc"].write(helper.home)
    agent.warm()
    assert helper.get() == {"username": "bob", "password": "p: w"}
    assert helper.get(host="other.example") == {}


@pytest.mark.parametrize(
    "stdin", [b"protocol=https\nhost=other.example\n", b"protocol=cert\nhost=\npath=/key.pem\n"]
)
def test_where_there_is_nothing_git_goes_on_to_ask(git: GitHelper, stdin: bytes) -> None:
    STORES["netrc"].write(git.home)
    assert git.program("get", stdin=stdin) == (0, b"", "")


def test_plain_http_is_refused_and_loopback_is_served(git: GitHelper) -> None:
    entries = {host: login("bob", "pw") for host in ("host.example", "127.0.0.1")}
    git.home.write_rattler(entries)
    assert "plain http" in refusal(git("get", "protocol=http"))
    assert git.get("protocol=http", host="127.0.0.1:8080")["password"] == "pw"
    assert "plain http" in refusal(git("store", "protocol=http", "username=a", "password=b"))
    assert git.home.read_rattler() == entries


BAD = {
    "nothing": (b"", "no protocol"),
    "JSON": (b'{"uri":"https://host.example/"}', "'='"),
    "not UTF-8": (b"protocol=https\nhost=\xff\n", "UTF-8"),
    "10 MB": (b"protocol=https\nhost=host.example\npath=".ljust(10_000_000, b"x"), "1048576"),
}


@pytest.mark.parametrize(("stdin", "says"), BAD.values(), ids=BAD.keys())
@pytest.mark.parametrize("operation", ["get", "store", "erase"])
def test_bad_input_is_a_line(git: GitHelper, operation: str, stdin: bytes, says: str) -> None:
    assert says in refusal(git.program(operation, stdin=stdin))
    assert not (git.home.path / ".rattler").exists()


@pytest.mark.parametrize("args", [[], ["get", "more"], ["--verbose", "get"], ["--read-only"]])
def test_wrong_usage_is_2_and_a_line(git: GitHelper, args: list[str]) -> None:
    assert "usage: credlatch git" in refusal(git.program(*args), 2)


def test_help_and_capabilities_are_answers(git: GitHelper) -> None:
    assert git.program("--help").out.startswith(b"usage: credlatch git ")
    capability = git.program("capability")
    assert capability.out == b"version 0\ncapability authtype\ncapability state\n"


def test_an_operation_of_a_later_git_is_ignored_at_once(git: GitHelper) -> None:
    reading, writing = os.pipe()  # nobody writes and nobody closes
    try:
        done = subprocess.run(
            [*git.program.command, "forecast"],
            stdin=reading,
            env=git.home.env,
            capture_output=True,
            timeout=TIMEOUT,
            check=False,
        )
    finally:
        os.close(reading)
        os.close(writing)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_an_expired_token_is_renewed_and_its_end_is_told_early(
    git: GitHelper, token_server: TokenServer
) -> None:
    oauth = OAuthLogin(git.home, token_server, "host.example")
    oauth.write(left=-60)
    assert git.get() == {
        "username": "oauth2",
        "password": token_server.current_access_token,
        "password_expiry_utc": str(oauth.ends() - TOLD_EARLY),
    }
    assert len(oauth.refresh_tokens()) == 1


def test_a_token_that_cannot_be_renewed_says_so_and_git_goes_on(
    git: GitHelper, token_server: TokenServer
) -> None:
    OAuthLogin(git.home, token_server, "host.example").write(left=-60)
    token_server.spend("refresh-0")
    assert "credlatch login" in refusal(git("get"))


def test_a_server_that_wants_a_bearer_gets_one_from_a_git_that_can(git: GitHelper) -> None:
    git.home.write_rattler({"host.example": {"BearerToken": "t"}})
    answer = git("get", *NEW, 'wwwauth[]=Bearer realm="x"')
    assert answer.out == (
        b"capability[]=authtype\ncapability[]=state\nstate[]=credlatch:given\n"
        b"authtype=Bearer\ncredential=t\nephemeral=1\n"
    )
    by_basic = git("get", *NEW, 'wwwauth[]=Basic realm="x"')
    assert by_basic.out.endswith(b"\nusername=oauth2\npassword=t\n")


def test_what_somebody_typed_is_kept_for_every_client(frozen: Program, git: GitHelper) -> None:
    git.done("store", *BOB)
    assert git.home.read_rattler() == {"host.example": login("bob", "p: w")}
    assert git.get() == {"username": "bob", "password": "p: w"}
    assert frozen.bazel("https://host.example/x").authorization == STORES["netrc"].header[1]


@pytest.mark.parametrize("name", ["netrc", "a variable with a token"])
@pytest.mark.parametrize("capabilities", [(), NEW])
def test_what_we_have_answered_is_not_kept_again(
    git: GitHelper, name: str, capabilities: tuple[str, ...]
) -> None:
    STORES[name].write(git.home)
    before = sorted(path for path in git.home.path.rglob("*") if path.is_file())
    answer = git("get", *capabilities)
    git.done("store", *answer.out.decode().splitlines())
    assert sorted(path for path in git.home.path.rglob("*") if path.is_file()) == before


def test_an_older_token_of_ours_does_not_become_a_login(
    git: GitHelper, token_server: TokenServer
) -> None:
    token = {"access_token": "opaque-1", "token_endpoint": f"{token_server.url}/token",
             "client_id": "rattler", "expires_at": int(time.time()) + 3600}  # fmt: skip
    git.home.write_rattler({"host.example": {"OAuth": token}})
    found = git.get()
    entries = {"host.example": {"OAuth": {**token, "access_token": "opaque-2"}}}
    git.home.write_rattler(entries)
    # What git 2.39 says of it.
    git.done("store", f"username={found['username']}", f"password={found['password']}")
    assert git.home.read_rattler() == entries


def test_a_store_renews_nothing(git: GitHelper, token_server: TokenServer) -> None:
    oauth = OAuthLogin(git.home, token_server, "host.example")
    oauth.write(left=-60)
    git.done("store", *BOB)
    assert token_server.requests == []
    assert git.get("username=bob") == {"username": "bob", "password": "p: w"}
    assert "OAuth" in git.home.read_rattler()["host.example"]


@pytest.mark.parametrize(
    "lines",
    [
        [*BOB, "password_expiry_utc=4102444800"],
        [*BOB, *NEW, "authtype=Bearer", "credential=t"],
        [*BOB, *NEW, "state[]=credlatch:given"],
        [*BOB, f"password={TOKEN}"],
        [*BOB, "password="],
        [*BOB, "protocol=smtp"],
        ["username=bob"],
    ],
)
def test_what_does_not_last_or_is_no_login_is_not_kept(git: GitHelper, lines: list[str]) -> None:
    git.done("store", *lines)
    assert not (git.home.path / ".rattler").exists()


def test_what_the_server_refused_is_forgotten(git: GitHelper) -> None:
    others = {"other.example": login("bob", "p: w"), "host.example:8443": login("bob", "p: w")}
    git.home.write_rattler({"host.example": login("bob", "p: w"), **others})
    git.done("erase", *BOB)
    assert git.home.read_rattler() == others


# Pixi's login is there too: it has a wildcard, which is not what git keeps.
@pytest.mark.parametrize("name", ["a login of pixi's", "netrc", "a variable with a token"])
def test_nothing_of_another_tool_s_is_erased_and_the_refusal_is_told(
    git: GitHelper, name: str
) -> None:
    STORES[name].write(git.home)
    paths = [path for path in git.home.path.rglob("*") if path.is_file()]
    before = [path.read_bytes() for path in paths]
    found = git.get()
    answer = git("erase", *(f"{key}={value}" for key, value in found.items()))
    said = refusal(answer, 0)
    assert "https://host.example/ refused the credential from " in said
    assert STORES[name].secret not in said
    assert [path.read_bytes() for path in paths] == before


def test_an_expired_token_is_not_erased(git: GitHelper, token_server: TokenServer) -> None:
    oauth = OAuthLogin(git.home, token_server, "host.example")
    token = oauth.write(left=-60)
    before = git.home.read_rattler()
    git.done("erase", "username=oauth2", f"password={token}")
    assert git.home.read_rattler() == before
    assert token_server.requests == []
    assert git.get()["password"] == token_server.current_access_token


def test_read_only_answers_and_leaves_the_rest_to_another_helper(git: GitHelper) -> None:
    entries = {"host.example": login("bob", "p: w")}
    git.home.write_rattler(entries)
    assert git("--read-only get").out == b"username=bob\npassword=p: w\n"
    git.done("--read-only store", "username=alice", "password=a")
    git.done("--read-only erase", *BOB)
    assert git.home.read_rattler() == entries


def test_a_login_that_could_write_attributes_is_refused(git: GitHelper, home: Home) -> None:
    home.write_rattler({"host.example": login("bob", "pw\nhost=evil.example")})
    assert "line break" in refusal(git("get"))


def test_a_store_that_cannot_be_written_is_a_line_and_stays(git: GitHelper) -> None:
    path = git.home.write(".rattler/credentials.json", "{")
    assert str(path) in refusal(git("store", *BOB))
    assert path.read_text() == "{"
