"""./dev smoke, which tries a release's artefacts on each platform: on ours, and on worse ones."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
from typing import TYPE_CHECKING

import pytest

import smoke
from credlatch.clients import CLIENTS
from credlatch.commands.app import COMMANDS
from support.page import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from support.home import Home


def tried(file: Path, home: Home) -> subprocess.CompletedProcess[str]:
    """By a Python that has no packages, as on a machine of a release's job."""
    return subprocess.run(
        [sys.executable, "-S", ROOT / "dev", "smoke", file],
        env={**home.env, "HTTPS_PROXY": "http://127.0.0.1:9"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_single_file_is_as_it_should_be(single: Path, home: Home) -> None:
    done = tried(single, home)
    assert done.returncode == 0, done.stderr
    assert "all as it should be" in done.stdout


def test_so_is_the_folder_in_an_archive(folder: Path, home: Home, tmp_path: Path) -> None:
    archive = tmp_path / "credlatch-1-linux-x86_64.tar.gz"
    with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
        tar.add(folder.parent, "credlatch-1")
    done = tried(archive, home)
    assert done.returncode == 0, done.stderr


FAULTS = {
    "answers_with_another_login": ("who", "ada"),
    "ends_its_lines_as_windows_does": ("Authorization: Basic d2hvOnA6dw==", "&\r"),
    "shows_a_traceback": ('{"headers":{}}', "Traceback &"),
    "says_nothing_of_a_miss": ("credentials not found in native keychain", ""),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told_in_one_line(fault: str, folder: Path, home: Home) -> None:
    script = f"#!/bin/sh\n'{folder}' \"$@\" 2>&1 | sed 's/{'/'.join(FAULTS[fault])}/'\n"
    done = tried(home.write("bad", script, 0o755), home)
    assert done.returncode == 1
    assert re.fullmatch(r"dev: .*/bad: .+: exit status \d+ for \d+; .+\n", done.stderr), done.stderr


def test_an_archive_without_the_program_is_one(home: Home, tmp_path: Path) -> None:
    archive = tmp_path / "credlatch-1-linux-x86_64.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(ROOT / "LICENSE", "credlatch-1/LICENSE")
    done = tried(archive, home)
    assert done.returncode == 1
    assert done.stderr == f"dev: {archive}: {archive.name} has no credlatch in one folder\n"


def test_an_archive_does_not_write_beside_its_folder(home: Home, tmp_path: Path) -> None:
    archive = tmp_path / "credlatch-1-linux-x86_64.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(ROOT / "LICENSE", "../../outside")
    done = tried(archive, home)
    assert done.returncode == 1
    assert re.fullmatch(r"dev: \S+: .*outside the destination\n", done.stderr)


def test_every_client_and_command_is_called() -> None:
    called = {word for call in smoke.CALLS for word in call.words}
    assert {*CLIENTS, *COMMANDS} <= called
