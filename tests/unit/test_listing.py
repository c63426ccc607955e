"""``credlatch list``: each login of each store, which of them answers, and how it is taken away."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from credlatch import listing
from credlatch import url as urls
from credlatch.identities.table import SYSTEMS
from credlatch.listing import minted
from support.callers import caller_of
from support.every_store import STORES
from support.jwt import make_jwt
from support.matching import basic
from support.terminal import at_terminal

if TYPE_CHECKING:
    from support.home import Home
    from support.program import Program

NOW = time.time()
NETRC = "machine a.example login alice password p1\nmachine b.example login bob password p2\n"


def rows(home: Home) -> list[tuple[str, str, str, str, str]]:
    found = listing.listed(caller_of(home), NOW)
    return [
        (login.host, login.kind, login.user, login.store, login.shadowed_by)
        for login in found.logins
    ]


@pytest.mark.parametrize("store", STORES)
def test_the_login_of_each_store_is_listed_and_is_the_answer(home: Home, store: str) -> None:
    kept = STORES[store]
    kept.write(home)
    found = listing.listed(caller_of(home), NOW)
    assert found.unread == []
    mine = [login for login in found.logins if "host.example" in login.host]
    assert mine
    for login in mine:
        assert login.shadowed_by == ""
        assert login.kind in {"password", "token", "OAuth", "renewed token"}
        assert login.remove
        assert kept.secret not in json.dumps(vars(login))
        if kept.is_of_a_user:
            assert login.user == kept.username


def test_of_two_stores_the_second_is_shadowed_for_what_both_have(home: Home) -> None:
    home.write_rattler({"a.example": {"BearerToken": "t"}})
    home.write(".netrc", NETRC).chmod(0o600)
    assert rows(home) == [
        ("a.example", "token", "", "rattler", ""),
        ("a.example", "password", "alice", "netrc", "rattler"),
        ("b.example", "password", "bob", "netrc", ""),
    ]


def test_the_first_default_of_a_netrc_is_for_every_other_host(home: Home) -> None:
    defaults = "default login dave password p3\ndefault login eve password p4\n"
    home.write(".netrc", NETRC + defaults).chmod(0o600)
    assert rows(home)[-1] == ("*", "password", "dave", "netrc", "")
    assert [each[2] for each in rows(home)] == ["alice", "bob", "dave"]


def test_a_path_of_a_host_has_a_login_of_its_own(home: Home) -> None:
    auth = basic("a", "b").removeprefix("Basic ")
    config = {"auths": {"r.example": {"auth": auth}, "r.example/team": {"auth": auth}}}
    home.write(".config/containers/auth.json", json.dumps(config))
    assert [(host, shadow) for host, _, _, _, shadow in rows(home)] == [
        ("r.example", ""),
        ("r.example/team", ""),
    ]


def test_kinds_ends_and_what_is_damaged(home: Home) -> None:
    past, future = int(NOW) - 3 * 86_400, int(NOW) + 2_520
    home.write_rattler(
        {
            "old.example": {"BearerToken": make_jwt(past)},
            "new.example": {"BearerToken": make_jwt(future)},
            "*.wild.example": {"CondaToken": "t"},
            "s3://bucket": {"S3Credentials": {"access_key_id": "i", "secret_access_key": "s"}},
            "broken.example": {"BearerToken": 7},
            "o.example": {
                "OAuth": {
                    "access_token": "a", "refresh_token": "r", "expires_at": past,
                    "token_endpoint": "https://o.example/token", "client_id": "c",
                }
            },
        }
    )  # fmt: skip
    found = {login.host: login for login in listing.listed(caller_of(home), NOW).logins}
    assert (found["old.example"].expires, found["old.example"].renews) == (past, False)
    assert found["old.example"].log_in == "credlatch login old.example"
    assert (found["new.example"].expires, found["new.example"].log_in) == (future, "")
    assert found["*.wild.example"].kind == "token"
    assert found["s3://bucket"].kind == "S3 key"
    assert found["s3://bucket"].remove == "credlatch logout s3://bucket"
    assert (found["broken.example"].kind, found["broken.example"].location) == ("damaged", "")
    assert (found["o.example"].kind, found["o.example"].renews) == ("OAuth", True)
    assert found["o.example"].log_in == ""


def test_a_store_that_cannot_be_read_is_told_and_the_others_are_listed(home: Home) -> None:
    home.write(".ppm/tokens.toml", "= no TOML")
    home.write(".netrc", NETRC).chmod(0o600)
    found = listing.listed(caller_of(home), NOW)
    assert [login.host for login in found.logins] == ["a.example", "b.example"]
    assert [each.store for each in found.unread] == ["posit"]
    assert "tokens.toml" in found.unread[0].why


@pytest.mark.parametrize("system", [each for each in SYSTEMS if each.hosts and not each.opt_in])
def test_each_system_has_a_host_that_is_its_own(system: Any) -> None:
    _, sample = minted.SAMPLES[system.name]
    module = __import__(f"credlatch.identities.{system.name}", fromlist=["claims"])
    assert module.claims(urls.parse(f"https://{sample}"))


def test_identities_are_listed_and_none_where_there_are_none(home: Home) -> None:
    assert rows(home) == []
    home.env |= {"AWS_ACCESS_KEY_ID": "AKIA0", "AWS_SECRET_ACCESS_KEY": "s", "GITHUB_TOKEN": "g"}
    hosts = {host for host, *_ in rows(home)}
    assert {"*.dkr.ecr.*.amazonaws.com", "*.s3.*.amazonaws.com"} <= hosts


GH = """ghe.example.com:
    user: alice
    oauth_token: gho_secret.of.alice
    git_protocol: https
