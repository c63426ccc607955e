"""In CI a skipped test fails the run, and says why."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import support

SUPPORT = Path(support.__path__[0]).parent
SKIPPED = {
    "in its body": "def test_it(): pytest.skip('dockerd is absent')",
    "in a fixture": (
        "@pytest.fixture\ndef dockerd(): pytest.skip('dockerd is absent')\n"
        "def test_it(dockerd): pass"
    ),
    "by a mark": "@pytest.mark.skipif(True, reason='dockerd is absent')\ndef test_it(): pass",
    "as a file": "pytest.skip('dockerd is absent', allow_module_level=True)",
}


def outcome(folder: Path, test: str, ci: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_it.py").write_text(f"import pytest\n{test}\n")
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "support.skips", "-c", os.devnull, folder],
        capture_output=True,
        text=True,
        cwd=folder,
        env=os.environ | {"CI": ci, "PYTHONPATH": str(SUPPORT)},
        check=False,
    )


@pytest.mark.parametrize("test", SKIPPED.values(), ids=SKIPPED)
def test_in_ci_a_test_that_is_skipped_fails_and_says_why(tmp_path: Path, test: str) -> None:
    done = outcome(tmp_path, test, ci="true")

    assert done.returncode != 0
    assert "dockerd is absent" in done.stdout
    assert " error" in done.stdout.splitlines()[-1] or " failed" in done.stdout.splitlines()[-1]


@pytest.mark.parametrize("test", SKIPPED.values(), ids=SKIPPED)
def test_elsewhere_it_is_skipped(tmp_path: Path, test: str) -> None:
    done = outcome(tmp_path, test, ci="")

    assert " skipped" in done.stdout.splitlines()[-1]


def test_in_ci_an_expected_failure_is_still_expected(tmp_path: Path) -> None:
    done = outcome(tmp_path, "@pytest.mark.xfail\ndef test_it(): assert False", ci="true")

    assert done.returncode == 0
