"""The project's pages: what they link to in the checkout is there, down to the heading."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    page
    for page in sorted(ROOT.rglob("*.md"))
    if not {".scratch", "dist"} & set(page.relative_to(ROOT).parts)
]
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def _headings(page: Path) -> set[str]:
    """The fragments that a forge makes of a page's headings."""
    heads = re.findall(r"^#+ (.*)$", FENCE.sub("", page.read_text()), re.MULTILINE)
    words = (re.sub(r"[^\w\- ]", "", head.strip().lower()) for head in heads)
    return {each.replace(" ", "-") for each in words}


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_what_a_page_links_to_is_there(page: Path) -> None:
    gone = []
    for link in re.findall(r"\]\(([^)\s]+)\)", FENCE.sub("", page.read_text())):
        path, _, fragment = link.partition("#")
        if re.match(r"[a-z]+:", link):
            continue
        target = page.parent / path if path else page
        if not target.exists() or (fragment and fragment not in _headings(target)):
            gone.append(link)
    assert gone == []
