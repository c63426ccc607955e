"""Set-ups that are broken: ``explain`` names the cause, and what it prints, pasted, mends it."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from credlatch.explain import explain
from support.callers import caller_of
from support.chains import HELPER, LOGIN
from support.diagnosis import on_path, pasted
from support.jwt import make_jwt

if TYPE_CHECKING:
    from credlatch.explain.model import Explanation
    from support.home import Home

HOST = "h.example.com"
URL = f"https://{HOST}/x"
NETRC = f"machine {HOST} login a password b\n"
AUTH = base64.b64encode(b"a:b").decode()
AUTHS = json.dumps({"auths": {HOST: {"auth": AUTH}}})
UV = f'[[credential]]\nservice = "https://{HOST}"\nusername = "a"\npassword = "b"\n'
UV_FILE = ".local/share/uv/credentials/credentials.toml"
RULE = f'[[rule]]\nurl = "https://{HOST}"\n'
REWRITES = "import pathlib, sys; p = pathlib.Path(sys.argv[1]); p.write_text(p.read_text().replace"


@dataclass
class Broken:
    """A home in which nothing answers, and why.

    Attributes:
        files: what is in it.
        variables: of the environment; ``~`` in them is the home.
        says: what is told of the cause.
        url: what is asked for.
        types: what a person types after the fix.
        mends: what they do in their editor.
    """

    files: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    says: str = ""
    url: str = URL
    types: str = ""
    mends: str = ""


BROKEN = {
    "a netrc's machine with a port": Broken(
        {".netrc": "machine x login y password z\nmachine localhost:8801 login a password b\n"},
        says="netrc knows no ports", url="http://localhost:8801/simple/",
    ),
    "a netrc's machine that is a URL": Broken(
        {".netrc": f"machine https://{HOST}/simple login a password b\n"},
        says="netrc knows no URLs",
    ),
    "a netrc's machine without a password": Broken(
        {".netrc": f"machine {HOST} login a\n"}, says="it has no password",
        mends=f'{REWRITES}("login a", "login a password b"))',
    ),
    "a variable in lower case": Broken(
        variables={"CREDLATCH_TOKEN_h_example_com": "t"}, says="it is not upper case",
    ),
    "a variable with dots": Broken(
        variables={"CREDLATCH_TOKEN_h.example.com": "t"}, says="a dot is _",
    ),
    "a variable with one underscore for a hyphen": Broken(
        variables={"CREDLATCH_TOKEN_MY_H_EXAMPLE_COM": "t"}, says="a hyphen __",
        url="https://my-h.example.com/",
    ),
    "a variable with the scheme's own port": Broken(
        variables={"CREDLATCH_TOKEN_H_EXAMPLE_COM_443": "t"}, says="port is left out",
    ),
    "a variable that a template left empty": Broken(
        variables={"CREDLATCH_TOKEN_H_EXAMPLE_COM": ""}, says="it is set, and empty", types="t\n",
    ),
    "a user name without its password": Broken(
        variables={"CREDLATCH_USERNAME_H_EXAMPLE_COM": "a"},
        says="it is set without CREDLATCH_PASSWORD_H_EXAMPLE_COM", types="s\n",
    ),
    "RATTLER_AUTH_FILE": Broken(
        {".rattler/credentials.json": json.dumps({HOST: {"BearerToken": "t"}})},
        {"RATTLER_AUTH_FILE": "~/gone.json"}, "not looked for there while RATTLER_AUTH_FILE is",
    ),
    "NETRC": Broken(
        {".netrc": NETRC, "other": ""}, {"NETRC": "~/other"},
        "not looked for there while NETRC is",
    ),
    "DOCKER_CONFIG": Broken(
        {".docker/config.json": AUTHS}, {"DOCKER_CONFIG": "~/ci"},
        "not looked for there while DOCKER_CONFIG is",
    ),
    "UV_CREDENTIALS_DIR": Broken(
        {UV_FILE: UV}, {"UV_CREDENTIALS_DIR": "~/ci"},
        "not looked for there while UV_CREDENTIALS_DIR is",
    ),
    "a rule that forbids": Broken(
        {".netrc": NETRC, ".config/credlatch/config.toml": f"{RULE}forbid = true\n"},
        says="lets nothing answer", mends=f'{REWRITES}("forbid = true", ""))',
    ),
    "a rule that names others": Broken(
        {".netrc": NETRC, ".config/credlatch/config.toml": f'{RULE}use = ["uv"]\n'},
        says="lets only uv answer", mends=f"""{REWRITES}('"uv"', '"netrc"'))""",
    ),
    "settings with a word that is none": Broken(
        {".netrc": NETRC, ".config/credlatch/config.toml": f"{RULE}forbidden = true\n"},
        says="there is no such key", mends=f'{REWRITES}("forbidden = true", ""))',
    ),
    "an entry that is damaged": Broken(
        {".docker/config.json": AUTHS.replace(AUTH, "%%")},
        says="is damaged", mends=f"""{REWRITES}('%%', '{AUTH}'))""",
    ),
    "a file that is not JSON": Broken(
        {".rattler/credentials.json": '{"h.example.com": {"BearerToken": "t"}'},
        says="is not JSON", mends=f"""{REWRITES}('"t"}}', '"t"}}}}'))""",
    ),
}  # fmt: skip


def causes(told: Explanation) -> str:
    return " | ".join([told.failure, *(each.why for each in told.near_misses)])


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_the_cause_is_named_and_what_is_printed_mends_it(home: Home, broken: Broken) -> None:
    for name, content in broken.files.items():
        home.write(name, content)
    for name, value in broken.variables.items():
        home.env[name] = value.replace("~", str(home.path))
    told = explain(broken.url, "", caller_of(home))
    assert not told.answer
    assert broken.says in causes(told)
    pasted(told.fixes[0], home, broken.types, broken.mends)
    told = explain(broken.url, "", caller_of(home))
    assert told.answer, told


def test_docker_s_login_is_in_a_helper_that_is_not_asked(home: Home) -> None:
    on_path(home, "docker")
    script = HELPER.format(log=home.path / "asked", login=LOGIN, listed="{}")
    home.write("bin/docker-credential-pass", f"#!/bin/sh\n{script}\n", 0o755)
    config = {"auths": {HOST: {}}, "credsStore": "pass"}
    home.write(".docker/config.json", json.dumps(config))
    told = explain(HOST, "docker", caller_of(home))
    assert f"the login for {HOST} is in it, and it is not asked" in causes(told)
    assert told.wired[0].asks is False
    pasted(told.fixes[0], home)
    told = explain(HOST, "docker", caller_of(home))
    assert (told.answer, told.store) == (True, "chained")
    assert told.wired[0].asks


def test_a_helper_that_is_not_there_is_put_aside(home: Home) -> None:
    on_path(home, "docker")
    home.write(".docker/config.json", json.dumps({"credHelpers": {HOST: "ecr-login"}}))
    told = explain(HOST, "docker", caller_of(home))
    assert f"the login for {HOST} may be in it, and it is not on PATH" in causes(told)
    assert told.fixes[0] == f"credlatch login {HOST}"
    home.write_rattler({HOST: {"BasicHTTP": {"username": "a", "password": "b"}}})
    for fix in told.fixes[1:]:
        pasted(fix, home)
    told = explain(HOST, "docker", caller_of(home))
    assert (told.answer, told.wired[0].asks) == (True, True)


@pytest.mark.parametrize(
    ("lines", "asks"),
    [
        ("--credential_helper=h.sh\n common --credential_helper=*.example.com=credlatch", True),
        ("--credential_helper=credlatch\n common --credential_helper=*.example.com=h.sh", False),
        (
            "--credential_helper=*.com=h.sh\n common --credential_helper=*.example.com=credlatch",
            True,
        ),
        ("--credential_helper=credlatch", True),
        ("--credential_helper=*.example.org=credlatch", False),
    ],
)
def test_bazel_asks_whom_its_longest_pattern_names(home: Home, lines: str, *, asks: bool) -> None:
    home.write(".bazelrc", f"common {lines}\n")
    assert explain("https://h.example.com/x", "bazel", caller_of(home)).wired[0].asks is asks


def test_what_has_ended_is_no_near_miss_of_itself(home: Home) -> None:
    home.write_rattler({HOST: {"BearerToken": make_jwt(1_600_000_000)}})
    told = explain(f"https://{HOST}/x", "", caller_of(home))
    assert told.verdict == "the login has ended"
    assert told.near_misses == []
    assert told.fixes == [f"credlatch login {HOST}"]


@pytest.mark.parametrize(
    ("tool", "text", "config", "says"),
    [
        ("docker", f"{HOST}:5000", {"credHelpers": {HOST: "credlatch"}}, f"asks for '{HOST}:5000'"),
        ("docker", f"{HOST}:5000", {}, "does not wire it"),
        ("podman", f"{HOST}:5000", {}, "does not wire it"),
        ("pip", f"https://{HOST}:5000/simple/", {}, "does not wire it"),
        ("uv", f"https://{HOST}:5000/simple/", {}, "does not wire it"),
        ("bazel", f"https://{HOST}:5000/simple/", {}, "does not wire it"),
    ],
)
def test_a_tool_that_does_not_ask_for_it(
    home: Home, tool: str, text: str, config: dict[str, object], says: str
) -> None:
    on_path(home, tool)
    home.write_rattler({f"{HOST}:5000": {"BasicHTTP": {"username": "a", "password": "b"}},
                        HOST: {"BearerToken": "t"}})  # fmt: skip
    home.write(".docker/config.json", json.dumps(config))
    (wired,) = explain(text, tool, caller_of(home)).wired
    assert wired.asks is False
    assert says in wired.why
    pasted(wired.fix, home)
    (wired,) = explain(text, tool, caller_of(home)).wired
    assert wired.asks, wired


@pytest.mark.parametrize("tool", ["", "docker", "pip", "git"])
def test_a_host_that_would_be_read_as_an_option_is_in_no_command(home: Home, tool: str) -> None:
    name = f"--yes.{HOST}"
    home.write(".docker/config.json", json.dumps({"auths": {name: {}}, "credsStore": "pass"}))
    told = explain(name if tool == "docker" else f"https://{name}/x", tool, caller_of(home))
    commands = [*told.fixes, *(each.fix for each in told.wired)]
    commands += [each.fix for each in told.near_misses]
    assert not [command for command in commands if " --yes." in command]
