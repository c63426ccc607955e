"""Builds by docker and BuildKit whose secrets stay fresh, and are left nowhere."""

from __future__ import annotations

import re
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from support.dockerd import BASE
from support.expiring import FILE, LIFETIME, STEPS, fetch, six_steps, tokens_of_six_steps
from support.in_memory import runtime_of, until
from support.logins import oauth
from support.program import TIMEOUT
from support.search import forms, holders, holds
from support.started import started
from support.token_server import Fault

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from support.clients import Docker
    from support.dockerd import Dockerd
    from support.guarded import Guarded
    from support.home import Home
    from support.program import Answer, Program
    from support.token_server import TokenServer

FROM = f'FROM {BASE}\nRUN ["/bin/busybox", "--install", "/bin"]\n'
VARIABLE = "CREDLATCH_TOKEN_PACKAGES_EXAMPLE_COM"
SECRET = ("--secret", "id=token,url=https://packages.example.com/")


pytestmark = pytest.mark.usefixtures("runtime")


def build(docker: Docker, *options: str) -> list[str]:
    """A build of the Dockerfile in the folder ``context``; its steps reach servers on loopback."""
    network = ("--network=host", "--progress=plain")  # dockerd has no other here
    return [*docker.command, "build", "--no-cache", *network, *options, "context"]


def building(home: Home, words: list[str]) -> AbstractContextManager[subprocess.Popen[str]]:
    """A build that is under way."""
    return started(words, env=home.env, cwd=home.path, stderr=subprocess.PIPE, text=True)


def said_until_one(process: subprocess.Popen[str]) -> str:
    """What a build has said when its first step says "one"."""
    assert process.stderr is not None
    said = ""
    while not re.search(r"^#\d+ [\d.]+ one$", said, re.MULTILINE):
        line = process.stderr.readline()
        assert line, said
        said += line
    return said


def built(program: Program, docker: Docker, *secrets: str) -> Answer:
    """The same, with secrets."""
    return program("secrets", *secrets, "--", *build(docker))


@pytest.fixture
def login(buildkit: Docker, token_server: TokenServer) -> str:
    """A login whose tokens are short-lived; where it is kept."""
    token_server.lifetime = LIFETIME
    return str(buildkit.home.write_rattler({"127.0.0.1": oauth(token_server, -60)}))


def test_six_steps_see_a_valid_token_each_while_it_expires_twice_and_it_is_found_nowhere(
    buildkit: Docker,
    dockerd: Dockerd,
    frozen: Program,
    guarded: Guarded,
    login: str,
    tmp_path: Path,
) -> None:
    buildkit.home.write("context/Dockerfile", FROM + six_steps(guarded))
    secret = ("--secret", f"id=token,url={guarded.url}/")

    answer = frozen("secrets", *secret, "--", *build(buildkit, "--tag=built:1"))

    assert answer.code == 0, answer
    assert "credlatch: " not in answer.err
    tokens = tokens_of_six_steps(guarded)

    buildkit("save", "--output=saved.tar", "built:1")
    said = answer.err + str(answer.out)
    for words in (["history", "--no-trunc", "built:1"], ["inspect", "built:1"]):
        said += buildkit(*words).said
    assert not holds(said.encode(), tokens)
    store = buildkit.home.path / ".rattler/credentials.json"
    assert str(store) == login
    assert holders(tokens, store.parent) == [login]  # that much the search finds
    assert holders(tokens, dockerd.folder, tmp_path, runtime_of(frozen.home), but=[store]) == []


def test_the_search_finds_a_secret_that_a_step_has_copied(
    buildkit: Docker, dockerd: Dockerd, frozen: Program
) -> None:
    token = "a-token-that-leaks-0123456789"
    frozen.home.env[VARIABLE] = token
    leak = "RUN --mount=type=secret,id=token echo x$(cat /run/secrets/token) | base64 >/leak\n"
    buildkit.home.write("context/Dockerfile", FROM + leak)
    assert built(frozen, buildkit, *SECRET).code == 0
    assert holders([token], dockerd.folder) != []
    assert all(len(form) > 20 for form in forms(token))


