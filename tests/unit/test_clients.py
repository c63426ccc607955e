"""The table of clients: which calls are whose, whose request it is where nobody said so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from credlatch import answers, clients
from credlatch.clients import CLIENTS
from credlatch.errors import CredlatchError
from support.callers import caller_of

if TYPE_CHECKING:
    from support.home import Home


@pytest.mark.parametrize(
    ("argv", "question"),
    [
        (["credlatch", "get"], (b"", None)),
        (["/opt/credlatch/bin/credlatch", "get"], (b"", None)),
        (["docker-credential-credlatch", "get"], (b"docker", None)),
        (["/usr/bin/docker-credential-anything", "get"], (b"docker", None)),
        (["docker-credential-x/credlatch", "get"], (b"", None)),
        (["credlatch", "bazel", "get"], (b"bazel", None)),
        (["credlatch", "docker", "get"], (b"docker", None)),
        (["docker-credential-credlatch.exe", "get"], (b"docker", None)),
        (["/usr/bin/git-credential-credlatch", "get"], (b"git", None)),
        (["git-credential-credlatch", "--read-only", "get"], (b"git", None)),
        (["credlatch", "git", "get"], (b"git", None)),
        (["credlatch", "git", "--read-only", "get"], (b"git", None)),
        (["keyring", "get", "s", "u"], (b"keyring", b"get\0s\0u")),
        (["/x/keyring", "--mode=creds", "get", "s"], (b"keyring", b"--mode=creds\0get\0s")),
        (["credlatch", "keyring", "get", "s", ""], (b"keyring", b"get\0s\0")),
        (["credlatch", "cargo", "get"], (b"cargo", None)),
        (["credlatch", "--cargo-plugin"], None),
        (["cargo-credential-x", "--cargo-plugin"], None),
        (["credlatch", "cargo"], None),
        (["credlatch", "header", "u"], (b"header", b"u")),
        (["credlatch", "token", "--user", "\udcff"], (b"token", b"--user\0\xff")),
        (["keyring", "get", "set", "del"], (b"keyring", b"get\0set\0del")),
        (["keyring", "get", "--", "-h", "u"], (b"keyring", b"get\0--\0-h\0u")),
        (["keyring", "set", "get", "u"], None),
        (["keyring", "--output", "json", "del", "get", "get"], None),
        (["docker-credential-credlatch", "docker", "get"], None),
        (["credlatch", "get", "--help"], None),
        (["credlatch", "header", "u", "-h"], None),
        (["credlatch"], None),
        ([""], None),
        (["credlatch", "get", "x"], None),
        (["credlatch", "docker", "store"], None),
        (["credlatch", "docker", "list"], None),
        (["docker-credential-credlatch", "erase"], None),
        (["docker-credential-credlatch", "header", "u"], None),
        (["git-credential-credlatch", "store"], None),
        (["git-credential-credlatch", "header", "u"], None),
        (["credlatch", "git", "--read-only", "store"], None),
        (["keyring", "set", "s", "u"], None),
        (["keyring", "get", "--help"], None),
        (["keyring"], None),
        (["credlatch", "header"], None),
        (["credlatch", "token", "-h"], None),
        (["credlatch", "agent", "get"], None),
        (["credlatch", "--version"], None),
    ],
)
def test_which_calls_it_asks_the_agent_about(
    argv: list[str], question: tuple[bytes, bytes | None] | None
) -> None:
    assert clients.question(argv) == question


@pytest.mark.parametrize("stdin", [b'{"uri":"https://a.example/"}', b' \r\n{"uri":', b"", b" \n"])
def test_an_object_and_nothing_at_all_are_bazel_s(stdin: bytes) -> None:
    assert answers.client_named(b"", stdin) is CLIENTS["bazel"]


@pytest.mark.parametrize(
    "stdin",
    [b"a.example", b"[::1]", b"[::1]:5000", b"[fe80::1]:443\n", b'["a"]', b"\xff", b"\x00{"],
)
def test_anything_else_is_a_key_of_docker_s(stdin: bytes) -> None:
    assert answers.client_named(b"", stdin) is CLIENTS["docker"]


WORDS = [["a", "b"], [""], ["\udcff", "ü"], ["--user", "https://a.example/"]]


@pytest.mark.parametrize("words", WORDS)
def test_words_come_through_as_they_are(words: list[str]) -> None:
    assert clients.unpack(clients.pack(words)) == (words if words != [""] else [])


@pytest.mark.parametrize("name", CLIENTS)
def test_each_row_is_whole(name: str) -> None:
    client = CLIENTS[name]
    assert client.name == name
    protocol = client.protocol()
    assert protocol.usage or client.command
    for word in (name, f"{client.called}x" if client.called.endswith("-") else client.called):
        if word:
            argv = [word, "--help"] if word != name else ["credlatch", word, "--help"]
            assert clients.chosen(argv)[0] is client
            assert clients.question(argv) is None
    out, err = protocol.failure(CredlatchError("one line"))
    by_line = b"credlatch: one line\n"
    told = {"cargo": (b'{"Err":{"kind":"other","message":"one line"}}\n', b"")}
    usual = (by_line, b"") if client.stream == 1 else (b"", by_line)
    assert (out, err) == told.get(name, usual)


ASKED = {
    "bazel": b'{"uri": "https://pypi.example.com/simple/"}',
    "docker": b"pypi.example.com",
    "git": b"protocol=https\nhost=pypi.example.com\n\n",
    "keyring": clients.pack(["get", "https://pypi.example.com/simple/", "u"]),
    "header": clients.pack(["https://pypi.example.com/simple/"]),
    "token": clients.pack(["https://pypi.example.com/simple/"]),
    "goauth": b"https://pypi.example.com/simple/",
    "cargo": b'{"v":1,"registry":{"index-url":"sparse+https://pypi.example.com/"},"kind":"get",'
    b'"operation":"read"}',
}


@pytest.mark.parametrize("name", ASKED)
def test_a_store_that_is_not_read_is_told_with_the_host_that_was_asked_for(
    home: Home, name: str
) -> None:
    home.write(".rattler/credentials.json", "{not JSON")
    if name == "cargo":  # which asks for indexes that are the user's own alone
        index = '[registries.r]\nindex = "sparse+https://pypi.example.com/"\n'
        home.write(".cargo/config.toml", index)
    asked = ASKED[name] if name != "goauth" else clients.pack([ASKED[name].decode()])
    answer = answers.get(CLIENTS[name], asked, caller_of(home))
    told = (answer.out + answer.err).decode()
    assert answer.status == 1
    assert "no credential for pypi.example.com: " in told
    assert "credentials.json is not JSON" in told
    assert told.count("credentials.json is not JSON") == 1
