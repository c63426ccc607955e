"""A store that cannot be written: nothing in it is lost, and nothing is sent in vain."""

from __future__ import annotations

import json
import stat
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from support.logins import (
    ENDED,
    FIRST,
    INSIDE,
    Login,
    OAuthLogin,
    PyxLogin,
    bearer,
    docker_refusal,
    refusal,
    warning,
)
from support.mounts import fill, read_only, small_disk
from support.steps import Stepper
from support.storm import Call, at_once, bazel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.home import Home
    from support.program import Answer, Program
    from support.token_server import TokenServer

SAVED = {"ServerURL": "registry.example.com", "Username": "ada", "Secret": "engine"}
SAVE = Call(("docker", "store"), json.dumps(SAVED).encode())
FULL = "no space left on device"
LOCKED = "read-only file system"


@pytest.fixture
def login(each_login: Login) -> Login:
    return each_login


@contextmanager
def untouched(login: Login) -> Iterator[None]:
    """Nothing is written, nothing left beside, nothing sent."""
    folder, before, sent = login.file.parent, login.file.read_bytes(), login.refresh_tokens()
    names = {path.name for path in folder.iterdir()}
    yield
    assert login.file.read_bytes() == before
    assert login.refresh_tokens() == sent
    assert {path.name for path in folder.iterdir() if path.suffix != ".lock"} <= names


def test_on_a_full_disk_nothing_is_sent_and_nothing_lost(frozen: Program, login: Login) -> None:
    with small_disk(login.file.parent):
        login.write(ENDED)
        filler = fill(login.file.parent)
        with untouched(login):
            assert FULL in refusal(frozen.bazel(login.uri))
            assert FULL in docker_refusal(frozen.docker("get", login.key))
        filler.unlink()
        assert bearer(frozen.bazel(login.uri)) == login.kept()[0]


def test_on_a_full_disk_a_token_that_is_still_good_is_served(frozen: Program, login: Login) -> None:
    with small_disk(login.file.parent):
        good = login.write(INSIDE)
        fill(login.file.parent)
        with untouched(login):
            answer = frozen.bazel(login.uri)
            assert bearer(answer) == good
            assert FULL in warning(answer)


def test_a_disk_that_fills_up_while_the_server_answers_has_room_for_the_answer(
    frozen: Program, login: Login, token_server: TokenServer
) -> None:
    with small_disk(login.file.parent):
        login.write(ENDED)
        answers: list[Answer] = []
        caller = threading.Thread(target=lambda: answers.append(frozen.bazel(login.uri)))
        caller.start()
        with token_server.paused():
            while caller.is_alive() and not login.refresh_tokens():
                caller.join(0.01)
            fill(login.file.parent)
        caller.join()
        (answer,) = answers
        assert bearer(answer) == token_server.current_access_token
        assert login.kept() == (token_server.current_access_token, "rotated-1")


def test_with_no_place_for_notes_only_what_is_used_once_is_not_sent(
    frozen: Program, home: Home, token_server: TokenServer
) -> None:
    oauth, pyx = OAuthLogin(home, token_server), PyxLogin(home, token_server)
    oauth.write(ENDED)
    pyx.write(ENDED, "of pyx")
    for login in (oauth, pyx):
        login.file.with_suffix(".renewals").mkdir()
    with untouched(pyx):
        assert "tokens.renewals is not a file" in refusal(frozen.bazel(pyx.uri))
    pyx.file.with_suffix(".renewals").rmdir()
    assert bearer(frozen.bazel(pyx.uri)) == pyx.kept()[0]
    assert bearer(frozen.bazel(oauth.uri)) == token_server.current_access_token


def test_in_a_read_only_folder_nothing_is_sent_and_a_good_token_served(
    frozen: Program, login: Login
) -> None:
    login.write(ENDED)
    with read_only(login.file.parent), untouched(login):
        assert LOCKED in refusal(frozen.bazel(login.uri))
    good = login.write(INSIDE)
    with read_only(login.file.parent), untouched(login):
        answer = frozen.bazel(login.uri)
        assert bearer(answer) == good
        assert LOCKED in warning(answer)
    good = login.write(3600)
    with read_only(login.file.parent), untouched(login):
        answer = frozen.bazel(login.uri)
        assert (bearer(answer), answer.err) == (good, "")


