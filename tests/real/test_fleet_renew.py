"""``credlatch fleet renew`` at a real OpenBao: one request a renewal, whoever runs how many."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from support.fleets import ACCESS, LOGIN, URL, configure, kept, put, put_login, version
from support.home import Home
from support.logins import ENDED, FIRST, oauth
from support.program import TIMEOUT, Program
from support.token_server import Fault, TokenServer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.openbao import Bao


@pytest.fixture
def renewer(bao: Bao, home: Home) -> Home:
    """A machine that renews."""
    configure(home, bao, "renewer")
    return home


@pytest.fixture
def worker(bao: Bao, frozen: Program, tmp_path: Path) -> Program:
    """The program on another machine, a worker."""
    home = Home(tmp_path / "worker")
    configure(home, bao, "worker")
    return Program(frozen.command, home, tmp_path / "worker-links")


def until(is_so: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + TIMEOUT
    while not is_so():
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(0.1)


def refresh_tokens(server: TokenServer) -> list[str]:
    return [post.form["refresh_token"] for post in server.posts("/token") if post.form]


@pytest.mark.usefixtures("renewer")
def test_what_has_ended_is_renewed_once_and_workers_have_the_token(
    bao: Bao, frozen: Program, worker: Program, token_server: TokenServer
) -> None:
    put_login(bao, oauth(token_server, ENDED))
    done = frozen("fleet", "renew", "--once")
    assert done.code == 0, done
    assert done.out.decode().startswith(f"fleet/{LOGIN} renewed (gen 2), ends in ")
    assert refresh_tokens(token_server) == [FIRST]
    token = str(token_server.current_access_token)
    value = kept(bao, LOGIN)
    assert (value["gen"], value["claim"], value["dead"]) == (2, None, None)
    assert value["entry"]["OAuth"]["refresh_token"] == "rotated-1"
    assert kept(bao, ACCESS) == {
        "access_token": token, "expires_at": value["entry"]["OAuth"]["expires_at"], "gen": 2,
    }  # fmt: skip
    assert worker.bazel(URL).authorization == f"Bearer {token}"
    done = frozen("fleet", "renew", "--once")
    assert (done.code, done.out) == (0, b"")
    assert refresh_tokens(token_server) == [FIRST]
    assert token not in done.said


def test_replicas_renew_again_and_again_and_no_worker_waits(
    bao: Bao, renewer: Home, frozen: Program, worker: Program, token_server: TokenServer,
    tmp_path: Path,
) -> None:  # fmt: skip
    token_server.lifetime = 12
    put_login(bao, oauth(token_server, ENDED))
    replicas = []
    for number in range(3):
        home = renewer if number == 0 else Home(tmp_path / f"replica-{number}")
        configure(home, bao, "renewer")
        replicas.append(
            subprocess.Popen(
                [*frozen.command, "fleet", "renew"], env=home.env, cwd=home.path, text=True,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )
        )  # fmt: skip
    try:
        until(lambda: version(bao, ACCESS) >= 1, "the first renewal")
        seen = set()
        while len(refresh_tokens(token_server)) < 4:
            answer = worker.bazel(URL)
            assert answer.authorization, answer
            seen.add(answer.authorization)
            assert all(each.poll() is None for each in replicas)
    finally:
        for each in replicas:
            each.send_signal(signal.SIGTERM)
        said = [each.communicate(timeout=TIMEOUT)[0] for each in replicas]
    assert [each.returncode for each in replicas] == [0, 0, 0], said
    assert token_server.replayed == []
    assert len(seen) >= 2
    lines = "".join(said).splitlines()
    renewed = [line for line in lines if f"fleet/{LOGIN} renewed (gen " in line]
    assert len(renewed) == len(refresh_tokens(token_server)), lines
    assert lines.count("ended") == 3
    assert not any("rotated-" in line or "eyJ" in line for line in lines)


@pytest.mark.usefixtures("renewer")
def test_a_login_that_has_ended_is_asked_for_no_second_time_and_told(
    bao: Bao, frozen: Program, worker: Program, token_server: TokenServer
) -> None:
    token_server.fault = Fault.INVALID_GRANT
    put_login(bao, oauth(token_server, ENDED))
    for _ in range(2):
        done = frozen("fleet", "renew", "--once")
        assert done.code == 1
        assert "credlatch login --fleet" in done.out.decode()
        assert done.out.decode().startswith(f"fleet/{LOGIN} has ended: ")
    assert len(refresh_tokens(token_server)) == 1
    assert kept(bao, LOGIN)["dead"]
    asked = worker("header", URL)
    assert (asked.code, f"nothing is in fleet/{ACCESS}" in asked.err) == (1, True)
    token_server.fault = None
    put_login(bao, oauth(token_server, ENDED, "another"))
    assert frozen("fleet", "renew", "--once").code == 0
    assert worker.bazel(URL).authorization == f"Bearer {token_server.current_access_token}"


def test_an_engine_that_is_away_is_told_once_and_renewing_goes_on_when_it_is_back(
    bao: Bao, renewer: Home, frozen: Program, token_server: TokenServer
) -> None:
    put_login(bao, oauth(token_server, ENDED))
    before = bao.token
    bao.nodes[0].send(signal.SIGSTOP)
    log = renewer.path / "log"
    with log.open("wb") as out:
        service = subprocess.Popen(
            [*frozen.command, "fleet", "renew"], env=renewer.env, cwd=renewer.path, stdout=out
        )
    try:
        until(lambda: "is not reached" in log.read_text(), "the engine is away")
        bao.nodes[0].send(signal.SIGCONT)
        until(lambda: "renewed (gen 2)" in log.read_text(), "the renewal")
        assert bao.token == before
    finally:
        bao.nodes[0].send(signal.SIGCONT)
        service.send_signal(signal.SIGINT)
        service.wait(TIMEOUT)
    assert service.returncode == 0
    assert log.read_text().count("is not reached") == 1
    assert refresh_tokens(token_server) == [FIRST]


@pytest.mark.usefixtures("renewer")
def test_what_is_killed_before_it_could_write_leaves_it_to_the_next_process(
    bao: Bao, frozen: Program, worker: Program, token_server: TokenServer
) -> None:
    put_login(bao, oauth(token_server, ENDED))
    folder = frozen.home.path / ".local/share/credlatch/fleet"
    with token_server.paused():
        service = subprocess.Popen(
            [*frozen.command, "fleet", "renew"], env=frozen.home.env, cwd=frozen.home.path,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            until(lambda: refresh_tokens(token_server), "the request")
            bao.nodes[0].send(signal.SIGSTOP)
            token_server.answering.set()
            until(lambda: any(folder.glob("*.journal/*.renewed")), "the journal")
            (journal,) = folder.glob("*.journal/*.renewed")
            assert journal.stat().st_mode & 0o777 == 0o600
        finally:
            service.kill()
            service.wait(TIMEOUT)
            bao.nodes[0].send(signal.SIGCONT)
    done = frozen("fleet", "renew", "--once")
    assert done.code == 0, done
    assert not any(folder.glob("*.journal/*.renewed"))
    assert refresh_tokens(token_server) == [FIRST]
    assert worker.bazel(URL).authorization == f"Bearer {token_server.current_access_token}"


@pytest.mark.usefixtures("renewer")
@pytest.mark.parametrize("once", [False, True])
def test_who_is_told_to_end_brings_what_was_sent_to_its_end(
    bao: Bao, frozen: Program, token_server: TokenServer, once: bool
) -> None:
    """Also a CronJob's: its pod is told so when its node is emptied."""
    put_login(bao, oauth(token_server, ENDED))
    words = [*frozen.command, "fleet", "renew", *(["--once"] if once else [])]
    with token_server.paused():
        process = subprocess.Popen(
            words, env=frozen.home.env, cwd=frozen.home.path, stdout=subprocess.PIPE
        )
        try:
            until(lambda: refresh_tokens(token_server), "the request")
            process.send_signal(signal.SIGTERM)
            time.sleep(0.5)
            assert process.poll() is None
            token_server.answering.set()
            said = process.communicate(timeout=TIMEOUT)[0].decode()
        finally:
            process.kill()
            process.wait()
    assert (process.returncode, "renewed (gen 2)" in said) == (0, True), said
    assert kept(bao, LOGIN)["entry"]["OAuth"]["refresh_token"] == "rotated-1"
    assert kept(bao, ACCESS)["access_token"] == token_server.current_access_token