github.com:
    oauth_token: gho_other
"""
GLAB = """hosts:
    gitlab.example.com:
        token: glpat-secret
        api_host: gitlab.example.com
        user: alice
"""
JF = {
    "version": "6",
    "servers": [
        {"serverId": "a", "url": "https://art.example.com:8443/", "user": "u", "password": "p"},
        {"serverId": "b", "url": "https://nobody.example.com/"},
    ],
}
SERVERS = {
    "gh": ({".config/gh/hosts.yml": GH}, {}, {"ghe.example.com", "github.com"}),
    "gh, elsewhere": ({"gh/hosts.yml": GH}, {"GH_CONFIG_DIR": "{}/gh"},
                      {"ghe.example.com", "github.com"}),
    "gh, by variables": (
        {}, {"GH_HOST": "ghe.example.com", "GH_ENTERPRISE_TOKEN": "a.b.c"}, {"ghe.example.com"}),
    "glab": ({".config/glab-cli/config.yml": GLAB}, {}, {"gitlab.example.com"}),
    "a job of GitLab's": (
        {}, {"CI_SERVER_URL": "https://gitlab.example.com", "CI_JOB_TOKEN": "t", "GITLAB_CI": "1",
             "CI_SERVER_HOST": "gitlab.example.com", "CI_REGISTRY": "reg.example.com"},
        {"gitlab.example.com", "reg.example.com"}),
    "jf": ({".jfrog/jfrog-cli.conf.v6": json.dumps(JF)}, {}, {"art.example.com:8443"}),
    "Artifactory": (
        {}, {"JF_URL": "https://art.example.com/artifactory", "JF_ACCESS_TOKEN": "t"},
        {"art.example.com"}),
    "quetz": (
        {}, {"QUETZ_SERVER_URL": "https://conda.example.com/q", "QUETZ_API_KEY": "t"},
        {"conda.example.com"}),
    "no token": ({}, {"QUETZ_SERVER_URL": "https://conda.example.com", "GH_HOST": "x.y"}, set()),
    "a broken file": ({".jfrog/jfrog-cli.conf.v6": "{art.example.com"}, {}, set()),
}  # fmt: skip


@pytest.mark.parametrize(("files", "variables", "hosts"), SERVERS.values(), ids=SERVERS.keys())
def test_servers_of_somebody_s_own_are_listed_with_whose_identity_is_minted_for_them(
    home: Home, files: dict[str, str], variables: dict[str, str], hosts: set[str]
) -> None:
    for path, text in files.items():
        home.write(path, text, mode=0o600)
    home.env |= {name: value.format(home.path) for name, value in variables.items()}
    found = {each.host: each for each in listing.listed(caller_of(home), NOW).logins}
    assert set(found) == hosts
    assert all(each.kind.endswith(" identity") for each in found.values())


def test_at_a_terminal_and_for_programs(source: Program) -> None:
    home = source.home
    answer = source("list")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith(b"No logins. credlatch login HOST, or")

    home.write_rattler({"a.example": {"BearerToken": make_jwt(int(NOW) - 7_300)}})
    home.write(".netrc", NETRC).chmod(0o600)
    lines = source("list", "--remove").out.decode().splitlines()
    assert lines[0].split() == ["HOST", "KIND", "USER", "ENDS", "STORE", "PLACE"]
    assert lines[1].split()[:6] == ["a.example", "token", "-", "ended", "2", "h"]
    assert lines[2].split()[-4:] == ["shadowed", "by", "rattler", "~/.netrc"]
    assert "a.example has ended; log in again: credlatch login a.example" in lines
    assert "a.example (rattler): credlatch logout a.example" in lines

    said = json.loads(source("list", "--json").out)
    assert said["version"] == 1
    assert [(each["host"], each["store"]) for each in said["logins"]] == [
        ("a.example", "rattler"), ("a.example", "netrc"), ("b.example", "netrc"),
    ]  # fmt: skip
    assert b"p2" not in source("list", "--json").out


@pytest.mark.parametrize("columns", [60, 80, 140, 180])
def test_it_fits_the_terminal_and_says_where_each_is_kept(source: Program, columns: int) -> None:
    home = source.home
    home.write(".netrc", NETRC.replace("alice", "alice.of.a.company@with-a-long-name.example"))
    home.write_rattler({"a.example": {"BearerToken": "t"}, "conda.a.example": {"BearerToken": "t"}})
    home.env |= {"COLUMNS": str(columns), "TERM": "dumb"}
    code, screen = at_terminal([*source.command, "list"], home, "")
    lines = screen.splitlines()
    assert (code, max(map(len, lines)) <= columns) == (0, True)
    assert "~/.netrc" in screen
    assert any(line.startswith("conda.a.example ") for line in lines)
    assert ("PLACE" in lines[0]) is (columns == 180)


def test_a_login_that_machines_share_is_one_that_renews_itself(home: Home) -> None:
    home.write(
        ".config/credlatch/fleet.toml",
        '[[fleet]]\nurl = "https://a.example/"\naddress = "https://bao.example"\naccess = "a/b"\n',
    )
    home.env["BAO_TOKEN"] = "s3cret"
    (found,) = listing.listed(caller_of(home), NOW).logins
    assert (found.kind, found.renews, found.shadowed_by) == ("shared token", True, "")
    assert found.location == "fleet/a/b of https://bao.example"
    assert found.remove == "take the row for https://a.example/ out of fleet.toml"