def test_docker_is_told_when_a_login_cannot_be_kept_or_forgotten(
    frozen: Program, home: Home, token_server: TokenServer
) -> None:
    login = OAuthLogin(home, token_server)
    with small_disk(login.file.parent):
        login.write(3600)
        assert frozen.docker("store", {**SAVED, "ServerURL": "kept.example.com"}).code == 0
        fill(login.file.parent)
        with untouched(login):
            assert FULL in docker_refusal(frozen.docker("store", SAVED))
            assert FULL in docker_refusal(frozen.docker("erase", "kept.example.com"))
        with read_only(login.file.parent), untouched(login):
            assert LOCKED in docker_refusal(frozen.docker("store", SAVED))
            assert LOCKED in docker_refusal(frozen.docker("erase", "kept.example.com"))
            assert frozen.docker("erase", "never-stored.example.com").code == 0


def test_a_disk_that_fails_at_any_step_leaves_the_old_store_or_the_new_one(
    frozen: Program, home: Home, tmp_path: Path
) -> None:
    before: dict[str, Any] = {"old.example.com": {"BearerToken": "old"}}
    new = {"BasicHTTP": {"username": "ada", "password": "engine"}}
    shall = {**before, SAVED["ServerURL"]: new}
    assert frozen.docker("store", SAVED).code == 0  # makes what only the first write makes
    store = home.write_rattler(before)
    stepper = Stepper(frozen, SAVE, tmp_path / "strace.log")
    steps = stepper.steps([store.parent])
    failed = 0
    for step in steps:
        home.write_rattler(before)
        answer = stepper.fail_at(step, "EIO")
        if answer.code != 0:
            assert "input/output error" in docker_refusal(answer), step
            failed += 1
        assert home.read_rattler() == (before if answer.code else shall), step
        left = {path.name for path in store.parent.iterdir()}
        assert left <= {store.name, f"{store.name}.lock"}, step
    assert failed >= len({"openat", "write", "fsync", "rename"})


def test_a_store_behind_a_link_stays_behind_it(
    frozen: Program, home: Home, token_server: TokenServer
) -> None:
    login = OAuthLogin(home, token_server)
    login.write(ENDED)
    elsewhere = home.path / "elsewhere/logins.json"
    elsewhere.parent.mkdir()
    login.file.rename(elsewhere)
    login.file.symlink_to("../elsewhere/logins.json")
    assert bearer(frozen.bazel(login.uri)) == login.kept()[0] == token_server.current_access_token
    assert frozen.docker("store", SAVED).code == 0
    assert login.file.is_symlink()
    assert not elsewhere.is_symlink()
    assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o600
    assert {login.key, SAVED["ServerURL"]} == set(json.loads(elsewhere.read_bytes()))


def test_a_store_with_two_names_is_one_store(
    frozen: Program, home: Home, token_server: TokenServer, tmp_path: Path
) -> None:
    login = OAuthLogin(home, token_server)
    login.write(ENDED)
    link = home.path / "link.json"
    link.symlink_to(login.file)
    token_server.delay = 0.5
    calls = []
    for number in range(10):
        for path in (login.file, link):
            env = {"RATTLER_AUTH_FILE": str(path)}
            new = {**SAVED, "ServerURL": f"{path.stem}-{number}"}
            calls.append(Call(("get",), bazel(login.uri).stdin, env))
            calls.append(Call(("docker", "store"), json.dumps(new).encode(), env))
    answers = at_once(frozen, calls, tmp_path / "storm")
    assert {answer.code for answer in answers} == {0}, answers
    assert login.refresh_tokens() == [FIRST]
    assert {bearer(answer) for answer in answers[::2]} == {token_server.current_access_token}
    stored = {f"{name}-{number}" for name in ("credentials", "link") for number in range(10)}
    assert set(home.read_rattler()) == {login.key, *stored}
