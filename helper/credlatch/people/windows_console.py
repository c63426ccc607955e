"""Windows' own console, which shows colours when it is told to."""

from __future__ import annotations

from colorama import winterm


def shows_colours(descriptor: int) -> bool:
    """Have the console understand the sequences that all other terminals do; whether it will.

    One that does not, as with "use legacy console" in its settings, would show them as they are.
    """
    return bool(winterm.enable_vt_processing(descriptor))
