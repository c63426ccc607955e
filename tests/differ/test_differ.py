"""Stores' own programs and credlatch, asked the same questions: a short run of ``./dev differ``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from differ.judge import DAMAGED
from differ.run import run
from differ.subjects import NAMES, subjects

if TYPE_CHECKING:
    from collections.abc import Iterator

    from differ.cases import Subject

SEED = 8
QUESTIONS = 500  # of the subject that is asked most
STRICTER = "\n## Stricter than the tools\n"


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Subject]]:
    """Every subject, by its name."""
    with subjects(tmp_path_factory.mktemp("differ")) as found:
        yield {subject.name: subject for subject in found}


@pytest.mark.parametrize("name", NAMES)
def test_every_difference_is_meant_and_nothing_goes_where_the_owner_would_not_send_it(
    opened: dict[str, Subject], name: str
) -> None:
    subject = opened[name]
    report = run(subject, SEED, round(QUESTIONS * subject.share))
    assert not report.faults, str(report)


def test_the_names_are_all_there_are(opened: dict[str, Subject]) -> None:
    assert tuple(opened) == NAMES


def test_every_difference_that_is_meant_is_a_row_of_the_table(opened: dict[str, Subject]) -> None:
    document = (Path(__file__).parents[2] / "docs" / "stores.md").read_text()
    table = document.partition(STRICTER)[2].partition("\n## ")[0].splitlines()
    rows = [line.removeprefix("| ") for line in table if line.startswith("| ")]
    titles = {rule.title for subject in opened.values() for rule in subject.rules} | {DAMAGED}
    assert [title for title in titles if not any(row.startswith(title) for row in rows)] == []
