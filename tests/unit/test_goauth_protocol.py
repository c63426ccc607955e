"""Go's GOAUTH: the bytes that it reads, and for which URLs it is told to use them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from credlatch import answers, clients
from support.callers import FakeKeyring, WithKeyring, caller_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from credlatch.answers import Answer
    from credlatch.caller import Caller
    from support.chains import Chained
    from support.home import Home

HOST = "h.example.com"
FILE = "/go/example.com/priv/@v/v1.0.0.info"
LOGIN = "Authorization: Basic Ym9iOnA="


def ask(caller: Caller, *words: str) -> Answer:
    return answers.get(clients.CLIENTS["goauth"], clients.pack(list(words)), caller)


def told(prefix: str, header: str = LOGIN) -> bytes:
    return f"{prefix}\n\n{header}\n\n".encode()


def uv(home: Home, *services: str) -> None:
    home.write(
        ".local/share/uv/credentials/credentials.toml",
        "".join(
            f'[[credential]]\nservice = "{each}"\nusername = "bob"\npassword = "p"\n'
            for each in services
        ),
    )


def netrc(home: Home) -> None:
    home.write(".netrc", f"machine {HOST} login bob password p\n")


def rattler(home: Home) -> None:
    home.write_rattler({"*.example.com": {"BasicHTTP": {"username": "bob", "password": "p"}}})


def environment(home: Home) -> None:
    home.env |= {"CREDLATCH_USERNAME_H_EXAMPLE_COM": "bob", "CREDLATCH_PASSWORD_H_EXAMPLE_COM": "p"}


def docker(home: Home) -> None:
    home.write(".docker/config.json", '{"auths":{"h.example.com":{"auth":"Ym9iOnA="}}}')


@pytest.mark.parametrize("store", [environment, netrc, rattler, docker])
def test_a_host_s_login_is_for_all_of_the_host(home: Home, store: Callable[[Home], None]) -> None:
    store(home)
    answer = ask(caller_of(home), f"https://{HOST}{FILE}")
    assert (answer.status, answer.out, answer.err) == (0, told(f"https://{HOST}"), b"")


@pytest.mark.parametrize("authority", ["H.Example.COM", "h.example.com:443", f"{HOST}:8443"])
def test_the_prefix_is_as_go_writes_it_and_of_one_port(home: Home, authority: str) -> None:
    """Go compares texts."""
    rattler(home)
    answer = ask(caller_of(home), f"https://{authority}{FILE}?x=1#y")
    assert answer.out == told(f"https://{authority}")


@pytest.mark.parametrize(
    ("path", "asked", "prefix"),
    [
        ("/go", FILE, "/go"),
        ("/go/example.com", FILE, "/go/example.com"),
        # The store's own tool does not send it to /go itself, which Go would.
        ("/go/", FILE, "/go/example.com"),
        ("/go", "/go", "/go"),
        ("/go", "/go/", "/go"),
        ("", "", ""),
        ("/", "/", ""),
        ("/go", "/x/../go/y", "/x/../go"),
    ],
)
def test_a_path_s_login_is_for_that_path(home: Home, path: str, asked: str, prefix: str) -> None:
    uv(home, f"https://{HOST}{path}")
    assert ask(caller_of(home), f"https://{HOST}{asked}").out == told(f"https://{HOST}{prefix}")


def test_a_path_s_login_beside_the_host_s_is_for_its_path_only(home: Home) -> None:
    uv(home, f"https://{HOST}/go")
    home.write(".netrc", f"machine {HOST} login alice password q\n")
    assert ask(caller_of(home), f"https://{HOST}{FILE}").out == told(f"https://{HOST}/go")
    others = told(f"https://{HOST}", "Authorization: Basic YWxpY2U6cQ==")
    assert ask(caller_of(home), f"https://{HOST}/x").out == others


@pytest.mark.parametrize("service", [f"https://{HOST}{FILE}", HOST])
def test_what_is_kept_under_a_whole_url_is_for_that_url(home: Home, service: str) -> None:
    caller = WithKeyring(home, FakeKeyring((service, "bob", "p")))
    prefix = service if "://" in service else f"https://{HOST}"
    assert ask(caller, f"https://{HOST}{FILE}").out == told(prefix)


def test_another_s_helper_is_asked_once_for_more(chains: Chained) -> None:
    """What it mints is another one each time: what it gives for a URL is for that URL."""
    folder = chains.home.path
    helper = folder / "mints"
    helper.write_text(
        f"#!/bin/sh\necho >>{folder}/asked\n"
        f'echo "{{\\"headers\\":{{\\"Authorization\\":[\\"Bearer $$\\"]}}}}"\n'
    )
    helper.chmod(0o755)
    chains.chain(bazel={"*": str(helper)})
    answer = ask(caller_of(chains.home), f"https://{HOST}{FILE}")
    assert answer.out.startswith(f"https://{HOST}{FILE}\n\nAuthorization: Bearer ".encode())
    assert len((folder / "asked").read_text()) == 2


@pytest.mark.parametrize(
    "words",
    [
        *([f"https://{HOST}{path}"] for path in ("/", "/gone/x", "/other/go", "/go/../x")),
        [],
        [f"http://127.0.0.1{FILE}"],
        [f"https://eve@{HOST}{FILE}"],
        [f"s3://{HOST}/x"],
        ["https://other.example/x"],
    ],
)
def test_nothing_is_told_otherwise(home: Home, words: list[str]) -> None:
    uv(home, f"https://{HOST}/go")
    home.env["CREDLATCH_TOKEN_127_0_0_1"] = "t"
    answer = ask(caller_of(home), *words)
    assert (answer.status, answer.out, answer.err) == (0, b"", b"")


@pytest.mark.parametrize(("words", "status"), [(["a", "b"], 2), (["--x"], 2), (["https://"], 1)])
def test_what_go_does_not_say_is_one_line(home: Home, words: list[str], status: int) -> None:
    answer = ask(caller_of(home), *words)
    assert (answer.status, answer.out, answer.err.count(b"\n")) == (status, b"", 1)


def test_a_dead_login_is_one_line_and_no_answer(home: Home) -> None:
    content = {
        "access_token": "a", "token_endpoint": "https://h.example.com/", "client_id": "c",
        "expires_at": 1, "refresh_token": None,
    }  # fmt: skip
    home.write_rattler({HOST: {"OAuth": content}})
    answer = ask(caller_of(home), f"https://{HOST}{FILE}")
    assert (answer.status, answer.out) == (1, b"")
    assert answer.err.count(b"\n") == 1
    assert b"log in again" in answer.err