@pytest.mark.usefixtures("renewer")
@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault.STATUS_500, "is not renewed: .*HTTP 500"), (Fault.HANG, "is not renewed: .*not"),
        (Fault.GARBAGE_JSON, "is not renewed: .*something else"),
        (Fault.REDIRECT, "is not renewed: .*redirects elsewhere"),
        (Fault.EXPIRED, "is not renewed: .*already expired"), (None, "renewed .gen 2."),
    ],
)  # fmt: skip
def test_once_says_by_its_status_whether_all_is_well(
    bao: Bao, frozen: Program, token_server: TokenServer, fault: Fault | None, said: str
) -> None:
    token_server.fault = fault
    put_login(bao, oauth(token_server, ENDED))
    done = frozen("fleet", "renew", "--once")
    assert (done.code, done.err) == (0 if fault is None else 1, ""), done
    assert re.search(f"^fleet/{LOGIN} {said}", done.out.decode()), done
    assert len(done.out.splitlines()) == 1
    assert len(refresh_tokens(token_server)) == 1


@pytest.mark.usefixtures("renewer")
def test_a_login_that_was_deleted_counts_on_from_what_workers_have(
    bao: Bao, frozen: Program, worker: Program, token_server: TokenServer
) -> None:
    put_login(bao, {**oauth(token_server, ENDED)})
    for _ in range(2):
        assert frozen("fleet", "renew", "--once").code == 0
    put(bao, ACCESS, {**kept(bao, ACCESS), "gen": 57, "expires_at": int(time.time()) + 1})
    bao.must("DELETE", f"fleet/metadata/{LOGIN}")
    done = frozen("fleet", "renew", "--once")
    assert (done.code, b"there is no login at" in done.out) == (1, True), done
    until(lambda: kept(bao, ACCESS)["expires_at"] < time.time(), "the token's end")
    put_login(bao, oauth(token_server, ENDED, "another"))
    assert frozen("fleet", "renew", "--once").code == 0
    assert worker.bazel(URL).authorization == f"Bearer {token_server.current_access_token}"


