"""Options: help is an answer like any other."""

from __future__ import annotations

import sys

import pytest

from credlatch.commands.parsing import Parser


def test_help_is_written_as_bytes_and_not_by_a_stream_with_line_ends_of_its_own(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(SystemExit) as ended:
        Parser("credlatch word", description="Ünï.").parse_args(["--help"])
    assert ended.value.code == 0
    out, err = capfd.readouterr()
    assert (out.splitlines()[0], err) == ("usage: credlatch word [-h]", "")
    assert "Ünï.\n" in out
