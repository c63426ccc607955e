"""Kubernetes' Secrets as a fleet's engine, with the real API server, its store and its roles."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from typing import TYPE_CHECKING

import pytest

from credlatch.auth.tls import Tls
from credlatch.credential import Secret
from credlatch.fleet.cluster import Cluster
from credlatch.fleet.engine import Conflict, EngineDownError, EngineError
from credlatch.fleet.kubernetes import KubernetesEngine
from credlatch.fleet.kubernetes_watch import watched

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.kubernetes import Kubernetes

NAME = "team-pypi"
LONG = 120.0  # seconds that are never over


@pytest.fixture
def namespace(kubernetes: Kubernetes) -> str:
    """One that nobody else is in."""
    return kubernetes.namespace()


@pytest.fixture
def engine(kubernetes: Kubernetes, namespace: str) -> KubernetesEngine:
    """The Secret, for somebody who may do all."""
    return KubernetesEngine(kubernetes.cluster(namespace), NAME)


def written(engine: KubernetesEngine, value: dict[str, object], expected: str = "") -> str:
    version = engine.write(value, expected)
    assert isinstance(version, str)
    return version


def path(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/secrets/{NAME}"


def test_a_value_is_made_changed_and_compared(engine: KubernetesEngine) -> None:
    found = engine.read()
    assert (found.value, found.version, found.age) == (None, "", None)
    first = written(engine, {"entry": "é"})
    assert isinstance(engine.write({"entry": 2}, ""), Conflict)
    found = engine.read()
    assert (found.value, found.version) == ({"entry": "é"}, first)
    second = written(engine, {"entry": 2}, first)
    for stale in (first, "1", "999999999"):
        assert isinstance(engine.write({"entry": 3}, stale), Conflict)
    assert (engine.read().value, engine.read().version) == ({"entry": 2}, second)


def test_one_of_many_writes_counts(kubernetes: Kubernetes, namespace: str) -> None:
    engines = [KubernetesEngine(kubernetes.cluster(namespace), NAME) for _ in range(20)]
    version = ""
    for _ in range(2):  # one makes it, and one changes it
        with ThreadPoolExecutor(len(engines)) as pool:
            values = [{"nonce": f"{version}-{number}"} for number in range(len(engines))]
            answers = list(pool.map(KubernetesEngine.write, engines, values, repeat(version)))
        assert {type(each) for each in answers} == {str, Conflict}
        (version,) = [each for each in answers if isinstance(each, str)]
        assert engines[0].read().version == version


def test_a_write_that_changes_nothing_makes_no_version(engine: KubernetesEngine) -> None:
    """So nobody is to take it for a lock: a claim has a nonce of its own."""
    version = written(engine, {"entry": 1})
    assert engine.write({"entry": 1}, version) == version
    assert isinstance(engine.write({"entry": 1}, "1"), Conflict)


def test_what_is_deleted_is_no_longer_there(
    engine: KubernetesEngine, kubernetes: Kubernetes, namespace: str
) -> None:
    version = written(engine, {})
    assert kubernetes.ask("DELETE", path(namespace))
    assert engine.read()[:2] == (None, "")
    assert isinstance(engine.write({}, version), Conflict)
    again = written(engine, {"made": "again"})
    assert isinstance(engine.write({}, version), Conflict)
    assert engine.read()[:2] == ({"made": "again"}, again)


def test_what_others_keep_in_it_stays(
    engine: KubernetesEngine, kubernetes: Kubernetes, namespace: str
) -> None:
    """As in the manifest: the Secret is there before, and empty."""
    made = {"metadata": {"name": NAME, "labels": {"team": "a"}}, "data": {"other": "eA=="}}
    kubernetes.ask("POST", path(namespace).rpartition("/")[0], made)
    found = engine.read()
    assert found.value is None
    assert isinstance(engine.write({}, ""), Conflict)
    written(engine, {"entry": 1}, found.version)
    now = kubernetes.ask("GET", path(namespace))
    assert now["metadata"]["labels"] == {"team": "a"}
    assert now["data"].keys() == {"other", "credlatch.json"}


def test_its_age_is_that_of_the_value_by_the_cluster_s_clock(
    engine: KubernetesEngine, kubernetes: Kubernetes, namespace: str
) -> None:
    written(engine, {"entry": 1})
    end = time.monotonic() + LONG
    while (engine.read().age or 0) < 2:
        assert time.monotonic() < end
        time.sleep(0.2)
    kubernetes.ask("PATCH", path(namespace), {"metadata": {"labels": {"seen": "yes"}}})
    found = engine.read()
    assert found.age is not None
    assert found.age >= 2
    written(engine, {"entry": 2}, found.version)
    assert (engine.read().age or 0) < found.age + 2  # it begins anew, whenever this is read
    kubernetes.ask("PATCH", path(namespace), {"metadata": {"managedFields": [{}]}})
    assert engine.read().age is None


def test_a_change_is_told_to_who_waits(
    engine: KubernetesEngine, kubernetes: Kubernetes, namespace: str
) -> None:
    version = ""
    for number in range(2):  # made, and changed
        waiter = threading.Thread(target=engine.wait, args=(version, LONG))
        begun = time.monotonic()
        waiter.start()
        time.sleep(0.3)
        assert waiter.is_alive()
        other = KubernetesEngine(kubernetes.cluster(namespace), NAME)
        version = written(other, {"entry": number}, version)
        waiter.join(LONG)
        assert time.monotonic() - begun < LONG / 2
    waiter = threading.Thread(target=engine.wait, args=(version, LONG))
    waiter.start()
    assert kubernetes.ask("DELETE", path(namespace))
    waiter.join(LONG / 2)
    assert not waiter.is_alive()


def test_what_happened_before_the_watch_began_is_told(engine: KubernetesEngine) -> None:
    first = written(engine, {"entry": 1})
    written(engine, {"entry": 2}, first)
    assert watched(engine._secrets, NAME, first, first, LONG).changed


def test_another_secret_s_change_is_none(
    engine: KubernetesEngine, kubernetes: Kubernetes, namespace: str
) -> None:
    version = written(engine, {"entry": 1})
    written(KubernetesEngine(kubernetes.cluster(namespace), "another"), {"entry": 1})
    assert not watched(engine._secrets, NAME, version, version, 2.0).changed


def test_a_server_that_does_not_remember_an_old_version_tells_of_what_comes(
    engine: KubernetesEngine, other_server: Kubernetes, namespace: str
) -> None:
    version = written(engine, {"entry": 1})
    other = KubernetesEngine(other_server.cluster(namespace), NAME)
    assert watched(other._secrets, NAME, version, "1", LONG).too_old
    seen: list[bool] = []
    since = threading.Thread(
        target=lambda: seen.append(watched(other._secrets, NAME, version, "", LONG).changed)
    )
    since.start()
    time.sleep(0.5)
    assert not seen
    written(engine, {"entry": 2}, version)
    since.join(LONG)
    assert seen == [True]


def test_two_servers_of_a_cluster_judge_alike(
    engine: KubernetesEngine, other_server: Kubernetes, namespace: str
) -> None:
    other = KubernetesEngine(other_server.cluster(namespace), NAME)
    version = written(engine, {"entry": 1})
    second = written(other, {"entry": 2}, version)
    assert isinstance(engine.write({"entry": 3}, version), Conflict)
    assert engine.read().version == other.read().version == second


def test_who_may_only_read_waits_by_looking(kubernetes: Kubernetes, namespace: str) -> None:
    renewer = kubernetes.account(namespace, "renewer", team_pypi=("get", "watch", "patch"))
    worker = kubernetes.account(namespace, "worker", team_pypi=("get",))
    kubernetes.ask("POST", path(namespace).rpartition("/")[0], {"metadata": {"name": NAME}})
    writes = KubernetesEngine(kubernetes.cluster(namespace, renewer), NAME)
    reads = KubernetesEngine(kubernetes.cluster(namespace, worker), NAME)
    version = written(writes, {"entry": 1}, writes.read().version)
    assert reads.read().value == {"entry": 1}
    assert watched(reads._secrets, NAME, version, version, LONG).refused
    assert not watched(writes._secrets, NAME, version, version, 2.0).refused
    waiter = threading.Thread(target=reads.wait, args=(version, LONG))
    waiter.start()
    written(writes, {"entry": 2}, version)
    waiter.join(LONG / 2)
    assert not waiter.is_alive()


def test_what_a_role_does_not_allow_is_said(kubernetes: Kubernetes, namespace: str) -> None:
    token = kubernetes.account(namespace, "worker", team_pypi=("get",))
    cluster = kubernetes.cluster(namespace, token)
    with pytest.raises(
        EngineError, match=r"other of \S+ refuses get \(HTTP 403, Forbidden\).*verb"
    ):
        KubernetesEngine(cluster, "other").read()
    with pytest.raises(EngineError, match=r"verb create"):
        KubernetesEngine(cluster, NAME).write({"entry": 1}, "")
    with pytest.raises(EngineError, match=r"verb patch"):
        KubernetesEngine(cluster, NAME).write({"entry": 1}, "7")
    with pytest.raises(EngineError, match=r"HTTP 404, NotFound\): there is no such namespace"):
        KubernetesEngine(kubernetes.cluster("nowhere"), NAME).write({"entry": 1}, "")
    with pytest.raises(EngineError, match=r"HTTP 401, Unauthorized\): the cluster does not know"):
        KubernetesEngine(kubernetes.cluster(namespace, "old"), NAME).read()


def test_a_secret_that_nobody_may_change_is_said(
    engine: KubernetesEngine, kubernetes: Kubernetes, namespace: str
) -> None:
    version = written(engine, {"entry": 1})
    kubernetes.ask("PATCH", path(namespace), {"immutable": True})
    version = engine.read().version
    with pytest.raises(EngineError, match=r"HTTP 422, Invalid\): is it immutable"):
        engine.write({"entry": 2}, version)
    big = KubernetesEngine(kubernetes.cluster(namespace), "big")
    with pytest.raises(EngineError, match=r"refuses create \(HTTP"):
        big.write({"entry": "x" * 1_100_000}, "")


def test_a_token_that_has_been_replaced_is_read_again(
    kubernetes: Kubernetes, namespace: str
) -> None:
    tokens: Iterator[str] = iter(["ended", kubernetes.account(namespace, "me", team_pypi=("get",))])
    there = kubernetes.cluster(namespace)
    latest: list[Secret] = []

    def token() -> Secret:
        latest.extend(map(Secret, [next(tokens, "")] if len(latest) < 2 else []))
        return latest[-1]

    cluster = Cluster(kubernetes.url, there.tls, token, namespace, "me")
    assert KubernetesEngine(cluster, NAME).read()[:2] == (None, "")


def test_an_authority_that_the_system_trusts_does_not_count(
    kubernetes: Kubernetes, other_server: Kubernetes, namespace: str
) -> None:
    trusted = Tls(pem=other_server.authority.file.read_text())
    cluster = Cluster(kubernetes.url, trusted, lambda: Secret("t"), namespace, "me")
    with pytest.raises(EngineDownError, match="certificate"):
        KubernetesEngine(cluster, NAME).read()


def test_who_has_a_certificate_needs_no_token(kubernetes: Kubernetes, namespace: str) -> None:
    mine = kubernetes.authority.client("somebody")
    kubernetes.may(namespace, {"kind": "User", "name": "somebody"}, {NAME: ("get",)})
    tls = Tls(pem=kubernetes.authority.file.read_text(), certificate=str(mine))
    cluster = Cluster(kubernetes.url, tls, lambda: None, namespace, "somebody")
    assert KubernetesEngine(cluster, NAME).read()[:2] == (None, "")
