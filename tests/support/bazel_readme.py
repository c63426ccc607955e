"""bazel/README.md, taken apart."""

from __future__ import annotations

import re

from support.page import Page

PAGE = Page("bazel/README.md")


def block(head: str, at: int = 0) -> str:
    """One block of a section."""
    return PAGE.blocks[head][at].text


def rows(head: str) -> list[list[str]]:
    """The rows of a section's tables, each cell with what is in backquotes there."""
    lines = re.findall(r"^\| (.*) \|$", PAGE.sections[head], re.MULTILINE)
    return [[" ".join(re.findall(r"`([^`]+)`", c)) for c in line.split(" | ")] for line in lines]
