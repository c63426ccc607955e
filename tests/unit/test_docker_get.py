"""What Docker's ``get`` answers from the stores: a registry is named by a project's files."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import TYPE_CHECKING, Any

import pytest

from credlatch import answers
from credlatch import url as urls
from credlatch.clients import CLIENTS
from credlatch.request import for_login
from credlatch.resolve import Resolver
from support.callers import FakeKeyring, WithKeyring, caller_of
from support.docker_get import got

if TYPE_CHECKING:
    from credlatch.caller import Caller
    from credlatch.resolve import Resolution
    from support.home import Home

PORTLESS = ["localhost", "127.0.0.1", "[::1]", "r.example"]


def basic(username: str, password: str) -> dict[str, Any]:
    return {"BasicHTTP": {"username": username, "password": password}}


def by_bazel(home: Home, url: str) -> str | None:
    answer = answers.get(CLIENTS["bazel"], json.dumps({"uri": url}).encode(), caller_of(home))
    headers = json.loads(answer.out)["headers"]
    return headers["Authorization"][0] if headers else None


def by_login(home: Home, url: str) -> Resolution | None:
    return Resolver(caller_of(home)).resolve(for_login(urls.parse(url)))


def in_rattler(home: Home, host: str) -> Caller:
    home.write_rattler({host: basic("bob", "p")})
    return caller_of(home)


def in_rattler_s_keyring(home: Home, host: str) -> Caller:
    return WithKeyring(home, FakeKeyring(("rattler", host, json.dumps(basic("bob", "p")))))


def in_netrc(home: Home, host: str) -> Caller:
    home.write(".netrc", f"machine {host.strip('[]')} login bob password p\n")
    return caller_of(home)


def in_docker_s_file(home: Home, host: str) -> Caller:
    auths = {host: {"auth": b64encode(b"bob:p").decode()}}
    home.write(".docker/config.json", json.dumps({"auths": auths}))
    return caller_of(home)


def in_keyring(home: Home, host: str) -> Caller:
    return WithKeyring(home, FakeKeyring((host, "bob", "p")))


def in_environment(home: Home, host: str) -> Caller:
    name = host.upper().replace(".", "_")
    home.env |= {f"CREDLATCH_USERNAME_{name}": "bob", f"CREDLATCH_PASSWORD_{name}": "p"}
    return caller_of(home)


def in_uv(home: Home, host: str) -> Caller:
    text = f'[[credential]]\nservice = "https://{host}/"\nusername = "bob"\npassword = "p"\n'
    home.write(".local/share/uv/credentials/credentials.toml", text)
    return caller_of(home)


PLACES = [
    in_rattler, in_rattler_s_keyring, in_netrc, in_docker_s_file, in_keyring, in_environment, in_uv,
]  # fmt: skip


@pytest.mark.parametrize(
    ("place", "host"),
    # No variable is named after an IPv6 address.
    [(p, h) for p in PLACES for h in PORTLESS if p is not in_environment or "[" not in h],
)
def test_a_login_for_a_host_is_not_for_its_other_ports(home: Home, place: Any, host: str) -> None:
    caller = place(home, host)
    assert got(caller, host) == got(caller, f"{host}:443") == "p"
    assert got(caller, f"https://{host}/v2/") == "p"
    assert got(caller, f"{host}/ns/repo") == "p"
    for key in (f"{host}:5000", f"{host}:80", f"{host}:5000/ns/repo", f"https://{host}:8443/"):
        assert got(caller, key) is None, key


@pytest.mark.parametrize("place", PLACES[:2])
def test_a_wildcard_names_no_port_either(home: Home, place: Any) -> None:
    caller = place(home, "*.corp.example")
    assert got(caller, "r.corp.example") == "p"
    assert got(caller, "r.corp.example:5000") is None


def test_in_http_the_port_that_nobody_names_is_80(home: Home) -> None:
    caller = in_rattler(home, "localhost")
    assert got(caller, "http://localhost") == got(caller, "http://localhost:80/v2/") == "p"
    assert got(caller, "http://localhost:443") is None


@pytest.mark.parametrize("kind", ["BearerToken", "CondaToken"])
def test_a_token_that_pixi_keeps_is_for_the_host_as_pixi_has_it(home: Home, kind: str) -> None:
    home.write_rattler({"r.example": {kind: "t"}})
    assert got(caller_of(home), "r.example:5000") == "t"


def test_a_login_of_no_port_does_not_hide_one_of_that_port(home: Home) -> None:
    home.write_rattler({"r.example": basic("bob", "p")})
    home.write(".netrc", "machine r.example login bob password p\n")
    in_docker_s_file(home, "r.example:5000")
    home.write_rattler({"r.example": basic("bob", "other"), "q.example:5000": basic("bob", "q")})
    assert got(caller_of(home), "r.example:5000") == "p"
    assert got(caller_of(home), "q.example:5000") == "q"


def test_whoever_asks_by_url_gets_what_each_store_s_own_tool_sends(home: Home) -> None:
    in_rattler(home, "r.example")
    in_netrc(home, "n.example")
    for host in ("r.example", "n.example"):
        assert by_bazel(home, f"https://{host}:5000/v2/") is not None
        assert by_login(home, f"https://{host}:5000/") is not None


def test_netrc_s_default_is_no_answer_to_a_registry_that_a_dockerfile_names(home: Home) -> None:
    home.write(".netrc", "default login bob password p\nmachine r.example login bob password r\n")
    for key in ("evil.example", "localhost", "docker.io", "evil.example/ns", "http://localhost"):
        assert got(caller_of(home), key) is None, key
    assert got(caller_of(home), "r.example") == "r"
    assert by_bazel(home, "https://evil.example/") is not None
