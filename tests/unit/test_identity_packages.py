"""Artifactory, Cloudsmith, Anaconda, prefix.dev and quetz: whose key goes where, in what header."""

from __future__ import annotations

import json
import time
from base64 import b64encode
from typing import TYPE_CHECKING, Any

import pytest

from credlatch import request as requests
from credlatch import url as urls
from credlatch.errors import StoreError
from credlatch.resolve import Resolver
from credlatch.rules import Rule
from support.callers import FakeKeyring, WithKeyring, caller_of
from support.identities import basic, entry, headers, look_alikes
from support.jwt import make_jwt

if TYPE_CHECKING:
    from credlatch.caller import Caller
    from support.home import Home


def login(caller: Caller, url: str) -> tuple[str, str] | None:
    """The login that Docker and git get."""
    found = entry(caller, url)
    if found is None or found.credential is None or not found.credential.logs_in:
        return None
    username, password = found.credential.login("")
    return username, password.reveal()


def with_profile(profile: str) -> Rule:
    rule = Rule()
    rule.profile = profile
    return rule


JF = {"JF_URL": "https://corp.jfrog.io", "JF_ACCESS_TOKEN": "tok"}
PREFIX = {"PREFIX_API_KEY": "pfx"}
QUETZ = {"QUETZ_SERVER_URL": "https://quetz.example/q", "QUETZ_API_KEY": "qk"}
SMITH = {"CLOUDSMITH_API_KEY": "ck"}
BEARER = {"Authorization": "Bearer tok"}
PYPI = "https://corp.jfrog.io/artifactory/api/pypi/x/simple/"
KEY = {"X-Api-Key": "ck"}
BY_VARIABLES: list[tuple[dict[str, str], str, dict[str, str]]] = [
    (JF, PYPI, BEARER),
    (JF, "https://corp.jfrog.io/v2/docker/a/manifests/1", BEARER),
    ({"JFROG_URL": "https://corp.jfrog.io", "JFROG_ACCESS_TOKEN": "tok"}, PYPI, BEARER),
    ({**JF, "JF_URL": "corp.jfrog.io"}, PYPI, BEARER),
    ({**JF, "JF_URL": "https://corp.jfrog.io/artifactory/"}, PYPI, BEARER),
    ({**JF, "JF_URL": "https://art.example:8443/x"}, "https://art.example:8443/x/y", BEARER),
    ({**JF, "JF_URL": "https://art.example:8443/x"}, "https://art.example:8443/y", {}),
    ({**JF, "JF_URL": "http://corp.jfrog.io"}, PYPI, {}),
    ({"JF_ACCESS_TOKEN": "tok"}, PYPI, {}),
    (JF, "https://other.jfrog.io/artifactory/", {}),
    (JF, "https://corp.jfrog.io:8443/artifactory/", {}),
    ({"JF_URL": "https://corp.jfrog.io", "JF_USER": "ada", "JF_PASSWORD": "pw"}, PYPI,
     {"Authorization": basic("ada", "pw")}),
    ({"JF_URL": "https://corp.jfrog.io", "JF_PASSWORD": "pw"}, PYPI, {}),
    (SMITH, "https://dl.cloudsmith.io/basic/o/r/python/simple/", KEY),
    (SMITH, "https://docker.cloudsmith.io/v2/o/r/a/manifests/1",
     {"Authorization": basic("token", "ck")}),
    (SMITH, "https://dl.cloudsmith.io/public/o/r/a.zip", {}),
    (SMITH, "https://cloudsmith.com/", {}),
    (SMITH, "http://dl.cloudsmith.io/basic/", {}),
    (PREFIX, "https://repo.prefix.dev/c/noarch/repodata.json", {"Authorization": "Bearer pfx"}),
    (PREFIX, "https://prefix.dev/api/v1/x", {"Authorization": "Bearer pfx"}),
    (PREFIX, "https://repo.prefix.dev:8443/c", {}),
    (PREFIX, "https://xprefix.dev/c", {}),
    (QUETZ, "https://quetz.example/q/get/c/noarch/repodata.json", {"X-API-Key": "qk"}),
    (QUETZ, "https://quetz.example/other", {}),
    (QUETZ, "https://quetz.example:8443/q/", {}),
    ({**QUETZ, "QUETZ_SERVER_URL": "http://quetz.example/q"}, "https://quetz.example/q/", {}),
    ({"QUETZ_API_KEY": "qk"}, "https://quetz.example/q/", {}),
    ({"QUETZ_SERVER_URL": "https://quetz.example/q"}, "https://quetz.example/q/", {}),
    ({"ANACONDA_AUTH_API_KEY": "ak"}, "https://repo.anaconda.cloud/repo/main/x",
     {"Authorization": "Bearer ak"}),
    ({"ANACONDA_AUTH_API_KEY": "ak"}, "https://api.anaconda.org/download/o/p/1/x", {}),
    ({"ANACONDA_AUTH_API_KEY": "ak"}, "https://repo.anaconda.com/pkgs/main/x", {}),
    ({"ANACONDA_API_TOKEN": "at"}, "https://api.anaconda.org/download/o/p/1/x",
     {"Authorization": "token at"}),
    ({"ANACONDA_API_TOKEN": "at", "BINSTAR_API_TOKEN": "bt"}, "https://api.anaconda.org/x",
     {"Authorization": "token bt"}),
    ({"ANACONDA_API_TOKEN": "at"}, "https://conda.anaconda.org/o/noarch/repodata.json", {}),
    ({"ANACONDA_API_TOKEN": "at"}, "https://repo.anaconda.cloud/repo/main/x", {}),
]  # fmt: skip


