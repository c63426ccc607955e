"""``credlatch doctor`` as it is installed: which program it is, its agent, others on PATH."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support.false_agent import FalseAgent, Mad
from support.program import run

if TYPE_CHECKING:
    from support.agent import Agent
    from support.home import Home
    from support.program import Program


def diagnosis(program: Program, *words: str) -> dict[str, Any]:
    """What it says, as JSON."""
    answer = program("doctor", "--offline", "--json", *words)
    found: dict[str, Any] = json.loads(answer.out)
    assert answer.err == ""
    assert answer.code == (1 if found["to_fix"] else 0)
    return found


def about(program: Program, subject: str) -> list[tuple[str, str, str | None]]:
    """What it says of one thing: severity, text and fix."""
    found = diagnosis(program)["findings"]
    return [(f["severity"], f["what"], f["fix"]) for f in found if f["subject"] == subject]


def test_it_says_which_program_it_is(each_form: Program) -> None:
    program = diagnosis(each_form)["program"]
    version = each_form("--version").out.decode().splitlines()
    assert version[0] == f"credlatch {program['version']}"
    assert version[1] == f"build: {program['build']}"
    assert program["libc"].startswith("glibc ")
    assert os.access(program["path"], os.X_OK)
    first = each_form("doctor", "--offline").out.decode().splitlines()[0]
    assert first.startswith(f"credlatch {program['version']}, build {program['build']}, ")


def test_it_tells_of_its_agent(agent: Agent) -> None:
    program = agent.program
    assert about(program, "agent") == [("off", "none is running: the next call starts one", None)]
    pid = agent.warm()
    ((severity, what, _),) = about(program, "agent")
    assert severity == "ok"
    assert re.fullmatch(rf"pid {pid}, \d+ requests, ends after \d+ min without a request", what)
    assert agent.pid() == pid


def test_an_agent_whose_folder_is_open_is_closed_and_asked_again(agent: Agent) -> None:
    agent.warm()
    agent.folder.chmod(0o755)
    ((severity, what, fix),) = about(agent.program, "agent")
    assert (severity, fix) == ("fail", f"chmod 700 {agent.folder}")
    assert "is open to others" in what
    assert diagnosis(agent.program, "--fix")["fixed"] == [fix]
    assert about(agent.program, "agent")[0][0] == "ok"


@pytest.mark.parametrize(
    "behave", [Mad.linger, Mad.read, lambda mad: mad.say(b"garbage"), None],
)  # fmt: skip
def test_a_forwarded_agent_is_judged_as_a_call_judges_it(frozen: Program, behave: Any) -> None:
    with tempfile.TemporaryDirectory(prefix="cl-", dir="/tmp") as folder:
        path = Path(folder) / "s"
        frozen.home.env["CREDLATCH_AGENT"] = str(path)
        if behave is None:
            ((severity, what, fix),) = about(frozen, "forwarded agent")
        else:
            with FalseAgent(path, behave):
                ((severity, what, fix),) = about(frozen, "forwarded agent")
    assert severity == "fail"
    assert what.startswith(f"no answer from CREDLATCH_AGENT={path} (")
    assert fix is not None
    assert fix.endswith("unset CREDLATCH_AGENT")


def test_an_older_program_in_front_is_named(frozen: Program, home: Home) -> None:
    frozen.put_on_path()
    assert [severity for severity, *_ in about(frozen, "PATH")] == ["ok"]
    old = home.write("old/credlatch", "#!/bin/sh\necho 'credlatch 0.0.1'\n", 0o755)
    home.path_begins_with(old.parent)
    ((severity, what, fix),) = about(frozen, "PATH")
    assert (severity, what) == ("warn", f"tools start another one, {old}: credlatch 0.0.1")
    shell = shutil.which("bash") or "/bin/sh"
    script = f"{fix}\ncommand -v credlatch"
    answer = run(home, [shell, "-ec", script])
    assert answer.out.decode().strip() != str(old)
    assert answer.code == 0
