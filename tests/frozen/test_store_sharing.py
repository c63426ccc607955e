"""Other tools write the same stores meanwhile, or hold their locks: what they leave counts."""

from __future__ import annotations

import fcntl
import json
import shutil
import subprocess
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import pytest

from support.logins import (
    ENDED,
    FIRST,
    INSIDE,
    Login,
    OAuthLogin,
    PyxLogin,
    bearer,
    refusal,
    warning,
)
from support.program import IN_TIME, TIMEOUT, Answer
from support.storm import at_once, bazel
from support.waiting import asking

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support.home import Home
    from support.program import Program
    from support.token_server import TokenServer

VALID = 3600  # seconds left of a token that is not to be renewed
OTHER = {"BasicHTTP": {"username": "ada", "password": "of another tool"}}


def answer_of(process: subprocess.Popen[bytes]) -> Answer:
    out, err = process.communicate(timeout=TIMEOUT)
    return Answer(process.returncode, out, err.decode())


def while_renewing(program: Program, login: Login, act: Callable[[], object]) -> Answer:
    """Do something between the request to the token server and its answer."""
    login.write(ENDED)
    with asking(program, bazel(login.uri).stdin) as process:
        with login.server.paused():
            while process.poll() is None and not login.refresh_tokens():
                time.sleep(0.01)
            act()
        answer = answer_of(process)
    assert login.refresh_tokens() == [FIRST]
    return answer


def rewrite(home: Home, change: Callable[[dict[str, object]], object]) -> None:
    """Change the store as rattler does: without a lock, by a new file in the old one's place."""
    entries = home.read_rattler()
    change(entries)
    aside = home.write(".rattler/rattlers-own.tmp", json.dumps(entries))
    aside.replace(home.path / ".rattler/credentials.json")


def test_an_entry_that_another_tool_writes_during_a_renewal_is_kept(
    frozen: Program, home: Home, login: OAuthLogin, token_server: TokenServer
) -> None:
    def log_in_elsewhere() -> None:
        rewrite(home, lambda entries: entries.update({"other.example.com": OTHER}))

    answer = while_renewing(frozen, login, log_in_elsewhere)
    assert bearer(answer) == login.kept()[0] == token_server.current_access_token
    assert home.read_rattler()["other.example.com"] == OTHER


def test_an_entry_that_another_tool_removes_during_a_renewal_stays_removed(
    frozen: Program, home: Home, login: OAuthLogin, token_server: TokenServer
) -> None:
    home.write_rattler({"other.example.com": OTHER})
    answer = while_renewing(
        frozen, login, lambda: rewrite(home, lambda entries: entries.pop("other.example.com"))
    )
    assert bearer(answer) == token_server.current_access_token
    assert set(home.read_rattler()) == {login.key}


def test_a_new_login_during_a_renewal_counts(frozen: Program, each_login: Login) -> None:
    newest = []

    def log_in() -> None:
        newest.append(each_login.write(VALID, "of the new login"))

    assert [bearer(while_renewing(frozen, each_login, log_in))] == newest
    assert each_login.kept() == (newest[0], "of the new login")


def test_a_logout_during_a_renewal_counts(frozen: Program, home: Home, login: OAuthLogin) -> None:
    answer = while_renewing(
        frozen, login, lambda: rewrite(home, lambda entries: entries.pop(login.key))
    )
    assert "log in again" in refusal(answer)
    assert home.read_rattler() == {}


@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_store_that_is_removed_during_a_renewal_is_a_clear_error_and_stays_removed(
    frozen: Program,
    each_login: Login,
    what: str,
) -> None:

    def remove() -> None:
        if what == "file":
            each_login.file.unlink()
        else:
            shutil.rmtree(each_login.file.parent)

    assert str(each_login.file) in refusal(while_renewing(frozen, each_login, remove))
    assert not each_login.file.exists()


@contextmanager
def locked(login: Login) -> Iterator[Path]:
    """The lock of a login's store, held by somebody else."""
    suffix = "" if isinstance(login, PyxLogin) else ".json"
    path = login.file.with_suffix(f"{suffix}.lock")
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield path


def test_a_lock_that_somebody_keeps_is_named_in_time_and_a_good_token_served_at_once(
    frozen: Program, home: Home, token_server: TokenServer, tmp_path: Path
) -> None:
    home.env["CREDLATCH_TIMEOUT"] = "9"  # as without it
    logins: list[Login] = [OAuthLogin(home, token_server), PyxLogin(home, token_server)]
    calls = [bazel(login.uri) for login in logins]
    with ExitStack() as stack:
        for login in logins:
            login.write(ENDED)
        locks = [stack.enter_context(locked(login)) for login in logins]
        expired = at_once(frozen, calls, tmp_path / "expired")
        for answer, lock in zip(expired, locks, strict=True):
            assert f"{lock} " in refusal(answer)
            assert answer.seconds < IN_TIME
        good = [login.write(INSIDE) for login in logins]
        served = at_once(frozen, calls, tmp_path / "good")
        for answer, token, lock in zip(served, good, locks, strict=True):
            assert bearer(answer) == token
            assert f"{lock} " in warning(answer)
            assert answer.seconds < min(each.seconds for each in expired)
        valid = [login.write(VALID) for login in logins]
        at_ease = [frozen.bazel(login.uri) for login in logins]
        assert [(bearer(answer), answer.err) for answer in at_ease] == [(t, "") for t in valid]
    assert token_server.requests == []


def test_what_the_holder_of_the_lock_has_renewed_is_taken_and_not_renewed_again(
    frozen: Program,
    token_server: TokenServer,
    each_login: Login,
) -> None:
    each_login.write(ENDED)
    with ExitStack() as stack:
        lock = stack.enter_context(ExitStack())
        lock.enter_context(locked(each_login))
        process = stack.enter_context(asking(frozen, bazel(each_login.uri).stdin))
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1.0)  # it waits for the lock
        fresh = each_login.write(VALID, "of the other tool")
        lock.close()
        answer = answer_of(process)
    assert bearer(answer) == fresh
    assert answer.json()["expires"] == each_login.asks_again()
    assert token_server.requests == []
