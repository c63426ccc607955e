"""Which helpers git itself asks for which URL, before and after ``credlatch setup git``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.git import Git

if TYPE_CHECKING:
    from support.program import Answer, Program

HOST = "https://git.example.com"
ORG = f"{HOST}/org/repo.git"
ELSEWHERE = "https://other.example.org"
OURS = "credlatch"


class Asked:
    """git with helpers that note that they were asked, and have no answer."""

    def __init__(self, program: Program) -> None:
        home = program.home
        self.program = program
        self.home = home
        self.git = Git(home)
        self._log = home.path / "asked"
        for name in ("git-credential-one", "git-credential-two", OURS):
            shown = name.removeprefix("git-credential-")
            script = f'#!/bin/sh\ncat >/dev/null\necho {shown} >>"{self._log}"\n'
            home.write(f"bin/{name}", script, 0o755)
        home.path_begins_with(home.path / "bin")
        home.env["GIT_CONFIG_NOSYSTEM"] = "0"
        home.env["GIT_CONFIG_SYSTEM"] = str(home.path / "system")

    def setup(self, *words: str) -> Answer:
        return self.program("setup", "git", "--force", "--yes", *words)

    def by(self, url: str) -> list[str]:
        """The helpers that git asks for a URL, in their order."""
        self._log.unlink(missing_ok=True)
        self.git.attempt("credential", "fill", stdin=f"url={url}\n\n")
        return self._log.read_text().split() if self._log.exists() else []


@pytest.fixture
def asked(frozen: Program) -> Asked:
    frozen.link_as("credlatch")
    return Asked(frozen)


def helper(pattern: str, name: str, *, reset: bool = False) -> str:
    title = f'[credential "{pattern}"]' if pattern else "[credential]"
    first = "\thelper =\n" if reset else ""
    return f"{title}\n{first}\thelper = {name}\n"


# Spellings that mean the host, and what they say of it.
SAME = [HOST, f"{HOST}/", f"{HOST}:443", "https://GIT.example.com", "https://*.example.com"]
PARTS = {f"{HOST}/org": ORG, "https://ada@git.example.com": "https://ada@git.example.com"}


@pytest.mark.parametrize(("pattern", "reset"), [(HOST, True), *((each, False) for each in SAME)])
def test_one_for_the_host_stays_unless_told(asked: Asked, pattern: str, *, reset: bool) -> None:
    config = asked.home.write(".gitconfig", before := helper(pattern, "one", reset=reset))
    assert asked.by(HOST) == ["one"]
    answer = asked.setup("--host", HOST)
    assert (answer.code, config.read_text()) == (1, before)
    assert b"one stays: --chain asks it after credlatch" in answer.out
    assert asked.setup("--host", HOST, "--chain").code == 0
    assert asked.by(HOST) == [OURS, "one"]
    assert b"nothing to change" in asked.setup("--host", HOST, "--chain").out
    assert asked.setup("--undo").code == 0
    assert config.read_text() == before
    assert asked.setup("--host", HOST, "--replace").code == 0
    assert asked.by(HOST) == [OURS]
    # What --replace has left out can still be chained.
    assert asked.setup("--host", HOST, "--chain").code == 0
    assert asked.by(HOST) == [OURS, "one"]


@pytest.mark.parametrize(
    ("pattern", "wired"), [*zip(PARTS, [["--host", HOST], ["--all-hosts"]], strict=True)]
)
def test_one_for_a_part_of_what_is_wired_stays_too(
    asked: Asked, pattern: str, wired: list[str]
) -> None:
    config = asked.home.write(".gitconfig", before := helper(pattern, "one"))
    part = PARTS[pattern]
    answer = asked.setup(*wired)
    assert answer.code == 0
    assert f"{pattern}: one stays: --chain asks it".encode() in answer.out
    assert (asked.by(HOST), asked.by(part)) == ([OURS], ["one"])
    assert asked.setup(*wired, "--chain").code == 0
    assert (asked.by(HOST), asked.by(part)) == ([OURS], [OURS, "one"])
    assert b"nothing to change" in asked.setup(*wired, "--chain").out
    assert asked.setup("--undo").code == 0
    assert config.read_text() == before
    assert asked.setup(*wired, "--replace").code == 0
    assert (asked.by(HOST), asked.by(part)) == ([OURS], [OURS])


@pytest.mark.parametrize(
    ("location", "reset"), [(".gitconfig", False), ("system", True), ("included", False)]
)
def test_one_for_a_host_stays_when_all_hosts_are_wired(
    asked: Asked, location: str, *, reset: bool
) -> None:
    asked.home.write(location, helper(HOST, "one", reset=reset))
    if location == "included":
        path = asked.home.path
        asked.home.write(".gitconfig", f'[includeIf "gitdir:{path}/"]\n\tpath = {path}/included\n')
        asked.git("init", "--quiet")
    assert asked.by(HOST) == ["one"]
    answer = asked.setup("--all-hosts")
    assert answer.code == 0, answer
    assert f"{HOST}: one stays: --chain asks it after credlatch".encode() in answer.out
    assert (asked.by(HOST), asked.by(ELSEWHERE)) == (["one"], [OURS])
    assert asked.setup("--all-hosts", "--chain").code == 0
    assert (asked.by(HOST), asked.by(ELSEWHERE)) == ([OURS, "one"], [OURS])
    assert asked.setup("--undo").code == 0
    assert asked.by(HOST) == ["one"]


@pytest.mark.parametrize("location", [".gitconfig", "system"])
def test_what_the_note_advises_can_be_done(asked: Asked, location: str) -> None:
    asked.home.write(location, helper("", "one") + helper("", "two"))
    answer = asked.setup("--host", HOST)
    assert b"one, two is not asked any more" in answer.out
    assert (asked.by(HOST), asked.by(ELSEWHERE)) == ([OURS], ["one", "two"])
    assert asked.setup("--host", HOST, "--chain").code == 0
    assert (asked.by(HOST), asked.by(ELSEWHERE)) == ([OURS, "one", "two"], ["one", "two"])
    assert asked.setup("--undo").code == 0
    assert asked.by(HOST) == ["one", "two"]


def test_one_that_an_empty_row_has_ended_does_not_come_back(asked: Asked) -> None:
    rows = helper("", "one") + helper("", "two", reset=True)
    asked.home.write(".gitconfig", rows)
    assert asked.setup("--host", HOST, "--chain").code == 0
    assert asked.by(HOST) == [OURS, "two"]


@pytest.mark.parametrize(
    "pattern",
    [
        "https://git.example.com:8443",
        "http://git.example.com",
        "https://example.com",
        "https://*.git.example.com",
    ],
)
def test_one_for_something_else_is_no_hindrance(asked: Asked, pattern: str) -> None:
    before = helper(pattern, "one")
    asked.home.write(".gitconfig", before)
    assert asked.setup("--host", HOST).code == 0
    assert asked.by(HOST) == [OURS]
    assert asked.home.path.joinpath(".gitconfig").read_text().startswith(before)
    url = pattern.replace("*", "x")
    assert asked.by(url) == ["one"]


def test_the_help_names_what_git_can_call(frozen: Program, asked: Asked) -> None:
    (row,) = (r for r in frozen("git", "--help").out.decode().splitlines() if "git config" in r)
    words = row.partition("git config ")[2].split(" ", 2)
    asked.git("config", *words[:2], words[2].strip("'"))
    assert asked.by(HOST) == [OURS]
