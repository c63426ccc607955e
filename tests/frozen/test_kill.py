"""Killed at whatever moment, a call leaves every store whole: as it was, or with all of the new.

Kills spread over the life of a call; and one at each step of a write.
"""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING, Any

import pytest

from support.kills import KILLED, MOST, Killer, Phase, hunt, notes_of, tidy
from support.logins import ENDED, OAuthLogin, PyxLogin, age_notes, bearer, claims, oauth, refusal
from support.steps import Stepper
from support.storm import Call, bazel

if TYPE_CHECKING:
    from pathlib import Path

    from support.home import Home
    from support.program import Program
    from support.token_server import TokenServer

STORE_KILLS, RENEWAL_KILLS = 30, 10  # by each killer
ENTRIES = 1000  # of a store, so that writing it takes a while
SETTLED = 11.0  # seconds after which a renewal that was cut off is taken up again
DAY = 86_400.0
SAVED = {"ServerURL": "registry.example.com", "Username": "ada", "Secret": "engine"}


def basic(password: str) -> dict[str, Any]:
    return {"BasicHTTP": {"username": "ada", "password": password}}


def logins(count: int) -> dict[str, Any]:
    """A store with many logins in it."""
    return {f"registry-{number}.example.com": basic(f"old-{number}") for number in range(count)}


def save(key: str, password: str) -> Call:
    """``docker login``."""
    login = {**SAVED, "ServerURL": key, "Secret": password}
    return Call(("docker", "store"), json.dumps(login).encode())


def erase(key: str) -> Call:
    """``docker logout``."""
    return Call(("docker", "erase"), key.encode())


def whole(store: Path) -> dict[str, Any]:
    """What a store holds; it is complete, and its owner's alone."""
    assert stat.S_IMODE(store.stat().st_mode) == 0o600
    content: dict[str, Any] = json.loads(store.read_bytes())
    return content


class Changes:
    """Logins stored and erased in one store."""

    def __init__(self, killer: Killer) -> None:
        self._killer = killer
        self._content = logins(ENTRIES)
        self._store = killer.home.write_rattler(self._content)
        killer.calibrate([save("registry-0.example.com", "old-0")] * 5)

    def play(self, number: int) -> bool:
        before = self._content
        assert whole(self._store) == before
        if number % 3 == 0:
            key = self._killer.random.choice([*before])
            call, shall = erase(key), {k: v for k, v in before.items() if k != key}
        else:
            key = self._killer.random.choice([*before, f"fresh-{number}.example.com"])
            call, shall = save(key, f"new-{number}"), {**before, key: basic(f"new-{number}")}

        def changed() -> bool:
            self._content = whole(self._store)
            assert self._content in (before, shall)
            return self._content == shall

        self._killer.kill(call, self._store, changed)
        return True

    def finish(self) -> None:
        assert self._killer.call(save("last.example.com", "last")).code == 0
        assert whole(self._store) == {**self._content, "last.example.com": basic("last")}
        assert tidy(self._store)


def test_a_store_is_whole_wherever_a_store_or_erase_is_killed(folder: Path, tmp_path: Path) -> None:
    hunt(folder, tmp_path, STORE_KILLS, Changes)


class Renewals:
    """Expired logins in one store, each renewed once."""

    def __init__(self, killer: Killer, server: TokenServer) -> None:
        self._killer = killer
        self._server = server
        names = [f"h{number}.example.com" for number in range(MOST)]
        self._logins = [OAuthLogin(killer.home, server, name) for name in names]
        content = logins(50)
        for number, name in enumerate(names):
            content[name] = oauth(server, ENDED, self._refresh(number))
        self._store = killer.home.write_rattler(content)
        killer.calibrate(bazel(login.uri) for login in self._logins[-5:])
        self._cut_off: list[int] = []

    def _refresh(self, number: int) -> str:
        return f"refresh-{self._killer.number}-{number}"

    def _sent(self, number: int) -> int:
        return self._logins[0].refresh_tokens().count(self._refresh(number))

    def play(self, number: int) -> bool:
        login, before = self._logins[number], whole(self._store)

        def changed() -> bool:
            return self._renewed(before, login.key)

        phase = self._killer.kill(bazel(login.uri), self._store, changed)
        after = self._killer.call(bazel(login.uri))
        if after.code == 0:
            assert changed()
            assert bearer(after) == login.kept()[0]
            assert self._sent(number) == 1
        else:
            assert phase is Phase.BEFORE
            assert "cut off" in refusal(after)
            assert whole(self._store) == before
            assert self._sent(number) <= 1
            self._cut_off.append(number)
        return bool(self._cut_off)

    def _renewed(self, before: dict[str, Any], key: str) -> bool:
        """Whether an entry is the server's newest; else it is the old one. No other has changed."""
        found = whole(self._store)
        old, new = before[key]["OAuth"], found[key]["OAuth"]
        assert {**found, key: None} == {**before, key: None}
        if new == old:
            return False
        said = claims(new["access_token"])
        assert said["n"] > 0
        assert abs(new["expires_at"] - said["exp"]) <= 2
        refresh = f"rotated-{said['n']}" if self._server.rotate else old["refresh_token"]
        fresh = {name: new[name] for name in ("access_token", "expires_at")}
        assert new == {**old, **fresh, "refresh_token": refresh}
        return True

    def finish(self) -> None:
        """What was cut off is taken up again, once its server has had time to act on it."""
        age_notes(self._killer.home, SETTLED)
        for number in self._cut_off:
            login = self._logins[number]
            lost = (
                self._server.rotate and self._sent(number) > 0
            )  # with the answer that was cut off
            answer = self._killer.call(bazel(login.uri))
            if lost:
                assert "log in again" in refusal(answer)
            else:
                assert bearer(answer) == login.kept()[0] == self._token(login)
        assert tidy(self._store)

    def _token(self, login: OAuthLogin) -> str:
        return str(whole(self._store)[login.key]["OAuth"]["access_token"])