@pytest.mark.parametrize(("variables", "url", "expected"), BY_VARIABLES)
def test_a_key_in_a_variable_goes_to_its_own_server_alone(
    home: Home, variables: dict[str, str], url: str, expected: dict[str, str]
) -> None:
    home.env |= variables
    caller = caller_of(home)
    assert headers(caller, url) == expected
    assert caller.warnings == []


@pytest.mark.parametrize(
    ("variables", "url", "expected"),
    [
        (JF, PYPI, ("__token__", "tok")),
        ({**JF, "JF_USER": "ada"}, PYPI, ("ada", "tok")),
        (SMITH, "https://docker.cloudsmith.io/", ("token", "ck")),
        (SMITH, "https://ada@docker.cloudsmith.io/", ("ada", "ck")),
        (PREFIX, "https://repo.prefix.dev/", ("__token__", "pfx")),
    ],
)
def test_clients_that_know_logins_get_one(
    home: Home, variables: dict[str, str], url: str, expected: tuple[str, str]
) -> None:
    home.env |= variables
    assert login(caller_of(home), url) == expected


def test_an_access_token_is_a_login_of_the_user_whose_it_is(home: Home) -> None:
    token = make_jwt(int(time.time()) + 3600, sub="jfac@01h/users/ada")
    home.env |= {**JF, "JF_ACCESS_TOKEN": token}
    found = entry(caller_of(home), PYPI)
    assert found is not None
    assert found.expires is not None
    assert login(caller_of(home), PYPI) == ("ada", token)


def test_an_access_token_that_has_ended_is_not_sent(home: Home) -> None:
    jfrog(home, {"url": "https://corp.jfrog.io/", "accessToken": make_jwt(1, sub="x/users/ada")})
    caller = caller_of(home)
    outcome = Resolver(caller).outcome(requests.for_url(urls.parse(PYPI)))
    assert (outcome.resolution, outcome.failure) == (None, None)
    assert "jf rt ping --server-id=s0, which renews it" in caller.warnings[0]


def using(system: str, profile: str | None = None) -> Rule:
    """A rule of the user's that says which system a host is."""
    rule = Rule()
    rule.use = (system,)
    rule.profile = profile
    return rule


