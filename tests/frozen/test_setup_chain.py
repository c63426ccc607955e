"""A helper that was there before, asked by the frozen program after all stores."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from support.agent import Agent
    from support.home import Home
    from support.program import Program

NOT_FOUND = b"credentials not found in native keychain\n"
OTHER = """#!{python}
import json, os, sys
key = sys.stdin.read()
kept = {{"r.example": ["u", "pä ss"], "k.example": ["<token>", "t"]}}
with open({log!r}, "a") as log:
    log.write(json.dumps([sys.argv[1], key, dict(os.environ)]) + "\\n")
if sys.argv[1] == "list":
    print(json.dumps({{name: pair[0] for name, pair in kept.items()}}))
elif sys.argv[1] == "get" and key not in kept:
    print("credentials not found in native keychain")
    sys.exit(1)
elif sys.argv[1] == "get":
    print(json.dumps({{"ServerURL": key, "Username": kept[key][0], "Secret": kept[key][1]}}))
"""


@pytest.fixture
def program(frozen: Program) -> Program:
    """The program, asked by Docker for all registries, with another helper behind it."""
    home = frozen.home
    log = str(home.path / "asked")
    script = OTHER.format(python=sys.executable, log=log)
    other = home.write("bin/docker-credential-other", script, 0o755)
    for name in ("credlatch", "docker-credential-credlatch"):
        links = frozen.link_as(name)
    home.env["PATH"] = os.pathsep.join([str(links), str(other.parent), home.env["PATH"]])
    home.write(".docker/config.json", '{"credsStore": "other"}')
    answer = frozen("setup", "docker", "--all-hosts", "--chain", "--yes")
    assert answer.code == 0, answer
    return frozen


def asked(home: Home) -> list[tuple[str, str, dict[str, str]]]:
    path = home.path / "asked"
    rows = path.read_text().splitlines() if path.exists() else []
    return [tuple(json.loads(row)) for row in rows]


def test_it_answers_what_no_store_has(program: Program) -> None:
    assert program.docker("get", "r.example").json() == {
        "ServerURL": "r.example", "Username": "u", "Secret": "pä ss"
    }  # fmt: skip
    assert program.docker("get", "k.example").json()["Username"] == "<token>"
    answer = program.docker("get", "o.example")
    assert (answer.code, answer.out) == (1, NOT_FOUND)


def test_what_is_stored_with_us_comes_first(program: Program) -> None:
    login = {"ServerURL": "r.example", "Username": "o", "Secret": "p"}
    assert program.docker("store", login).code == 0
    assert program.docker("get", "r.example").json() == login
    assert asked(program.home) == []


def test_list_and_erase_know_it_too(program: Program) -> None:
    login = {"ServerURL": "r.example", "Username": "o", "Secret": "p"}
    program.docker("store", login)
    assert program.docker("list").json() == {"r.example": "o", "k.example": "<token>"}
    assert program.docker("erase", "r.example").code == 0
    assert [call[:2] for call in asked(program.home)] == [("list", ""), ("erase", "r.example")]
    assert program.home.read_rattler() == {}


def test_it_has_the_caller_s_environment_and_not_our_loader_s(program: Program) -> None:
    program.home.env["LD_LIBRARY_PATH"] = "/made/up"
    program.home.env["AWS_PROFILE"] = "team"
    program.docker("get", "r.example")
    ((_, _, environ),) = asked(program.home)
    given = {**program.home.env, "CREDLATCH_CHAINED": "1"}
    extra = {name for name in environ if environ[name] != given.get(name)}
    assert extra <= {"LC_CTYPE", "PWD", "SHLVL", "_"}
    assert [name for name in given if name not in environ] == []


def test_two_that_name_each_other_do_not_go_round(program: Program) -> None:
    home = program.home
    script = f'#!/bin/sh\necho x >>{home.path}/rounds\nexec docker-credential-credlatch "$@"\n'
    home.write("bin/docker-credential-other", script, 0o755)
    answer = program.docker("get", "r.example")
    assert (answer.code, answer.out) == (1, NOT_FOUND)
    assert (home.path / "rounds").read_text() == "x\n"


def test_itself_by_another_name_is_not_asked(program: Program) -> None:
    other = program.home.path / "bin/docker-credential-other"
    other.unlink()
    other.symlink_to(program.command[0])
    answer = program.docker("get", "r.example")
    assert answer.code == 1
    assert b"is credlatch itself" in answer.out


def test_one_that_hangs_ends_the_call_in_time(program: Program) -> None:
    program.home.write("bin/docker-credential-other", "#!/bin/sh\nsleep 1000\n", 0o755)
    answer = program.docker("get", "r.example")
    assert answer.code == 1
    assert b"docker-credential-other has not answered for 5 s" in answer.out


def test_bazel_s_helper_is_asked_after_ours(frozen: Program) -> None:
    home = frozen.home
    helper = home.write(
        "company-helper", '#!/bin/sh\ncat >&2\necho \'{"headers":{"x-key":["k"]}}\'\n', 0o755
    )
    frozen.put_on_path("credlatch")
    home.write(".bazelrc", f"common --credential_helper=*.example={helper}\n")
    answer = frozen("setup", "bazel", "--host", "*.example", "--force", "--chain", "--yes")
    assert answer.code == 0, answer
    assert (
        home.path / ".bazelrc"
    ).read_text() == "common --credential_helper=*.example=credlatch\n"
    assert frozen.bazel("https://a.example/x").json() == {"headers": {"x-key": ["k"]}}
    assert frozen.bazel("https://other.test/x").json() == {"headers": {}}
    home.write_rattler({"a.example": {"BearerToken": "t"}})
    assert frozen.bazel("https://a.example/x").authorization == "Bearer t"


def test_with_the_agent_the_caller_s_own_process_asks_it(agent: Agent) -> None:
    home, frozen = agent.home, agent.program
    script = OTHER.format(python=sys.executable, log=str(home.path / "asked"))
    other = home.write("bin/docker-credential-other", script, 0o755)
    home.path_begins_with(other.parent)
    home.write(".config/credlatch/chain.json", '{"docker": {"*": "other"}}')
    home.write_rattler({"ours.example": {"BearerToken": "t"}})
    agent.warm()
    assert frozen.docker("get", "r.example").json()["Username"] == "u"
    assert frozen.docker("get", "ours.example").json()["Secret"] == "t"
    assert [call[:2] for call in asked(home)] == [("get", "r.example")]
