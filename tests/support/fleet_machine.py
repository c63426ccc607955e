"""One machine of a fleet, as a process: helpers in threads, each with a connection of its own.

What it is told comes on standard input, a JSON object a line; for each line, one is answered.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from credlatch.fleet.engine import Engine

ROOT = Path(__file__).resolve().parents[2]


class Machine:
    """The process; see ``main`` for what it is told."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process

    def tell(self, **said: Any) -> None:
        """Have it begin."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(said).encode() + b"\n")
        self.process.stdin.flush()

    def answers(self) -> list[dict[str, Any]]:
        """What its helpers have come to, once all have."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "it has ended"
        found: list[dict[str, Any]] = json.loads(line)
        return found

    def send(self, number: signal.Signals) -> None:
        """Suspend it, let it go on, or kill it."""
        self.process.send_signal(number)
        if number == signal.SIGKILL:
            self.process.wait()


@contextmanager
def machine(home: Path) -> Iterator[Machine]:
    """A machine with a home of its own."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    env = {
        "HOME": str(home), "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join((str(ROOT / "helper"), str(ROOT / "tests"))),
    }  # fmt: skip
    words = [sys.executable, "-m", "support.fleet_machine"]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, env=env, stdin=pipe, stdout=pipe, cwd=home) as process:
        try:
            yield Machine(process)
        finally:
            process.kill()


def main() -> None:
    """Answer what is told, line by line.

    ``urls``, ``token``, ``mount``, ``login``, ``access``: the engine's; or, instead of a mount,
    ``namespace`` and ``authority``, and it is Kubernetes. ``helpers``: how many.
    ``claim``, ``grace``: T and G. ``seconds``: that each waits. ``hold``: what the process does to
    itself, as what step begins: SIGKILL or SIGSTOP.
    """
    for line in sys.stdin:
        said = json.loads(line)
        with ThreadPoolExecutor(said["helpers"]) as helpers:
            answers = list(helpers.map(partial(_settled, said), range(said["helpers"])))
        print(json.dumps(answers), flush=True)  # noqa: T201 - it is what is read


def _settled(said: dict[str, Any], number: int) -> dict[str, Any]:
    """What one helper comes to."""
    from credlatch.errors import CredlatchError
    from credlatch.fleet import renewal
    from credlatch.fleet.journal import Journal
    from credlatch.fleet.protocol import Protocol
    from credlatch.fleet.running import Runner
    from credlatch.fleet.timing import Timing
    from support.flows import REQUEST

    login, access = engines(said, number)
    journal = Journal(f"{os.environ['HOME']}/journal")
    timing = Timing(claim=said["claim"], grace=said["grace"])
    runner = Runner(login, access, _holding(said, renewal.sender(REQUEST, "log in")), journal)
    protocol = Protocol(
        login.place, f"{os.environ['HOME']} {number}", lives=renewal.lives, due=renewal.due(),
        timing=timing,
    )  # fmt: skip
    began = time.monotonic()
    try:
        settled = runner.run(protocol.settle(said["seconds"]))
    except CredlatchError as error:
        return {"error": str(error), "kind": type(error).__name__, "took": time.monotonic() - began}
    return {
        "token": settled.login.entry["OAuth"]["access_token"], "ours": settled.is_ours,
        "took": time.monotonic() - began,
    }  # fmt: skip


def engines(said: dict[str, Any], number: int = 0) -> tuple[Engine, Engine]:
    """The login's engine, and the access token's, as a machine is told of them."""
    from credlatch.auth.tls import Tls
    from credlatch.credential import Secret
    from credlatch.fleet.access import Access, Given
    from credlatch.fleet.cluster import Cluster
    from credlatch.fleet.kubernetes import KubernetesEngine
    from credlatch.fleet.kv import KvEngine
    from credlatch.fleet.server import Server

    urls, token = said["urls"], Secret(said["token"])
    first = number % len(urls)
    if "namespace" in said:
        tls = Tls(pem=said["authority"])
        cluster = Cluster(urls[first], tls, lambda: token, said["namespace"], "the test")
        return KubernetesEngine(cluster, said["login"]), KubernetesEngine(cluster, said["access"])
    server = Server((*urls[first:], *urls[:first]))
    who = Access(server, Given("the test", lambda: token))
    login = KvEngine(server, who, said["mount"], said["login"])
    return login, KvEngine(server, who, said["mount"], said["access"])


def _holding(said: dict[str, Any], send: Any) -> Any:
    """What sends, and what the process does to itself amid that, or after it.

    Before its request: when all has been judged, and a name is being looked up, or hands shaken.
    """
    when, name = said.get("hold") or ("", "")

    def sent(*asked: Any) -> Any:
        from credlatch.renew import exchange

        os.kill(os.getpid(), getattr(signal, name))
        exchange.exchange = exchanged
        return exchanged(*asked)

    def held(step: Any) -> Any:
        fresh = send(step)
        os.kill(os.getpid(), getattr(signal, name))
        return fresh

    if when == "before":
        from credlatch.renew import exchange

        exchanged = exchange.exchange
        exchange.exchange = sent  # type: ignore[assignment]
    return held if when == "after" else send


if __name__ == "__main__":
    main()
