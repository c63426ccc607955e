"""Rules, of the frozen program: the same by every protocol, with the agent and without it."""

from __future__ import annotations

import base64
import contextlib
import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from support.agent import Agent
    from support.internet import Answer as Sent
    from support.internet import Internet, Visit
    from support.program import Answer

HOST = "packages.example"
CONFIG = f"""
[[rule]]
url = "https://{HOST}/team-a"
account = "alice"

[[rule]]
url = "https://{HOST}/team-b"
account = "bob"
username = "robot"
headers = {{X-Team = "b"}}

[[rule]]
url = "https://{HOST}/secret"
forbid = true

[[rule]]
url = "https://tokens.example/packages"
use = ["ci"]
identity = {{variable = "IDENTITY"}}
exchange = {{url = "https://mint.example/token"}}
header = "X-API-Key"
"""
UV = "".join(
    f'[[credential]]\nservice = "https://{HOST}/"\nusername = "{user}"\npassword = "{user}-pw"\n'
    for user in ("alice", "bob")
)


@pytest.fixture(params=["with the agent", "without"])
def agent(request: pytest.FixtureRequest, agent: Agent) -> Agent:
    """The agent, or a program that does without."""
    agent.home.write(".config/credlatch/config.toml", CONFIG)
    agent.home.write(".local/share/uv/credentials/credentials.toml", UV)
    agent.home.env["IDENTITY"] = "an.identity.token"
    if request.param == "without":
        agent.home.env["CREDLATCH_AGENT"] = "off"
    return agent


def served(agent: Agent, calls: int) -> AbstractContextManager[object]:
    """A block of so many calls, which are all answered as the test has it."""
    if "CREDLATCH_AGENT" in agent.home.env:
        return contextlib.nullcontext()
    agent.warm()
    return agent.answering(calls)


def headers(answer: Answer) -> dict[str, str]:
    return {name: value for name, (value,) in answer.json()["headers"].items()}


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def test_a_rule_holds_for_bazel_docker_and_keyring(agent: Agent) -> None:
    program = agent.program
    with served(agent, 11):
        assert headers(program.bazel(f"https://{HOST}/team-a/x")) == {
            "Authorization": basic("alice", "alice-pw")
        }
        assert headers(program.bazel(f"https://{HOST}/team-b/x")) == {
            "Authorization": basic("robot", "bob-pw"), "X-Team": "b"
        }  # fmt: skip
        for namespace, user in (("team-a", "alice"), ("team-b", "robot")):
            said = program.docker("get", f"{HOST}/{namespace}").json()
            password = {"alice": "alice-pw", "robot": "bob-pw"}[user]
            assert (said["Username"], said["Secret"]) == (user, password)
        got = program("keyring", "get", f"https://{HOST}/team-b/simple/", "bob")
        assert (got.code, got.out) == (0, b"bob-pw\n")
        assert program("keyring", "get", f"https://{HOST}/team-b/", "alice").out == b""
        for url in (f"https://{HOST}/secret/x", f"https://{HOST}//%73ecret"):
            assert headers(program.bazel(url)) == {}
            assert program("keyring", "get", url, "alice").out == b""
        assert program.docker("get", f"{HOST}/secret").code == 1


def test_what_an_identity_is_exchanged_for_is_kept_by_the_agent_and_has_the_rule_s_form(
    agent: Agent, internet: Internet
) -> None:
    agent.home.env |= internet.environ

    def mint(visit: Visit) -> Sent:
        assert visit.form["subject_token"] == "an.identity.token"
        return 200, {}, {"access_token": f"t-{len(internet.visits)}", "expires_in": 3600}

    internet.hosts["mint.example"] = mint
    with served(agent, 4):
        answers = [agent.program.bazel("https://tokens.example/packages/x") for _ in range(2)]
        login = agent.program.docker("get", "tokens.example/packages").json()
        assert headers(agent.program.bazel("https://tokens.example/other")) == {}
    sent = len(internet.visits)
    assert [visit.url for visit in internet.visits] == ["https://mint.example/token"] * sent
    is_kept = "CREDLATCH_AGENT" not in agent.home.env
    assert sent == (1 if is_kept else 3)
    got = [headers(answer)["X-API-Key"] for answer in answers]
    assert got == (["t-1", "t-1"] if is_kept else ["t-1", "t-2"])
    assert login["Secret"] == f"t-{sent}"


def test_a_workspace_counts_for_calls_from_within_it_alone(agent: Agent, tmp_path: Path) -> None:
    agent.home.write("work/.credlatch.toml", f'[[rule]]\nurl = "https://{HOST}"\nforbid = true\n')
    inside = agent.home.path / "work"
    asked = json.dumps({"uri": f"https://{HOST}/team-a/x"}).encode()
    with served(agent, 4):
        for _ in range(2):
            assert headers(agent.program("get", stdin=asked, cwd=inside)) == {}
            assert len(headers(agent.program("get", stdin=asked, cwd=tmp_path))) == 1


def test_settings_that_are_wrong_stop_a_call_in_one_line(agent: Agent) -> None:
    path = agent.home.path / ".config/credlatch/config.toml"
    with served(agent, 3):
        for text in (CONFIG + "forbidd = true\n", CONFIG):
            path.write_text(text)
            answer = agent.program.bazel(f"https://{HOST}/team-a/x")
            if text == CONFIG:
                assert len(headers(answer)) == 1
                continue
            assert (answer.code, answer.out, answer.err.count("\n")) == (1, b"", 1)
            line = text.splitlines().index("forbidd = true") + 1
            assert f"{path} line {line}: forbidd: there is no such key" in answer.err
            assert answer.err.strip() in agent.program.docker("get", HOST).said
