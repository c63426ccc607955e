"""What a person is shown: in one form, fitted to the terminal, plain where there is none."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import click
import pytest
from devtools import terminal

from credlatch import errors
from credlatch.commands import app
from credlatch.people import command, suggest
from credlatch.people.terminal import Terminal
from support.callers import caller_of

if TYPE_CHECKING:
    from support.home import Home

ESCAPE = "\x1b["
SHOWS = """\
import sys
from credlatch.people import terminal
from credlatch.caller import Caller
shown = terminal.Terminal(Caller(), *sys.argv[1:])
shown.say("one two three four five six seven eight nine ten", "strong", indent=2)
shown.table(("HOST", "KIND", "WHERE"), [
    ("conda.example.com", ("oauth", "good"), "a place with a rather long name in it"),
    ("*.example.com", "token", "pass\\x1b[31mword"),
])
print(shown.interactive, shown.width)
"""


def shown(*words: str, columns: int, **environ: str) -> str:
    """What is written to a terminal of so many columns."""
    env = {key: value for key, value in os.environ.items() if key not in NOT_INHERITED}
    with (
        terminal.opened(columns) as (ours, theirs),
        subprocess.Popen(
            [sys.executable, "-c", SHOWS, *words],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=env | {"TERM": "xterm"} | environ,
        ),
    ):
        os.close(theirs)
        return terminal.text(b"".join(terminal.shown(ours)))


NOT_INHERITED = {"COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR"}


def plain(text: str) -> list[str]:
    return re.sub(r"\x1b\[[\d;]*m", "", text).splitlines()


@pytest.mark.parametrize("columns", [40, 60, 80, 140])
def test_paragraphs_and_tables_fit_the_terminal(columns: int) -> None:
    lines = plain(shown(columns=columns))
    assert max(map(len, lines)) <= columns
    assert lines[-1] == f"True {columns}"
    assert lines[0].startswith("  one two three")
    assert all(line == line.rstrip() for line in lines)
    assert "conda.example.com" in "".join(lines)  # a host is not folded


def test_in_a_pipe_nothing_is_folded_or_coloured() -> None:
    out = subprocess.run(
        [sys.executable, "-c", SHOWS],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
        env=os.environ | {"COLUMNS": "40", "TERM": "xterm"},
        text=True,
    ).stdout.splitlines()
    assert out[0] == "  one two three four five six seven eight nine ten"
    assert out[1].split() == ["HOST", "KIND", "WHERE"]
    assert out[2] == "conda.example.com  oauth  a place with a rather long name in it"
    assert out[3] == "*.example.com      token  pass [31mword"
    assert out[4].startswith("False ")


@pytest.mark.parametrize(
    ("words", "environ", "coloured"),
    [
        ((), {}, True),
        ((), {"NO_COLOR": "1"}, False),
        ((), {"NO_COLOR": ""}, True),
        ((), {"TERM": "dumb"}, False),
        (("never",), {}, False),
        (("always",), {"NO_COLOR": "1"}, True),
        ((), {"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
    ],
)
def test_colours_are_as_the_person_wants_them(
    words: tuple[str, ...], environ: dict[str, str], coloured: bool
) -> None:
    assert (ESCAPE in shown(*words, columns=80, **environ)) is coloured


def test_what_a_file_says_moves_no_cursor() -> None:
    assert f"{ESCAPE}31m" not in shown("always", columns=100)


def test_without_a_terminal_nothing_is_asked(home: Home) -> None:
    terminal = Terminal(caller_of(home))
    for ask in (terminal.ask, terminal.secret, terminal.confirm):
        with pytest.raises(errors.UsageError, match="no terminal to ask at: Really"):
            ask("Really?")


def every_command(
    of: click.Command = app.APP, words: tuple[str, ...] = ()
) -> list[tuple[tuple[str, ...], click.Command]]:
    if not isinstance(of, click.Group):
        return [(words, of)]
    context = click.Context(of)
    below = [(name, of.get_command(context, name)) for name in of.list_commands(context)]
    inner = [row for name, each in below if each for row in every_command(each, (*words, name))]
    return [(words, of), *inner]


COMMANDS = every_command()


@pytest.mark.parametrize(("words", "each"), COMMANDS, ids=lambda value: str(value)[:40])
def test_every_command_has_a_help_and_an_example_that_it_takes(
    words: tuple[str, ...], each: click.Command
) -> None:
    # The program is built without docstrings: Click would take the help from them.
    assert each.help is not None
    assert each.callback is None or each.help != each.callback.__doc__
    assert isinstance(each, command.Command | command.Group)
    names = {name for option in each.params for name in option.opts}
    assert {"--help", "-h", "--color"} <= names
    for option in each.params:
        assert not isinstance(option, click.Option) or option.help, option.name
    for example in each.examples:
        assert example.startswith(" ") or f"credlatch {' '.join(words)}".rstrip() in example


def test_what_is_told_of_a_command_is_told_of_one_that_there_is() -> None:
    names = [words[0] for words, _ in COMMANDS if len(words) == 1]
    assert names == list(app.COMMANDS)


@pytest.mark.parametrize(
    ("word", "known", "found"),
    [
        ("stup", ["setup", "secrets"], "setup"),
        ("SETUP", ["setup", "secrets"], "setup"),
        ("x" * 10_000, ["setup"], None),
        ("", ["setup"], None),
    ],
)
def test_a_word_that_is_nearly_one_is_meant_for_it(
    word: str, known: list[str], found: str | None
) -> None:
    assert suggest.nearest(word, known) == found


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["stup"], r"there is no command 'stup' \(did you mean setup\?\): see credlatch --help"),
        (["auth", "login"], r"no command 'auth' \(did you mean login\?\)"),
        (["version"], r"no command 'version' \(did you mean --version\?\)"),
        (["setup", "dokcer"], "'dokcer' is not one of .*'docker'.*: see credlatch setup --help"),
        (["setup", "pip", "--hsot", "a"], "no such option '--hsot'.*--host.*setup --help"),
        (["setup", "pip", "--host"], "option '--host' requires an argument"),
        (["config"], "^check is needed: see credlatch config --help"),
        (["agent", "stauts"], "no such command 'stauts'.*status.*: see credlatch agent --help"),
        (["-x"], "no such option '-x': see credlatch --help"),
        (["--color", "red", "agent"], "'red' is not one of 'auto', 'always', 'never'"),
    ],
)
def test_a_complaint_is_one_line_and_says_what_is_meant_or_where_to_read_on(
    home: Home, words: list[str], complaint: str
) -> None:
    with pytest.raises(errors.UsageError, match=complaint) as raised:
        app.run(words, caller_of(home))
    assert "\n" not in str(raised.value)
    assert raised.value.exit_status == 2


@pytest.mark.parametrize(
    ("words", "hosts"),
    [
        (["--host", "a", "b"], ("a", "b")),
        (["--host", "a", "--host", "b", "c", "--yes"], ("a", "b", "c")),
        (["--host", "a", "--", "b"], None),
        (["--host=a"], ("a",)),
    ],
)
def test_an_option_for_several_takes_all_words_up_to_the_next(
    words: list[str], hosts: tuple[str, ...] | None, home: Home
) -> None:
    taken: list[tuple[str, ...]] = []

    @click.command("x", cls=command.Command, help="x")
    @click.option("--host", cls=command.Several)
    @click.option("--yes", is_flag=True)
    def take(host: tuple[str, ...], **_: bool) -> int:
        taken.append(host)
        return 7

    if hosts is None:
        with pytest.raises(errors.UsageError, match="unexpected extra argument"):
            command.run(take, words, caller_of(home))
        return
    assert command.run(take, words, caller_of(home)) == 7
    assert taken == [hosts]


def test_help_is_written_as_bytes_and_not_by_a_stream_with_line_ends_of_its_own(
    home: Home, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    made = command.Command("word", help="Ünï.")
    assert command.run(made, ["--help"], caller_of(home)) == 0
    out, err = capfd.readouterr()
    assert (out.splitlines()[0], err) == ("usage: credlatch word [OPTIONS]", "")
    assert "Ünï.\n" in out
