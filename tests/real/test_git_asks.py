"""git over http with authentication, by ``credential.helper``.

Debian 12's git is 2.39, which knows user names and passwords alone. What git says from 2.46 on is
in tests/unit/test_git_protocol.py and tests/frozen/test_git_command.py, by its bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from support.git import Git, Recorded
from support.logins import OAuthLogin
from support.matching import basic

if TYPE_CHECKING:
    from pathlib import Path

    from support.guarded import Guarded
    from support.program import Program
    from support.token_server import TokenServer

HEADER = basic("bob", "p: w")


def login(username: str, password: str) -> dict[str, Any]:
    return {"BasicHTTP": {"username": username, "password": password}}


@pytest.fixture
def recorded(frozen: Program, git: Git, tmp_path: Path) -> Recorded:
    """Our helper, as git finds it on PATH by its name."""
    recorded = Recorded(frozen, tmp_path / "helper")
    git("config", "--global", "credential.helper", "credlatch")
    return recorded


def sent(git_server: Guarded) -> set[str]:
    """What opened the server."""
    return {visit.authorization for visit in git_server.admitted}


def clone(git: Git, git_server: Guarded, url: str = "") -> None:
    """Clone the repository; it must succeed."""
    git("clone", "--quiet", url or f"{git_server.url}/repo.git", "clone")
    assert (git.home.path / "clone/file").read_text() == "one\n"


def push(git: Git) -> None:
    """Commit something in the clone, and push it; that must succeed."""
    git.home.write("clone/file", "two\n")
    git("-C", "clone", "commit", "--quiet", "--all", "--message", "two")
    git("-C", "clone", "push", "--quiet")


@pytest.mark.parametrize("helper", ["credlatch", "!credlatch git", "/absolute"])
def test_a_clone_and_a_push(
    git: Git, frozen: Program, git_server: Guarded, tmp_path: Path, helper: str
) -> None:
    git.home.write_rattler({"127.0.0.1": login("bob", "p: w")})
    name = "credlatch" if "!" in helper else "git-credential-credlatch"
    links = frozen.put_on_path(name)
    git("config", "--global", "credential.helper", helper.replace("/absolute", f"{links}/{name}"))
    clone(git, git_server)
    push(git)
    bare = tmp_path / "repositories/repo.git"
    assert git("-C", str(bare), "log", "--format=%s").said.split() == ["two", "one"]
    assert sent(git_server) == {HEADER}
    assert git.home.read_rattler() == {"127.0.0.1": login("bob", "p: w")}


def test_what_git_says(git: Git, recorded: Recorded, git_server: Guarded) -> None:
    git.home.write_rattler({"127.0.0.1": login("bob", "p: w")})
    host = git_server.url.removeprefix("http://")
    asked = f"protocol=http\nhost={host}\n"
    stored = f"{asked}username=bob\npassword=p: w\n"
    clone(git, git_server)
    assert recorded.since() == f"get: {asked}store: {stored}"
    git("-c", "credential.useHttpPath=true", "-C", "clone", "fetch")
    path = f"{asked}path=repo.git\n"
    assert recorded.since() == f"get: {path}store: {path}username=bob\npassword=p: w\n"
    git("-C", "clone", "fetch", f"http://bob@{host}/repo.git")
    assert recorded.since() == f"get: {asked}username=bob\nstore: {stored}"
    git.home.write_rattler({"127.0.0.1": login("bob", "wrong")})
    git.refused("-C", "clone", "fetch")
    assert recorded.since() == f"get: {asked}erase: {asked}username=bob\npassword=wrong\n"


@pytest.mark.usefixtures("recorded")
def test_an_expired_token_is_renewed_for_git_and_never_copied(
    git: Git, git_server: Guarded, token_server: TokenServer
) -> None:
    oauth = OAuthLogin(git.home, token_server, "127.0.0.1")
    oauth.write(left=-60)
    git_server.accepts = lambda header: (
        header == basic("oauth2", str(token_server.current_access_token))
    )
    clone(git, git_server)
    first = sent(git_server)
    # It ends in between, and is renewed again.
    entry = git.home.read_rattler()["127.0.0.1"]["OAuth"]
    git.home.write_rattler({"127.0.0.1": {"OAuth": {**entry, "expires_at": 1}}})
    push(git)
    assert len(sent(git_server) - first) == 1
    assert len(oauth.refresh_tokens()) == 2
    assert list(git.home.read_rattler()) == ["127.0.0.1"]
    assert list(git.home.read_rattler()["127.0.0.1"]) == ["OAuth"]


def test_a_token_that_the_server_takes_no_more_stays_and_git_s_user_is_told(
    git: Git, recorded: Recorded, git_server: Guarded, token_server: TokenServer
) -> None:
    oauth = OAuthLogin(git.home, token_server, "127.0.0.1")
    oauth.write(left=3600)
    before = git.home.read_rattler()
    said = git.refused("clone", f"{git_server.url}/repo.git", "clone")
    assert "erase: " in recorded.since()
    assert "refused the credential from" in said
    assert "credlatch login 127.0.0.1" in said
    assert git.home.read_rattler() == before


@pytest.mark.usefixtures("recorded")
def test_what_somebody_types_is_kept_and_forgotten_when_it_is_refused(
    git: Git, git_server: Guarded
) -> None:
    key = git_server.url.removeprefix("http://")
    git.types("bob", "p: w")
    clone(git, git_server)
    assert git.home.read_rattler() == {key: login("bob", "p: w")}
    git.nobody_types()
    push(git)
    git_server.accepts = basic("bob", "new").__eq__
    assert "Authentication failed" in git.refused("-C", "clone", "fetch")
    assert git.home.read_rattler() == {}
    git.types("bob", "new")
    git("-C", "clone", "fetch")
    assert git.home.read_rattler() == {key: login("bob", "new")}


@pytest.mark.usefixtures("recorded")
def test_each_user_is_asked_for_once(git: Git, git_server: Guarded) -> None:
    git_server.accepts = lambda header: header in {basic("alice", "a"), basic("bob", "b")}
    key = git_server.url.removeprefix("http://")
    for user, password in (("alice", "a"), ("bob", "b")):
        git.types("nobody", password)
        git("ls-remote", f"http://{user}@{key}/repo.git")
    git.nobody_types()
    for user in ("alice", "bob"):
        git("ls-remote", f"http://{user}@{key}/repo.git")
    assert git.home.read_rattler() == {
        key: login("alice", "a"), f"bob@{key}": login("bob", "b")
    }  # fmt: skip


def test_beside_another_helper_it_leaves_the_keeping_to_that_one(
    git: Git, frozen: Program, git_server: Guarded
) -> None:
    frozen.put_on_path("credlatch")
    git("config", "--global", "--add", "credential.helper", "!credlatch git --read-only")
    git("config", "--global", "--add", "credential.helper", "store")
    git.types("bob", "p: w")
    clone(git, git_server)
    assert not (git.home.path / ".rattler").exists()
    assert "bob" in (git.home.path / ".git-credentials").read_text()
    git.nobody_types()
    push(git)


@pytest.mark.usefixtures("recorded")
def test_git_s_own_commands_for_scripts(git: Git) -> None:
    asked = "protocol=https\nhost=git.example\n\n"
    known = "protocol=https\nhost=git.example\nusername=bob\npassword=p: w\n"
    git("credential", "approve", stdin=f"{known}\n")
    assert git.home.read_rattler() == {"git.example": login("bob", "p: w")}
    assert git("credential", "fill", stdin=asked).said == known
    git("credential", "reject", stdin=f"{known}\n")
    assert git.home.read_rattler() == {}
    assert "could not read Username" in git.refused("credential", "fill", stdin=asked)


@pytest.mark.usefixtures("recorded")
def test_why_there_is_no_password_reaches_the_person(
    git: Git, git_server: Guarded, token_server: TokenServer
) -> None:
    OAuthLogin(git.home, token_server, "127.0.0.1").write(left=-60)
    token_server.spend("refresh-0")
    said = git.refused("clone", f"{git_server.url}/repo.git", "clone")
    assert "credlatch: " in said
    assert "credlatch login 127.0.0.1" in said
    assert git_server.admitted == []
