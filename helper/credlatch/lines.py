"""Lines for a person to read."""

from __future__ import annotations

LONGEST = 2_000  # characters


def line(text: str) -> bytes:
    """One line that says who speaks, whatever ``text`` holds."""
    # Paths and servers' texts may hold anything, a terminal's escape sequences too, and a client
    # may not read more than a pipe holds.
    if len(text) > LONGEST:
        text = text[:LONGEST] + "…"
    if not text.isprintable():
        text = "".join(c if c.isprintable() else " " for c in text)
    return f"credlatch: {text}\n".encode(errors="backslashreplace")
