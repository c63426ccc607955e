"""Another process's variables, as the agent gets them."""

from __future__ import annotations

import os
import sys

import pytest

from credlatch.system.environment import received

SENT = b"Path=C:\\bin\0empty=\0=C:=C:\\x\0\0a=b=c\0no value"


def test_each_has_its_name_and_value_and_none_without_a_name() -> None:
    assert received(SENT) == {
        "Path": "C:\\bin",
        "empty": "",
        "a": "b=c",
        "no value": "",
    }
    assert received(b"") == {}
    assert received(b"A=\xff\xfe") == {"A": os.fsdecode(b"\xff\xfe")}


def test_on_windows_names_count_in_any_case(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in ``os.environ`` there, which has them in capitals; the first of equal ones counts."""
    monkeypatch.setattr(sys, "platform", "win32")
    found = received(SENT + b"\0PATH=other\0\xc3\xbcml=1")
    assert list(found.items()) == [
        ("PATH", "C:\\bin"), ("EMPTY", ""), ("A", "b=c"), ("NO VALUE", ""), ("ÜML", "1"),
    ]  # fmt: skip
    for name in ("Path", "PATH", "path"):
        assert found[name] == found.get(name) == "C:\\bin"
        assert name in found
    assert "other" not in found
    assert None not in found
    assert found.get("other", "x") == "x"
    with pytest.raises(KeyError):
        found["other"]
    assert {**found, "x": "y"}["PATH"] == dict(found)["PATH"] == "C:\\bin"
