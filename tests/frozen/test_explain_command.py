"""``credlatch explain`` of the frozen program, which asks the agent that CREDLATCH_AGENT names."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from support.home import Home
    from support.program import Program

URL = "https://h.example.com/x"


def test_what_is_said_is_what_the_helper_does(frozen: Program, home: Home) -> None:
    home.write_rattler({"h.example.com": {"BearerToken": "s3cret"}})
    told = json.loads(frozen("explain", "--json", URL).out)
    assert (told["answer"], told["store"]) == (True, "rattler")
    assert frozen("header", URL).code == 0
    answer = frozen("explain", "https://h.exmaple.com/x")
    assert (answer.code, answer.err) == (1, "")
    assert b"use https://h.example.com/x, or log in for this one" in answer.out
    said = frozen("header", "https://h.exmaple.com/x").err
    assert "use https://h.example.com/x, or log in for this one" in said


def test_a_forwarded_agent_that_does_not_answer_is_told(
    frozen: Program, home: Home, tmp_path: Path
) -> None:
    home.env["CREDLATCH_AGENT"] = f"{tmp_path}/gone.sock"
    home.write(".netrc", "machine h.example.com login a password s3cret\n")
    answer = frozen("explain", URL)
    assert answer.code == 0
    assert f"no answer from CREDLATCH_AGENT={tmp_path}/gone.sock".encode() in answer.out
    assert b"is `ssh -R` still up?" in answer.out
    assert b"answered by netrc" in answer.out
