"""The source for workers: the access path is read, once for all who ask, and nothing else is."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from credlatch import request as requests
from credlatch import url as urls
from credlatch.caller import Caller
from credlatch.errors import RenewalError, StoreError
from credlatch.fleet import opening
from credlatch.fleet.engine import Engine, EngineDownError, EngineError, Found
from credlatch.resolve import Resolution, Resolver
from credlatch.shared_cache import SharedCache

if TYPE_CHECKING:
    from pathlib import Path

HOST = "pypi.example.com"
ROW = f"""
[[fleet]]
url = "https://{HOST}/"
address = "https://bao.example.com:8200"
access = "access/ci/pypi"
"""
PLACE = "fleet/access/ci/pypi of https://bao.example.com:8200"


class FakeEngine(Engine):
    """What is there, and how often it was read."""

    place = PLACE

    def __init__(self) -> None:
        self.found = Found(None, "", None)
        self.failure: EngineError | None = None
        self.paths: list[str] = []
        self.after_wait: Found | None = None
        self.reading = 0.0
        self.waits: list[float] = []
        self.read_out: list[Found] = []  # what reads have given, when they did

    def has(self, token: str, lasts: float | None = 3600.0, **more: Any) -> None:
        ends = None if lasts is None else int(time.time() + lasts)
        value = {"access_token": token, "expires_at": ends, "gen": 1, **more}
        self.found = Found(value, "1", 0.0)

    def read(self) -> Found:
        time.sleep(self.reading)
        if self.failure is not None:
            raise self.failure
        self.read_out.append(self.found)
        return self.found

    def wait(self, version: str, timeout: float) -> None:
        assert version == self.found.version
        self.waits.append(timeout)
        if self.after_wait is not None:
            self.found = self.after_wait
        else:
            time.sleep(min(timeout, 0.1))


class Worker:
    """A machine with a row, whose calls share what one process keeps."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.shared: SharedCache | None = SharedCache()
        self.environ = {"HOME": str(folder), "CREDLATCH_TIMEOUT": "3", "BAO_TOKEN": "one"}
        self.warnings: list[str] = []
        self.write(ROW)

    def write(self, text: str) -> None:
        place = self.folder / ".config/credlatch"
        place.mkdir(parents=True, exist_ok=True)
        (place / "fleet.toml").write_text(text)

    def asks(self, url: str = f"https://{HOST}/simple/") -> Resolution | None:
        caller = Caller(self.environ, str(self.folder), self.shared)
        try:
            return Resolver(caller).resolve(requests.for_url(urls.parse(url)))
        finally:
            self.warnings = caller.warnings

    def token(self) -> str:
        resolution = self.asks()
        assert resolution is not None
        assert resolution.store == "fleet"
        return resolution.credential.headers()["Authorization"]


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    fake = FakeEngine()

    def opened(_meant: object, path: str, _caller: object) -> FakeEngine:
        fake.paths.append(path)
        return fake

    monkeypatch.setattr(opening, "opened", opened)
    return fake


@pytest.fixture
def worker(tmp_path: Path) -> Worker:
    return Worker(tmp_path)


def test_a_worker_reads_the_access_path_alone(worker: Worker, engine: FakeEngine) -> None:
    worker.write(ROW + 'login = "login/ci/pypi"\n')
    engine.has("t")
    assert worker.token() == "Bearer t"
    assert engine.paths == ["access/ci/pypi"]


