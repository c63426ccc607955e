"""GitHub's own hosts and enterprise servers: whose token goes where, and in which header."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from credlatch import url as urls
from credlatch.credential import Basic
from credlatch.errors import StoreError
from credlatch.identities import IdentityStore, github
from credlatch.protocols import docker
from credlatch.rules import Rule
from support.callers import FakeKeyring, WithKeyring, caller_of
from support.found import sure
from support.identities import basic, entry, headers, look_alikes

if TYPE_CHECKING:
    from credlatch.caller import Caller
    from support.home import Home

FILE = ".config/gh/hosts.yml"

# As gh 2.40 and newer write it: two accounts at github.com, and a server and a tenant beside it.
HOSTS = """\
github.com:
    git_protocol: https
    users:
        monalisa:
            oauth_token: gho_mona
        hubot:
            oauth_token: gho_hubot
    user: monalisa
    oauth_token: gho_mona
ghe.corp.example:
    oauth_token: "123e4"
    user: "null"
octo.ghe.com:
    user: 'o''neil: #x'
    oauth_token: gho_octo
"""
GITHUB = "https://github.com/o/r/archive/v1.tar.gz"
API = "https://api.github.com/repos/o/r/releases/assets/42"
SERVER = "https://ghe.corp.example/o/r/archive/v1.tar.gz"
TENANT = "https://octo.ghe.com/o/r/archive/v1.tar.gz"


def bearer(caller: Caller, url: str) -> str:
    """The token that is sent to a URL; empty for none."""
    return headers(caller, url).get("Authorization", "").removeprefix("Bearer ")


# Where each token goes: to github.com, an enterprise server, a tenant.
E, G = "GH_ENTERPRISE_TOKEN", "GH_TOKEN"
ALL = {G: "g", E: "e"}
ON_SERVER = {"GITHUB_SERVER_URL": "https://ghe.corp.example"}
SEPARATE: list[tuple[dict[str, str], str, tuple[str, str, str]]] = [
    # variables; what gh's file has; the tokens for the three
    ({}, "", ("", "", "")),
    ({G: "g"}, "", ("g", "", "")),
    ({"GITHUB_TOKEN": "h"}, "", ("h", "", "")),
    ({G: "g", "GITHUB_TOKEN": "h"}, "", ("g", "", "")),
    ({E: "e"}, "", ("", "", "")),
    ({G: "g", "GH_HOST": "ghe.corp.example"}, "", ("g", "", "")),
    ({**ALL, "GH_HOST": "ghe.corp.example"}, "", ("g", "e", "")),
    ({**ALL, "GH_HOST": "GHE.corp.example."}, "", ("g", "e", "")),
    ({"GITHUB_ENTERPRISE_TOKEN": "f", "GH_HOST": "ghe.corp.example"}, "", ("", "f", "")),
    ({**ALL, "GH_HOST": "other.example"}, "", ("g", "", "")),
    ({**ALL, "GH_HOST": "github.com"}, "", ("g", "", "")),
    ({**ALL, "GH_HOST": "https://ghe.corp.example"}, "", ("g", "", "")),
    # A tenant takes github.com's variables, if gh means the tenant; then github.com gets none.
    ({**ALL, "GH_HOST": "octo.ghe.com"}, "", ("", "", "g")),
    ({"GITHUB_TOKEN": "h", "GH_HOST": "octo.ghe.com"}, "", ("", "", "h")),
    ({**ALL, "GH_HOST": "other.ghe.com"}, "", ("", "", "")),
    # What Actions put there is of the server that they run on.
    ({"GITHUB_TOKEN": "h", "GITHUB_SERVER_URL": "https://github.com"}, "", ("h", "", "")),
    ({"GITHUB_TOKEN": "h", **ON_SERVER}, "", ("", "h", "")),
    ({"GITHUB_TOKEN": "h", E: "e", **ON_SERVER}, "", ("", "e", "")),
    ({"GITHUB_TOKEN": "h", G: "g", **ON_SERVER}, "", ("g", "h", "")),
    ({"GITHUB_TOKEN": "h", "GITHUB_SERVER_URL": "https://octo.ghe.com"}, "", ("", "", "h")),
    ({"GITHUB_TOKEN": "h", "GITHUB_SERVER_URL": "http://ghe.corp.example"}, "", ("", "", "")),
    ({"GITHUB_TOKEN": "h", "GITHUB_SERVER_URL": "https://ghe.corp.example:8443"}, "", ("",) * 3),
    ({"GITHUB_TOKEN": "h", "GITHUB_SERVER_URL": "https://ghe.corp.example/x"}, "", ("",) * 3),
    ({"GITHUB_TOKEN": "h", "GITHUB_SERVER_URL": "nonsense"}, "", ("", "", "")),
    # gh's file: each its own; a variable counts where there is no doubt which of them it is for.
    ({}, HOSTS, ("gho_mona", "123e4", "gho_octo")),
    ({G: "g"}, HOSTS, ("g", "123e4", "gho_octo")),
    ({E: "e"}, HOSTS, ("gho_mona", "e", "gho_octo")),
    ({E: "e"}, HOSTS + "two.example:\n    oauth_token: x\n", ("gho_mona", "123e4", "gho_octo")),
    ({E: "e", "GH_HOST": "two.example"}, HOSTS, ("gho_mona", "123e4", "gho_octo")),
    ({G: "g"}, "octo.ghe.com:\n    oauth_token: o\n", ("", "", "g")),
    ({G: " g\n"}, "", ("g", "", "")),
    ({G: " "}, "", ("", "", "")),
]


@pytest.mark.parametrize(("variables", "file", "tokens"), SEPARATE)
def test_no_token_goes_to_another_kind_of_host(
    home: Home, variables: dict[str, str], file: str, tokens: tuple[str, str, str]
) -> None:
    home.env |= variables
    if file:
        home.write(FILE, file)
    caller = caller_of(home)
    assert tuple(bearer(caller, url) for url in (GITHUB, SERVER, TENANT)) == tokens
    assert caller.warnings == []


BEARER = {"Authorization": "Bearer g"}
ASSET = {**BEARER, "Accept": "application/octet-stream"}
LOGIN = {"Authorization": basic("x-access-token", "g")}
RAW = {"Authorization": basic("g", "")}
PLACES: dict[str, dict[str, str]] = {
    GITHUB: BEARER,
    "https://github.com/o/r/releases/download/v1/a.zip": BEARER,
    "https://codeload.github.com/o/r/tar.gz/v1": BEARER,
    "https://raw.githubusercontent.com/o/r/main/a.bzl": RAW,
    "https://github.com/o/r.git/info/refs?service=git-upload-pack": LOGIN,
    "https://github.com/o/r.git/info/lfs/objects/batch": LOGIN,
    "https://ghcr.io/v2/o/r/manifests/1": LOGIN,
    "https://maven.pkg.github.com/o/r/a/1/a-1.pom": LOGIN,
    "https://nuget.pkg.github.com/o/index.json": LOGIN,
    "https://npm.pkg.github.com/@o/r": BEARER,
    "https://api.github.com/repos/o/r/tarball/v1": BEARER,
    # The one path whose answer is JSON unless the file itself is asked for.
    API: ASSET,
    "https://api.github.com/repos/o/r/releases/assets/42?x=1": ASSET,
    "https://api.github.com/repos/o/r/releases/assets": BEARER,
    "https://api.github.com/repos/o/r/releases/assets/": BEARER,
    "https://api.github.com/repos/o/r/releases/assets/42/": BEARER,
    "https://api.github.com/repos/o/r/releases/assets/x": BEARER,
    "https://api.github.com/repos/o/r/releases/42/assets": BEARER,
    "https://api.github.com/repos//r/releases/assets/42": BEARER,
    "https://api.github.com/x/repos/o/r/releases/assets/42": BEARER,
    "https://github.com/repos/o/r/releases/assets/42": BEARER,
    "https://github.com/api/v3/repos/o/r/releases/assets/42": BEARER,
    # What redirects lead to has its signature in the URL; the rest is none of GitHub's API.
    "https://objects.githubusercontent.com/a?X-Amz-Signature=s": {},
    "https://release-assets.githubusercontent.com/a?sig=s": {},
    "https://gist.githubusercontent.com/o/1/raw": {},
    "https://uploads.github.com/x": {},
    "https://x.api.github.com/x": {},
    "https://npm.x.pkg.github.com/x": {},
    "https://github.com:8443/x": {},
    "http://github.com/x": {},
    "https://www.github.com/x": {},
    "https://github.io/x": {},
}


@pytest.mark.parametrize(("url", "expected"), PLACES.items())
def test_each_place_has_the_header_that_it_takes(
    home: Home, url: str, expected: dict[str, str]
) -> None:
    home.env["GH_TOKEN"] = "g"
    assert headers(caller_of(home), url) == expected


OF_A_SERVER: dict[str, dict[str, str]] = {
    "https://ghe.corp.example/api/v3/repos/o/r/releases/assets/42": ASSET,
    "https://ghe.corp.example/api/v3/repos/o/r/releases": BEARER,
    "https://ghe.corp.example/repos/o/r/releases/assets/42": BEARER,
    "https://ghe.corp.example/o/r/archive/v1.tar.gz": BEARER,
    "https://ghe.corp.example/o/r/info/refs": LOGIN,
    "https://raw.ghe.corp.example/o/r/main/a": RAW,
    "https://codeload.ghe.corp.example/o/r/tar.gz/v1": BEARER,
    "https://containers.ghe.corp.example/v2/o/r/manifests/1": LOGIN,
    "https://maven.ghe.corp.example/o": LOGIN,
    "https://media.ghe.corp.example/o": {},
    "https://x.raw.ghe.corp.example/o": {},
    "https://corp.example/o": {},
    "https://ghe.corp.example:8443/o": {},
    "http://ghe.corp.example/o": {},
}


@pytest.mark.parametrize(("url", "expected"), OF_A_SERVER.items())
def test_each_place_of_an_enterprise_server(home: Home, url: str, expected: dict[str, str]) -> None:
    home.env |= {"GH_ENTERPRISE_TOKEN": "g", "GH_HOST": "ghe.corp.example"}
    assert headers(caller_of(home), url) == expected


OF_A_TENANT: dict[str, dict[str, str]] = {
    "https://octo.ghe.com/o/r/archive/v1.tar.gz": BEARER,
    "https://api.octo.ghe.com/repos/o/r/releases/assets/42": ASSET,
    "https://octo.ghe.com/api/v3/repos/o/r/releases/assets/42": BEARER,
    "https://containers.octo.ghe.com/v2/o/r/manifests/1": LOGIN,
    "https://api.other.ghe.com/x": {},
    "https://x.octo.ghe.com/x": {},
    "https://a.api.octo.ghe.com/x": {},
    "https://ghe.com/x": {},
    GITHUB: {},
}


@pytest.mark.parametrize(("url", "expected"), OF_A_TENANT.items())
def test_each_place_of_a_tenant(home: Home, url: str, expected: dict[str, str]) -> None:
    home.env |= {"GH_TOKEN": "g", "GH_HOST": "octo.ghe.com"}
    assert headers(caller_of(home), url) == expected


def test_of_two_accounts_the_url_or_a_rule_chooses(home: Home) -> None:
    home.write(FILE, HOSTS)
    caller = caller_of(home)
    assert bearer(caller, GITHUB) == "gho_mona"
    assert bearer(caller, GITHUB.replace("//", "//hubot@")) == "gho_hubot"
    assert bearer(caller, GITHUB.replace("//", "//monalisa@")) == "gho_mona"
    assert bearer(caller, GITHUB.replace("//", "//git@")) == "gho_mona"  # no account of gh's
    rule = Rule()
    rule.account = "hubot"
    assert headers(caller, GITHUB, rule) == {"Authorization": "Bearer gho_hubot"}
    rule.account = "nobody"
    assert headers(caller, GITHUB, rule) == {}
    home.env["GH_TOKEN"] = "g"  # is nobody's in particular
    rule.account = "hubot"
    assert headers(caller_of(home), GITHUB, rule) == {"Authorization": "Bearer gho_hubot"}


def test_the_login_is_that_of_the_user_in_the_url(home: Home) -> None:
    home.env["GH_TOKEN"] = "g"
    found = entry(caller_of(home), "https://ada@ghcr.io/v2/o/r/manifests/1")
    assert found is not None
    assert isinstance(found.credential, Basic)
    assert found.credential.login("ghcr.io")[0] == "ada"


def docker_s(caller: Caller, rule: Rule | None = None) -> str | None:
    """The password that Docker gets for GHCR."""
    request = docker.PROTOCOL.parse(b"ghcr.io").request
    assert request is not None
    request.rule = rule or request.rule
    found = IdentityStore(caller).look(request)
    return None if found is None else sure(found.credential).login("ghcr.io")[1].reveal()


def test_docker_gets_what_somebody_meant_for_it_and_not_gh_s_login(home: Home) -> None:
    home.write(FILE, HOSTS)
    assert docker_s(caller_of(home)) is None
    rule = Rule()
    rule.use = ("github",)
    assert docker_s(caller_of(home), rule) == "gho_mona"
    home.env["GITHUB_TOKEN"] = "g"
    assert docker_s(caller_of(home)) == "g"


KEYRING_HOSTS = """\
github.com:
    users:
        monalisa:
        hubot:
    git_protocol: https
    user: monalisa