@pytest.mark.parametrize(
    ("variables", "system", "expected"),
    [
        (JF, "jfrog", BEARER),
        ({"JF_ACCESS_TOKEN": "tok"}, "jfrog", BEARER),
        (SMITH, "cloudsmith", KEY),
        (PREFIX, "prefix", {"Authorization": "Bearer pfx"}),
        (QUETZ, "quetz", {"X-API-Key": "qk"}),
        ({"QUETZ_API_KEY": "qk"}, "quetz", {"X-API-Key": "qk"}),
        ({"GITLAB_TOKEN": "glpat-p"}, "gitlab", {"PRIVATE-TOKEN": "glpat-p"}),
        ({"GITLAB_TOKEN": "glpat-p", "GITLAB_HOST": "other.example"}, "gitlab", {}),
        ({"CI_JOB_TOKEN": "j", "CI_SERVER_HOST": "other.example"}, "gitlab", {}),
        ({"GITLAB_TOKEN": "p", "CI_SERVER_HOST": "other.example"}, "gitlab", {}),
        ({"GH_ENTERPRISE_TOKEN": "tok"}, "github", BEARER),
        ({"GH_ENTERPRISE_TOKEN": "tok", "GH_HOST": "other.example"}, "github", {}),
        ({"GH_TOKEN": "g", "GITHUB_TOKEN": "g"}, "github", {}),
    ],
)
def test_a_rule_says_that_another_host_is_a_system_s_too(
    home: Home, variables: dict[str, str], system: str, expected: dict[str, str]
) -> None:
    home.env |= variables
    caller = caller_of(home)
    assert headers(caller, "https://own.example/x", using(system)) == expected
    assert headers(caller, "http://own.example/x", using(system)) == {}
    assert headers(caller, "https://own.example/x") == {}


def test_a_rule_says_which_of_jf_s_servers_has_another_name_too(home: Home) -> None:
    jfrog(
        home,
        {"url": "https://a.example/", "accessToken": "ta"},
        {"url": "https://b.example/", "accessToken": "tb", "isDefault": True},
    )
    for rule, token in ((using("jfrog"), "tb"), (using("jfrog", "s0"), "ta")):
        expected = {"Authorization": f"Bearer {token}"}
        assert headers(caller_of(home), "https://own.example/x", rule) == expected
    assert headers(caller_of(home), "https://own.example/x", using("jfrog", "s7")) == {}


def jfrog(home: Home, *servers: dict[str, Any], **more: Any) -> None:
    """Write what ``jf config add`` writes."""
    known = [{"serverId": f"s{number}", **each} for number, each in enumerate(servers)]
    text = json.dumps({"servers": known, "version": "6", **more})
    home.write(".jfrog/jfrog-cli.conf.v6", text)


def test_jf_s_servers_are_found_by_their_addresses(home: Home) -> None:
    jfrog(
        home,
        {"url": "https://a.example/", "accessToken": "ta", "user": "ada"},
        {"artifactoryUrl": "https://b.example/artifactory/", "user": "bob", "password": "pb"},
        {"url": "http://c.example/", "accessToken": "tc"},
        {"url": "https://d.example/", "user": "d"},
        {"url": "https://a.example/", "accessToken": "ta2"},
        {"url": "https://a.example/", "accessToken": "ta3", "isDefault": True},
    )
    caller = caller_of(home)
    assert headers(caller, "https://a.example/artifactory/x") == {"Authorization": "Bearer ta3"}
    for place in ("artifactory/x", "v2/a/manifests/1"):
        expected = {"Authorization": basic("bob", "pb")}
        assert headers(caller, f"https://b.example/{place}") == expected
    assert headers(caller, "https://c.example/x") == {}
    assert headers(caller, "https://d.example/x") == {}
    assert headers(caller, "https://e.example/x") == {}
    expected = {"Authorization": "Bearer ta"}
    assert headers(caller, "https://a.example/x", with_profile("s0")) == expected
    assert headers(caller, "https://a.example/x", with_profile("s1")) == {}
    home.env["JFROG_CLI_SERVER_ID"] = "s4"
    assert headers(caller_of(home), "https://a.example/x") == {"Authorization": "Bearer ta2"}