def test_a_token_that_is_handed_over_once_does_not_last_for_all_steps(
    buildkit: Docker, frozen: Program, guarded: Guarded, login: str
) -> None:
    """What the six steps above would see without us: it is the time between them that counts."""
    assert login
    buildkit.home.write("context/Dockerfile", FROM + six_steps(guarded))
    answer = built(frozen, buildkit, "--as-env", f"id=token,url={guarded.url}/")
    assert answer.code == 1
    assert 1 <= len(guarded.admitted) < STEPS
    assert len(guarded.refused) == 1


def test_steps_that_run_side_by_side_get_the_whole_secret_each(
    buildkit: Docker, frozen: Program
) -> None:
    token = "x" * 3000
    frozen.home.env[VARIABLE] = token
    text = FROM.replace(BASE, f"{BASE} AS base")
    for number in range(8):
        text += f"FROM base AS stage{number}\n"
        text += "RUN --mount=type=secret,id=token wc -c /run/secrets/token >/size\n"
    text += "FROM base\n"
    text += "".join(f"COPY --from=stage{number} /size /size{number}\n" for number in range(8))
    text += "RUN cat /size*\n"
    buildkit.home.write("context/Dockerfile", text)
    for _ in range(3):
        answer = built(frozen, buildkit, *SECRET)
        assert answer.code == 0, answer
        assert len(re.findall(r" 3000 /run/secrets/token", answer.err)) == 8


def test_a_fifo_serves_one_step_after_the_other(buildkit: Docker, frozen: Program) -> None:
    frozen.home.env[VARIABLE] = "x" * 3000
    step = "RUN --mount=type=secret,id=token wc -c /run/secrets/token"
    buildkit.home.write("context/Dockerfile", FROM + "".join(f"{step} #{n}\n" for n in range(3)))
    answer = built(frozen, buildkit, *SECRET, "--fifo")
    assert answer.code == 0, answer
    assert len(re.findall(r" 3000 /run/secrets/token", answer.err)) == 3


@pytest.mark.parametrize("kind", [(), ("--fifo",)])
def test_a_renewal_that_is_refused_ends_the_build_and_is_one_line(
    buildkit: Docker,
    frozen: Program,
    guarded: Guarded,
    token_server: TokenServer,
    login: str,
    kind: tuple[str, ...],
) -> None:
    assert login
    token_server.lifetime = 6
    guarded.files[FILE] = b"content"
    steps = fetch(guarded, 0, after=7) + fetch(guarded, 1)
    buildkit.home.write("context/Dockerfile", FROM + steps)
    secret = ("--secret", f"id=token,url={guarded.url}/", *kind)
    words = ["secrets", *secret, "--", *build(buildkit)]
    with building(frozen.home, [*frozen.command, *words]) as process:
        until(lambda: guarded.admitted)
        token_server.fault = Fault.INVALID_GRANT
        _, err = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 1
    assert len(guarded.admitted) == 1
    assert guarded.refused == []  # it did not go on as nobody
    assert "invalid secret size 512001" in err
    lines = [line for line in err.splitlines() if line.startswith("credlatch: ")]
    assert len(lines) == 1, lines
    (line,) = lines
    assert "the secret 'token' cannot be renewed" in line
    assert "log in again: credlatch login" in line


