"""The commands for people, as one: which there are, and what ``credlatch --help`` says."""

from __future__ import annotations

import click

from credlatch import clients, streams
from credlatch.errors import UsageError
from credlatch.people import command, suggest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from click.shell_completion import CompletionItem

    from credlatch.caller import Caller

# Each command's module is imported when it is chosen: all of them take a second.
COMMANDS = {
    "explain": "why there is a credential for a URL, or none",
    "list": "every login of every store",
    "login": "log in to a host: a token, a password, or OAuth in your browser",
    "logout": "what there is for a host in every store, and taking it away",
    "setup": "have bazel, docker, podman, git, go, uv, pip, pixi or cargo ask us",
    "secrets": "run a build with secrets that stay fresh",
    "doctor": "what is wrong with logins and tools, and what mends it",
    "config": "what is wrong with your rules, and which holds for a URL",
    "agent": "the process that keeps answers warm",
    "fleet": "renew the logins that many machines share",
    "install": "put the program in place",
    "uninstall": "take it away",
    "completion": "have bash, zsh, fish or PowerShell complete what you type",
}
CLIENTS = (
    ("get", "answer Bazel (a JSON request on standard input) or Docker (a key)"),
    ("bazel get", "answer Bazel"),
    ("docker get|store|erase|list|version", "answer Docker, as docker-credential-credlatch does"),
    ("git get|store|erase", "answer git: credential.helper '!credlatch git'"),
    ("keyring get SERVICE USER", "answer pip, uv and pixi, as keyring does"),
    ("goauth [URL]", "answer Go: go env -w 'GOAUTH=credlatch goauth; netrc'"),
    ("--cargo-plugin", 'answer cargo: global-credential-providers = [..., "credlatch"]'),
    ("header URL", "the headers for curl: credlatch header URL | curl -H @- URL"),
    ("token [--user] URL", "the password or token alone, or the user name"),
)


class _App(command.Group):
    """The group of all commands."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - Click's
        """The words for people, in the order in which they are told."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - Click's
        """A command, whose module is imported now."""
        if cmd_name not in COMMANDS:
            return None
        module = __import__(f"credlatch.commands.{cmd_name}", fromlist=["COMMAND"])
        found: click.Command = module.COMMAND
        return found

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The commands as they are told of in the help, those for tools too, and the options."""
        from click.shell_completion import CompletionItem

        words = {word.split()[0]: text for word, text in reversed(CLIENTS)} | COMMANDS
        offered = [
            CompletionItem(word, help=text)
            for word, text in sorted(words.items())
            if word.startswith(incomplete) and not word.startswith("-")
        ]
        return offered + click.Command.shell_complete(self, ctx, incomplete)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands, which are what is mostly looked for, then the options."""
        self.format_commands(ctx, formatter)
        click.Command.format_options(self, ctx, formatter)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - Click's
        """For people, and for programs."""
        for heading, rows in (
            ("For you", list(COMMANDS.items())),
            ("For your tools, which ask by themselves", list(CLIENTS)),
        ):
            with formatter.section(heading):
                formatter.write_dl(rows, col_max=24)


def _show_version(context: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        from credlatch.commands import version

        streams.answer(version.text().encode())
        context.exit()


APP = _App(
    "credlatch",
    help="One credential helper for every build tool, over the logins you already have.",
    params=[
        click.Option(
            ["--version", "-V", "-v"],
            is_flag=True,
            expose_value=False,
            is_eager=True,
            callback=_show_version,
            help="Show which program this is, and what it is made of.",
        )
    ],
    subcommand_metavar="COMMAND [ARGS]...",
    examples=(
        "credlatch setup bazel   # Bazel asks credlatch from now on",
        "credlatch setup docker  # so does Docker",
    ),
)


def run(words: Sequence[str], caller: Caller) -> int:
    """Run what a person says; the exit status.

    Raises:
        UsageError: there is no such command, or it does not know its words.
    """
    if "_CREDLATCH_COMPLETE" in caller.environ:
        from credlatch.commands import completion

        return completion.complete(APP, caller)
    word = words[0] if words else ""
    if not words:
        context = APP.make_context("credlatch", ["--"], resilient_parsing=True)
        streams.write(2, f"{context.get_help()}\n".encode())
        return UsageError.exit_status
    if word == "help":
        words = [*words[1:], "--help"]
    elif word not in COMMANDS and not word.startswith("-"):
        meant = suggest.meant(word, [*COMMANDS, *clients.CLIENTS, *clients.ALSO, "help"])
        raise UsageError(f"there is no command {word[:40]!r}{meant}: see credlatch --help")
    return command.run(APP, words, caller, "credlatch")
