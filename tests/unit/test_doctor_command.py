"""``credlatch doctor`` as a person meets it: what it shows, and its exit status."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from credlatch.commands import doctor
from credlatch.people import command
from support.callers import caller_of
from support.diagnosis import on_path

if TYPE_CHECKING:
    from pathlib import Path

    from support.home import Home

WRONG = "machine r.example login u passwort s3cret\n"
GOOD = "machine r.example login u password s3cret\n"


@pytest.fixture
def bin_(home: Home) -> Path:
    """Where the program is on PATH, and no tool is."""
    return on_path(home)


def shown(home: Home, capfd: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """What is written, and the exit status."""
    status = command.run(doctor.COMMAND, ["--offline", *words], caller_of(home))
    return status, capfd.readouterr().out


@pytest.mark.usefixtures("bin_")
@pytest.mark.parametrize(
    ("text", "mode", "status", "last"),
    [
        (GOOD, 0o600, 0, "All is well."),
        (GOOD, 0o644, 0, "1 warning. credlatch doctor --fix does 1 of them."),
        (WRONG, 0o600, 0, "1 warning."),
    ],
)
def test_it_ends_with_what_there_is_to_do(
    home: Home,
    capfd: pytest.CaptureFixture[str],
    text: str,
    mode: int,
    status: int,
    last: str,
) -> None:
    home.write(".netrc", text, mode)
    assert shown(home, capfd)[0] == status
    code, said = shown(home, capfd)
    assert (code, said.splitlines()[-1]) == (status, last)
    assert "s3cret" not in said


@pytest.mark.usefixtures("bin_")
def test_each_line_has_its_fix_below_it_and_the_home_is_a_tilde(
    home: Home, capfd: pytest.CaptureFixture[str]
) -> None:
    home.write(".rattler/credentials.json", "{")
    code, said = shown(home, capfd)
    assert code == 1
    rows = said.splitlines()
    (at,) = [at for at, row in enumerate(rows) if row.startswith("FAIL")]
    assert rows[at].split()[:3] == ["FAIL", "rattler", "~/.rattler/credentials.json"]
    assert rows[at + 1].strip() == f"${{EDITOR:-vi}} +1 {home.path}/.rattler/credentials.json"
    assert rows[-1] == "1 to fix, 0 warnings."


@pytest.mark.usefixtures("bin_")
def test_what_is_mended_is_said_and_then_all_is_well(
    home: Home, capfd: pytest.CaptureFixture[str]
) -> None:
    path = home.write(".netrc", GOOD, 0o644)
    _, said = shown(home, capfd, "--fix")
    assert f"done: chmod 600 {path}" in said.splitlines()
    assert said.splitlines()[-1] == "All is well."


@pytest.mark.usefixtures("bin_")
def test_for_programs_it_is_json(home: Home, capfd: pytest.CaptureFixture[str]) -> None:
    home.write(".netrc", WRONG)
    code, said = shown(home, capfd, "--json")
    found = json.loads(said)
    assert code == 0
    assert list(found) == [
        "version", "program", "findings", "fixed", "not_fixed", "to_fix", "warnings",
    ]  # fmt: skip
    assert (found["version"], found["to_fix"], found["warnings"]) == (1, 0, 1)
    assert list(found["program"]) == ["version", "build", "path", "system", "libc"]
    (wrong,) = [each for each in found["findings"] if each["severity"] == "warn"]
    assert wrong == {
        "severity": "warn",
        "subject": "netrc",
        "what": f"{home.path}/.netrc line 1: 'passwort' is no keyword: is it to be 'password'?",
        "fix": f"sed -i.old 1s/passwort/password/ {home.path}/.netrc && rm {home.path}/.netrc.old",
        "safe": False,
    }


@pytest.mark.usefixtures("bin_")
def test_tools_that_are_there_and_not_wired_are_one_line(
    home: Home, capfd: pytest.CaptureFixture[str]
) -> None:
    on_path_tools = ("uv", "pip", "cargo")
    for name in on_path_tools:
        home.write(f"bin/{name}", "#!/bin/sh\n", 0o755)
    _, said = shown(home, capfd)
    (row,) = [row for row in said.splitlines() if "not wired" in row]
    assert row.endswith("  uv, pip, cargo: credlatch setup TOOL wires one")
    assert said.splitlines()[-1] == "All is well."


def test_what_others_have_written_is_shown_without_its_control_characters(
    home: Home, capfd: pytest.CaptureFixture[str]
) -> None:
    on_path(home)
    home.env["NETRC"] = "/gone/\x1b[31mred\nline"
    _, said = shown(home, capfd)
    assert "\x1b" not in said
    assert "red line" in said
