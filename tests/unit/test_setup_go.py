"""Go's settings: what GOAUTH was is kept, or asked after us, and comes back to the letter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from credlatch.setup import diff

if TYPE_CHECKING:
    from support.wiring import Wiring

ENV = ".config/go/env"
OURS = "credlatch goauth; netrc"


@pytest.fixture(autouse=True)
def _logins(wiring: Wiring) -> None:
    wiring.home.write_rattler({"h.example": {"BearerToken": "t"}})


@pytest.mark.parametrize("default", ["", "GOAUTH=netrc\n", "GOAUTH=\n"])
def test_what_is_there_stays_and_comes_back(wiring: Wiring, default: str) -> None:
    text = f"GOFLAGS=-x\n{default}"
    wiring.home.write(ENV, text)
    assert wiring("go") == 0
    assert wiring.read(ENV) == f"GOFLAGS=-x\nGOAUTH={OURS}\n"
    assert wiring("go", "--undo") == 0
    assert wiring.read(ENV) == text


@pytest.mark.parametrize("was", ["git /home/me;netrc", "other --x", "off"])
def test_another_entry_stays_unless_it_is_said(wiring: Wiring, was: str) -> None:
    text = f"GOAUTH={was}\n"
    wiring.home.write(ENV, text)
    wiring("go")
    assert wiring.read(ENV) == text
    assert "--replace" in wiring.said
    assert wiring("go", "--replace") == 0
    assert wiring.read(ENV) == f"GOAUTH={OURS}\n"
    assert wiring("go", "--undo") == 0
    assert wiring.read(ENV) == text


@pytest.mark.parametrize("end", ["\n", ""])
def test_another_entry_is_asked_after_us(wiring: Wiring, end: str) -> None:
    text = f"GOAUTH=old\nGOAUTH=netrc; git /home/me{end}"
    wiring.home.write(ENV, text)
    assert wiring("go", "--chain") == 0
    assert wiring.read(ENV) == f"GOAUTH=old\nGOAUTH={OURS}; git /home/me\n"
    assert wiring("go", "--undo") == 0
    assert wiring.read(ENV) == text


def test_what_was_changed_since_is_left_and_ours_goes(wiring: Wiring) -> None:
    wiring("go")
    wiring.home.write(ENV, f"GOAUTH={OURS}\nGOFLAGS=-x\n")
    assert wiring("go", "--undo") == 0
    assert wiring.read(ENV) == "GOFLAGS=-x\n"


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        (f"GOAUTH={OURS}", f"GOAUTH={OURS}"),
        ("GOAUTH=other --token abc", "GOAUTH=other --token ****"),
        ("CARGOAUTH=abc", "CARGOAUTH=****"),
    ],
)
def test_what_is_shown_of_it(line: str, seen: str) -> None:
    assert diff.hidden(line, in_json=False) == seen
