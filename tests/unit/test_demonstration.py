"""``./dev try`` shows the main job, and notices when it does not work."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import demonstration

SCRIPT = Path(demonstration.__file__)


def test_it_works_and_says_so_in_its_last_line() -> None:
    done = subprocess.run(
        [sys.executable, SCRIPT], capture_output=True, text=True, timeout=60, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1].startswith("It worked: ")


@pytest.mark.parametrize(
    ("answer", "status", "complaint"),
    [
        ('{"headers":{}}', 0, "the answer should be"),
        ("Traceback (most recent call last)", 0, "Expecting value"),
        ("no such key", 1, "exit status 1"),
    ],
)
def test_it_fails_when_a_program_answers_otherwise(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], answer: str, status: int, complaint: str
) -> None:
    for name in ("credlatch", "docker-credential-credlatch"):
        fake = tmp_path / name
        fake.write_text(f"#!/bin/sh\ncat > /dev/null\necho '{answer}'\nexit {status}\n")
        fake.chmod(0o700)

    assert demonstration.main(tmp_path) == 1
    assert complaint in capsys.readouterr().err
