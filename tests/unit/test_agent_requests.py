"""What the agent makes of a request: an answer with the caller's surroundings, or none."""

from __future__ import annotations

import errno
import os
import random
import tempfile
from typing import TYPE_CHECKING, Any

import pytest

from credlatch.agent import place, serve, wire
from credlatch.agent.by_socket import SocketListener

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.home import Home

SEED = 1857
URI = b'{"uri":"https://a.example/x"}'
WORLD = place.mount_namespace()


class Office:
    """An agent that no thread runs, and its log."""

    def __init__(self, path: bytes) -> None:
        self.agent = serve.Agent(SocketListener(path, {os.getuid()}), "b", None)
        self.answer = self.agent.answer
        self.log = self.agent._log

    def get(self, stdin: bytes, env: dict[str, str], **others: bytes) -> tuple[int, bytes, bytes]:
        """The answer to a ``get``."""
        variables = b"\0".join(os.fsencode(f"{name}={value}") for name, value in env.items())
        fields = {"protocol": b"", "cwd": b"/", "world": WORLD, "stdin": stdin, "env": variables}
        data = self.answer(wire.GET, list({**fields, **others}.values()))
        assert data[:1] == wire.ANSWERED
        status, out, err = wire.unpack(data[5:])
        return status[0], out, err


@pytest.fixture
def office() -> Iterator[Office]:
    """Its socket's path must be short."""
    with tempfile.TemporaryDirectory(prefix="credlatch-", dir="/tmp") as folder:
        office = Office(os.fsencode(folder) + b"/a.sock")
        yield office
        office.agent._server.finish()
        office.agent._shared.close()


def test_the_environment_that_came_along_counts(office: Office, home: Home) -> None:
    for token in ("one", "two"):
        home.write(f"{token}.json", f'{{"a.example":{{"BearerToken":"{token}"}}}}')
        env = home.env | {"RATTLER_AUTH_FILE": f"{token}.json"}
        status, out, err = office.get(URI, env, cwd=os.fsencode(home.path))
        assert (status, err) == (0, b"")
        assert b'"Bearer %s"' % token.encode() in out
    # A variable without a name, one without a value, and no variable at all.
    assert office.get(URI, {"": "x", "CREDLATCH_TOKEN_A_EXAMPLE": "", **home.env})[0] == 0
    assert (office.log.calls, office.log.declined) == (3, 0)


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOMEM])
@pytest.mark.parametrize("of", ["netrc", "credentials.json"])
def test_what_it_lacks_itself_is_no_answer_to_anybody(
    office: Office, home: Home, monkeypatch: pytest.MonkeyPatch, number: int, of: str
) -> None:
    home.write(".netrc", "machine a.example login u password p\n")
    home.write_rattler({"a.example": {"BearerToken": "t"}})
    real = os.open

    def short(path: str | bytes, *rest: Any, **named: Any) -> int:
        if os.fsdecode(path).endswith(of):
            raise OSError(number, os.strerror(number))
        return real(path, *rest, **named)

    variables = b"\0".join(os.fsencode(f"{name}={value}") for name, value in home.env.items())
    fields = [b"", b"/", WORLD, URI.replace(b"a.ex", b"b.ex"), variables]
    with monkeypatch.context() as patch:
        patch.setattr(os, "open", short)
        assert office.answer(wire.GET, fields) == wire.DECLINED
        assert "no descriptor or memory left" in office.log.text()
    assert office.get(URI, home.env)[0] == 0
    assert (office.log.calls, office.log.declined) == (2, 1)


@pytest.mark.parametrize(
    ("protocol", "stdin", "out"),
    [
        (b"", URI, b'{"headers":'),
        (b"", b"a.example", b'{"ServerURL":'),
        (b"docker", b"a.example", b'{"ServerURL":'),
        (b"bazel", URI, b'{"headers":'),
        (b"docker", URI, b""),
        (b"bazel", b"a.example", b""),
    ],
)
def test_the_protocol(
    office: Office, home: Home, protocol: bytes, stdin: bytes, out: bytes
) -> None:
    env = home.env | {"CREDLATCH_TOKEN_A_EXAMPLE": "t"}
    status, said, _ = office.get(stdin, env, protocol=protocol)
    assert (status == 0) == bool(out)
    assert said.startswith(out)


@pytest.mark.parametrize(
    ("protocol", "world"),
    [
        *((b"bazel", world) for world in (b"", b"mnt:[1] 2 3", WORLD + b" ", WORLD[:-1])),
        *((word, WORLD) for word in (b"bazel2", b"list", b"\0", b"\xff", b"bazel " * 100_000)),
    ],
)
def test_who_lives_elsewhere_or_speaks_a_later_protocol_is_left_alone(
    office: Office, home: Home, protocol: bytes, world: bytes
) -> None:
    fields = [protocol, b"/", world, URI, os.fsencode(f"HOME={home.path}")]
    assert office.answer(wire.GET, fields) == wire.DECLINED
    assert (office.log.calls, office.log.declined) == (1, 1)
    assert len(office.log.text()) < 200


def test_what_people_ask(office: Office) -> None:
    assert b"pid: %d\n" % os.getpid() in office.answer(wire.STATUS, [])
    office.log.note("caf\udce9")
    answer = office.answer(wire.LOG, [])
    assert b"caf" in answer
    stopped = [office.agent._server._stopped]
    assert office.answer(wire.STOP, []) == wire.answer(0, b"", b"")
    assert [*stopped, office.agent._server._stopped] == [False, True]
    assert office.log.calls == 0


@pytest.mark.parametrize("asked", [wire.FORWARDED, b"?", b"", b"g", b"GG"])
def test_what_is_not_asked_here(office: Office, asked: bytes) -> None:
    with pytest.raises(ValueError, match="no such request"):
        office.answer(asked, [b"bazel", URI])


def test_whatever_is_asked_it_goes_on(office: Office, home: Home) -> None:
    """The server declines for whatever is raised: it must be an error, and not an end."""
    dice = random.Random(SEED)  # noqa: S311 - to be repeated, not to be secret
    variables = os.fsencode(f"HOME={home.path}")
    parts = [b"", b"bazel", b"\xff\xfe", b"/", WORLD, URI, b"\0" * 9, b"=\0=x", variables, b"a.b"]
    for _ in range(500):
        fields = dice.choices(parts, k=dice.choice([0, 4, 5, 5, 5, 6]))
        if len(fields) == 5:
            fields[2] = WORLD
            fields[4] = variables
        try:
            assert office.answer(wire.GET, fields)
        except (TypeError, ValueError):
            continue
    assert office.get(URI, home.env | {"CREDLATCH_TOKEN_A_EXAMPLE": "t"})[0] == 0
