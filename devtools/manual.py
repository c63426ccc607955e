"""The manual page, ``credlatch(1)``, made of what the commands' own help says.

``./dev manual`` writes ``packaging/credlatch.1``, which the release's packages install. Its text is
roff with the macros of man(7), which mandoc and groff both read. No help is written twice.
"""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

import click

from credlatch import __version__
from credlatch.commands import app
from devtools.steps import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    Row = tuple[str, str]

PATH = ROOT / "packaging" / "credlatch.1"
_ABOUT = (
    "A tool that needs a credential asks credlatch, in its own protocol. credlatch finds it in the "
    "stores where other tools have left their logins, renews a token that has ended, once whoever "
    "asks, and answers. `credlatch setup` has a tool ask; `credlatch explain` says why there is an "
    "answer for a URL, or none; `credlatch doctor` finds what is wrong with a machine, and prints "
    "the command that mends it."
)
_ENVIRONMENT = {
    "CREDLATCH_TOKEN_HOST": "A token for a host, whose name is in upper case with _ for what is "
    "neither letter nor digit: CREDLATCH_TOKEN_PYPI_EXAMPLE_COM.",
    "CREDLATCH_USERNAME_HOST, CREDLATCH_PASSWORD_HOST": "Likewise a user name and its password.",
    "CREDLATCH_AGENT": "`off`: no agent is asked or started. A path: another machine's, which "
    "`credlatch agent forward` there and `ssh -R` have put here.",
    "CREDLATCH_TIMEOUT": "Seconds that a call may take.",
    "CREDLATCH_DEBUG": "Where it is set, an internal error shows where it was.",
    "RATTLER_AUTH_FILE, NETRC, DOCKER_CONFIG, REGISTRY_AUTH_FILE": "Where these tools' logins "
    "are, as for the tools themselves.",
    "HTTPS_PROXY, NO_PROXY, SSL_CERT_FILE": "How token servers are reached, and whom to trust.",
    "NO_COLOR, FORCE_COLOR": "Never colours; colours also where nothing is a terminal.",
}
_FILES = {
    "~/.config/credlatch/config.toml": "Rules: who answers for which URL, and in which form.",
    "~/.config/credlatch/chain.json": "Other helpers, which are asked afterwards.",
    "~/.rattler/credentials.json": "Logins, where no keyring answers; pixi's, too.",
    "~/.netrc, ~/.docker/config.json, ~/.config/containers/auth.json, ~/.ppm/tokens.toml, "
    "~/.local/share/uv/credentials/credentials.toml": "Other tools' logins, which are read.",
}
_STATUS = {
    "0": "Answered, also with nothing; done.",
    "1": "It could not; `explain`: there is no answer; `doctor`: something does not work.",
    "2": "Used wrongly.",
    "130": "Ended by Ctrl-C.",
}
_WIDTH = 78  # of a line of roff


def page() -> str:
    """The whole page."""
    lines = [
        f'.TH CREDLATCH 1 "" "credlatch {__version__}" "User Commands"',
        ".SH NAME",
        r"credlatch, docker\-credential\-credlatch \-",
        _prose(_first(app.APP.help)),
        ".SH SYNOPSIS",
        r".B credlatch",
        ".I COMMAND",
        r"[\fIARGUMENT\fR...]",
        ".PP",
        r".B docker\-credential\-credlatch get|store|erase|list|version",
        ".SH DESCRIPTION",
        _prose(_ABOUT),
        ".SH COMMANDS",
    ]
    context = click.Context(app.APP, info_name="credlatch")
    for name in app.COMMANDS:
        lines += _command(name, app.APP.get_command(context, name), context)
    lines += ['.SH "COMMANDS OF TOOLS"', "These are for tools, which call them by themselves."]
    lines += _table((f"credlatch {words}", f"{text}.") for words, text in app.CLIENTS)
    lines += [".SH OPTIONS", *_options(app.APP, context)]
    for heading, rows in (
        ("ENVIRONMENT", _ENVIRONMENT),
        ("FILES", _FILES),
        ("EXIT STATUS", _STATUS),
    ):
        lines += [
            f".SH {_quoted(heading)}" if " " in heading else f".SH {heading}",
            *_table(rows.items()),
        ]
    lines += [".SH EXAMPLES", *_pasted(getattr(app.APP, "examples", ()))]
    lines += [".SH SEE ALSO", r"https://github.com/credlatch/credlatch"]
    return "\n".join(lines) + "\n"


