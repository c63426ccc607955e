"""What is shown in which way, in the eight colours that every terminal has its own shades of.

A terminal's user has chosen them to be read on light or on dark.
"""

from __future__ import annotations

GOOD, WARN, BAD = "good", "warn", "bad"
DIM, STRONG, LINK = "dim", "strong", "link"
STYLES = {
    GOOD: "green",
    WARN: "yellow",
    BAD: "red",
    DIM: "dim",
    STRONG: "bold",
    LINK: "cyan",
}