def test_jf_s_folder_may_be_elsewhere(home: Home) -> None:
    jfrog(home, {"url": "https://a.example/", "accessToken": "ta"})
    (home.path / ".jfrog").rename(home.path / "elsewhere")
    assert headers(caller_of(home), "https://a.example/x") == {}
    home.env["JFROG_CLI_HOME_DIR"] = str(home.path / "elsewhere")
    assert headers(caller_of(home), "https://a.example/x") == {"Authorization": "Bearer ta"}


def test_jf_s_encrypted_file_is_told_and_stops_no_call(home: Home) -> None:
    jfrog(home, {"url": "https://a.example/", "accessToken": "sealed"}, enc=True)
    caller = caller_of(home)
    assert headers(caller, "https://b.example/x") == {}
    assert caller.warnings == []
    assert headers(caller, "https://a.example/x") == {}
    assert "set JF_URL and JF_ACCESS_TOKEN" in caller.warnings[0]
    assert "sealed" not in caller.warnings[0]


@pytest.mark.parametrize("text", ["{", "[]", '"x"', '{"servers": {}, "x": 1}', '{"servers": 7}'])
def test_what_jf_did_not_write_is_one_warning(home: Home, text: str) -> None:
    home.write(".jfrog/jfrog-cli.conf.v6", text)
    caller = caller_of(home)
    assert headers(caller, "https://a.example/x") == {}
    assert len(caller.warnings) == (0 if text == '{"servers": {}, "x": 1}' else 1)


@pytest.mark.parametrize("text", ["", "{}", '{"servers": null}', '{"servers": [7, {"url": 7}]}'])
def test_what_says_nothing_of_a_server_is_no_failure(home: Home, text: str) -> None:
    home.write(".jfrog/jfrog-cli.conf.v6", text)
    caller = caller_of(home)
    assert (headers(caller, "https://a.example/x"), caller.warnings) == ({}, [])


INI = """\
# Default configuration
[default]
# The API key for authenticating with the API.
api_key = dk

[profile:work]
api_key=wk
[profile:empty]
api_key =
"""
DL = "https://dl.cloudsmith.io/basic/o/r/x"


@pytest.mark.parametrize(
    "name", [".config/cloudsmith/credentials.ini", ".cloudsmith/credentials.ini"]
)
def test_cloudsmith_s_own_file_has_a_key_for_each_profile(home: Home, name: str) -> None:
    home.write(name, INI)
    caller = caller_of(home)
    assert headers(caller, DL) == {"X-Api-Key": "dk"}
    assert headers(caller, DL, with_profile("work")) == {"X-Api-Key": "wk"}
    assert headers(caller, DL, with_profile("nobody")) == {}
    for profile, key in (("work", "wk"), ("empty", "dk"), ("nobody", "dk")):
        home.env["CLOUDSMITH_PROFILE"] = profile
        assert headers(caller_of(home), DL) == {"X-Api-Key": key}
    home.env |= SMITH
    assert headers(caller_of(home), DL) == KEY
    assert headers(caller_of(home), DL, with_profile("work")) == {"X-Api-Key": "wk"}


def test_cloudsmith_s_file_may_be_named_and_a_project_s_is_not_read(home: Home) -> None:
    home.write("credentials.ini", INI)  # in the working directory
    assert headers(caller_of(home), DL) == {}
    home.env["CLOUDSMITH_CREDENTIALS_FILE"] = str(home.path / "credentials.ini")
    assert headers(caller_of(home), DL) == {"X-Api-Key": "dk"}


def item(**said: object) -> str:
    """An item as anaconda-auth keeps it."""
    return b64encode(json.dumps({"domain": "anaconda.com", "version": 2, **said}).encode()).decode()


def kept(home: Home, text: str, domain: str = "anaconda.com") -> None:
    home.write(".anaconda/keyring", json.dumps({"Anaconda Cloud": {domain: text}}))


