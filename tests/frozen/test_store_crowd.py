"""Many who store at once, and one who keeps the lock: all are served, and nothing is lost."""

from __future__ import annotations

import fcntl
import json
import signal
import subprocess
import threading
import time
from typing import TYPE_CHECKING

from support.program import TIMEOUT
from support.storm import Call, at_once

if TYPE_CHECKING:
    from pathlib import Path

    from support.home import Home
    from support.program import Program

CROWD = 50
LONG = 11.0  # seconds: more than Bazel, and what has a deadline inside it, would wait


def login(key: str) -> bytes:
    return json.dumps({"ServerURL": key, "Username": "ada", "Secret": "engine"}).encode()


def test_50_stores_at_once_are_all_kept(home: Home, frozen: Program, tmp_path: Path) -> None:
    keys = [f"r{number}.example" for number in range(CROWD)]
    calls = [Call(("docker", "store"), login(key)) for key in keys]
    answers = at_once(frozen, calls, tmp_path / "calls")
    assert [each.err for each in answers if each.code] == []
    assert sorted(home.read_rattler()) == sorted(keys)


def test_a_store_waits_for_longer_than_a_call_may_take(home: Home, frozen: Program) -> None:
    home.write_rattler({})
    home.env["CREDLATCH_TIMEOUT"] = "9"  # as without it
    with open(home.path / ".rattler/credentials.json.lock", "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        release = threading.Timer(LONG, fcntl.flock, (lock, fcntl.LOCK_UN))
        release.start()
        begin = time.monotonic()
        for action, stdin in (("store", login("r.example")), ("erase", b"r.example")):
            assert frozen("docker", action, stdin=stdin) == (0, b"", "")
        assert time.monotonic() - begin >= LONG
        release.join()
    assert home.read_rattler() == {}


def test_who_waits_for_a_lock_ends_at_ctrl_c(home: Home, frozen: Program) -> None:
    home.write_rattler({})
    with open(home.path / ".rattler/credentials.json.lock", "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with subprocess.Popen(
            [*frozen.command, "docker", "store"],
            env=home.env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as waiting:
            assert waiting.stdin is not None
            waiting.stdin.write(login("r.example"))
            waiting.stdin.close()
            waiting.stdin = None
            time.sleep(3)
            assert waiting.poll() is None
            waiting.send_signal(signal.SIGINT)
            _, err = waiting.communicate(timeout=TIMEOUT)
    assert waiting.returncode != 0
    assert b"Traceback" not in err
    assert home.read_rattler() == {}
