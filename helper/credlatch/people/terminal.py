"""Where a person reads and types: paragraphs, tables and questions, fitted to what is there.

On a terminal, text is fitted to its width, and coloured unless the person wants none. In a pipe or
a file each line is as long as it is, and plain, for the programs that read it there.
"""

from __future__ import annotations

import os
import re
import sys
from contextlib import contextmanager
from io import StringIO

from credlatch import lines, streams
from credlatch.credential import Secret
from credlatch.errors import RequestError, UsageError
from credlatch.people import interrupts, tables, texts, typed
from credlatch.people.texts import text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.console import Console

    from credlatch.caller import Caller
    from credlatch.people.texts import Cell


AUTO, ALWAYS, NEVER = "auto", "always", "never"
COLOURS = (AUTO, ALWAYS, NEVER)
LATE = 1.0  # seconds after which a person is told what is being waited for
_ENDLESS = 100_000  # columns, where lines are not fitted to anything
_NARROWEST = 20  # columns: below that nothing is fitted any more
_FILLED = re.compile(r" +(?=(\x1b\[0m *)?$)")
_STDIN, _STDOUT, _STDERR = 0, 1, 2


def of(caller: Caller) -> Terminal:
    """The terminal of a command that is run, with what the person wants of colours."""
    import click

    context = click.get_current_context(silent=True)
    wanted = AUTO if context is None else str(context.meta.get(__name__, AUTO))
    return Terminal(caller, wanted)


