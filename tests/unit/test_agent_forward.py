"""What another machine may ask for, and that one process at a time answers it."""

from __future__ import annotations

import os
import socket
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from credlatch import url as urls
from credlatch.agent import forward, place, serve, wire
from credlatch.agent.by_socket import SocketListener
from credlatch.agent.log import Log
from credlatch.commands import agent as command
from credlatch.errors import RequestError
from credlatch.people import command as people
from support.callers import caller_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from credlatch.agent.server import Server
    from support.home import Home


@pytest.mark.parametrize(
    ("hosts", "url", "has"),
    [
        ("a.example", "https://a.example/x", True),
        ("A.Example.", "https://a.example/x", True),
        ("a.example", "https://a.example:443/x", True),
        ("a.example:443", "https://a.example/x", True),
        ("a.example", "https://a.example:8443/", False),
        ("a.example:8443", "https://a.example:8443/", True),
        ("a.example:8443", "https://a.example/", False),
        ("a.example:8443", "https://a.example:8444/", False),
        ("a.example:*", "https://a.example:8443/", True),
        ("a.example:*", "https://a.example/", True),
        ("a.example:*", "https://b.example/", False),
        ("https://a.example", "https://a.example/", True),
        ("https://a.example:8443/", "https://a.example:8443/x", True),
        ("*.a.example", "https://x.y.a.example/", True),
        ("*.a.example", "https://a.example/", False),
        ("*.a.example", "https://xa.example/", False),
        ("*.a.example", "https://x.a.example:8443/", False),
        ("*.a.example:8443", "https://x.a.example:8443/", True),
        ("*.a.example:*", "https://x.a.example:9/", True),
        ("*", "https://a.example:8443/", True),
        ("*:8443", "https://a.example:8443/", True),
        ("*:8443", "https://a.example/", False),
        ("[::1]:5000", "http://[::1]:5000/", True),
        ("localhost:5000", "http://localhost:5000/", True),
        ("localhost", "http://localhost:5000/", False),
        ("bücher.example", "https://xn--bcher-kva.example/", True),
    ],
)
def test_which_hosts_a_name_means(hosts: str, url: str, *, has: bool) -> None:
    assert forward.Hosts(hosts).has(urls.parse(url)) == has


@pytest.mark.parametrize(
    "text",
    ["", ":", ":5000", "a.example/x", "u@a.example", "a.example:99999", "a.example?x", "ftp://a"],
)
def test_what_is_no_host_is_said_at_once(text: str) -> None:
    with pytest.raises(RequestError):
        forward.Hosts(text)


@pytest.mark.parametrize("named", ["docker.io", "index.docker.io", "registry-1.docker.io"])
@pytest.mark.parametrize("key", [b"https://index.docker.io/v1/", b"docker.io", b"index.docker.io"])
def test_docker_hub_has_one_name_too_many(
    home: Home, monkeypatch: pytest.MonkeyPatch, named: str, key: bytes
) -> None:
    home.write_rattler({"docker.io": {"BasicHTTP": {"username": "u", "password": "p"}}})
    for name in set(os.environ) - {"PATH"}:
        monkeypatch.delenv(name)
    for name, value in home.env.items():
        monkeypatch.setenv(name, value)
    answer = forward.answer([forward.Hosts(named)], Log(), wire.FORWARDED, [b"docker", key])
    assert b'"Username":"u"' in answer


@pytest.mark.parametrize(
    "protocol", [b"bazel2", b"BAZEL", b"setup", b"\0", b"../x", b"bazel a.example netrc", b"\xff"]
)
def test_a_protocol_of_a_later_version_is_left_to_the_other_side(protocol: bytes) -> None:
    log = Log()
    fields = [protocol, b'{"uri":"https://a.example/"}']
    assert forward.answer([forward.Hosts("*")], log, wire.FORWARDED, fields) == wire.DECLINED
    assert log.text().split(" ", 1)[1].startswith("- - - left to the caller: ")


@pytest.fixture
def path() -> Iterator[bytes]:
    """A short one: a socket's may have a hundred bytes."""
    with tempfile.TemporaryDirectory(prefix="credlatch-", dir="/tmp") as folder:
        yield os.fsencode(folder) + b"/forward.sock"


def test_who_forwards_does_so_alone_whatever_a_dead_process_left(path: bytes) -> None:
    SocketListener(path, set()).close()
    Path(os.fsdecode(path)).with_suffix(".lock").write_text("garbage")
    lock = forward.alone(path)
    with pytest.raises(BlockingIOError, match=f"^process {os.getpid()}$"):
        forward.alone(path)
    os.close(lock)
    os.close(forward.alone(path))


def test_a_link_in_the_lock_s_place_is_not_followed(path: bytes, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("mine")
    Path(os.fsdecode(path)).with_suffix(".lock").symlink_to(other)
    with pytest.raises(OSError, match="symbolic links"):
        forward.alone(path)
    assert other.read_text() == "mine"


def test_whoever_listens_there_is_not_pushed_aside(path: bytes) -> None:
    with closing(socket.socket(socket.AF_UNIX)) as other:
        other.bind(path)
        other.listen()
        with pytest.raises(BlockingIOError, match="another process"):
            forward.alone(path)


def test_what_is_answered_is_what_was_named_and_found(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in home.env.items():
        monkeypatch.setenv(name, value)
    for name in ("A", "B"):
        monkeypatch.setenv(f"CREDLATCH_TOKEN_{name}_EXAMPLE", "t")
    log = Log()
    hosts = [forward.Hosts(name) for name in ("a.example", "none.example")]

    def ask(asked: bytes) -> bytes:
        return forward.answer(hosts, log, wire.FORWARDED, [b"bazel", asked])

    assert b"Bearer t" in ask(b'{"uri":"https://a.example/"}')
    assert ask(b'{"uri":"https://none.example/"}') == wire.DECLINED
    assert log.declined == 0
    for asked in (b'{"uri":"https://b.example/"}', b'{"uri":"https://a.example:81/"}', b"{}"):
        assert ask(asked) == wire.DECLINED
    assert log.declined == 3
    for what in (wire.GET, wire.STATUS, wire.LOG, wire.STOP):
        with pytest.raises(ValueError, match="elsewhere"):
            forward.answer(hosts, log, what, [b"bazel", b'{"uri":"https://a.example/"}'])


def test_its_own_user_and_root_are_answered_and_nobody_else(
    path: bytes, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered = []

    def run(_server: Server, listener: SocketListener, _announce: object) -> None:
        answered.append(listener._uids)
        listener.close()

    monkeypatch.setattr(place, "folder", lambda *_: os.path.dirname(path))
    monkeypatch.setattr(serve, "run_until_signalled", run)
    monkeypatch.setattr(command, "_build", lambda: "of a test")
    assert people.run(command.forward, ["a.example"], caller_of(home)) == 0
    assert answered == [{os.getuid(), 0}]
