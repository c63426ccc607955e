"""Lines for a person to read, and what a client writes."""

from __future__ import annotations

LONGEST = 2_000  # characters
_MARK = b"\xef\xbb\xbf"  # U+FEFF, as UTF-8 has it


def line(text: str) -> bytes:
    """One line that says who speaks, whatever ``text`` holds."""
    return f"credlatch: {printable(text, LONGEST)}\n".encode(errors="backslashreplace")


def printable(text: str, most: int) -> str:
    """Text as a terminal can be shown it, on one line, of so many characters."""
    # Paths and servers' texts may hold anything, a terminal's escape sequences too, and a client
    # may not read more than a pipe holds.
    if len(text) > most:
        text = text[:most] + "…"
    return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)


def unmarked(stdin: bytes) -> bytes:
    """What a client has written, without a byte order mark.

    .NET Framework begins a child's standard input with one where the console's encoding is UTF-8,
    and so do PowerShell's pipes.
    """
    return stdin.removeprefix(_MARK)