MAIN, OURS = "https://repo.anaconda.cloud/repo/main/x", "https://repo.anaconda.cloud/repo/acme/x"
TOKENS = [{"token": "t1", "org_name": "other"}, {"token": "t2", "org_name": "acme"}]


@pytest.mark.parametrize("domain", ["anaconda.com", "id.anaconda.cloud"])
def test_anaconda_s_login_in_its_own_file(home: Home, domain: str) -> None:
    kept(home, item(api_key="ak", repo_tokens=TOKENS), domain)
    assert headers(caller_of(home), MAIN) == {"Authorization": "Bearer ak"}
    kept(home, item(repo_tokens=TOKENS), domain)
    assert headers(caller_of(home), MAIN) == {"Authorization": "token t1"}
    assert headers(caller_of(home), OURS) == {"Authorization": "token t2"}
    assert headers(caller_of(home), "https://api.anaconda.org/x") == {}
    kept(home, item(), domain)
    assert headers(caller_of(home), OURS) == {}


def test_anaconda_s_login_in_the_keyring_where_its_file_has_none(home: Home) -> None:
    keyring = FakeKeyring(("Anaconda Cloud", "anaconda.com", item(api_key="kk")))
    assert headers(WithKeyring(home, keyring), MAIN) == {"Authorization": "Bearer kk"}
    home.write(".anaconda/keyring", "{}")
    assert headers(WithKeyring(home, keyring), MAIN) == {"Authorization": "Bearer kk"}
    kept(home, item(api_key="ak"))
    assert headers(WithKeyring(home, keyring), MAIN) == {"Authorization": "Bearer ak"}


@pytest.mark.parametrize("damaged", ["%", b64encode(b"[]").decode(), b64encode(b"\xff").decode()])
def test_anaconda_s_damaged_login_is_an_error_where_only_customers_are_served(
    home: Home, damaged: str
) -> None:
    kept(home, damaged)
    with pytest.raises(StoreError, match="anaconda login"):
        headers(caller_of(home), MAIN)
    home.write(".anaconda/keyring", "[]")
    with pytest.raises(StoreError, match="anaconda login"):
        headers(caller_of(home), MAIN)


@pytest.mark.parametrize(
    "folder", [".config/binstar", ".local/share/binstar", ".continuum/anaconda-client/tokens"]
)
def test_the_token_files_of_conda_and_anaconda_client(home: Home, folder: str) -> None:
    home.write(f"{folder}/https%3A%2F%2Fapi.anaconda.org.token", "at\n")
    home.write(f"{folder}/https%3A%2F%2Frepo.anaconda.cloud%2Frepo%2F.token", "rt")
    home.write(f"{folder}/https%3A%2F%2Fevil.example.token", "et")
    caller = caller_of(home)
    assert headers(caller, "https://api.anaconda.org/x") == {"Authorization": "token at"}
    assert headers(caller, MAIN) == {"Authorization": "token rt"}
    assert headers(caller, "https://evil.example/x") == {}
    home.env["BINSTAR_CONFIG_DIR"] = str(home.path / "b")
    assert headers(caller_of(home), MAIN) == {}
    home.write("b/data/https%3A%2F%2Frepo.anaconda.cloud%2Frepo%2F.token", "bt")
    assert headers(caller_of(home), MAIN) == {"Authorization": "token bt"}


def test_look_alikes_get_nothing(home: Home) -> None:
    home.env |= {**JF, **SMITH, **PREFIX, **QUETZ}
    home.env |= {"ANACONDA_API_TOKEN": "at", "ANACONDA_AUTH_API_KEY": "ak"}
    caller = caller_of(home)
    hosts = [
        *("corp.jfrog.io", "cloudsmith.io", "prefix.dev", "quetz.example"),
        *("repo.anaconda.cloud", "api.anaconda.org"),
    ]
    for url in look_alikes(hosts, seed=13, count=1000):
        assert headers(caller, url) == {}, url
