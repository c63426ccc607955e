"""The keyring command: its arguments as clients write them, and its answers byte for byte."""

from __future__ import annotations

import json

import pytest

from credlatch.credential import Basic, Bearer, Credential, Secret
from credlatch.errors import RequestError, StoreError, UsageError
from credlatch.protocols import keyring
from credlatch.resolve import Resolution
from credlatch.stores import Entry

INDEX = "https://pypi.example/simple/"

# What each client really runs: tests/real records it again.
CLIENTS = {
    "uv, and pip up to 25": (["get", INDEX, "bob"], INDEX, "bob", False, False),
    "they, for the host": (["get", "pypi.example:8443", "bob"],
                           "https://pypi.example:8443/", "bob", False, False),
    "uv without a user": (["get", INDEX, "--mode", "creds"], INDEX, None, True, False),
    "pip": (["--mode=creds", "--output=json", "get", INDEX], INDEX, None, True, True),
    "pip with a user": (["--mode=creds", "--output=json", "get", INDEX, "bob"],
                        INDEX, "bob", True, True),
    "people who like it long": (["--mode", "creds", "--output", "json", "get", INDEX],
                                INDEX, None, True, True),
    "people": (["get", "pypi.example", "bob", "--output=plain", "--mode=password"],
               "https://pypi.example/", "bob", False, False),
    "careful people": (["get", "--", "pypi.example", "-bob"],
                       "https://pypi.example/", "-bob", False, False),
}  # fmt: skip


@pytest.mark.parametrize(
    ("args", "url", "username", "with_username", "as_json"), CLIENTS.values(), ids=CLIENTS.keys()
)
def test_the_calls_of_clients(
    args: list[str], url: str, username: str | None, with_username: bool, as_json: bool
) -> None:
    call = keyring.parse(args)
    assert (call.operation, call.url.text, call.username) == ("get", url, username)
    assert call.url.username == username
    assert (call.with_username, call.as_json) == (with_username, as_json)


@pytest.mark.parametrize(
    ("service", "url"),
    [
        ("pypi.example", "https://pypi.example/"),
        ("PyPI.example:443", "https://pypi.example/"),
        ("pypi.example/simple", "https://pypi.example/simple"),
        ("localhost:8080", "https://localhost:8080/"),
        ("http://localhost:8080/simple/", "http://localhost:8080/simple/"),
        ("intranet", "https://intranet/"),
        ("[::1]:8080", "https://[::1]:8080/"),
    ],
)
def test_a_service_without_a_scheme_is_for_https(service: str, url: str) -> None:
    assert keyring.parse(["get", service, "bob"]).url.text == url


def test_the_user_that_is_named_outright_counts() -> None:
    for operation in ("get", "set", "del"):
        call = keyring.parse([operation, "https://alice@a.example/", "bob"])
        assert (call.operation, call.username, call.url.username) == (operation, "bob", "bob")
    call = keyring.parse(["get", "https://alice:x@a.example/", "--mode=creds"])
    assert (call.username, call.url.username) == (None, "alice")
    assert keyring.parse(["--mode=creds", "get", "a.example", ""]).url.username is None


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ([], "get, set or del"),
        (["put", "a.example", "bob"], "get, set or del"),
        (["get"], "needs a service and a user name"),
        (["get", "a.example"], "needs a service and a user name"),
        (["get", "--mode=creds"], "needs a service:"),
        (["get", "a.example", "bob", "more"], "needs a service and a user name"),
        (["set", "a.example"], "needs a service and a user name"),
        (["set", "a.example", ""], "not empty"),
        (["del", "--mode=creds", "a.example"], "needs a service and a user name"),
        (["del", "a.example", ""], "not empty"),
        (["--mode", "everything", "get", "a.example"], "one of password, creds"),
        (["get", "a.example", "--mode"], "one of password, creds"),
        (["--output=yaml", "get", "a.example", "bob"], "one of plain, json"),
        (["--verbose", "get", "a.example", "bob"], "'--verbose'"),
        (["-x"], "'-x'"),
        (["--list-backends"], "--list-backends is for Python's keyring"),
        (["--disable"], "--disable is for Python's keyring"),
        (["diagnose"], "diagnose is for Python's keyring"),
        (["-b", "keyring.backends.null.Keyring", "get", "a", "b"], "-b is for Python's keyring"),
        (["--keyring-backend=x", "get", "a", "b"], "--keyring-backend is for Python's keyring"),
        (["-p", "/x", "get", "a", "b"], "-p is for Python's keyring"),
    ],
)
def test_wrong_usage_is_said_in_a_line(args: list[str], says: str) -> None:
    with pytest.raises(UsageError) as raised:
        keyring.parse(args)
    assert says in str(raised.value)
    assert "\n" not in str(raised.value)
    # Words by which pip takes a keyring for one that is too old.
    assert "unrecognized arguments" not in str(raised.value)


@pytest.mark.parametrize("service", ["", "my service", "ftp://a.example/", "s3://bucket/x", "a@b@"])
def test_a_service_that_no_web_server_has_is_refused(service: str) -> None:
    with pytest.raises(RequestError):
        keyring.parse(["get", service, "bob"])


def test_help_is_asked_for_by_an_option_and_by_nothing_behind_two_hyphens() -> None:
    assert keyring.wants_help(["get", "--help"])
    assert keyring.wants_help(["-h"])
    assert not keyring.wants_help(["get", "--", "a.example", "-h"])
    assert not keyring.wants_help(["get", "a.example", "bob"])


def answered(args: list[str], credential: Credential) -> bytes:
    call = keyring.parse(args)
    found = Resolution(credential, call.url, None, "netrc", Entry(credential, "~/.netrc"))
    return keyring.render(call, found)


BOB = Basic("bob", Secret("p:ä w"))


@pytest.mark.parametrize(
    ("args", "out"),
    [
        (["get", INDEX, "bob"], "p:ä w\n"),
        (["get", INDEX, "--mode", "creds"], "bob\np:ä w\n"),
        (["get", INDEX, "bob", "--mode", "creds"], "bob\np:ä w\n"),
        (["--output=json", "get", INDEX, "bob"], '{"password": "p:\\u00e4 w"}\n'),
        (
            ["--mode=creds", "--output=json", "get", INDEX],
            '{"username": "bob", "password": "p:\\u00e4 w"}\n',
        ),
    ],
)
def test_answers_are_those_of_python_s_keyring(args: list[str], out: str) -> None:
    assert answered(args, BOB) == out.encode()


@pytest.mark.parametrize(
    ("service", "username", "said"),
    [
        ("pypi.example", None, "__token__"),
        ("europe-python.pkg.dev", None, "oauth2accesstoken"),
        ("pypi.example", "aws", "aws"),
    ],
)
def test_a_token_is_the_password_of_the_user_that_the_client_names(
    service: str, username: str | None, said: str
) -> None:
    words = [service] if username is None else [service, username]
    out = answered(["--mode=creds", "--output=json", "get", *words], Bearer(Secret("t")))
    assert json.loads(out) == {"username": said, "password": "t"}


def test_a_line_break_goes_as_json_and_where_nothing_follows_it() -> None:
    login = Basic("bob", Secret("a\nb"))
    with pytest.raises(StoreError, match="--output json") as raised:
        answered(["get", INDEX, "--mode=creds"], login)
    assert "a\nb" not in str(raised.value)
    assert answered(["get", INDEX, "bob"], login) == b"a\nb\n"
    out = answered(["--output=json", "get", INDEX, "--mode=creds"], login)
    assert json.loads(out) == {"username": "bob", "password": "a\nb"}
