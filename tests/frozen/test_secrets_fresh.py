"""What a command reads is as fresh as it was when it was opened."""

from __future__ import annotations

import json
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from support.jwt import make_jwt
from support.logins import oauth
from support.program import TIMEOUT
from support.started import started
from support.token_server import Fault
from support.wrapped import running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.program import Program
    from support.token_server import TokenServer

HOST = "packages.example.com"


def _secret(url: str) -> tuple[str, str]:
    return "--secret", f"id=t,url={url}"


@contextmanager
def reading(program: Program, url: str, *options: str) -> Iterator[Callable[[], str]]:
    """A command that reads its secret when it is told to; gives what it has read."""
    script = 'echo; while read go; do cat "$CREDLATCH_SECRETS/t" | tr "\\n" " "; echo; done'
    with started(
        [*program.command, "secrets", *_secret(url), *options, "--", "sh", "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=program.home.env,
        text=True,
    ) as process:

        def read() -> str:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write("\n")
            process.stdin.flush()
            return str(process.stdout.readline()).strip()

        assert process.stdout is not None
        assert process.stdout.readline() == "\n"  # it runs
        yield read
        _, said = process.communicate(timeout=TIMEOUT)
        assert process.returncode == 0
        assert said.count("\n") <= 1, said


@pytest.mark.parametrize("kind", [(), ("--fifo",)])
def test_a_new_login_is_what_the_next_reader_gets(frozen: Program, kind: tuple[str, ...]) -> None:
    frozen.home.write_rattler({HOST: {"BearerToken": "one"}})
    with reading(frozen, f"https://{HOST}/", *kind) as read:
        assert read() == "one"
        frozen.home.write_rattler({HOST: {"BearerToken": "two"}})
        assert [read(), read()] == ["two", "two"]


def test_a_logout_gives_the_next_reader_nothing_that_opens_anything(frozen: Program) -> None:
    frozen.home.write_rattler({HOST: {"BearerToken": "one"}})
    with reading(frozen, f"https://{HOST}/") as read:
        frozen.home.write_rattler({})
        assert read().startswith("credlatch: the secret 't': no store has a credential")
        frozen.home.write_rattler({HOST: {"BearerToken": "two"}})
        assert read() == "two"


def test_a_token_is_renewed_only_when_it_must_be(
    frozen: Program, token_server: TokenServer
) -> None:
    frozen.home.write_rattler({"127.0.0.1": oauth(token_server, -60)})
    with reading(frozen, token_server.url) as read:
        assert len({read() for _ in range(5)}) == 1
    assert len(token_server.posts("/token")) == 1


def test_each_reader_gets_a_token_with_half_of_its_life_before_it(
    frozen: Program, token_server: TokenServer
) -> None:
    """Keycloak's tokens live five minutes."""
    token_server.lifetime = 300

    def write(left: int) -> str:
        entry = oauth(token_server, left)
        end = entry["OAuth"]["expires_at"]
        entry["OAuth"]["access_token"] = token = make_jwt(end, iss="mock", iat=end - 300, n=0)
        frozen.home.write_rattler({"127.0.0.1": entry})
        return token

    young = write(240)
    with reading(frozen, token_server.url) as read:
        assert [read(), read()] == [young, young]
        old = write(60)
        fresh = [read() for _ in range(3)]
    assert old not in fresh
    assert len(set(fresh)) == len(token_server.posts("/token")) == 1


def test_a_renewal_that_is_refused_gives_what_no_build_takes_and_one_line(
    frozen: Program, token_server: TokenServer
) -> None:
    token_server.lifetime = 1
    frozen.home.write_rattler({"127.0.0.1": oauth(token_server, -60)})
    script = (
        "echo ready; read go; wc -c <$CREDLATCH_SECRETS/t; head -1 $CREDLATCH_SECRETS/t; "
        "read go; wc -c <$CREDLATCH_SECRETS/t"
    )
    with running(frozen, script, *_secret(token_server.url)) as process:
        token_server.fault = Fault.INVALID_GRANT
        entry = oauth(token_server, -60, "another")
        frozen.home.write_rattler({"127.0.0.1": entry})
        out, err = process.communicate(b"\n\n", TIMEOUT)
    size, line, again = out.decode().splitlines()
    assert (size, again) == ("512001", "512001")
    assert f"{line}\n" == err.decode()
    assert "'t' cannot be renewed" in line
    assert "log in again: credlatch login 127.0.0.1" in line
    assert entry["OAuth"]["refresh_token"] not in line
    assert (
        json.dumps(entry, separators=(",", ":"))
        in (frozen.home.path / ".rattler/credentials.json").read_text()
    )
