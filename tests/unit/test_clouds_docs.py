"""docs/clouds.md names every system, what is on by default, and only tests that there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import support
from credlatch.identities.table import SYSTEMS
from credlatch.stores.order import names

TESTS = Path(support.__path__[0]).parent
DOCS = TESTS.parent / "docs"
TEXT = (DOCS / "clouds.md").read_text()
ROWS = dict(re.findall(r"^\| `([a-z0-9_]+)` \| (yes|no)\b", TEXT, flags=re.M))


def test_every_system_is_in_the_overview_and_is_on_by_default_or_not_as_it_says() -> None:
    assert {each.name: "no" if each.opt_in else "yes" for each in SYSTEMS} == ROWS


def test_the_stores_that_a_rule_may_name_are_told() -> None:
    text = (DOCS / "rules.md").read_text()
    systems = {each.name for each in SYSTEMS}
    assert [name for name in names() if name not in systems and f"`{name}`" not in text] == []


@pytest.mark.parametrize("name", sorted(set(re.findall(r"\btest_\w+\.py\b", TEXT))))
def test_a_test_that_it_names_is_there(name: str) -> None:
    assert any(TESTS.rglob(name))


@pytest.mark.parametrize("anchor", sorted(set(re.findall(r"\]\(#([^)]+)\)", TEXT))))
def test_a_section_that_it_links_to_is_there(anchor: str) -> None:
    titles = re.findall(r"^#+ (.+)$", TEXT, flags=re.M)
    assert anchor in {
        re.sub(r"[^a-z0-9 _-]", "", title.lower()).replace(" ", "-") for title in titles
    }