"""


@pytest.mark.parametrize(
    "kept",
    ["gho_k", "go-keyring-base64:Z2hvX2s=", "go-keyring-encoded:67686f5f6b", "桧彯k".replace(
        "桧彯k", b"gho_k1".decode("utf-16-le"))],
)  # fmt: skip
def test_a_token_in_the_keyring_as_each_system_keeps_it(home: Home, kept: str) -> None:
    home.write(FILE, KEYRING_HOSTS)
    keyring = FakeKeyring(("gh:github.com", "", kept), ("gh:github.com", "hubot", "gho_h"))
    caller = WithKeyring(home, keyring)
    assert bearer(caller, GITHUB) in {"gho_k", "gho_k1"}
    assert bearer(caller, GITHUB.replace("//", "//hubot@")) == "gho_h"


@pytest.mark.parametrize("kept", ["go-keyring-base64:%", "go-keyring-encoded:6", "", "é"])
def test_an_item_that_is_damaged_is_no_token(home: Home, kept: str) -> None:
    home.write(FILE, KEYRING_HOSTS)
    assert headers(WithKeyring(home, FakeKeyring(("gh:github.com", "", kept))), GITHUB) == {}


def test_the_keyring_is_asked_for_a_host_of_gh_s_file_alone(home: Home) -> None:
    broken = FakeKeyring(failure=StoreError("locked"))
    caller = WithKeyring(home, broken)
    assert (headers(caller, GITHUB), caller.warnings) == ({}, [])
    home.write(FILE, KEYRING_HOSTS)
    caller = WithKeyring(home, broken)
    assert headers(caller, SERVER) == {}
    assert caller.warnings == []
    assert headers(caller, GITHUB) == {}  # public repositories go on without it
    assert caller.warnings == ["locked"]


BROKEN: dict[str, Any] = {
    "a folded token": "github.com:\n    oauth_token: >\n        gho\n",
    "a reference": "github.com:\n    oauth_token: *x\n",
    "a list": "github.com:\n    oauth_token:\n        - gho\n",
    "no mapping": "github.com\n",
    "twice the same": "github.com:\n    user: a\n    user: b\n",
    "tabs": "github.com:\n\toauth_token: gho\n",
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_a_file_that_gh_did_not_write_is_one_warning(home: Home, text: str) -> None:
    home.write(FILE, text)
    caller = caller_of(home)
    assert headers(caller, GITHUB) == {}
    (warning,) = caller.warnings
    assert "hosts.yml" in warning
    assert "gho" not in warning


def test_gh_s_folder_may_be_elsewhere(home: Home) -> None:
    home.write("elsewhere/hosts.yml", HOSTS)
    home.env["GH_CONFIG_DIR"] = "elsewhere"
    assert bearer(caller_of(home), SERVER) == "123e4"


def test_look_alikes_get_nothing(home: Home) -> None:
    home.env |= {"GH_TOKEN": "g", "GH_ENTERPRISE_TOKEN": "e", "GH_HOST": "ghe.corp.example"}
    home.write(FILE, HOSTS)
    caller = caller_of(home)
    hosts = [
        *("github.com", "api.github.com", "codeload.github.com", "raw.githubusercontent.com"),
        *("ghcr.io", "npm.pkg.github.com", "ghe.corp.example", "octo.ghe.com"),
    ]
    for url in look_alikes(hosts, seed=11, count=1000):
        assert headers(caller, url) == {}, url
    assert not github.claims(urls.parse("https://evil.example/"))