@pytest.mark.parametrize("rotate", [True, False], ids=["rotating", "lasting"])
def test_a_login_is_old_or_new_wherever_its_renewal_is_killed_and_not_sent_twice(
    folder: Path, tmp_path: Path, token_server: TokenServer, rotate: bool
) -> None:
    token_server.rotate = rotate
    token_server.delay = 0.05  # so that kills fall between a request and its answer

    def prepare(killer: Killer) -> Renewals:
        return Renewals(killer, token_server)

    hunt(folder, tmp_path, RENEWAL_KILLS, prepare)


class PyxRenewals:
    """Logins of pyx, one after the other."""

    def __init__(self, killer: Killer, server: TokenServer) -> None:
        self._killer = killer
        self._login = PyxLogin(killer.home, server)
        killer.calibrate(self._expired(f"calibration-{number}") for number in range(5))

    def _expired(self, name: str) -> Call:
        self._old = (self._login.write(ENDED, f"{self._killer.number}-{name}"), name)
        return bazel(self._login.uri)

    def play(self, number: int) -> bool:
        refresh = f"refresh-{self._killer.number}-{number}"
        old = (self._login.write(ENDED, refresh), refresh)
        call = bazel(self._login.uri)

        def changed() -> bool:
            access, next_refresh = self._login.kept()
            new = (access, f"rotated-{claims(access)['n']}")
            assert (access, next_refresh) in (old, new)
            return (access, next_refresh) == new

        self._killer.kill(call, self._login.file, changed)
        age_notes(self._killer.home, DAY)
        after = self._killer.call(call)
        if after.code == 0:
            assert changed()
            assert bearer(after) == self._login.kept()[0]
        else:
            assert "log in again" in refusal(after)
            assert not changed()
        assert self._login.refresh_tokens().count(refresh) <= 1
        return True

    def finish(self) -> None:
        assert bearer(self._killer.call(self._expired("last"))) == self._login.kept()[0]
        assert tidy(self._login.file)


def test_a_pyx_refresh_token_is_never_sent_again_wherever_its_renewal_is_killed(
    folder: Path, tmp_path: Path, token_server: TokenServer
) -> None:
    token_server.delay = 0.05

    def prepare(killer: Killer) -> PyxRenewals:
        return PyxRenewals(killer, token_server)

    hunt(folder, tmp_path, RENEWAL_KILLS, prepare)
    assert token_server.replayed == []


def test_a_store_is_whole_when_killed_at_each_step_of_a_write(
    frozen: Program, home: Home, tmp_path: Path
) -> None:
    before = logins(5)
    shall = {**before, "new.example.com": basic("new")}
    assert frozen.docker("store", SAVED).code == 0  # makes what only the first write makes
    store = home.write_rattler(before)
    stepper = Stepper(frozen, save("new.example.com", "new"), tmp_path / "strace.log")
    steps = stepper.steps([store.parent])
    assert {"write", "fsync", "renameat"} <= {step.name for step in steps}
    left = []
    for step in (each for each in steps if each.changes):
        home.write_rattler(before)
        assert stepper.kill_at(step).code == KILLED, step
        left.append(whole(store))
        assert left[-1] in (before, shall), step
        assert frozen.docker("get", "registry-0.example.com").json()["Secret"] == "old-0"
    # First the old content, then, from the rename on, the new.
    assert left == sorted(left, key=lambda content: content == shall)
    assert left[0] == before
    assert left[-1] == shall


def test_a_login_is_old_or_new_when_killed_at_each_step_of_a_renewal(
    frozen: Program, home: Home, token_server: TokenServer, tmp_path: Path
) -> None:
    login = OAuthLogin(home, token_server)
    login.write(ENDED, "first")
    assert frozen.bazel(login.uri).code == 0
    notes = notes_of(login.file)
    login.write(ENDED, "second")
    stepper = Stepper(frozen, bazel(login.uri), tmp_path / "strace.log")
    steps = stepper.steps([login.file.parent])
    outcomes = set()
    for number, step in enumerate(each for each in steps if each.changes):
        notes.unlink(missing_ok=True)
        refresh = f"refresh-{number}"
        old = (login.write(ENDED, refresh), refresh)
        assert stepper.kill_at(step).code == KILLED, step
        kept = login.kept()
        if kept != old:
            assert kept[1] == f"rotated-{claims(kept[0])['n']}", step
        after = frozen.bazel(login.uri)
        sent = login.refresh_tokens().count(refresh)
        assert sent <= 1, step
        if after.code != 0:
            assert "cut off" in refusal(after), step
        outcomes.add((kept != old, after.code, sent))
    # Not sent and free to be; sent, and the answer lost; kept.
    assert outcomes >= {(False, 0, 1), (False, 1, 1), (True, 0, 1)}
    assert token_server.replayed == []
