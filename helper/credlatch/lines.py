"""Lines for a person to read, and what a client writes."""

from __future__ import annotations

LONGEST = 2_000  # characters
_MARK = b"\xef\xbb\xbf"  # U+FEFF, as UTF-8 has it


def line(text: str) -> bytes:
    """One line that says who speaks, whatever ``text`` holds."""
    # Paths and servers' texts may hold anything, a terminal's escape sequences too, and a client
    # may not read more than a pipe holds.
    if len(text) > LONGEST:
        text = text[:LONGEST] + "…"
    if not text.isprintable():
        text = "".join(c if c.isprintable() else " " for c in text)
    return f"credlatch: {text}\n".encode(errors="backslashreplace")


def unmarked(stdin: bytes) -> bytes:
    """What a client has written, without a byte order mark.

    .NET Framework begins a child's standard input with one where the console's encoding is UTF-8,
    and so do PowerShell's pipes.
    """
    return stdin.removeprefix(_MARK)