class Terminal:
    """Standard output as a person reads it, and what they can be asked there.

    Args:
        caller: whose environment says what the terminal can.
        colour: of ``COLOURS``: when there are colours.

    Attributes:
        interactive: whether questions may be asked: both ends are a terminal's.
        width: columns.
        coloured: whether text is coloured.
    """

    def __init__(self, caller: Caller, colour: str = AUTO) -> None:
        shown = streams.is_terminal(_STDOUT)
        self._caller = caller
        self.interactive = shown and streams.is_terminal(_STDIN)
        self.width = _columns(caller) if shown else _ENDLESS
        wanted = colour == ALWAYS or (colour == AUTO and _may_colour(caller, shown))
        self.coloured = wanted and (not shown or _shows_colours())

    def say(self, text: str = "", style: str = "", *, indent: int = 0) -> None:
        """A paragraph, which is wrapped between words.

        Args:
            text: of any length; its line ends count.
            style: of ``styles.STYLES``; none: as all other text.
            indent: columns that all of its lines begin with.

        Raises:
            AnswerError: standard output does not take it.
        """
        from rich.padding import Padding

        if not text:
            streams.answer(b"\n")
            return
        self._show(Padding(text_of(text, style), (0, 0, 0, indent), expand=False))

    def paste(self, command: str, *, indent: int = 0) -> None:
        """A command for a shell, never wrapped: what a terminal itself wraps is copied whole.

        Raises:
            AnswerError: standard output does not take it.
        """
        text = lines.printable(command, texts.LONGEST)
        streams.answer(f"{'':{indent}}{text}\n".encode(errors="backslashreplace"))

    def table(
        self,
        headings: Sequence[str],
        rows: Iterable[Sequence[Cell]],
        *,
        whole: Sequence[int] = (0,),
        indent: int = 0,
    ) -> None:
        """A table without lines; where the terminal is narrow, its cells are folded.

        Args:
            headings: one for each column; none at all: no line for them.
            rows: cells, each a text, or a text and a style.
            whole: the columns that are folded last.
            indent: columns that all of its lines begin with.

        Raises:
            AnswerError: standard output does not take it.
        """
        from rich.padding import Padding

        shown = tables.table(headings, rows, self.width - indent, whole)
        self._show(Padding(shown, (0, 0, 0, indent), expand=False))

    def has_room(self, headings: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bool:
        """Whether a table of these fits without a fold."""
        return tables.natural(headings, rows) <= self.width

    def json(self, value: object) -> None:
        """A value for programs, as indented JSON: msgspec's types, and Python's own.

        Raises:
            AnswerError: standard output does not take it.
        """
        from credlatch.structs import msgspec

        streams.answer(msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n")

    def ask(self, question: str) -> str:
        """What a person types as the answer, without the blanks around it.

        Raises:
            UsageError: there is no terminal to ask at.
            RequestError: it was Ctrl-D.
            KeyboardInterrupt: it was Ctrl-C.
        """
        self._must_be_interactive(question)
        interrupts.raised()
        streams.answer(f"{question} ".encode(errors="backslashreplace"))
        typed_line = sys.stdin.readline()
        if not typed_line:
            streams.answer(b"\n")
            raise RequestError("nothing was typed")
        return typed_line.strip()

    def secret(self, question: str) -> Secret:
        """What a person types without seeing it.

        Raises:
            UsageError: there is no terminal to ask at.
            RequestError: nothing was typed.
            KeyboardInterrupt: it was Ctrl-C.
        """
        self._must_be_interactive(question)
        return Secret(typed.secret(f"{question} "))

    def confirm(self, question: str, *, default: bool = False) -> bool:
        """Whether a person says yes; Enter alone means ``default``, and Ctrl-D no.

        Raises:
            UsageError: there is no terminal to ask at.
            KeyboardInterrupt: it was Ctrl-C.
        """
        try:
            said = self.ask(f"{question} [{'Y/n' if default else 'y/N'}]").lower()
        except RequestError:
            return False
        return default if not said else said in {"y", "yes"}

    @contextmanager
    def waiting(self, what: str) -> Iterator[None]:
        """Tell what is being waited for, when that takes longer than a second.

        On a terminal alone, on its standard error, and gone again at the end.
        """
        if not streams.is_terminal(_STDERR):
            yield
            return
        from threading import Timer

        from rich.console import Console
        from rich.status import Status

        console = Console(stderr=True, no_color=not self.coloured, highlight=False, markup=False)
        status = Status(text_of(what, ""), console=console)
        later = Timer(LATE, status.start)
        later.daemon = True
        later.start()
        try:
            yield
        finally:
            later.cancel()
            later.join()
            status.stop()

    def _must_be_interactive(self, question: str) -> None:
        if not self.interactive:
            raise UsageError(f"there is no terminal to ask at: {question}")

    def _show(self, what: object) -> None:
        console = _console(self.width, coloured=self.coloured)
        console.print(what)
        shown = console.file.getvalue()  # type: ignore[attr-defined]  # it is the StringIO below
        # Rich fills each line with blanks, which would wrap where a window becomes narrower.
        text = "".join(f"{_FILLED.sub('', line)}\n" for line in shown.splitlines())
        streams.answer(text.encode(errors="backslashreplace"))


def _console(width: int, *, coloured: bool) -> Console:
    from rich.console import Console

    return Console(
        file=StringIO(),
        width=width,
        force_terminal=coloured,
        color_system="standard" if coloured else None,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
    )


def _shows_colours() -> bool:
    """Whether the terminal does, if it is told to."""
    if sys.platform == "win32":
        from credlatch.people import windows_console

        return windows_console.shows_colours(_STDOUT)
    return True


def _columns(caller: Caller) -> int:
    said = caller.environ.get("COLUMNS", "")
    if said.isascii() and said.isdigit() and len(said) < len(str(_ENDLESS)) and int(said) > 0:
        return max(int(said), _NARROWEST)
    try:
        width = os.get_terminal_size(_STDOUT).columns
    except OSError:
        return 80
    return max(width, _NARROWEST) if width else 80


def _may_colour(caller: Caller, shown: bool) -> bool:
    """What the environment says: no-color.org, and force-color.org."""
    if caller.environ.get("NO_COLOR"):
        return False
    if caller.environ.get("FORCE_COLOR"):
        return True
    return shown and caller.environ.get("TERM") != "dumb"
