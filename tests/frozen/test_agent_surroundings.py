"""Each call has its own environment, folders and files: the agent's own count for nothing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tty
from base64 import b64encode
from fcntl import ioctl
from termios import FIONREAD
from typing import TYPE_CHECKING

import pytest

from support.in_memory import until
from support.matching import basic
from support.program import IN_TIME, Answer, Program, run

if TYPE_CHECKING:
    from pathlib import Path

    from support.agent import Agent

HOST = "a.example"
URI = f"https://{HOST}/simple/"
REQUEST = f'{{"uri":"{URI}"}}'.encode()
RATTLER = '{"a.example":{"BearerToken":"%s"}}'
NETRC = "machine a.example login u password %s\n"
UV = '[[credential]]\nservice = "https://a.example/"\nusername = "u"\npassword = "%s"\n'
DOCKER = '{"auths":{"a.example":{"auth":"%s"}}}'

# What a variable points at, below a folder, and the answer; the variable may name a file or folder.
STORES = {
    "RATTLER_AUTH_FILE": ("login.json", RATTLER, "login.json", "Bearer {}"),
    "NETRC": ("my.netrc", NETRC, "my.netrc", None),
    "UV_CREDENTIALS_DIR": ("uv/credentials.toml", UV, "uv", None),
    "DOCKER_CONFIG": ("docker/config.json", DOCKER, "docker", None),
    "REGISTRY_AUTH_FILE": ("auth.json", DOCKER, "auth.json", None),
    "XDG_DATA_HOME": ("data/uv/credentials/credentials.toml", UV, "data", None),
    "XDG_CONFIG_HOME": ("config/containers/auth.json", DOCKER, "config", None),
    "HOME": ("home/.rattler/credentials.json", RATTLER, "home", "Bearer {}"),
}

root = pytest.mark.skipif(
    os.getuid() != 0 or sys.platform != "linux", reason="needs root on Linux, to mount"
)


def answer(kind: str | None, secret: str) -> str:
    return basic("u", secret) if kind is None else kind.format(secret)


def place(folder: Path, name: str, secret: str) -> str:
    """Put a store below a folder; the variable's value, from there."""
    file, text, value, _ = STORES[name]
    path = folder / file
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # containers' programs read no user name and password beside each other, as docker/cli does.
    kept = b64encode(f"u:{secret}".encode()).decode() if text == DOCKER else secret
    path.write_text(text % kept)
    path.chmod(0o600)
    return value


@pytest.mark.parametrize("name", STORES)
def test_a_store_that_a_variable_names_is_this_caller_s(
    agent: Agent, tmp_path: Path, name: str
) -> None:
    folders = {secret: tmp_path / secret for secret in ("agents", "ann", "bob")}
    values = {who: str(folder / place(folder, name, who)) for who, folder in folders.items()}
    env, kind = agent.home.env, STORES[name][3]
    before = env.get(name)
    env[name] = values["agents"]
    agent.warm()
    for who in ("ann", "bob", "agents", "ann"):
        env[name] = values[who]
        assert agent.call(URI).authorization == answer(kind, who)
    if before is not None:
        env[name] = before
    elif name != "HOME":
        del env[name]
    assert agent.call(URI).authorization is None


@pytest.mark.parametrize("name", ["RATTLER_AUTH_FILE", "NETRC", "UV_CREDENTIALS_DIR", "HOME"])
def test_a_relative_path_starts_where_the_caller_is(
    agent: Agent, tmp_path: Path, name: str
) -> None:
    agent.warm()
    for who in ("ann", "bob"):
        agent.home.env[name] = place(tmp_path / who, name, who)
        with agent.answering():
            found = agent.program("get", stdin=REQUEST, cwd=tmp_path / who)
        assert found.authorization == answer(STORES[name][3], who)
    (tmp_path / "empty").mkdir()
    with agent.answering():
        assert agent.program("get", stdin=REQUEST, cwd=tmp_path / "empty").authorization is None


def test_a_token_in_the_environment_is_this_caller_s(agent: Agent) -> None:
    env = agent.home.env
    env["CREDLATCH_TOKEN_A_EXAMPLE"] = "the-starter-s"
    agent.warm()
    for token in ("ann-s", "bob-s"):
        env["CREDLATCH_TOKEN_A_EXAMPLE"] = token
        assert agent.call(URI).authorization == f"Bearer {token}"
    del env["CREDLATCH_TOKEN_A_EXAMPLE"]
    assert agent.call(URI).authorization is None