@pytest.mark.parametrize("kind", [(), ("--fifo",)])
def test_a_build_whose_provider_is_killed_gets_no_more_secrets(
    buildkit: Docker, frozen: Program, kind: tuple[str, ...]
) -> None:
    frozen.home.env[VARIABLE] = "hunter2"
    step = "RUN --mount=type=secret,id=token {} sleep 2; cat /run/secrets/token\n"
    text = FROM + step.format("echo one;") + step.format("echo two;")
    buildkit.home.write("context/Dockerfile", text)
    words = ["secrets", *SECRET, *kind, "--", *build(buildkit)]
    with building(frozen.home, [*frozen.command, *words]) as process:
        said = said_until_one(process)
        assert process.stderr is not None
        process.kill()
        said += process.stderr.read()  # of docker, which goes on
    assert process.returncode == -signal.SIGKILL
    assert re.search(r"open .*/token: no such file or directory", said)
    assert not re.search(r"^#\d+ [\d.]+ two$", said, re.MULTILINE)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_build_as_it_would_without_us(
    buildkit: Docker, frozen: Program, number: signal.Signals
) -> None:
    frozen.home.env[VARIABLE] = "hunter2"
    text = FROM + "RUN --mount=type=secret,id=token echo one; sleep 60\n"
    buildkit.home.write("context/Dockerfile", text)
    ends = []
    for before in ([], [*frozen.command, "secrets", *SECRET, "--"]):
        with building(frozen.home, [*before, *build(buildkit)]) as process:
            said_until_one(process)
            assert process.stderr is not None
            process.send_signal(number)
            ends.append((process.stderr.read().splitlines()[-1], process.wait(TIMEOUT)))
    assert ends[0] == ends[1]
    assert "canceled" in ends[0][0]


def test_where_every_step_is_cached_nobody_reads_and_that_is_one_line(
    buildkit: Docker, frozen: Program
) -> None:
    frozen.home.env[VARIABLE] = "hunter2"
    text = FROM + "RUN --mount=type=secret,id=token wc -c /run/secrets/token\n"
    buildkit.home.write("context/Dockerfile", text)
    assert built(frozen, buildkit, *SECRET).code == 0
    words = [*buildkit.command, "build", "--network=host", "--progress=plain", "context"]
    answer = frozen("secrets", *SECRET, "--", *words)
    assert answer.code == 0
    assert answer.err.count("credlatch: ") == 1
    assert "credlatch: nobody has read the secret 'token': what mounts it was cached" in answer.err


def test_what_docker_refuses_is_dockers_own_line(buildkit: Docker, frozen: Program) -> None:
    frozen.home.env[VARIABLE] = "hunter2"
    answer = frozen("secrets", *SECRET, "--", *buildkit.command, "build", "absent")
    without = buildkit.attempt("build", "absent")
    assert answer.code == without.code
    assert answer.err.startswith(without.err)


def test_a_private_git_repository_is_a_builds_context(
    buildkit: Docker,
    frozen: Program,
    guarded: Guarded,
    token_server: TokenServer,
    login: str,
    repository: str,
) -> None:
    assert login
    words = [*buildkit.command, "build", "--progress=plain", f"{guarded.url}/{repository}#main"]
    buildkit.home.env["GIT_TERMINAL_PROMPT"] = "0"
    without = frozen("secrets", "--as-env", f"id=X,url={guarded.url}", "--", *words)
    assert without.code == 1
    assert guarded.admitted == []
    assert {visit.authorization for visit in guarded.refused} == {""}

    answer = frozen("secrets", "--git-auth", guarded.url, "--", *words)
    assert answer.code == 0, answer
    tokens = {visit.secret for visit in guarded.admitted}
    assert token_server.current_access_token in tokens


def test_a_buildkit_that_asks_for_no_http_login_is_said(
    buildkit: Docker, frozen: Program, guarded: Guarded
) -> None:
    """It does since 0.23, which distributions have not got yet: then it is sent."""
    frozen.home.write_rattler({"127.0.0.1": {"BearerToken": "hunter2"}})
    guarded.accepts = "Bearer hunter2".__eq__
    guarded.files[FILE] = b"content"
    buildkit.home.write("context/Dockerfile", f"{FROM}ADD {guarded.url}{FILE} /package\n")
    answer = built(frozen, buildkit, "--http-auth", guarded.url)
    assert bool(guarded.admitted) == (answer.code == 0)
    line = "credlatch: nobody has read the secret 'HTTP_AUTH_HEADER_127.0.0.1': nothing was fetched"
    assert answer.err.count(line) == (0 if guarded.admitted else 1)
