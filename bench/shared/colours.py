"""The colours of the picture, by day and by night.

A code host shows a picture as it is. So it brings a card of its own, and the colours for those who
read in the dark: on whatever the card lies, it can be read.
"""

from __future__ import annotations

CARD = ("#ffffff", "#0d1117")
TEXT = ("#1f2328", "#e6edf3")
FAINT = ("#59636e", "#9198a1")
OURS = ("#1a7f37", "#3fb950")
OURS_ALONE = ("#8fcfa0", "#1f6b33")  # without its agent
OTHERS = ("#b6bfc9", "#4d5662")
COLOURS = (CARD, TEXT, FAINT, OURS, OURS_ALONE, OTHERS)


def by_night(svg: str) -> str:
    """The same picture, with colours for those who read in the dark."""
    rules = "".join(
        f'[style*="{kind}: {day}"]{{{kind}:{night}!important}}'
        for day, night in COLOURS
        for kind in ("fill", "stroke")
    )
    style = f"<style>@media (prefers-color-scheme: dark){{{rules}}}</style>"
    head, mark, rest = svg.partition("<defs")
    return f"{head}{style}\n {mark}{rest}"