def test_without_a_home(agent: Agent) -> None:
    agent.warm()
    for name in [name for name in agent.home.env if name == "HOME" or name.startswith("XDG_")]:
        if name != "XDG_RUNTIME_DIR":
            del agent.home.env[name]
    agent.home.env["CREDLATCH_TOKEN_A_EXAMPLE"] = "t"
    assert agent.call(URI).authorization == "Bearer t"


def run_with(agent: Agent, command: list[str], **variables: str) -> Answer:
    """Run a command, which calls the program, with a request on standard input."""
    return run(agent.home, command, REQUEST, env=agent.home.env | variables)


def test_a_working_directory_that_was_removed(agent: Agent) -> None:
    agent.home.write_rattler({HOST: {"BearerToken": "t"}})
    agent.warm()
    script = 'mkdir gone && cd gone && rmdir ../gone && exec "$@" get'
    with agent.answering():
        found = run_with(agent, ["sh", "-c", script, "sh", *agent.program.command])
    assert (found.authorization, found.err) == ("Bearer t", "")


def test_names_that_are_no_text(agent: Agent, tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    value = place(folder, "RATTLER_AUTH_FILE", "t")
    agent.warm()
    agent.home.env |= {
        "RATTLER_AUTH_FILE": str(folder / value),
        "X": "\udcff\udc80",
        "EMPTY": "",
        "WITH": "an = sign\nand a line",
    }
    assert agent.call(URI).authorization == "Bearer t"
    with agent.answering():
        found = agent.program("get", stdin=REQUEST, cwd=folder)
    assert found.authorization == "Bearer t"


def test_a_huge_environment(agent: Agent) -> None:
    agent.warm()
    agent.home.env |= {f"FILLER_{number}": "x" * 100_000 for number in range(10)}
    agent.home.env["CREDLATCH_TOKEN_A_EXAMPLE"] = "t"
    assert agent.call(URI).authorization == "Bearer t"


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """A home in which something else is said, to be mounted over the caller's."""
    folder = tmp_path / "other"
    place(folder, "HOME", "inside")
    return folder / "home"


@root
def test_a_caller_with_mounts_of_its_own_is_not_answered_from_outside(
    agent: Agent, other: Path
) -> None:
    agent.home.write_rattler({HOST: {"BearerToken": "outside"}})
    agent.warm()
    script = 'mount --bind "$OTHER" "$HOME" && exec "$@" get'
    command = ["unshare", "--mount", "sh", "-c", script, "sh", *agent.program.command]
    found = run_with(agent, command, OTHER=str(other))
    assert (found.authorization, found.err) == ("Bearer inside", "")
    assert (agent.served, agent.declined) == (0, 1)
    assert "its paths lead elsewhere" in agent.log()[-1]
    assert agent.call(URI).authorization == "Bearer outside"


@root
def test_a_caller_in_a_chroot_is_not_answered_from_outside(
    agent: Agent, other: Path, tmp_path: Path
) -> None:
    """Both in one name space of mounts, so that only the root folder tells them apart."""
    agent.home.write_rattler({HOST: {"BearerToken": "outside"}})
    changed = tmp_path / "root"
    changed.mkdir()
    for name in ("bin", "lib", "lib64", "usr", "proc", "dev", "tmp"):
        if os.path.islink(f"/{name}"):
            (changed / name).symlink_to(os.readlink(f"/{name}"))
        elif os.path.isdir(f"/{name}"):
            (changed / name).mkdir()
    shutil.copytree(os.path.dirname(agent.program.command[0]), changed / "program", symlinks=True)
    script = """
        for each in "$ROOT"/*; do
          name=${each##*/}
          [ -L "$each" ] || [ "$name" = program ] || mount --rbind "/$name" "$each" || exit 9
        done
        mount --bind "$OTHER" "$ROOT$HOME" || exit 9
        "$1" get <request >first
        until "$1" agent status >status; do sleep 0.02; done
        "$1" get <request >second
        chroot "$ROOT" /program/credlatch get <request >third
        "$1" agent log >log
        "$1" agent stop >/dev/null
    """
    agent.home.write("request", REQUEST)
    command = ["unshare", "--mount", "sh", "-c", script, "sh", *agent.program.command]
    done = run_with(agent, command, ROOT=str(changed), OTHER=str(other))
    assert (done.code, done.err) == (0, "")
    said = {
        name: (agent.home.path / name).read_text() for name in ("first", "second", "third", "log")
    }
    assert "Bearer outside" in said["first"]
    assert "Bearer outside" in said["second"]
    assert "Bearer inside" in said["third"]
    assert [line.split(" ", 1)[1].split(" (")[0] for line in said["log"].splitlines()] == [
        f"bazel {HOST} rattler answered",  # by the call that has started it
        f"bazel {HOST} rattler answered",
        "bazel - - left to the caller: its paths lead elsewhere",
    ]


def test_two_homes_at_once_are_not_mixed_up(agent: Agent, tmp_path: Path) -> None:
    agent.warm()
    script = 'for n in 1 2 3 4 5 6 7 8; do "$1" get <"$2" & done; wait'
    question = agent.home.write("request", REQUEST)
    running = []
    for who in ("ann", "bob", "cay", "dan"):
        env = agent.home.env | {"HOME": str(tmp_path / who / place(tmp_path / who, "HOME", who))}
        command = ["sh", "-c", script, "sh", *agent.program.command, str(question)]
        running.append(subprocess.Popen(command, env=env, stdout=subprocess.PIPE))
    for who, process in zip(("ann", "bob", "cay", "dan"), running, strict=True):
        out, _ = process.communicate(timeout=60)
        answers = [json.loads(line)["headers"] for line in out.splitlines()]
        assert answers == [{"Authorization": [f"Bearer {who}"]}] * 8
    assert agent.served > 0


def test_a_copy_of_the_program_shares_it(agent: Agent, tmp_path: Path) -> None:
    agent.home.write_rattler({HOST: {"BearerToken": "t"}})
    agent.warm()
    copy = tmp_path / "copy"
    shutil.copytree(os.path.dirname(agent.program.command[0]), copy, symlinks=True)
    with agent.answering():
        found = Program([str(copy / "credlatch")], agent.home, tmp_path).bazel(URI)
    assert found.authorization == "Bearer t"


@pytest.mark.parametrize("chosen", ["on", "off"])
@pytest.mark.parametrize("word", ["bazel", "docker", "git"])
def test_standard_input_that_fails_on_the_way_is_no_end(
    agent: Agent, word: str, chosen: str
) -> None:
    """A terminal whose other side is gone: what was written there is read, and then an error."""
    agent.home.write_rattler({HOST: {"BearerToken": "made-up"}})
    agent.warm()
    env = {**agent.home.env, "CREDLATCH_AGENT": chosen}
    terminal, other = os.openpty()
    tty.setraw(other)
    os.write(other, {"bazel": REQUEST, "git": b"protocol=https\n"}.get(word, HOST.encode()))
    os.close(other)
    command = [*agent.program.command, word, "get"]
    done = subprocess.run(
        command, env=env, stdin=terminal, capture_output=True, timeout=IN_TIME, check=False
    )
    os.close(terminal)
    told, nothing = (done.stdout, done.stderr)[:: 1 if word == "docker" else -1]
    assert (done.returncode, nothing) == (1, b"")
    # In the words of the C library: the launcher has musl.
    error = told.decode().removeprefix("credlatch: standard input cannot be read: ")
    assert error in {"input/output error\n", "I/O error\n"}


@pytest.mark.parametrize("chosen", ["on", "off"])
def test_standard_input_that_does_not_wait_is_waited_for(agent: Agent, chosen: str) -> None:
    """A caller may have left us a pipe that it does not wait at itself (O_NONBLOCK)."""
    agent.home.write_rattler({HOST: {"BearerToken": "made-up"}})
    agent.warm()
    env = {**agent.home.env, "CREDLATCH_AGENT": chosen}
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    with subprocess.Popen(
        [*agent.program.command, "get"], env=env, stdin=reader, stdout=subprocess.PIPE
    ) as process:
        try:
            for part in (REQUEST[:9], REQUEST[9:]):
                os.write(writer, part)
                until(lambda: not int.from_bytes(ioctl(reader, FIONREAD, bytes(4))))
            os.close(writer)
            os.close(reader)
            assert process.communicate(timeout=IN_TIME)[0] == (
                b'{"headers":{"Authorization":["Bearer made-up"]}}\n'
            )
        finally:
            process.kill()
