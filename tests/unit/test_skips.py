"""In CI a skipped test fails the run, and says why."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import support

SUPPORT = Path(support.__path__[0]).parent
TESTS = """
import pytest
def test_in_its_body(): pytest.skip('dockerd is absent')
@pytest.fixture
def dockerd(): pytest.skip('dockerd is absent')
def test_in_a_fixture(dockerd): pass
@pytest.mark.skipif(True, reason='dockerd is absent')
def test_by_a_mark(): pass
@pytest.mark.xfail
def test_that_is_expected_to_fail(): assert False
"""
FILE = "import pytest\npytest.skip('dockerd is absent', allow_module_level=True)\n"


def outcome(folder: Path, ci: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_tests.py").write_text(TESTS)
    (folder / "test_file.py").write_text(FILE)
    own = ["-p", "support.skips", "-c", os.devnull, "--continue-on-collection-errors"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *own, folder],
        capture_output=True,
        text=True,
        cwd=folder,
        env=os.environ | {"CI": ci, "PYTHONPATH": str(SUPPORT), "PYTEST_ADDOPTS": ""},
        check=False,
    )


def test_in_ci_a_test_or_file_that_is_skipped_fails_and_says_why(tmp_path: Path) -> None:
    done = outcome(tmp_path, ci="true")

    assert done.returncode != 0
    assert done.stdout.count("CI may skip nothing") >= 4
    assert done.stdout.count("dockerd is absent") >= 4
    assert "1 failed, 1 xfailed, 3 errors" in done.stdout.splitlines()[-1]


def test_elsewhere_it_is_skipped(tmp_path: Path) -> None:
    done = outcome(tmp_path, ci="")

    assert done.returncode == 0
    assert "4 skipped, 1 xfailed" in done.stdout.splitlines()[-1]
