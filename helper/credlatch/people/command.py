"""Commands for people, on Click: one form of help, of options and of complaints.

A command is a file in ``commands/`` that ends with ``COMMAND``; its callback is given the caller,
and returns the exit status.
"""

from __future__ import annotations

import re
from functools import update_wrapper

import click

from credlatch import streams
from credlatch.errors import UsageError
from credlatch.people import terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Concatenate, ParamSpec

    from credlatch.caller import Caller

    P = ParamSpec("P")

_WIDEST = 100  # columns of a help, which is read as a text is
_SETTINGS = {"help_option_names": ["--help", "-h"], "max_content_width": _WIDEST}


def passes_caller(function: Callable[Concatenate[Caller, P], int]) -> Callable[P, int]:
    """Decorate a command's callback: the caller comes first."""

    def passed(*args: P.args, **kwargs: P.kwargs) -> int:
        return function(click.get_current_context().obj, *args, **kwargs)

    return update_wrapper(passed, function)


def run(command: click.Command, words: Sequence[str], caller: Caller, name: str = "") -> int:
    """Run a command; its exit status.

    Args:
        command: a ``COMMAND``, or the group of all.
        words: what follows its name.
        caller: whose command it is.
        name: as it is called in its help; none: as it is called below ``credlatch``.

    Raises:
        UsageError: the words are wrong; or what the command itself raises.
    """
    try:
        called = name or f"credlatch {command.name}"
        with command.make_context(called, list(words), obj=caller) as context:
            status = command.invoke(context)
            return status if isinstance(status, int) else 0
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except click.Abort:
        raise KeyboardInterrupt from None
    except click.ClickException as error:
        raise UsageError(_complaint(error)) from None


def _complaint(error: click.ClickException) -> str:
    """One line of what Click says in several, and where to read on."""
    context: click.Context | None = getattr(error, "ctx", None)
    if isinstance(error, click.exceptions.NoArgsIsHelpError) and context is not None:
        names = getattr(context.command, "list_commands", lambda _: ())(context)
        one = "" if len(names) == 1 else "one of "
        return f"{one}{', '.join(names)} is needed: see {context.command_path} --help"
    text = " ".join(error.format_message().split())
    text = re.sub(r"\. \(?Did you mean (.*?)\)?$", r" (did you mean \1)", text)
    text = text[:1].lower() + text[1:].removesuffix(".")
    return text if context is None else f"{text}: see {context.command_path} --help"


def _show_help(context: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        # As all answers are given: with Windows' own line ends nowhere.
        streams.answer(f"{context.get_help()}\n".encode())
        context.exit()


def _choose_colour(context: click.Context, _option: click.Parameter, colour: str | None) -> None:
    if colour is not None and not context.resilient_parsing:
        context.meta[terminal.__name__] = colour


class Several(click.Option):
    """An option that takes all words up to the next option, and may be given again.

    As ``--host A B --host C``.
    """

    def __init__(self, names: Sequence[str], **settings: Any) -> None:
        super().__init__(names, multiple=True, **settings)


class _Form(click.Command):
    """What all commands have in common.

    Args:
        examples: lines to paste, each with what it does after two blanks and a ``#``.
    """

    def __init__(self, *args: Any, examples: Sequence[str] = (), **settings: Any) -> None:
        settings["context_settings"] = _SETTINGS | settings.get("context_settings", {})
        settings["add_help_option"] = False
        settings["params"] = [*(settings.get("params") or ()), *_common()]
        super().__init__(*args, **settings)
        self.examples = examples

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As Click does; each further word of ``Several`` has its option repeated before it."""
        names = {
            name: name for each in self.params if isinstance(each, Several) for name in each.opts
        }
        return super().parse_args(ctx, _repeated(args, names) if names else args)

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The words, as the other commands show theirs."""
        pieces = " ".join(self.collect_usage_pieces(ctx))
        formatter.write_usage(ctx.command_path, pieces, prefix="usage: ")

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """What else there is to know, then the examples."""
        super().format_epilog(ctx, formatter)
        if self.examples:
            with formatter.section("Examples"):
                for each in self.examples:
                    formatter.write(f"{'':{formatter.current_indent}}{each}\n")


def _common() -> list[click.Parameter]:
    return [
        click.Option(
            ["--color"],
            type=click.Choice(terminal.COLOURS),
            metavar="WHEN",
            expose_value=False,
            is_eager=True,
            callback=_choose_colour,
            help="Colours: auto (on a terminal, unless NO_COLOR is set), always or never.",
        ),
        click.Option(
            ["--help", "-h"],
            is_flag=True,
            expose_value=False,
            is_eager=True,
            callback=_show_help,
            help="Show this.",
        ),
    ]


def _repeated(args: list[str], names: dict[str, str]) -> list[str]:
    """The words, with an option before each of its values."""
    said: list[str] = []
    option, count = "", 0
    for index, word in enumerate(args):
        if word == "--":
            return said + args[index:]
        if word.startswith("-"):
            option, count = names.get(word, ""), 0
        elif option:
            said += [option] if count else []
            count += 1
        said.append(word)
    return said


class Command(_Form):
    """A command for people."""


class Group(_Form, click.Group):
    """A command of several, each a command for people."""

    command_class = Command

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - Click's
        """The commands, in the order in which they are told."""
        return list(self.commands)
