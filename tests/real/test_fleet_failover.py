"""Two hundred helpers on four machines, and three servers that agree: the leader is killed.

`FLEET_ROUNDS=30` kills it at as many random moments; `./dev fleet` does.
"""

from __future__ import annotations

import json
import os
import random
import threading
import time
from functools import partial
from typing import TYPE_CHECKING

import pytest

from credlatch.credential import Secret
from credlatch.fleet.access import Access, Given, approle
from credlatch.fleet.kv import KvEngine
from credlatch.fleet.running import put
from credlatch.fleet.server import Server
from support.family_server import FamilyServer
from support.fleet_round import HELPERS, MACHINES, G, Round, T, ended, of_openbao, times
from support.openbao import Bao, cluster
from support.program import TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from credlatch.fleet.access import Login
    from support.fleet_machine import Machine

ROUNDS = int(os.environ.get("FLEET_ROUNDS", "3"))
SEED = int(os.environ.get("FLEET_SEED", "2027"))


@pytest.fixture(scope="module")
def bao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bao]:
    with cluster(tmp_path_factory.mktemp("cluster")) as bao:
        bao.furnish()
        yield bao


@pytest.fixture
def server() -> Iterator[FamilyServer]:
    with FamilyServer() as server:
        yield server


def _round(bao: Bao, server: FamilyServer, number: int) -> Round:
    this = Round(of_openbao(bao, number), server)
    bao.settled(f"fleet/data/{this.said['login']}")
    return this


@pytest.mark.parametrize("number", range(ROUNDS))
def test_a_leader_that_is_killed_costs_time_and_nothing_else(
    bao: Bao, server: FamilyServer, machines: list[Machine], number: int
) -> None:
    chance = random.Random(SEED + number)  # noqa: S311 - to be repeated, not to be secret
    bao.whole()
    leader = bao.leader()
    this = _round(bao, server, number)
    # From the claim on: before, amid and after the request, and at what is written then.
    after = chance.uniform(0.0, 1.2) if number % 3 else chance.uniform(0.75, 0.95)
    early = number % 5 == 4  # amid the claims themselves

    def kill() -> None:
        if not early:
            server.asked.wait(TIMEOUT)
        time.sleep(after)
        leader.kill()

    killer = threading.Thread(target=kill)
    this.begin(machines)
    killer.start()
    answers = ended(machines)
    killer.join()
    told = {"round": number, "killed": round(after, 2), "early": early, "posts": this.posts,
            "reused": server.reused, "p50, max": times(answers)}  # fmt: skip
    print(json.dumps(told))  # noqa: T201 - what a run at length is for
    assert (this.posts, server.reused) == (1, 0)
    this.all_are_right(answers, MACHINES * HELPERS)
    bao.whole()
    assert this.access()["access_token"] in server.good


def test_without_a_fault_one_asks_and_all_have_it(
    bao: Bao, server: FamilyServer, machines: list[Machine]
) -> None:
    bao.whole()
    this = _round(bao, server, 100)
    this.begin(machines)
    answers = ended(machines)
    print(json.dumps({"posts": this.posts, "p50, max": times(answers)}))  # noqa: T201
    assert (this.posts, server.reused) == (1, 0)
    this.all_are_right(answers, MACHINES * HELPERS)
    assert this.access()["access_token"] in server.good


def test_what_came_while_all_servers_were_gone_is_kept_when_they_are_back(
    bao: Bao, server: FamilyServer, machines: list[Machine]
) -> None:
    """For longer than a claim stands."""
    bao.whole()
    server.takes = 2.0
    this = _round(bao, server, 104)
    this.begin(machines)
    assert server.asked.wait(TIMEOUT)
    for node in bao.nodes:
        node.kill()
    time.sleep(T + G + 2)
    for node in bao.nodes:
        node.start()
    answers = ended(machines)
    assert (this.posts, server.reused) == (1, 0)
    this.all_are_right(answers, MACHINES * HELPERS)


def _engine(urls: tuple[str, ...], who: Login | Given, path: str) -> KvEngine:
    server = Server(urls)
    return KvEngine(server, Access(server, who), "fleet", path)


def test_what_a_standby_does_not_know_yet_its_leader_is_asked(bao: Bao) -> None:
    """One that has just come back knows neither the secret, nor who may read it."""
    bao.whole()
    leader = bao.leader()
    standby = next(node for node in bao.nodes if node is not leader)
    root = Given("the test", lambda: Secret(bao.token))
    for number in range(3):
        path = f"login/ci/young-{number}"
        standby.kill()
        for each in range(30):
            put(_engine((leader.url,), root, f"{path}-{each}"), {"OAuth": {}})
        ident, secret = bao.approle("renewer")
        put(_engine((leader.url,), root, path), {"OAuth": {"refresh_token": "r"}})
        bao.whole()
        who = approle(ident, partial(Secret, secret), "the test")
        value = _engine((standby.url, leader.url), who, path).read().value
        assert value is not None
        assert value["entry"] == {"OAuth": {"refresh_token": "r"}}


def test_where_one_address_stands_for_all_a_moment_later_does(bao: Bao) -> None:
    bao.whole()
    leader = bao.leader()
    standby = next(node for node in bao.nodes if node is not leader)
    root = Given("the test", lambda: Secret(bao.token))
    put(_engine((leader.url,), root, "login/ci/first"), {"OAuth": {}})
    bao.settled("fleet/data/login/ci/first")  # the mount is known
    for number in range(5):
        path = f"login/ci/just-now-{number}"
        put(_engine((leader.url,), root, path), {"OAuth": {}})
        assert _engine((standby.url,), root, path).read().value is not None
