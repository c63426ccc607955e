"""Every client's ``get`` by way of the agent: the same answer, and a line in its log."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.agent import until

if TYPE_CHECKING:
    from support.agent import Agent

URL = "https://a.example:8443/simple/"
URI = b'{"uri":"https://a.example:8443/simple/"}'
GIT = b"protocol=https\nhost=a.example:8443\npath=simple/\n\n"
CARGO = b'{"v":1,"registry":{"index-url":"sparse+https://a.example:8443/simple/"},"kind":"get"}'

# The words, standard input, and what it is called in the log; a hit, and a miss of the same.
CALLS: dict[str, tuple[list[str], bytes, str]] = {
    "bazel": (["get"], URI, "bazel"),
    "bazel, in words": (["bazel", "get"], URI, "bazel"),
    "docker": (["docker", "get"], b"a.example:8443", "docker"),
    "git": (["git", "get"], GIT, "git"),
    "git, beside others": (["git", "--read-only", "get"], GIT, "git"),
    "git, a user": (["git", "get"], b"username=ada\n" + GIT, "git"),
    "git, a new one": (["git", "get"], b"capability[]=authtype\ncapability[]=state\n" + GIT, "git"),
    "keyring": (["keyring", "get", URL, "ada"], b"", "keyring"),
    "keyring, JSON": (["keyring", "--mode=creds", "--output", "json", "get", URL], b"", "keyring"),
    "cargo": (["cargo", "get"], CARGO, "cargo"),
    "header": (["header", URL], b"", "header"),
    "header, a user": (["header", "https://ada@a.example:8443/simple/"], b"", "header"),
    "token": (["token", URL], b"", "token"),
    "the user of a token": (["token", URL, "--user"], b"", "token"),
}
LOGIN = '{"BasicHTTP":{"username":"ada","password":"pw"}}'


@pytest.fixture
def agent(agent: Agent) -> Agent:
    """The agent, for a caller who names the index."""
    agent.home.env["CARGO_REGISTRIES_A_INDEX"] = "sparse+https://a.example:8443/simple/"
    return agent


@pytest.mark.parametrize("entry", [LOGIN, '{"BearerToken":"t"}', '{"CondaToken":"t"}', None])
def test_each_has_the_same_answer_as_without_and_is_in_the_log(
    agent: Agent, entry: str | None
) -> None:
    # As Docker's clients have it, the port is named; all others look by host.
    hosts = ("a.example", "a.example:8443") if entry else ()
    rows = ",".join(f'"{host}":{entry}' for host in hosts)
    agent.home.write(".rattler/credentials.json", f"{{{rows}}}", 0o600)
    agent.warm()
    for name, (words, stdin, protocol) in CALLS.items():
        agent.home.env["CREDLATCH_AGENT"] = "off"
        without = agent.program(*words, stdin=stdin)
        del agent.home.env["CREDLATCH_AGENT"]
        with agent.answering():
            assert agent.program(*words, stdin=stdin) == without, name
        outcome = "rattler answered" if entry else "- no credential"
        said = agent.log()[-1].split(" ", 1)[1]
        assert said.startswith(f"{protocol} a.example:8443 {outcome} ("), name
        assert "pw" not in said


@pytest.mark.parametrize(
    "words",
    [["header", "ftp://a.example/"], ["header", "u", "v"], ["token", "host"], ["keyring", "get"],
     ["keyring", "get", "--output=x", "s", "u"], ["keyring", "get", "s3://b", "u"]],
)  # fmt: skip
def test_what_cannot_be_understood_is_refused_alike(agent: Agent, words: list[str]) -> None:
    agent.home.env["CREDLATCH_AGENT"] = "off"
    without = agent.program(*words, stdin=b"")
    del agent.home.env["CREDLATCH_AGENT"]
    agent.warm()
    with agent.answering():
        assert agent.program(*words, stdin=b"") == without
    assert (without.out, without.err.count("\n")) == (b"", 1)


@pytest.mark.parametrize("name", CALLS)
def test_the_call_that_starts_it_is_in_its_log_too(agent: Agent, name: str) -> None:
    agent.home.write(".rattler/credentials.json", f'{{"a.example":{LOGIN}}}', 0o600)
    words, stdin, protocol = CALLS[name]
    agent.program(*words, stdin=stdin)
    agent.up()
    (said,) = agent.log()
    outcome = "- no credential" if protocol == "docker" else "rattler answered"
    assert said.split(" ", 1)[1].startswith(f"{protocol} a.example:8443 {outcome} (")
    assert "pw" not in said
    assert agent.calls == 0  # it was not asked


def test_a_failure_that_starts_it_is_one_line_whatever_it_says(agent: Agent) -> None:
    folder = agent.home.path / "x\x1b[2J\n2026-01-01T00:00:00Z bazel forged \u2028\udcff"
    folder.mkdir()
    agent.home.env["RATTLER_AUTH_FILE"] = str(folder / "login.json")
    (folder / "login.json").write_text("{")
    assert agent.program("get", stdin=URI).code == 1
    agent.up()
    (said,) = agent.log()
    assert "bazel a.example:8443 - failed: " in said
    assert said.isprintable()


def test_what_keeps_and_forgets_is_the_process_s_own_matter(agent: Agent) -> None:
    agent.warm()
    before = agent.calls
    for words, stdin in [
        (["git", "store"], b"username=ada\npassword=pw\n" + GIT),
        (["keyring", "set", "https://b.example/", "ada"], b"pw\n"),
        (["git", "erase"], b"username=ada\npassword=pw\n" + GIT),
        (["keyring", "del", "https://b.example/", "ada"], b""),
    ]:
        assert agent.program(*words, stdin=stdin).code == 0
    assert agent.calls == before


def test_a_helper_that_it_may_not_ask_is_left_to_the_call(agent: Agent) -> None:
    home = agent.home
    said = '{"headers":{"Authorization":["Bearer t"]}}'
    helper = home.write("helper", f"#!/bin/sh\necho '{said}'\n", 0o755)
    home.write(".config/credlatch/chain.json", f'{{"bazel":{{"a.example":"{helper}"}}}}')
    agent.warm()
    for words, stdin, _ in CALLS.values():
        if "docker" not in words:
            status, out, err = agent.program(*words, stdin=stdin)
            assert (status, err) == (0, ""), words
            assert out
    until(lambda: agent.declined > 0 or None, "it was not asked")
