"""Near misses: what would have been the answer but for something small, and what mends that."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, NamedTuple

import pytest

from credlatch import answers, clients, near
from credlatch import request as requests
from credlatch import url as urls
from credlatch.caller import Caller
from credlatch.near import hosts
from credlatch.protocols import docker
from credlatch.resolve import Resolver
from support.callers import FakeKeyring, caller_of

if TYPE_CHECKING:
    from credlatch.near import NearMiss
    from credlatch.request import Request
    from support.home import Home

UV = ".local/share/uv/credentials/credentials.toml"
BASIC = {"BasicHTTP": {"username": "alice", "password": "s3cret-s3cret"}}
TOKEN = {"BearerToken": "s3cret-s3cret"}


def uv(service: str, username: str = "alice") -> str:
    return (
        f'[[credential]]\nservice = "{service}"\nusername = "{username}"\n'
        'password = "s3cret-s3cret"\n'
    )


def auths(key: str) -> str:
    auth = base64.b64encode(b"alice:s3cret-s3cret").decode()
    return json.dumps({"auths": {key: {"auth": auth}}})


def of_url(text: str) -> Request:
    return requests.for_url(urls.parse(text))


def of_login(text: str) -> Request:
    return requests.for_login(urls.parse(text), login=True)


def of_docker(key: str) -> Request:
    return docker.parse_get(key.encode())


def found(home: Home, request: Request) -> list[NearMiss]:
    """The near misses of what is a miss."""
    caller = caller_of(home)
    outcome = Resolver(caller).outcome(request)
    assert outcome.resolution is None
    return near.misses(request, caller, outcome.trace)


@pytest.mark.parametrize(
    ("asked", "kept", "distance"),
    [
        ("a.example.com", "a.example.com", hosts.SAME),
        ("localhost", "127.0.0.1", hosts.HERE),
        ("localhost", "::1", hosts.HERE),
        ("127.0.0.1", "127.0.0.2", hosts.HERE),
        ("intranet", "intranet.", hosts.HERE),
        ("www.example.com", "example.com", hosts.WWW),
        ("pypi.example.com", "example.com", hosts.LABEL),
        ("example.com", "pypi.example.com", hosts.LABEL),
        ("pypi.exmaple.com", "pypi.example.com", hosts.TYPO),
        ("pypi.examples.com", "pypi.example.com", hosts.TYPO),
        ("pypi.exampel.co", "pypi.exampel.com", hosts.TYPO),
        ("pypi-example.com", "pypi.example.com", hosts.TYPO),
        ("artefactori.example.com", "artifactory.example.com", hosts.TYPO),
        ("conda.exmaple.com", "*.example.com", hosts.TYPO),
        ("a.example.com", "b.example.com", None),
        ("reg1.example.com", "reg2.example.com", None),
        ("pypi.example.com", "conda.example.com", None),
        ("a.b.example.com", "example.com", None),
        ("com", "example.com", None),
        ("10.0.0.1", "10.0.0.2", None),
        ("10.0.0.1", "127.0.0.1", None),
        ("a.example.com", "*.example.com", None),
        ("example.org", "example.com", None),
    ],
)
def test_how_nearly_two_hosts_are_one(asked: str, kept: str, distance: int | None) -> None:
    assert hosts.distance(asked, kept) == distance


class Miss(NamedTuple):
    """One row: what is kept, what is asked, and what is said of it."""

    file: str
    content: str
    asked: Request
    kept: str
    why: str
    fix: str


def rattler(key: str, value: object = TOKEN) -> tuple[str, str]:
    return ".rattler/credentials.json", json.dumps({key: value})


HERE = "http://localhost:8801/simple/"
MISSES = {
    "another name of this machine": Miss(
        UV, uv("http://127.0.0.1:8801/"), of_url(HERE),
        "http://127.0.0.1:8801/", "another host name: 127.0.0.1, not localhost",
        "uv auth login http://localhost:8801",
    ),
    "a netrc with a port": Miss(
        ".netrc", "machine x login y password z\nmachine localhost:8801 login a password b\n",
        of_url(HERE), "line 2, 'machine localhost:8801'", "netrc knows no ports",
        "write 'machine localhost': sed -i",
    ),
    "a netrc with a URL": Miss(
        ".netrc", "machine https://h.example.com/x login a password b\n",
        of_url("https://h.example.com/"), "line 1, 'machine h.example.com'",
        "netrc knows no URLs", "write 'machine h.example.com': sed -i",
    ),
    "a netrc with a pattern": Miss(
        ".netrc", "machine *.example.com login a password b\n", of_url("https://h.example.com/"),
        "line 1, 'machine *.example.com'", "netrc knows no patterns",
        "write 'machine h.example.com': sed -i",
    ),
    "a netrc with letters of a language": Miss(
        ".netrc", "machine h.exämple.com login a password b\n",
        of_url("https://h.exämple.com/"), "line 1, 'machine h.exämple.com'",
        "netrc knows no letters but ASCII's", "write 'machine h.xn--exmple-cua.com': sed -i",
    ),
    "a netrc without a password": Miss(
        ".netrc", "machine h.example.com login a\n", of_url("https://h.example.com/"),
        "line 1, 'machine h.example.com'", "it has no password", "add 'password' and",
    ),
    "another user": Miss(
        UV, uv("http://127.0.0.1:8801/"), of_login("http://__token__@127.0.0.1:8801/simple/"),
        "http://127.0.0.1:8801/", "is alice's, the URL names __token__",
        "put alice@ into the URL, or leave the name out",
    ),
    "another scheme": Miss(
        UV, uv("http://h.example.com"), of_url("https://h.example.com/x"),
        "http://h.example.com/", "another scheme: http, not https",
        "uv auth login https://h.example.com",
    ),
    "another port": Miss(
        UV, uv("https://h.example.com:8443"), of_url("https://h.example.com/x"),
        "https://h.example.com:8443/", "another port: 8443, not 443",
        "use https://h.example.com:8443/x, or log in",
    ),
    "no port": Miss(
        UV, uv("https://h.example.com"), of_url("https://h.example.com:8443/x"),
        "https://h.example.com/", "no port, not 8443", "uv auth login https://h.example.com:8443",
    ),
    "another path": Miss(
        UV, uv("https://h.example.com/team/"), of_url("https://h.example.com/simple/"),
        "https://h.example.com/team/", "for /team/ alone, not for /simple/",
        "use https://h.example.com/team/, or log in",
    ),
    "www": Miss(
        *rattler("example.com"), of_url("https://www.example.com/"),
        "example.com", "another host name: example.com, not www.example.com", "use https://exa",
    ),
    "a slip": Miss(
        *rattler("pypi.example.com"), of_url("https://pypi.exmaple.com/x"),
        "pypi.example.com", "another host name: pypi.example.com, not pypi.exmaple.com",
        "use https://pypi.example.com/x, or log in",
    ),
    "a slip in a domain": Miss(
        *rattler("*.example.com"), of_url("https://pypi.exmaple.com/x"),
        "*.example.com", "another host name: pypi.example.com, not pypi.exmaple.com",
        "use https://pypi.example.com/x",
    ),
    "a registry's login without its port": Miss(
        ".netrc", "machine reg.example.com login a password b\n", of_docker("reg.example.com:5000"),
        "reg.example.com", "no port, not 5000", "reg.example.com:5000",
    ),
    "a registry's login with another port": Miss(
        ".docker/config.json", auths("reg.example.com:5000"), of_docker("reg.example.com"),
        "reg.example.com:5000", "another port: 5000, not 443", "docker login reg.example.com",
    ),
    "a registry's login for a part of it": Miss(
        ".docker/config.json", auths("reg.example.com/team"), of_docker("reg.example.com"),
        "reg.example.com/team", "for /team alone, not for /", "docker login reg.example.com",
    ),
    "a token, and a registry takes a login": Miss(
        *rattler("alice@reg.example.com/x", BASIC), of_login("https://bob@reg.example.com/x"),
        "reg.example.com/x", "of the user alice, not bob", "use https://reg.example.com/x",
    ),
}  # fmt: skip


@pytest.mark.parametrize("miss", MISSES.values(), ids=MISSES)
def test_what_is_kept_for_nearly_the_same_is_named_with_what_mends_it(
    home: Home, miss: Miss
) -> None:
    path = home.write(miss.file, miss.content)
    nearest = found(home, miss.asked)[0]
    assert (nearest.kept, nearest.why) == (miss.kept, miss.why)
    assert miss.fix in f"{nearest.advice}: {nearest.fix}"
    assert nearest.location == str(path)
    assert "s3cret" not in nearest.told + nearest.advice + nearest.fix


@pytest.mark.parametrize(
    ("variables", "host", "why", "fix"),
    [
        ({"CREDLATCH_TOKEN_a_example_com": "x"}, "a.example.com", "it is not upper case",
         'export CREDLATCH_TOKEN_A_EXAMPLE_COM="$CREDLATCH_TOKEN_a_example_com"'),
        ({"credlatch_token_a_example_com": "x"}, "a.example.com", "it is not upper case",
         'export CREDLATCH_TOKEN_A_EXAMPLE_COM="$credlatch_token_a_example_com"'),
        ({"CREDLATCH_TOKEN_MY_HOST_EXAMPLE_COM": "x"}, "my-host.example.com", "a hyphen __",
         'export CREDLATCH_TOKEN_MY__HOST_EXAMPLE_COM="$CREDLATCH_TOKEN_MY_HOST_EXAMPLE_COM"'),
        ({"CREDLATCH_TOKEN_a.example.com": "x"}, "a.example.com", "a dot is _",
         'export CREDLATCH_TOKEN_A_EXAMPLE_COM="$(printenv CREDLATCH_TOKEN_a.example.com)"'),
        ({"CREDLATCH_TOKEN_A_EXAMPLE_COM_443": "x"}, "a.example.com", "port is left out",
         'export CREDLATCH_TOKEN_A_EXAMPLE_COM="$CREDLATCH_TOKEN_A_EXAMPLE_COM_443" && unset'),
        ({"CREDLATCH_TOKEN_A_EXAMPLE_COM": " "}, "a.example.com", "it is set, and empty",
         "read -rs CREDLATCH_TOKEN_A_EXAMPLE_COM && export"),
        ({"CREDLATCH_USERNAME_A_EXAMPLE_COM": "a"}, "a.example.com",
         "it is set without CREDLATCH_PASSWORD_A_EXAMPLE_COM",
         "read -rs CREDLATCH_PASSWORD_A_EXAMPLE_COM && export"),
        ({"CREDLATCH_TOKEN_A_EXAMPLE_COM_8443": "x"}, "a.example.com", "another port: 8443",
         "read -rs CREDLATCH_TOKEN_A_EXAMPLE_COM && export"),
        ({"CREDLATCH_TOKEN_PYPI_EXMAPLE_COM": "x"}, "pypi.example.com", "another host name",
         "read -rs CREDLATCH_TOKEN_PYPI_EXAMPLE_COM && export"),
    ],
)  # fmt: skip
def test_a_variable_that_nearly_is_the_host_s(
    home: Home, variables: dict[str, str], host: str, why: str, fix: str
) -> None:
    home.env.update(variables)
    nearest = found(home, of_url(f"https://{host}/x"))[0]
    assert nearest.store == "environment"
    assert why in nearest.why
    assert fix in nearest.fix


@pytest.mark.parametrize(
    ("file", "content", "variable"),
    [
        (*rattler("h.example.com"), "RATTLER_AUTH_FILE"),
        (".netrc", "machine h.example.com login a password b\n", "NETRC"),
        (".docker/config.json", auths("h.example.com"), "DOCKER_CONFIG"),
        (UV, uv("https://h.example.com"), "UV_CREDENTIALS_DIR"),
        (UV, uv("https://h.example.com"), "XDG_DATA_HOME"),
        (".config/containers/auth.json", auths("h.example.com"), "XDG_CONFIG_HOME"),
        (".ppm/tokens.toml",
         '[[connections]]\naddress = "https://h.example.com"\ntoken = "t"\nauth_type = "sso"\n',
         "PACKAGEMANAGER_ADDRESS"),
    ],
)  # fmt: skip
def test_a_login_that_is_not_looked_for_because_a_variable_names_another_place(
    home: Home, file: str, content: str, variable: str
) -> None:
    path = home.write(file, content)
    home.env[variable] = str(home.path / "other")
    nearest = found(home, of_url("https://h.example.com/x"))[0]
    assert nearest.location == str(path)
    assert nearest.why == f"not looked for there while {variable} is {home.path}/other"
    assert nearest.fix == f"unset {variable}"


@pytest.mark.parametrize(
    "variable",
    ["RATTLER_AUTH_FILE", "NETRC", "DOCKER_CONFIG", "UV_CREDENTIALS_DIR", "REGISTRY_AUTH_FILE"],
)
def test_a_variable_that_names_a_file_which_is_not_there(home: Home, variable: str) -> None:
    home.env[variable] = "/nowhere/at/all"
    (only,) = found(home, of_url("https://h.example.com/x"))
    assert (only.kept, only.why) == (f"{variable}=/nowhere/at/all", "there is no such file")
    assert only.fix.startswith(f"unset {variable}")


@pytest.mark.parametrize(
    ("config", "why"),
    [
        ({"auths": {"r.example.com": {}}, "credsStore": "pass"}, "is in it, and it is not asked"),
        ({"credHelpers": {"r.example.com": "pass"}}, "may be in it, and it is not asked"),
        (
            {
                "auths": {"r.example.com": {}},
                "credsStore": "pass",
                "credHelpers": {"r.example.com": "credlatch"},
            },
            "is in it, and it is not asked",
        ),
    ],
)
def test_docker_s_login_in_a_helper_that_is_not_chained(
    home: Home, config: dict[str, object], why: str
) -> None:
    home.write(".docker/config.json", json.dumps(config))
    for request in (of_docker("r.example.com"), of_url("https://r.example.com/v2/")):
        (only,) = found(home, request)
        assert only.kept == "docker-credential-pass"
        assert only.why == f"the login for r.example.com {why}"
        assert only.fix == "credlatch setup docker --host r.example.com --chain"


@pytest.mark.parametrize(
    "config",
    [
        {"auths": {"other.example.com": {}}, "credsStore": "pass"},
        {"credsStore": "pass"},
        {"auths": {"r.example.com": {}}, "credsStore": "credlatch"},
        {"auths": {"r.example.com": {}}},
    ],
)
def test_a_helper_that_has_nothing_for_the_registry_is_not_named(
    home: Home, config: dict[str, object]
) -> None:
    home.write(".docker/config.json", json.dumps(config))
    assert found(home, of_docker("r.example.com")) == []


def test_a_login_that_a_rule_does_not_let_answer(home: Home) -> None:
    path = home.write(".netrc", "machine h.example.com login a password b\n")
    rules = home.write(
        ".config/credlatch/config.toml", '[[rule]]\nurl = "https://h.example.com"\nuse = ["uv"]\n'
    )
    (only,) = found(home, of_url("https://h.example.com/x"))
    assert (only.store, only.location) == ("netrc", str(path))
    assert only.why == f"{rules} line 1 lets only uv answer"
    assert only.fix.endswith(f" +1 {rules}")


def test_a_keyring_is_asked_for_what_it_does_not_list(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    keyring = FakeKeyring(("http://127.0.0.1:8801", "alice", "s3cret-s3cret"))
    monkeypatch.setattr(Caller, "keyring", lambda _: keyring)
    first = found(home, of_url("http://localhost:8801/x"))[0]
    assert (first.store, first.why) == ("keyring", "another host name: 127.0.0.1, not localhost")
    other = found(home, of_login("http://bob@127.0.0.1:8801/x"))[0]
    assert other.why == "is alice's, the URL names bob"


@pytest.mark.parametrize(
    "content", ["{", '{"h.example.com": 1, "other.example.com": {"BearerToken": "t"}}']
)
def test_a_store_that_is_broken_keeps_no_other_from_being_named(home: Home, content: str) -> None:
    home.write(".rattler/credentials.json", content)
    home.write(".netrc", "machine pypi.example.com login a password b\n")
    caller = caller_of(home)
    nearest = near.misses(of_url("https://pypi.exmaple.com/"), caller)
    assert [each.store for each in nearest] == ["netrc"]
    assert caller.warnings == []


def test_what_is_kept_for_others_is_no_near_miss(home: Home) -> None:
    home.write_rattler({"conda.example.com": TOKEN, "*.prefix.dev": TOKEN, "a.example": TOKEN})
    home.write(".netrc", "machine reg1.example.com login a password b\n")
    home.write(UV, uv("https://b.example"))
    for url in ("https://pypi.example.com/", "https://reg2.example.com/", "https://c.example/"):
        assert found(home, of_url(url)) == []


ASKED = {
    "header": (b"https://pypi.exmaple.com/x", 1, b""),
    "token": (b"https://pypi.exmaple.com/x", 1, b""),
    "keyring": (b"get\0https://pypi.exmaple.com/x\0__token__", 1, b""),
    "git": (b"protocol=https\nhost=pypi.exmaple.com\n", 0, b""),
    "docker": (b"pypi.exmaple.com", 1, b"credentials not found in native keychain\n"),
}


@pytest.mark.parametrize("client", ASKED)
def test_a_person_is_told_of_a_near_miss_in_one_line(home: Home, client: str) -> None:
    home.write_rattler({"pypi.example.com": BASIC if client == "docker" else TOKEN})
    asked, status, out = ASKED[client]
    answer = answers.get(clients.CLIENTS[client], asked, caller_of(home))
    assert (answer.status, answer.out) == (status, out)
    (line,) = answer.err.decode().splitlines()
    assert line.startswith("credlatch: no store has a credential for https://pypi.exmaple.com/")
    assert "rattler has pypi.example.com in" in line
    other = "pypi.example.com" if client == "docker" else "https://pypi.example.com/"
    assert f"use {other}" in line


@pytest.mark.parametrize("client", ["keyring", "git", "docker"])
def test_a_client_that_goes_on_without_is_told_nothing_where_nothing_is_near(
    home: Home, client: str
) -> None:
    home.write_rattler({"conda.example.com": BASIC})
    home.env["NETRC"] = "/nowhere/at/all"  # which has nothing to do with it
    assert answers.get(clients.CLIENTS[client], ASKED[client][0], caller_of(home)).err == b""


def test_what_fails_is_told_before_what_is_warned_of(home: Home) -> None:
    home.write(".netrc", "machine h.example.com login a pasword b\n")
    home.write(".rattler/credentials.json", "{")
    asked = b'{"uri":"https://h.example.com/"}'
    answer = answers.get(clients.CLIENTS["bazel"], asked, caller_of(home))
    lines = answer.err.decode().splitlines()
    assert "is not JSON" in lines[0]
    assert "not understood" in lines[1]


def test_where_nothing_is_near_it_is_said_how_to_log_in(home: Home) -> None:
    asked = b"https://h.example.com:8443/x"
    said = answers.get(clients.CLIENTS["header"], asked, caller_of(home)).err
    assert said == (
        b"credlatch: no store has a credential for https://h.example.com:8443/x: "
        b"log in there first: credlatch login h.example.com:8443\n"
    )
