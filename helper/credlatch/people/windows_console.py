"""Windows' own console, which shows colours when it is told to."""

from __future__ import annotations

import colorama


def show_colours() -> None:
    """Have the console understand the sequences that all other terminals do."""
    colorama.just_fix_windows_console()
