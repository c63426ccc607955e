"""Where the program is put: the option of ``install`` and ``uninstall``."""

from __future__ import annotations

import os

import click

from credlatch.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from credlatch.caller import Caller


def option(function: Callable[..., int]) -> Callable[..., int]:
    """Decorate: where the program is put."""
    text = "The folder with bin and lib in it; ~/.local unless said otherwise."
    return click.option("--prefix", metavar="FOLDER", help=text)(function)


def absolute(prefix: str | None, caller: Caller) -> str:
    """The folder, of the option or of this user.

    Raises:
        UsageError: it is empty.
    """
    if prefix is None:
        return caller.in_home(".local")
    if not prefix:
        raise UsageError("--prefix needs a folder")
    return os.path.normpath(os.path.join(caller.cwd, os.path.expanduser(prefix)))
