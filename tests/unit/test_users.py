"""One URL with a user name has one answer, whichever client asks. Docker's keys have no users."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import TYPE_CHECKING

import pytest

from credlatch import answers, clients
from credlatch.secrets import wanted
from credlatch.secrets.source import Says, Source
from support.callers import FakeKeyring, WithKeyring, caller_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.chains import Chained
    from support.home import Home

HOST = "h.example.com"


def by_bazel(home: Home, user: str) -> str | None:
    stdin = json.dumps({"uri": f"https://{user}@{HOST}/x"}).encode()
    answer = answers.get(clients.CLIENTS["bazel"], stdin, caller_of(home))
    headers = json.loads(answer.out)["headers"]
    return _password(headers["Authorization"][0]) if headers else None


def by_header(home: Home, user: str) -> str | None:
    asked = clients.pack([f"https://{user}@{HOST}/x"])
    answer = answers.get(clients.CLIENTS["header"], asked, caller_of(home))
    return _password(answer.out.decode().partition(": ")[2]) if answer.out else None


def _password(header: str) -> str:
    scheme, _, value = header.strip().partition(" ")
    return b64decode(value).decode().partition(":")[2] if scheme == "Basic" else value


def by_token(home: Home, user: str) -> str | None:
    asked = clients.pack([f"https://{user}@{HOST}/x"])
    return (
        answers.get(clients.CLIENTS["token"], asked, caller_of(home)).out.decode().strip() or None
    )


def by_keyring(home: Home, user: str) -> str | None:
    asked = clients.pack(["get", f"https://{HOST}/x", user])
    return (
        answers.get(clients.CLIENTS["keyring"], asked, caller_of(home)).out.decode().strip() or None
    )


def by_git(home: Home, user: str) -> str | None:
    asked = f"protocol=https\nhost={HOST}\npath=x\nusername={user}\n".encode()
    answer = answers.get(clients.CLIENTS["git"], asked, caller_of(home)).out.decode()
    lines = dict(line.split("=", 1) for line in answer.splitlines())
    return lines.get("password")


def by_secrets(home: Home, user: str) -> str | None:
    text = f"id=t,url=https://{user}@{HOST}/x,as=token"
    found = Source(wanted.secret(text), home.env, Says(lambda _: None)).find()
    return None if found is None else found.decode()


CLIENTS = [by_bazel, by_header, by_token, by_keyring, by_git, by_secrets]


def rattler(home: Home, *users: str) -> None:
    login = {user: {"BasicHTTP": {"username": user, "password": f"of {user}"}} for user in users}
    first, *others = users
    home.write_rattler({HOST: login[first]} | {f"{user}@{HOST}": login[user] for user in others})


def netrc(home: Home, *users: str) -> None:
    lines = [f'machine {HOST} login {user} password "of {user}"\n' for user in users]
    home.write(".netrc", "".join(lines))


def uv(home: Home, *users: str) -> None:
    entries = [
        f'[[credential]]\nservice = "https://{HOST}"\nusername = "{user}"\nscheme = "basic"\n'
        f'password = "of {user}"\n'
        for user in users
    ]
    home.write(".local/share/uv/credentials/credentials.toml", "".join(entries))


def environment(home: Home, *users: str) -> None:
    home.env["CREDLATCH_USERNAME_H_EXAMPLE_COM"] = users[0]
    home.env["CREDLATCH_PASSWORD_H_EXAMPLE_COM"] = f"of {users[0]}"


STORES = [rattler, netrc, uv, environment]


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("store", STORES)
def test_the_login_of_the_user_who_is_named(
    home: Home, store: Callable[..., None], client: Callable[[Home, str], str | None]
) -> None:
    store(home, "bob", "alice")
    if store is not environment:
        assert client(home, "alice") == "of alice"
    assert client(home, "bob") == "of bob"
    assert client(home, "carol") is None
    store(home, "bob")
    assert client(home, "alice") is None


@pytest.mark.parametrize("client", CLIENTS)
def test_another_user_s_login_in_a_store_does_not_hide_theirs_in_a_later_one(
    home: Home, client: Callable[[Home, str], str | None]
) -> None:
    rattler(home, "bob")
    netrc(home, "alice")
    assert client(home, "alice") == "of alice"


@pytest.mark.parametrize("client", CLIENTS)
def test_a_token_is_nobody_s_and_counts_for_whoever_is_named(
    home: Home, client: Callable[[Home, str], str | None]
) -> None:
    home.write_rattler({HOST: {"BearerToken": "token"}})
    assert client(home, "alice") == "token"


def test_a_chained_helper_s_login_of_another_user_is_no_answer(chains: Chained) -> None:
    login = json.dumps({"ServerURL": HOST, "Username": "bob", "Secret": "of bob"})
    chains.helper("docker-credential-other", login=login)
    chains.chain(docker={HOST: "other"})
    for client in CLIENTS:
        assert client(chains.home, "bob") == "of bob", client
        assert client(chains.home, "alice") is None, client


@pytest.mark.parametrize("user", ["bob", "alice"])
def test_the_keyring_is_asked_for_the_user_who_is_named(home: Home, user: str) -> None:
    keyring = FakeKeyring(*((f"https://{HOST}/x", each, f"of {each}") for each in ("bob", "alice")))
    stdin = json.dumps({"uri": f"https://{user}@{HOST}/x"}).encode()
    answer = answers.get(clients.CLIENTS["bazel"], stdin, WithKeyring(home, keyring))
    assert _password(json.loads(answer.out)["headers"]["Authorization"][0]) == f"of {user}"