def _command(name: str, command: click.Command | None, parent: click.Context) -> Iterator[str]:
    """A command, and those below it."""
    if command is None:
        raise ValueError(f"there is no command {name}")
    context = click.Context(command, info_name=name, parent=parent)
    yield f".SS {_quoted(' '.join((context.command_path, *command.collect_usage_pieces(context))))}"
    yield from _paragraphs(command.help or "")
    if command.epilog:
        yield from (".PP", *_paragraphs(command.epilog))
    yield from _options(command, context)
    if examples := getattr(command, "examples", ()):
        yield from (".PP", *_pasted(examples))
    if isinstance(command, click.Group):
        for each in command.list_commands(context):
            yield from _command(each, command.get_command(context, each), context)


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    """Its options; what all commands have is told once."""
    common = {"--help", "--color"} if context.parent is not None else set()
    records = [
        record
        for each in command.get_params(context)
        if isinstance(each, click.Option)
        and not common & set(each.opts)
        and (record := each.get_help_record(context)) is not None
    ]
    return iter(_table(records))


def _table(rows: Iterable[Row]) -> list[str]:
    lines = []
    for words, text in rows:
        lines += [".TP", rf"\fB{_text(words)}\fR", _prose(text)]
    return lines


def _pasted(lines: Iterable[str]) -> list[str]:
    """Lines that are not filled."""
    return [".RS", ".nf", *(_line(_text(each)) for each in lines), ".fi", ".RE"]


def _paragraphs(text: str) -> Iterator[str]:
    """A help; a paragraph that Click is not to wrap has rows of a word and a text."""
    for at, paragraph in enumerate(filter(str.strip, text.split("\n\n"))):
        if paragraph.lstrip().startswith("\b"):
            rows = paragraph.replace("\b", "").strip().splitlines()
            pairs = (re.split(r"\s{2,}|\s", row.strip(), maxsplit=1) for row in rows)
            yield from _table((each[0], each[1] if len(each) > 1 else "") for each in pairs)
        else:
            yield from ([".PP"] if at else [])
            yield _prose(paragraph)


def _first(text: str | None) -> str:
    return (text or "").partition(". ")[0].removesuffix(".")


def _prose(text: str) -> str:
    """A paragraph; what stands in backquotes is what is typed."""
    pieces = re.split(r"`([^`]*)`", " ".join(text.split()))
    bold = "".join(
        rf"\fB{_text(each)}\fR" if at % 2 else _text(each) for at, each in enumerate(pieces)
    )
    lines = textwrap.wrap(bold, _WIDTH, break_long_words=False, break_on_hyphens=False)
    return "\n".join(map(_line, lines))


def _quoted(text: str) -> str:
    return '"{}"'.format(_text(text).replace('"', r"\(dq"))


def _line(roff: str) -> str:
    """A line that is no request, whatever it begins with."""
    return rf"\&{roff}" if roff.startswith((".", "'")) else roff


def _text(text: str) -> str:
    r"""Text as roff has it: a hyphen that is typed is no hyphen of a word, \ is none of roff's."""
    text = text.replace("\\", r"\e").replace("-", r"\-").replace("'", r"\(aq")
    text = text.replace("`", r"\(ga").replace("^", r"\(ha").replace("~", r"\(ti")
    return "".join(c if c.isascii() else rf"\[u{ord(c):04X}]" for c in text)


if __name__ == "__main__":
    PATH.write_text(page(), encoding="ascii")
    print(PATH.relative_to(ROOT))
