"""What is pasted into PowerShell; what others paste is run by the tests of who says it."""

from __future__ import annotations

import os

import pytest

from credlatch.fixes import shell


@pytest.fixture(autouse=True)
def _in_powershell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shell, "_IS_POWERSHELL", True)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("credlatch", "logout", "host:8443"), "credlatch logout host:8443"),
        (("credlatch", "logout", "a b"), "credlatch logout 'a b'"),
        (("credlatch", "logout", "it's $me"), "credlatch logout 'it''s $me'"),
        (("credlatch", "logout", ""), "credlatch logout ''"),
        ((r"C:\tools\credlatch.exe", "install"), r"C:\tools\credlatch.exe install"),
        # Without & it is a text, after which PowerShell expects no other.
        ((r"C:\a b\credlatch.exe", "install"), r"& 'C:\a b\credlatch.exe' install"),
    ],
)  # fmt: skip
def test_a_program_is_called_with_its_words(words: tuple[str, ...], line: str) -> None:
    assert shell.command(*words) == line


def test_one_command_after_the_other_as_version_5_has_it() -> None:
    assert shell.both(shell.setup("docker"), "", shell.unset("A", "B")) == (
        "credlatch setup docker; Remove-Item Env:A, Env:B"
    )


def test_variables_are_set_and_renamed_and_shown_to_nobody() -> None:
    assert shell.export("A", shell.quote("b c")) == "$env:A = 'b c'"
    assert shell.renamed("A-B", "A_B") == (
        "$env:A_B = (Get-Item Env:A-B).Value; Remove-Item Env:A-B"
    )
    assert shell.asked_for("T", is_secret=True) == (
        "$env:T = [Net.NetworkCredential]::new('', (Read-Host -AsSecureString T)).Password"
    )
    first = shell.found_first(r"C:\Program Files\x")
    assert first == rf"$env:PATH = 'C:\Program Files\x{os.pathsep}' + $env:PATH"


def test_files_are_opened_removed_and_kept() -> None:
    path = r"C:\Users\a b\.netrc"
    assert shell.edited(path, 3) == rf"notepad '{path}'"
    assert shell.removed(path) == rf"Remove-Item '{path}'"
    assert shell.put_aside(path) == rf"Move-Item '{path}' '{path}.aside'"
