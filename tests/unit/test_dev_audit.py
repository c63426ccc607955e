"""./dev audit asks for everything that is locked, and fails where it cannot."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from devtools import audit, lock
from devtools.steps import SCRATCH

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

LOCKED = {
    "program": "# made\nanyio==4.16.0 \\\n    --hash=sha256:59bb \\\n    --hash=sha256:c66a\n",
    "build": "anyio==4.16.0 \\\n    --hash=sha256:59bb\n"
    "pywin32-ctypes==0.2.3 ; sys_platform == 'win32' \\\n    --hash=sha256:8a10\n"
    "zipp==3.1 ; python_full_version < '3.12' \\\n    --hash=sha256:07\n"
    "zipp==4.1.2+local ; python_full_version >= '3.12'\\\n    --hash=sha256:08\n",
}


def test_all_systems_and_pythons_are_asked_for_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "FOLDER", tmp_path)
    for name, text in LOCKED.items():
        (tmp_path / f"{name}.txt").write_text(text)
    wanted = ["anyio==4.16.0", "pywin32-ctypes==0.2.3", "zipp==3.1", "zipp==4.1.2+local"]
    assert audit.pins() == wanted


def test_nothing_that_is_locked_is_left_out() -> None:
    for path in lock.FOLDER.glob("*.txt"):
        named = re.findall(r"^[a-z0-9]\S*", path.read_text(encoding="utf-8"), re.MULTILINE)
        assert named
        assert set(named) <= set(audit.pins()), path


def test_what_could_not_be_asked_is_a_failure(tmp_path: Path) -> None:
    told = tmp_path / "told"
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >"{told}"\nexit 3\n')
    python.chmod(0o755)
    assert audit.audit(python) == 3
    words = told.read_text().splitlines()
    assert "--strict" in words
    asked = SCRATCH / "audit.txt"
    assert words[-1] == str(asked)
    assert asked.read_text().splitlines() == audit.pins()
