"""What CONTRIBUTING.md says of ``explain``: one file over an outcome's trace, and one row."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from credlatch.stores.order import ORDER
from support.program import Program

if TYPE_CHECKING:
    from support.home import Home

URL = "https://alice@h.example.com/x"
BOB = {"BasicHTTP": {"username": "bob", "password": "s3cret"}}


def test_a_command_that_explains_is_one_file_and_one_row(
    home: Home, source: Program, tmp_path: Path
) -> None:
    home.env["PYTHONPATH"] += f":{Path(__file__).parent.parent}"
    explain = Program([sys.executable, "-m", "support.explain"], home, tmp_path)
    rattler = home.write_rattler({"h.example.com": BOB})
    uv = home.write(".local/share/uv/credentials/credentials.toml", "[[ # h.example.com")
    netrc = home.write(".netrc", "machine h.example.com login alice password s3cret\n")
    home.write(".docker/config.json", '{"auths":{"alice@h.example.com":{"auth":"YWxpY2U6cHc="}}}')
    answer = explain("explain", URL)
    assert (answer.code, answer.err) == (0, "")
    lines = answer.out.decode().splitlines()
    assert [line.partition(":")[0] for line in lines if line[0] != " "] == [
        name for name, _ in ORDER
    ]
    assert "s3cret" not in answer.out.decode()
    at = lines.index("rattler: near miss")
    assert lines[at + 1] == f"    {rattler}: it is not of the user who is asked for"
    assert lines[lines.index("uv: broken") + 1].startswith(f"    {uv} is not TOML")
    assert lines[lines.index("netrc: found") + 1] == f"    {netrc}"
    assert lines[lines.index("docker: shadowed") + 1].endswith("/.docker/config.json")
    assert "environment: nothing" in lines
    assert source("token", URL).out == b"s3cret\n"
