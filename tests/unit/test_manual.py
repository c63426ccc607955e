"""The manual page: it is what the commands' own help says, and roff that its readers understand."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from devtools import manual
from devtools.steps import ROOT

from credlatch.commands import app
from support.components import need


def test_the_page_is_what_the_commands_say_of_themselves() -> None:
    assert manual.PATH.read_text() == manual.page(), "./dev manual writes it anew"


def shown() -> str:
    done = subprocess.run(
        ["mandoc", "-T", "utf8", "-O", "width=500", manual.PATH],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return re.sub(r".\x08", "", done.stdout)


def test_mandoc_has_nothing_to_complain_of() -> None:
    need("mandoc")
    done = subprocess.run(
        ["mandoc", "-T", "lint", manual.PATH], capture_output=True, text=True, check=False
    )
    # A date would be that of a commit, or change by itself.
    said = [line for line in done.stdout.splitlines() if "missing date" not in line]
    assert said == []


def test_a_person_reads_every_command_and_option_in_it() -> None:
    need("mandoc")
    text = shown()
    for name in app.COMMANDS:
        assert f"credlatch {name} " in text
    for words, _ in app.CLIENTS:
        assert f"credlatch {words}" in text
    for line in (
        "credlatch login s3://bucket --s3-key-id AKIA... < secret",
        "credlatch explain --as docker reg.example.com:5000",
        "credlatch header URL | curl -H @- URL",
        "go env -w 'GOAUTH=credlatch goauth; netrc'",
    ):
        assert line in text
    assert not re.search(r"\\[f(\[e]", text)  # escapes are read, and no text


@pytest.mark.parametrize("name", sorted(set(re.findall("CREDLATCH_[A-Z]+", manual.page()))))
def test_a_variable_that_it_names_is_one(name: str) -> None:
    sources = [*(ROOT / "helper").rglob("*.py"), *(ROOT / "build").rglob("*.[ch]")]
    assert any(name in Path(each).read_text() for each in sources)