@pytest.mark.parametrize("garbage", [{}, {"entry": "x" * 300_000}, {"entry": {"OAuth": []}}])
def test_what_is_no_login_is_said_and_not_shown(
    bao: Bao, renewer: Home, frozen: Program, garbage: dict[str, object]
) -> None:
    del renewer
    put(bao, LOGIN, garbage)
    done = frozen("fleet", "renew", "--once")
    assert done.code == 1
    assert len(done.out.splitlines()) == 1
    assert len(done.out) < 400, done
    put(bao, LOGIN, {"entry": None})


@pytest.mark.parametrize("once", [True, False])
def test_two_logins_of_a_machine_do_not_wait_for_each_other(
    bao: Bao, renewer: Home, frozen: Program, token_server: TokenServer, once: bool
) -> None:
    """One of the two engines is away."""
    put_login(bao, oauth(token_server, ENDED))
    config = renewer.path / ".config/credlatch/fleet.toml"
    text = config.read_text()
    other = text.replace(URL.removesuffix("simple/"), "https://other.example/")
    other = other.replace(str(list(bao.urls)), '"http://127.0.0.1:9"').replace(LOGIN, "login/other")
    config.write_text(f"{other}\n{text}")
    log = renewer.path / "log"
    words = [*frozen.command, "fleet", "renew", *(["--once"] if once else [])]
    with log.open("wb") as out:
        process = subprocess.Popen(words, env=renewer.env, cwd=renewer.path, stdout=out)
    try:
        until(lambda: f"fleet/{LOGIN} renewed" in log.read_text(), "the renewal")
        until(lambda: "fleet/login/other is not reached" in log.read_text(), "the failure")
    finally:
        if not once:
            process.send_signal(signal.SIGTERM)
        process.wait(TIMEOUT)
    assert process.returncode == (1 if once else 0)
    assert refresh_tokens(token_server) == [FIRST]


def test_without_rows_of_its_own_it_says_what_is_missing(
    bao: Bao, home: Home, frozen: Program
) -> None:
    done = frozen("fleet", "renew")
    assert (done.code, "fleet.toml is not there" in done.err) == (2, True)
    configure(home, bao, "worker")
    done = frozen("fleet", "renew")
    assert (done.code, 'role = "renewer" is missing' in done.err) == (2, True)
