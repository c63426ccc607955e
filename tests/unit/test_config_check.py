"""``credlatch config check``: what holds, what is wrong, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from support.program import Answer, Program

CONFIG = ".config/credlatch/config.toml"


def check(source: Program, *words: str, cwd: Path | None = None) -> tuple[int, list[str]]:
    answer: Answer = source("config", "check", *words, cwd=cwd)
    assert answer.err == ""
    return answer.code, answer.out.decode().splitlines()


def test_where_there_are_none_it_says_where_they_would_be(source: Program) -> None:
    code, lines = check(source)
    assert code == 0
    assert lines == [f"{source.home.path / CONFIG} is not there: your rules would be in it"]


def test_it_says_which_rules_there_are_and_which_holds_for_a_url(source: Program) -> None:
    path = source.home.write(CONFIG, """
[[rule]]
url = "https://a.example"
use = ["netrc", "uv"]
account = "alice"
headers = {X-Team = "a"}

[[rule]]
url = "https://*.b.example/x"
forbid = true
""")  # fmt: skip
    workspace = source.home.write("w/.credlatch.toml", '[[rule]]\nurl = "https://a.example/x"\n'
                                  'use = ["netrc"]\n')  # fmt: skip
    inside = source.home.path / "w" / "deep"
    inside.mkdir()
    rules = [
        f"{path}: your rules",
        '  https://a.example: use = ["netrc", "uv"], account = "alice", headers = {"X-Team": "a"}',
        "  https://*.b.example/x: forbid = true",
    ]
    narrowed = [
        f"{workspace}: the workspace's rules, which narrow yours",
        '  https://a.example/x: use = ["netrc"]',
    ]
    both = (
        'use = ["netrc", "uv"], narrowed to = ["netrc"], account = "alice", '
        'headers = {"X-Team": "a"}'
    )
    said = {
        "https://a.example/x/y": [
            f'  {path} line 2 and {workspace} line 1: {both}',
            "  may answer: netrc",
        ],
        "https://c.b.example/x": [
            f"  {path} line 8: forbid = true", "  may answer: nothing",
        ],
        "https://other.example": ["  no rule: all stores and identities may answer"],
    }  # fmt: skip
    for url, lines in said.items():
        assert check(source, url, cwd=inside) == (0, [*rules, *narrowed, f"{url}:", *lines])
    assert check(source, cwd=source.home.path) == (0, rules)


def test_all_that_is_wrong_is_told_with_line_and_key_and_the_status(source: Program) -> None:
    path = source.home.write(CONFIG, """
[[rule]]
url = "https://a.example"
use = ["nothing"]

[[rule]]
url = "https://b.example"
forbid = "no"
\x1b]0;x = 1
""".replace("\x1b]0;x", '"\\u001b]0;x"'))  # fmt: skip
    code, lines = check(source, "https://a.example")
    assert code == 1
    assert lines[0] == f"{path}: your rules"
    assert lines[2].startswith(f"{path} line 4: use: there is no store or system 'nothing': ")
    assert lines[3].startswith(f"{path} line ")
    assert "\x1b" not in "".join(lines)
    assert lines[-1] == "  what is wrong comes first: see above"


@pytest.mark.parametrize("text", ["[[rule]", "[[rule]]\nurl = 1\n", "rule = 3\n"])
def test_what_is_wrong_with_a_workspace_is_told_likewise(source: Program, text: str) -> None:
    path = source.home.write(".credlatch.toml", text)
    code, lines = check(source)
    assert code == 1
    assert lines[-1].startswith(f"{path}")


def test_what_must_not_be_believed_is_told(source: Program) -> None:
    source.home.write("w/.credlatch.toml", "").chmod(0o666)
    code, lines = check(source, cwd=source.home.path / "w")
    assert code == 1
    assert "others may change" in lines[-1]
    assert "not heard" in lines[-1]


@pytest.mark.parametrize("words", [[], ["check", "a", "b"], ["show"], ["check", "--x"]])
def test_other_words_are_wrong_usage(source: Program, words: list[str]) -> None:
    answer = source("config", *words)
    assert answer.code == 2
    assert answer.err.count("\n") == 1
    assert "see credlatch config " in answer.err


def test_what_is_no_url_is_told_in_one_line(source: Program) -> None:
    answer = source("config", "check", "ftp://a.example")
    assert (answer.code, answer.err.count("\n")) == (1, 1)