def test_what_is_kept_is_read_no_second_time(worker: Worker, engine: FakeEngine) -> None:
    engine.has("t")
    engine.reading = 0.2
    threads = [threading.Thread(target=worker.token) for _ in range(20)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert worker.token() == "Bearer t"
    assert len(engine.paths) == 1


def test_the_end_that_is_told_is_by_this_machine_s_clock(
    worker: Worker, engine: FakeEngine
) -> None:
    engine.has("t", 3600)
    ends = engine.found.value["expires_at"] if engine.found.value else 0
    engine.found = engine.found._replace(ahead=600.0)
    found = worker.asks()
    assert found is not None
    assert found.entry.expires == ends + 600
    engine.found = engine.found._replace(ahead=0.9)
    worker.shared = None
    found = worker.asks()
    assert found is not None
    assert found.entry.expires == ends


def test_a_clock_that_is_behind_has_no_ended_token_served(
    worker: Worker, engine: FakeEngine
) -> None:
    engine.has("t", 300)
    engine.found = engine.found._replace(ahead=-600.0)
    with pytest.raises(RenewalError, match="ended at"):
        worker.asks()


def test_nobody_waits_while_the_old_token_lives(worker: Worker, engine: FakeEngine) -> None:
    engine.has("t", 100)
    assert worker.token() == "Bearer t"
    engine.failure = EngineDownError("fleet/… at https://bao.example.com:8200 is sealed: unseal it")
    began = time.monotonic()
    assert [worker.token() for _ in range(50)] == ["Bearer t"] * 50
    assert time.monotonic() - began < 3.0
    assert engine.waits == []


def test_an_engine_that_hangs_is_not_waited_for_while_the_token_lives(
    worker: Worker, engine: FakeEngine
) -> None:
    engine.has("old", 100)
    assert worker.token() == "Bearer old"
    assert worker.shared is not None
    (kept,) = [each for each in worker.shared.tokens._tokens.values() if each.fresh is not None]

    def is_due() -> None:
        kept.fetched -= 10_000
        kept._notes.clear()

    is_due()
    engine.reading = 4.0
    engine.has("new")
    began = time.monotonic()
    assert worker.token() == "Bearer old"
    assert time.monotonic() - began < 3.5
    # What it has said in the end counts from then on.
    deadline = time.monotonic() + 30.0
    while len(engine.read_out) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    engine.reading = 0.0
    is_due()
    assert worker.token() == "Bearer new"


def test_an_ended_token_is_waited_for_and_the_next_one_served(
    worker: Worker, engine: FakeEngine
) -> None:
    engine.has("new")
    engine.after_wait = engine.found
    engine.has("old", -5)
    assert worker.token() == "Bearer new"
    assert len(engine.waits) == 1


def test_without_a_renewer_the_call_ends_in_time_and_says_so(
    worker: Worker, engine: FakeEngine
) -> None:
    engine.has("old", -5)
    began = time.monotonic()
    with pytest.raises(RenewalError, match=r"nobody has renewed it: see the log of `credlatch f"):
        worker.asks()
    assert time.monotonic() - began < 5.0


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        (None, "nothing is in fleet/access/ci/pypi of .* `credlatch login --fleet https://pypi"),
        ({}, "has no access_token"),
        ({"access_token": ""}, "has no access_token"),
        ({"access_token": 7}, "has no access_token"),
        ({"access_token": "s3cret", "expires_at": "soon"}, "an expires_at that is no number"),
        ({"access_token": "s3c\nret", "expires_at": None}, "a token that no header can carry"),
    ],
)
def test_what_is_no_access_token_is_told_without_it(
    worker: Worker, engine: FakeEngine, value: dict[str, Any] | None, complaint: str
) -> None:
    engine.found = Found(value, "1", 0.0)
    with pytest.raises((StoreError, RenewalError), match=complaint) as failure:
        worker.asks()
    assert "s3c" not in str(failure.value)


def test_what_an_engine_refuses_is_the_answer(worker: Worker, engine: FakeEngine) -> None:
    engine.failure = EngineError("permission denied at the engine: its policy has to grant it")
    with pytest.raises(RenewalError, match=r"^permission denied at the engine"):
        worker.asks()


def test_a_login_of_this_machine_s_own_comes_first(worker: Worker, engine: FakeEngine) -> None:
    (worker.folder / ".netrc").write_text(f"machine {HOST} login u password p\n")
    (worker.folder / ".netrc").chmod(0o600)
    found = worker.asks()
    assert found is not None
    assert found.store == "netrc"
    assert engine.paths == []


def test_other_hosts_are_none_of_it(worker: Worker, engine: FakeEngine) -> None:
    assert worker.asks("https://other.example.com/") is None
    assert worker.asks(f"https://{HOST}:8443/") is None
    assert engine.paths == []


def test_another_caller_s_login_to_the_engine_is_another_token(
    worker: Worker, engine: FakeEngine
) -> None:
    engine.has("t")
    assert worker.token() == "Bearer t"
    worker.environ["BAO_TOKEN"] = "two"
    assert worker.token() == "Bearer t"
    assert len(engine.paths) == 2
