"""Words are completed by the shells themselves, at a terminal."""

from __future__ import annotations

import os
import subprocess
import time
from typing import TYPE_CHECKING

import pytest
from devtools import terminal

from support.components import need
from support.program import TIMEOUT

if TYPE_CHECKING:
    from support.program import Program

# What each shell is started with, and told before it is typed to.
SHELLS = {
    "bash": (["--norc", "--noprofile", "-i"], 'eval "$(credlatch completion bash)"'),
    "zsh": (
        ["-f", "-i"],
        'autoload -U compinit; compinit -u -D; eval "$(credlatch completion zsh)"',
    ),
    "fish": (["--no-config", "-i"], "credlatch completion fish | source"),
}
HOST = "host-of-a-login.example.com"


def typed(shell: str, program: Program, words: str, until: str) -> str:
    """What is on the screen once a shell has completed what is typed."""
    options, before = SHELLS[shell]
    home = program.home
    program.put_on_path()
    home.env |= {"TERM": "xterm", "PS1": "$ ", "fish_greeting": ""}
    with (
        terminal.opened() as (ours, theirs),
        subprocess.Popen(
            [need("setsid"), "--ctty", need(shell), *options],  # fish wants a terminal of its own
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=home.env,
            cwd=home.path,
        ) as process,
    ):
        os.close(theirs)
        screen, asked = b"", False
        deadline = time.monotonic() + TIMEOUT
        os.write(ours, f"{before}; echo rea''dy\n".encode())
        for some in terminal.shown(ours):
            screen += some
            if not asked and b"ready" in screen:
                screen, asked = b"", True
                os.write(ours, f"{words}\t".encode())
            if until.encode() in screen or time.monotonic() > deadline:
                break
        process.kill()
    return terminal.text(screen)


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("words", "until"),
    [
        ("credlatch unin", "uninstall"),
        ("credlatch setup --repl", "--replace"),
        ("credlatch setup pod", "podman"),
        ("credlatch setup docker --host host-", HOST),
    ],
)
def test_a_shell_completes(frozen: Program, shell: str, words: str, until: str) -> None:
    frozen.home.write(".netrc", f"machine {HOST} login a password b\n")
    assert until in typed(shell, frozen, words, until)


def test_the_variable_of_the_shells_is_no_way_to_have_a_command_not_run(frozen: Program) -> None:
    frozen.home.env["_CREDLATCH_COMPLETE"] = "nonsense"
    answer = frozen("list")
    assert (answer.code, answer.out) == (2, b"")
    assert answer.err.endswith("unset _CREDLATCH_COMPLETE\n")
