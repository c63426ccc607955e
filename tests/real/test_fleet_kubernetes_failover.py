"""Two hundred helpers and Kubernetes: an API server, or its store, is killed while one renews.

Each helper asks one server. Where that is down, its helpers are cut off and the others are not: a
holder has T and G to bring what came, which are what they are for everybody (75 s).
`FLEET_ROUNDS=30` kills at as many random moments.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any

import pytest

from credlatch.errors import CredlatchError
from credlatch.fleet import renewal
from credlatch.fleet.engine import EngineError
from credlatch.fleet.journal import Journal
from credlatch.fleet.kubernetes import KubernetesEngine
from credlatch.fleet.protocol import Protocol
from credlatch.fleet.running import Runner, put
from credlatch.renew import http
from support.flows import REQUEST
from support.kubernetes import server, store
from support.logins import ENDED, FIRST, oauth
from support.program import TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.kubernetes import Kubernetes
    from support.token_server import TokenServer

ROUNDS = int(os.environ.get("FLEET_ROUNDS", "3"))
SEED = int(os.environ.get("FLEET_SEED", "2027"))
HELPERS = 200
LONGEST = 180.0  # seconds that a helper waits, on a busy machine
LOGIN, ACCESS = "team-pypi-login", "team-pypi-access"


class Killable:
    """A server that is killed, and started again.

    Args:
        words: what starts it.
        log: what it says.
    """

    def __init__(self, words: list[str], log: Path) -> None:
        self._words = words
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, where it does not run."""
        if self._process is None:
            with self._log.open("ab") as log:
                env = {"PATH": os.environ["PATH"]}
                self._process = subprocess.Popen(self._words, stdout=log, stderr=log, env=env)

    def kill(self) -> None:
        """As a machine ends that loses its power."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()


class Site:
    """A cluster with two API servers.

    Attributes:
        apis: as each has it.
        victims: by their names: both API servers, and their store.
    """

    def __init__(self, folder: Path) -> None:
        words, etcd = store(folder / "etcd")
        self.victims = {"store": Killable(words, folder / "etcd" / "log")}
        self.apis: list[Kubernetes] = []
        for number in range(2):
            place = folder / f"api-{number}"
            words, api = server(place, etcd, folder / "accounts.pem")
            self.victims[f"server {number}"] = Killable(words, place / "log")
            self.apis.append(api)

    def whole(self) -> None:
        """Start what does not run, and wait until all answer."""
        for each in self.victims.values():
            each.start()
        deadline = time.monotonic() + TIMEOUT
        while not all(api.is_ready() for api in self.apis):
            assert time.monotonic() < deadline
            time.sleep(0.1)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("site"))
    with ExitStack() as stack:
        for api in site.apis:
            stack.enter_context(closing(api))
        for each in site.victims.values():
            stack.callback(each.kill)
        site.whole()
        yield site
        http.close()


class Round:
    """One login that all share, in a namespace of its own, and one moment at which it has ended."""

    def __init__(self, site: Site, server: TokenServer, folder: Path) -> None:
        site.whole()
        self._server = server
        self._folder = folder
        server.delay = 0.8
        api = site.apis[0]
        self._namespace = api.namespace()
        secrets = f"/api/v1/namespaces/{self._namespace}/secrets"
        for name in (LOGIN, ACCESS):
            assert api.ask("POST", secrets, {"metadata": {"name": name}})
        both = ("get", "patch", "watch")
        token = api.account(self._namespace, "renewer", team_pypi_login=both, team_pypi_access=both)
        self._clusters = [each.cluster(self._namespace, token) for each in site.apis]
        for cluster in self._clusters:  # each server has to learn of the role
            _allowed(KubernetesEngine(cluster, LOGIN))
        put(KubernetesEngine(self._clusters[0], LOGIN), oauth(server, ENDED))
        self._pool = ThreadPoolExecutor(HELPERS)

    def begin(self) -> Iterator[dict[str, Any]]:
        """Have all ask; what each comes to."""
        return self._pool.map(self._settled, range(HELPERS))

    def _settled(self, number: int) -> dict[str, Any]:
        cluster = self._clusters[number % len(self._clusters)]
        login, access = (KubernetesEngine(cluster, name) for name in (LOGIN, ACCESS))
        journal = Journal(str(self._folder / f"journal-{number}"))
        runner = Runner(login, access, renewal.sender(REQUEST, "log in"), journal)
        protocol = Protocol(login.place, f"helper {number}", lives=renewal.lives, due=renewal.due())
        began = time.monotonic()
        try:
            settled = runner.run(protocol.settle(LONGEST))
        except CredlatchError as error:
            return {"error": f"{type(error).__name__}: {error}"}
        token = settled.login.entry["OAuth"]["access_token"]
        return {"token": token, "took": time.monotonic() - began}

    @property
    def sent(self) -> list[str]:
        """The refresh tokens that the token server was sent."""
        return [post.form["refresh_token"] for post in self._server.posts("/token") if post.form]

    def is_right(self, answers: list[dict[str, Any]]) -> dict[str, Any]:
        """One request, and the token that came for all; how long it took."""
        self._pool.shutdown()
        assert (self.sent, self._server.replayed) == ([FIRST], [])
        assert len(answers) == HELPERS
        good = self._server.current_access_token
        assert [each for each in answers if each.get("token") != good] == []
        took = sorted(each["took"] for each in answers)
        return {"p50": round(took[len(took) // 2], 2), "max": round(took[-1], 2)}

    def workers_read(self) -> str:
        """The access token on the access path."""
        value = KubernetesEngine(self._clusters[1], ACCESS).read().value
        assert value is not None
        return str(value["access_token"])


def _allowed(engine: KubernetesEngine) -> None:
    deadline = time.monotonic() + TIMEOUT
    while True:
        try:
            engine.read()
        except EngineError:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        else:
            return


@pytest.mark.parametrize("number", range(ROUNDS))
def test_whoever_is_killed_it_costs_time_and_nothing_else(
    site: Site, token_server: TokenServer, tmp_path: Path, number: int
) -> None:
    chance = random.Random(SEED + number)  # noqa: S311 - to be repeated, not to be secret
    # Before, amid and after the request, and at what is written then.
    after = chance.uniform(0.0, 1.2) if number % 3 else chance.uniform(0.75, 0.95)
    name = [*site.victims][number % len(site.victims)]
    this = Round(site, token_server, tmp_path)

    def kill() -> None:
        deadline = time.monotonic() + TIMEOUT
        while not this.sent and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(after)
        site.victims[name].kill()
        time.sleep(chance.uniform(0.5, 4.0))
        site.victims[name].start()

    killer = threading.Thread(target=kill)
    killer.start()
    answers = list(this.begin())
    killer.join()
    told = {"round": number, "killed": name, "after": round(after, 2), **this.is_right(answers)}
    print(json.dumps(told))  # noqa: T201 - what a run at length is for
    site.whole()
    assert this.workers_read() == token_server.current_access_token


def test_without_a_fault_one_asks_and_a_watch_tells_all(
    site: Site, token_server: TokenServer, tmp_path: Path
) -> None:
    this = Round(site, token_server, tmp_path)
    print(json.dumps(this.is_right(list(this.begin()))))  # noqa: T201
    assert this.workers_read() == token_server.current_access_token
