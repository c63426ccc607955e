"""git clones and pushes with nothing done before but ``credlatch setup git``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.matching import basic

if TYPE_CHECKING:
    from support.git import Git
    from support.guarded import Guarded
    from support.program import Program

HEADER = basic("bob", "p: w")
MINE = "# mine\n[alias]\n\tst = status ; short\n[credential]\n\thelper = store\n"


@pytest.fixture
def program(frozen: Program, git: Git) -> Program:
    """The program on PATH, and bob's login in rattler's store."""
    frozen.put_on_path("credlatch")
    login = {"username": "bob", "password": "p: w"}
    git.home.write_rattler({"127.0.0.1": {"BasicHTTP": login}})
    return frozen


def test_it_clones_and_pushes_after_setup_and_not_after_undo(
    program: Program, git: Git, git_server: Guarded
) -> None:
    config = git.home.write(".gitconfig", MINE)
    clone = ("clone", "--quiet", f"{git_server.url}/repo.git", "clone")
    git.refused(*clone)
    answer = program("setup", "git", "--host", git_server.url, "--yes")
    assert answer.code == 0, answer
    assert b"store is not asked any more for 127.0.0.1:" in answer.out
    git(*clone)
    git.home.write("clone/file", "two\n")
    git("-C", "clone", "commit", "--quiet", "--all", "--message", "two")
    git("-C", "clone", "push", "--quiet")
    # The helper for all other hosts has not been told the password, which it would write down.
    assert not (git.home.path / ".git-credentials").exists()

    assert program("setup", "git", "--undo", "--yes").code == 0
    assert config.read_text() == MINE
    git.refused("-C", "clone", "fetch")


def test_a_repository_is_wired_in_its_own_configuration(
    program: Program, git: Git, git_server: Guarded
) -> None:
    git("init", "--quiet", "own")
    folder = git.home.path / "own"
    git("-C", "own", "remote", "add", "origin", f"{git_server.url}/repo.git")
    before = (folder / ".git/config").read_bytes()
    git.refused("-C", "own", "fetch")
    words = ("setup", "git", "--project", "--host", git_server.url, "--yes")
    assert program(*words, cwd=folder).code == 0
    git("-C", "own", "fetch", "--quiet")
    assert program("setup", "git", "--project", "--undo", "--yes", cwd=folder).code == 0
    assert (folder / ".git/config").read_bytes() == before


def test_a_login_for_a_server_on_this_machine_is_wired_for_plain_http_too(
    program: Program, git: Git, git_server: Guarded
) -> None:
    netloc = git_server.url.removeprefix("http://")
    git.home.write_rattler({netloc: {"BasicHTTP": {"username": "bob", "password": "p: w"}}})
    assert program("setup", "git", "--yes").code == 0
    git("clone", "--quiet", f"{git_server.url}/repo.git", "clone")


def test_another_helper_is_asked_after_us(program: Program, git: Git, git_server: Guarded) -> None:
    home = git.home
    kept = home.write(".git-credentials", git_server.url.replace("://", "://bob:p%3A%20w@") + "\n")
    config = home.write(".gitconfig", MINE)
    home.write_rattler({})
    words = ("setup", "git", "--host", git_server.url, "--force", "--chain", "--yes")
    assert program(*words).code == 0
    git("clone", "--quiet", f"{git_server.url}/repo.git", "clone")
    # What it has given is its own, and nothing of ours.
    assert home.read_rattler() == {}
    assert kept.exists()
    assert program("setup", "git", "--undo", "--yes").code == 0
    assert config.read_text() == MINE
