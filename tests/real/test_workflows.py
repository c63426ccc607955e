"""Every workflow, ours and the documents': what actionlint, zizmor and shellcheck say of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from credlatch import __version__
from support.actions import ACTIONS
from support.components import need
from support.program import run
from support.workflows import EVERY, Text

if TYPE_CHECKING:
    from pathlib import Path

    from support.home import Home

# What all three would find: a tag that may be moved, a title that becomes a script, a step that
# nobody named, a word that is split.
BAD = """
on: pull_request_target
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: echo ${{ github.event.pull_request.title }} $HOME
"""


@pytest.fixture(params=EVERY, ids=lambda text: text.name)
def text(request: pytest.FixtureRequest) -> Text:
    """Each of them, one after the other."""
    each: Text = request.param
    return each


def written(text: Text, home: Home) -> Path:
    """A text where GitHub would look for it."""
    if text.is_action:
        return home.write("repository/action.yml", text.text)
    name = re.sub(r"\W+", "-", text.name.removesuffix(".yml").removesuffix(".yaml"))
    return home.write(f"repository/.github/workflows/{name}.yml", text.text)


def zizmor(text: Text, home: Home) -> tuple[int, str]:
    """Its exit status, and what it says; of our own also what is no more than suspect."""
    persona = "auditor" if text.is_own else "regular"
    options = ("--offline", "--no-progress", "--strict-collection", f"--persona={persona}")
    answer = run(home, [need("zizmor"), *options, written(text, home)])
    return answer.code, answer.said


def actionlint(text: Text, home: Home) -> tuple[int, str]:
    """Its exit status, and what it says; scripts are read by shellcheck."""
    options = ("-no-color", "-shellcheck", need("shellcheck"), "-pyflakes=")
    answer = run(home, [need("actionlint"), *options, written(text, home)])
    return answer.code, answer.said


def test_zizmor_finds_nothing(text: Text, home: Home) -> None:
    code, said = zizmor(text, home)
    assert code == 0, said


def test_actionlint_finds_nothing(text: Text, home: Home) -> None:
    if text.is_action:  # which it does not read: its scripts, at least
        for step in text.said["runs"]["steps"]:
            # As actionlint does: the option is the shell's own there.
            script = home.write("script.sh", "set -eo pipefail\n" + step.get("run", ""))
            answer = run(home, [need("shellcheck"), f"--shell={step.get('shell', 'sh')}", script])
            assert answer.code == 0, answer.said
        return
    code, said = actionlint(text, home)
    assert code == 0, said


def test_they_find_what_is_wrong(home: Home) -> None:
    bad = Text(".github/workflows/bad.yml", BAD, is_action=False)
    code, said = zizmor(bad, home)
    assert code != 0
    for name in ("dangerous-triggers", "template-injection", "unpinned-uses", "artipacked"):
        assert f"[{name}]" in said
    code, said = actionlint(bad, home)
    assert code == 1
    assert all(f"[{name}]" in said for name in ("expression", "shellcheck"))


def test_each_action_is_pinned_and_takes_what_it_is_given(text: Text) -> None:
    for line, given in text.used():
        name, _, rest = line.partition("@")
        if line.startswith("./"):
            continue
        if name == "credlatch/credlatch":  # whose commits are made after what names them
            assert re.fullmatch(rf"[0-9a-f]{{40}} # v{re.escape(__version__)}", rest)
            continue
        assert rest == f"{ACTIONS[name].commit} # {ACTIONS[name].version}"
        assert set(given) <= ACTIONS[name].inputs


def test_each_action_that_is_listed_is_used() -> None:
    used = {line.partition("@")[0] for text in EVERY for line, _ in text.used()}
    assert set(ACTIONS) <= used
