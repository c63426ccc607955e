"""Git's configuration, read by git itself."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from credlatch.commands.git import USAGE
from credlatch.setup.formats.git_config import GitConfig
from support.callers import caller_of
from support.components import need

if TYPE_CHECKING:
    from support.home import Home
    from support.wiring import Wiring

HOST = ("https://a.example",)
OURS = ("!credlatch git",)
SECTION = '[credential "https://a.example"]\n\thelper =\n\thelper = !credlatch git\n'


@pytest.fixture
def git(home: Home) -> GitConfig:
    need("git")
    return GitConfig(caller_of(home))


@pytest.mark.parametrize(
    ("text", "key", "helpers"),
    [
        ("", HOST, None),
        (SECTION, HOST, OURS),
        (SECTION, ("https://b.example",), None),
        ("[credential]\n\thelper = cache\n", HOST, None),
        ("[credential]\n\thelper = cache\n\thelper = store\n", ("",), ("cache", "store")),
        ("[credential]\n\thelper = cache\n\thelper =\n\thelper = store\n", ("",), ("store",)),
        ("[credential]\n\thelper =\n", ("",), ()),
        ('[Credential "https://a.example"]\n\tHELPER = "x y" ; c\n', HOST, ("x y",)),
    ],
)
def test_it_is_read_as_git_reads_it(
    git: GitConfig, text: str, key: tuple[str, ...], helpers: tuple[str, ...] | None
) -> None:
    assert git.get(text, key) == helpers


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", SECTION),
        ("[user]\n\tname = A # c\n", f"[user]\n\tname = A # c\n{SECTION}"),
        ("[user]\n\tname = A", f"[user]\n\tname = A\n{SECTION}"),
        ("[a]\r\n\tb = c\r\n", "[a]\r\n\tb = c\r\n" + SECTION.replace("\n", "\r\n")),
    ],
)
def test_a_section_is_added_at_the_end(git: GitConfig, before: str, after: str) -> None:
    assert git.put(before, HOST, OURS) == after
    gap = after.removeprefix(before).partition("[")[0]
    assert git.put_back(f"# c\n{after}[b]\n", HOST, None) == f"# c\n{before}{gap}[b]\n"


def test_a_helper_that_was_there_is_not_asked_any_more_and_stays_in_the_file(
    git: GitConfig,
) -> None:
    before = '[credential "https://a.example"]\n\thelper = store\n'
    after = git.put(before, HOST, OURS)
    assert after == before + SECTION
    assert git.get(after, HOST) == OURS


@pytest.mark.parametrize("other", ["store --file ~/a;b", 'x "y"', "a\\b", "#c", "t\tt"])
def test_others_are_asked_after_us_whatever_is_in_their_names(git: GitConfig, other: str) -> None:
    text = git.put("", ("",), (*OURS, other))
    assert git.get(text, ("",)) == (*OURS, other)


def test_a_section_that_was_changed_by_hand_is_not_guessed_at(git: GitConfig) -> None:
    with pytest.raises(ValueError, match="changed by hand"):
        git.put_back(SECTION.replace("git\n", "git\n\tuseHttpPath = true\n"), HOST, None)


@pytest.mark.parametrize("text", ["[a\n", "[a]\n\t= x\n", '[credential "x\n'])
def test_what_git_does_not_read_is_not_changed(git: GitConfig, text: str) -> None:
    with pytest.raises(ValueError, match="bad config"):
        git.put(text, HOST, OURS)


def test_git_asks_the_helpers_of_a_section_in_their_order(git: GitConfig, home: Home) -> None:
    one, two = (f"!f() {{ echo username=u; echo password={n}; }}; f" for n in ("one", "two"))
    text = git.put("[credential]\n\thelper = store\n", HOST, (one, two))
    home.write(".gitconfig", text)
    done = subprocess.run(
        [need("git"), "credential", "fill"],
        input=b"protocol=https\nhost=a.example\n\n",
        env={**home.env, "GIT_CONFIG_NOSYSTEM": "1"},
        cwd=home.path,
        capture_output=True,
        check=True,
    )
    assert b"password=one\n" in done.stdout


def helper(pattern: str, name: str) -> str:
    return f'[credential "{pattern}"]\n\thelper = {name}\n'


@pytest.mark.parametrize(
    "pattern", ["https://r.example/", "https://R.example:443", "https://*.example"]
)
def test_a_helper_for_the_very_host_stays_unless_told(wiring: Wiring, pattern: str) -> None:
    before = helper(pattern, "one")
    wiring.home.write(".gitconfig", before)
    wiring("git", "--force", "--host", "r.example")
    assert "r.example: one stays: --chain asks it after credlatch" in wiring.said
    assert wiring.read(".gitconfig") == before


@pytest.mark.parametrize("words", [["--host", "r.example"], ["--all-hosts"]])
@pytest.mark.parametrize("part", ["https://r.example/org", "https://ada@r.example"])
def test_a_helper_for_a_part_of_what_is_wired_is_still_asked_for_it(
    wiring: Wiring, words: list[str], part: str
) -> None:
    wiring.home.write(".gitconfig", helper(part, "one"))
    assert wiring("git", "--force", *words) == 0
    assert f"{part}: one stays: --chain asks it" in wiring.said
    # After ours, with which it would otherwise be silenced.
    assert wiring.read(".gitconfig").endswith(
        f'[credential "{part}"]\n\thelper =\n\thelper = one\n'
    )


def test_the_help_names_what_git_can_call() -> None:
    assert "credential.helper '!credlatch git'" in USAGE
