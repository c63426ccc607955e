"""Options, where a command has several of them."""

from __future__ import annotations

import argparse

from credlatch.commands import streams
from credlatch.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


class Parser(argparse.ArgumentParser):
    """Whose complaints are one line, as all of ours."""

    def print_help(self, _: object = None) -> None:
        """Say what there is, as all answers are given: with Windows' own line ends nowhere."""
        streams.answer(self.format_help().encode())

    def error(self, message: str) -> NoReturn:
        """Refuse what cannot be parsed.

        Raises:
            UsageError: always.
        """
        raise UsageError(f"{message}: see {self.prog} --help")
