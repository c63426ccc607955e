"""The pictures of the documents are what the program shows now, at every width."""

from __future__ import annotations

import re

import pytest
from devtools import pictures

PICTURES = [pytest.param(each, id=each.name) for each in pictures.PICTURES]


@pytest.mark.parametrize("picture", PICTURES)
def test_a_picture_is_what_the_command_shows(picture: pictures.Picture) -> None:
    drawn = pictures.path(picture).read_text(encoding="utf-8")
    assert drawn == pictures.svg(picture, pictures.SHOWN), "./dev pictures draws it anew"
    assert "made-up" not in drawn
    assert not re.search(r"(?:src|href|url)\W+https?:", drawn)  # it asks nobody for anything


@pytest.mark.parametrize("columns", pictures.COLUMNS)
@pytest.mark.parametrize("picture", PICTURES)
def test_it_fits_each_terminal(picture: pictures.Picture, columns: int) -> None:
    lines = re.sub(r"\x1b\[[\d;]*m", "", pictures.screen(picture, columns)).splitlines()
    # What is to be pasted is never folded.
    pasted = ("sed ", "fix  sed ", "credlatch setup ", "read ")
    folded = [line for line in lines if not line.strip().startswith(pasted)]
    assert max(map(len, folded)) <= columns
