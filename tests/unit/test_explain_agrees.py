"""``explain`` and the helper never disagree: who answers, and what each client gets.

Stores, URLs and clients are made up, the same each time; EXPLAIN_EXAMPLES tries as many others, of
the seed that ``--hypothesis-seed`` names.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import time
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from credlatch import answers
from credlatch import clients as table
from credlatch.caller import Caller
from credlatch.explain import clients, explain
from support.callers import FakeKeyring, caller_of

if TYPE_CHECKING:
    from credlatch.answers import Answer
    from credlatch.explain.model import Explanation
    from support.home import Home
    from support.internet import Internet, Visit

COUNT = int(os.environ.get("EXPLAIN_EXAMPLES", "60"))
HOSTS = ("h.example.com", "www.h.example.com", "h.exmaple.com", "localhost", "127.0.0.1", "[::1]")
NETLOCS = (*HOSTS, "h.example.com:8443", "localhost:8801", "127.0.0.1:8801")
USERS = ("alice", "bob", "__token__", "")
SECRET = "s3cret-of-somebody"
LONG = "eyJhbGciOi" + "s3cret" * 12
FAR = 4_000_000_000
SSO = "sso.example"
ANSWERING = {SSO, "h.example.com", "www.h.example.com"}
REPOSITORY = "/v2/team/app/manifests/1.0"


class World(NamedTuple):
    """What there is.

    Attributes:
        rattler: values by key.
        uv: services with their users; an empty one has a token.
        netrc: its text.
        docker: auths by key.
        variables: of the environment.
        rule: the settings' text; empty: there are none.
        keyring: items of the system's keyring.
        chain: what a helper that is asked after us says; empty: there is none.
        renews: whether token servers give tokens.
    """

    rattler: dict[str, object]
    uv: list[tuple[str, str]]
    netrc: str
    docker: dict[str, dict[str, str]]
    variables: dict[str, str]
    rule: str
    keyring: list[tuple[str, str, str]]
    chain: str
    renews: bool


VALUES = (
    {"BearerToken": LONG},
    {"BearerToken": "with\nline"},
    {"CondaToken": SECRET},
    {"BasicHTTP": {"username": "alice", "password": SECRET}},
    {"BasicHTTP": {"username": "a:b", "password": f"{SECRET}\n"}},
    {"BasicHTTP": {"username": "<token>", "password": SECRET}},
    {"OAuth": {"access_token": LONG, "token_endpoint": "https://sso.invalid/t", "client_id": "c",
               "refresh_token": "r", "expires_at": FAR}},
    {"OAuth": {"access_token": LONG, "token_endpoint": "https://sso.invalid/t", "client_id": "c",
               "expires_at": 1_700_000_000}},
    {"OAuth": {"access_token": LONG, "token_endpoint": f"https://{SSO}/t", "client_id": "c",
               "refresh_token": "r", "expires_at": 1_700_000_000}},
    {"S3Credentials": {"access_key_id": "A", "secret_access_key": SECRET}},
    {"Nothing": "known"},
    "damaged",
)  # fmt: skip

netlocs = st.sampled_from(NETLOCS)
schemes = st.sampled_from(("https", "http"))
users = st.sampled_from(USERS)
paths = st.sampled_from(("", "/", "/simple/", "/team/x", "/v2/", REPOSITORY))
auth = base64.b64encode(f"alice:{SECRET}".encode()).decode()


@st.composite
def urls(draw: st.DrawFn) -> str:
    """A URL, mostly without a user."""
    user = draw(st.sampled_from(("", "", *(f"{user}@" for user in USERS if user))))
    return f"{draw(schemes)}://{user}{draw(netlocs)}{draw(paths)}"


keys = st.one_of(
    netlocs,
    st.sampled_from(("*.example.com", "*.exmaple.com", "H.example.com")),
    st.builds("{}://{}{}".format, schemes, netlocs, paths),
    st.builds("{}{}".format, netlocs, paths),
)
machines = st.builds(
    "machine {} login {} password p\n".format, netlocs, st.sampled_from(("alice", "bob"))
)
odd = st.sampled_from(("default login d password e\n", "machine h.example.com login x\n", "what\n"))
# cargo is given what its own user's settings have it ask for, and nothing else.
CARGO = "".join(
    f'[registries.r{number}]\nindex = "sparse+https://{host}/simple/"\n'
    for number, host in enumerate(NETLOCS)
)
_LOGIN = f'{{"ServerURL":"x","Username":"alice","Secret":"{SECRET}"}}'
_HEADERS = f'{{"headers":{{"Authorization":["Bearer {LONG}"]}}}}'
CHAINED = {
    "login": f"case $asked in {{*) echo '{_HEADERS}';; *) echo '{_LOGIN}';; esac",
    "nothing": "case $asked in {*) echo '{\"headers\":{}}';; "
    "*) echo credentials not found in native keychain; exit 1;; esac",
    "rubbish": "echo rubbish",
}
RULES = (
    "",
    '[[rule]]\nurl = "https://h.example.com"\nforbid = true\n',
    '[[rule]]\nurl = "https://h.example.com"\nuse = ["uv", "netrc"]\n',
    '[[rule]]\nurl = "https://h.example.com"\naccount = "bob"\n',
    '[[rule]]\nurl = "https://h.example.com"\nheader = "X-Key"\n',
    "[[rule]]\nnothing = 1\n",
)
VARIABLES = (
    ("CREDLATCH_TOKEN_H_EXAMPLE_COM", LONG),
    ("CREDLATCH_TOKEN_H_EXAMPLE_COM_8443", LONG),
    ("CREDLATCH_TOKEN_h_example_com", LONG),
    ("CREDLATCH_USERNAME_H_EXAMPLE_COM", "alice"),
    ("CREDLATCH_PASSWORD_H_EXAMPLE_COM", SECRET),
    ("NETRC", "/nowhere"),
    ("RATTLER_AUTH_FILE", "/nowhere"),
)
services = st.builds("{}://{}".format, schemes, netlocs)
items = st.one_of(
    st.tuples(st.one_of(netlocs, services), users, st.just(SECRET)),
    st.tuples(st.just("rattler"), netlocs, st.just(json.dumps({"BearerToken": LONG}))),
)
worlds = st.builds(
    World,
    rattler=st.dictionaries(keys, st.sampled_from(VALUES), max_size=3),
    uv=st.lists(st.tuples(st.builds("{}://{}{}".format, schemes, netlocs, paths), users),
                max_size=2),
    netrc=st.lists(st.one_of(machines, machines, odd), max_size=3).map("".join),
    docker=st.dictionaries(
        keys, st.sampled_from(({"auth": auth}, {}, {"auth": "%%"}, {"identitytoken": SECRET})),
        max_size=2,
    ),
    variables=st.lists(st.sampled_from(VARIABLES), max_size=2).map(dict),
    rule=st.sampled_from(("", "", "", *RULES)),
    keyring=st.lists(items, max_size=2),
    chain=st.sampled_from(("", "", "login", "nothing", "rubbish")),
    renews=st.booleans(),
)  # fmt: skip


def made(world: World, home: Home) -> None:
    """Put it there."""
    for name in (".rattler", ".local/share/uv", ".docker", ".config/credlatch"):
        shutil.rmtree(home.path / name, ignore_errors=True)
    home.write_rattler(world.rattler)
    tables = []
    for service, user in world.uv:
        login = (
            f'username = "{user}"\npassword = "p"\n'
            if user
            else f'scheme = "bearer"\ntoken = "{LONG}"\n'
        )
        tables.append(f'[[credential]]\nservice = "{service}"\n{login}')
    home.write(".local/share/uv/credentials/credentials.toml", "\n".join(tables))
    home.write(".netrc", world.netrc)
    home.write(".docker/config.json", json.dumps({"auths": world.docker}))
    if world.rule:
        home.write(".config/credlatch/config.toml", world.rule)
    home.write(".cargo/config.toml", CARGO)
    if world.chain:
        script = f"#!/bin/sh\nasked=$(cat)\n{CHAINED[world.chain]}\n"
        helper = str(home.write("bin/helper", script, mode=0o755))
        chain = {
            "docker": {"h.example.com": helper, "*": helper},
            "bazel": {"*.example.com": helper},
        }
        home.write(".config/credlatch/chain.json", json.dumps(chain))


def servers(world: World, internet: Internet) -> None:
    """Have a token server answer, and a registry that sends its clients to itself for a token."""
    token = {"access_token": LONG[::-1], "token": LONG[::-1], "expires_in": 3600}

    def answer(visit: Visit) -> tuple[int, dict[str, str], Any]:
        if visit.host == SSO or visit.path == "/token":
            return (200, {}, token) if world.renews else (400, {}, {"error": "invalid_grant"})
        wanted = f'Bearer realm="https://{visit.host}/token",service="s"'
        return (401, {"WWW-Authenticate": wanted}, b"") if world.renews else (200, {}, b"")

    internet.hosts |= dict.fromkeys(ANSWERING, answer)
    internet.hosts["h.exmaple.com"] = lambda _: (503, {}, b"")


def user_in(answer: Answer, client: str) -> str | None:
    """The user name that a client reads in its answer."""
    if client in {"docker", "keyring"}:
        name: str = json.loads(answer.out)["Username" if client == "docker" else "username"]
        return name
    said = dict(line.split("=", 1) for line in answer.out.decode().splitlines())
    return said.get("username")


EMPTY = World({}, [], "", {}, {}, "", [], "", renews=True)


@pytest.fixture(scope="module", autouse=True)
def _far_from_the_end() -> None:
    assert time.time() < FAR


TOOLS = ("bazel", "docker", "podman", "pip", "uv", "pixi", "git", "go", "cargo")
ENDED = {"OAuth": {"access_token": LONG, "token_endpoint": f"https://{SSO}/t", "client_id": "c",
                   "refresh_token": "r", "expires_at": 1_700_000_000}}  # fmt: skip


@given(world=worlds, url=urls(), tool=st.sampled_from(TOOLS))
@example(world=EMPTY, url="https://h.example.com/", tool="bazel")
@example(world=EMPTY, url=f"https://h.example.com{REPOSITORY}", tool="bazel")
@example(
    world=EMPTY._replace(rattler={"h.example.com": ENDED}),
    url="https://h.example.com/simple/",
    tool="cargo",
)
@example(
    world=EMPTY._replace(rattler={"h.example.com": ENDED}, renews=False),
    url="https://h.example.com/simple/",
    tool="pip",
)
@settings(
    max_examples=COUNT,
    derandomize="EXPLAIN_EXAMPLES" not in os.environ,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)
def test_explain_says_what_the_helper_does(
    home: Home, internet: Internet, world: World, url: str, tool: str
) -> None:
    made(world, home)
    servers(world, internet)
    before = dict(home.env)
    home.env.update(world.variables)
    try:
        _agree(home, internet, world, url, tool)
    finally:
        home.env.clear()
        home.env.update(before)


def _timeless(text: str) -> str:
    """A message without what the clock says."""
    return re.sub(r"clock says [^ )]+", "", text)


def _asked(url: str, tool: str) -> str:
    """What a tool says for a URL; empty: it asks nothing."""
    if tool in {"docker", "podman"}:
        return url.partition("://")[2].rpartition("@")[2].rstrip("/")
    if tool == "go" and (not url.startswith("https://") or "@" in url):
        return ""
    if tool == "cargo":
        netloc = url.partition("://")[2].rpartition("@")[2].partition("/")[0]
        return f"sparse+https://{netloc}/simple/"
    return url


def _agree(home: Home, internet: Internet, world: World, url: str, tool: str) -> None:
    text, client = _asked(url, tool), clients.AS[tool]
    if not text:
        return
    keyring = FakeKeyring(*world.keyring)
    sent = len(internet.visits)
    with patch.object(Caller, "keyring", lambda _: keyring):  # of whoever else is made, too
        told = explain(text, tool, caller_of(home))
        assert internet.visits[sent:] == []  # it fetches nothing
        asked = clients.asked(client, text)
        answer = answers.get(table.CLIENTS[client], asked, caller_of(home))
    (mine,) = told.clients
    shown = repr(told)
    for secret in (SECRET, LONG, auth):
        assert secret not in shown
    if told.pending:
        _is_fetched(answer, internet, sent, told, world)
        return
    assert told.answer == (answer.resolution is not None)
    assert mine.status == answer.status
    assert _timeless(mine.failure) == _timeless(str(answer.failure or ""))
    assert told.failure == mine.failure
    if answer.resolution is None:
        assert mine.gets == ""
        return
    assert (told.store, told.ends) == (answer.resolution.store, answer.resolution.entry.expires)
    if client == "bazel":
        assert mine.headers == list(json.loads(answer.out)["headers"])
        assert [each.name for each in told.sends] == mine.headers
        assert mine.expires == answer.resolution.expires
    elif client not in {"goauth", "cargo"}:
        assert mine.user == user_in(answer, client)
    words = {step.store: step.word for step in told.sources}
    assert words[answer.resolution.store] == "found"
    assert list(words.values()).count("found") == 1


def _is_fetched(
    answer: Answer, internet: Internet, sent: int, told: Explanation, world: World
) -> None:
    """What is told to be fetched first is asked for, and served where the server gives it."""
    hosts = {visit.host for visit in internet.visits[sent:]}
    assert told.answer
    # A server that this test is not answers nothing; a next store may then have an answer.
    if world.renews and hosts and hosts <= ANSWERING:
        assert answer.resolution is not None
        assert answer.resolution.store == told.store
