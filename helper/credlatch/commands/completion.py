"""``credlatch completion SHELL``: what a shell runs to complete words after ``credlatch``."""

from __future__ import annotations

import click
from click.shell_completion import ShellComplete, get_completion_class

from credlatch import streams
from credlatch.errors import UsageError
from credlatch.people.command import Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller

VARIABLE = "_CREDLATCH_COMPLETE"
"""The variable with which a shell's script asks what a word may be, as Click's scripts do."""

SHELLS = ("bash", "zsh", "fish", "powershell")
_NAME = "credlatch"


@click.command(
    "completion",
    cls=Command,
    help="Print what makes SHELL complete the commands, options and hosts of credlatch. Hosts are "
    "those of your logins: see credlatch list.",
    examples=(
        'eval "$(credlatch completion bash)"   # in ~/.bashrc',
        'eval "$(credlatch completion zsh)"    # in ~/.zshrc, after compinit',
        "credlatch completion fish > ~/.config/fish/completions/credlatch.fish",
        "credlatch completion powershell | Out-String | Invoke-Expression   # in $PROFILE",
    ),
)
@click.argument("shell", type=click.Choice(SHELLS))
def COMMAND(shell: str) -> int:  # noqa: N802 - as all are called
    """Print the script; the exit status.

    Raises:
        AnswerError: standard output does not take it.
    """
    # Click's own bash starts another bash to look at its version first.
    streams.answer(ShellComplete.source(_of(shell, click.Group(_NAME), None)).encode())
    return 0


def complete(app: click.Command, caller: Caller) -> int:
    """Answer a shell that asks what a word may be; the exit status.

    Raises:
        UsageError: it is no shell that is known.
    """
    shell, _, instruction = caller.environ[VARIABLE].partition("_")
    if shell not in SHELLS or instruction != "complete":
        raise UsageError(f"{VARIABLE} is set, which is for shells alone: unset {VARIABLE}")
    streams.answer(f"{_of(shell, app, caller).complete()}\n".encode())
    return 0


def _of(shell: str, app: click.Command, caller: Caller | None) -> ShellComplete:
    found = get_completion_class(shell)
    if found is None:
        raise UsageError(f"there is no completion for {shell}")
    return found(app, {"obj": caller}, _NAME, VARIABLE)
