"""What fleet/ has to copy from: the manifest, applied by kubectl to a real API server; the unit."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from credlatch.caller import Caller
from credlatch.fleet import kubeconfig, settings
from credlatch.fleet.engine import Conflict, EngineError
from credlatch.fleet.kubernetes import KubernetesEngine
from credlatch.fleet.kubernetes_watch import watched
from support.components import need
from support.home import Home
from support.openbao import BAO, alone
from support.program import TIMEOUT

if TYPE_CHECKING:
    from credlatch.fleet.cluster import Cluster
    from support.kubernetes import Kubernetes

FLEET = Path(__file__).resolve().parents[2] / "fleet"
MANIFEST, UNIT = FLEET / "kubernetes.yaml", FLEET / "credlatch-fleet.service"
NAMESPACE, LOGIN, ACCESS = "credlatch", "team-pypi-login", "team-pypi-access"


def run(words: list[str], env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words, check=False, env=env, capture_output=True, text=True, timeout=TIMEOUT
    )


class Kubectl:
    """kubectl, and the file that it has written.

    Args:
        home: whose it is.
        kubernetes: the cluster.
        token: of whom.
    """

    def __init__(self, home: Home, kubernetes: Kubernetes, token: str) -> None:
        self._env = {**home.env, "KUBECONFIG": str(home.path / "config")}
        self._program = need("kubectl")
        authority = f"--certificate-authority={kubernetes.authority.file}"
        config = ("config", "set-cluster", "kind", f"--server={kubernetes.url}", authority)
        self(*config, "--embed-certs=true")
        self("config", "set-credentials", "me", f"--token={token}")
        self("config", "set-context", "here", "--cluster=kind", "--user=me")
        self("config", "use-context", "here")
        cluster = kubeconfig.found(Caller(self._env))
        assert cluster is not None
        self.cluster: Cluster = cluster

    def __call__(self, *words: str) -> str:
        """What it says; nothing that it warns of."""
        done = run([self._program, *words], self._env)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def applied(kubernetes: Kubernetes, tmp_path_factory: pytest.TempPathFactory) -> Kubectl:
    """An administrator, who has applied the manifest beside the jobs' namespace."""
    for body, path in (
        ({"metadata": {"name": "build"}}, "namespaces"),
        ({"metadata": {"name": "default"}}, "namespaces/build/serviceaccounts"),
    ):
        assert kubernetes.ask("POST", f"/api/v1/{path}", body)
    kubectl = Kubectl(Home(tmp_path_factory.mktemp("home")), kubernetes, kubernetes.admin)
    said = kubectl("apply", "--validate=strict", "-f", str(MANIFEST))
    assert said.count(" created") == len(list(yaml.safe_load_all(MANIFEST.read_text())))
    for user in WHO.values():
        kubernetes.learn(NAMESPACE, user, "get", ACCESS)
    return kubectl


def engine(cluster: Cluster, name: str) -> KubernetesEngine:
    return KubernetesEngine(cluster, name, NAMESPACE)


@pytest.fixture
def renewer(applied: Kubectl, kubernetes: Kubernetes) -> Cluster:
    """The cluster, for a renewer's pod."""
    del applied
    return kubernetes.cluster(NAMESPACE, kubernetes.token(NAMESPACE, "renewer"))


@pytest.fixture
def worker(applied: Kubectl, kubernetes: Kubernetes) -> Cluster:
    """The cluster, for a job's pod."""
    del applied
    return kubernetes.cluster("build", kubernetes.token("build", "default"))


def test_what_kubectl_writes_says_where_and_who(applied: Kubectl, kubernetes: Kubernetes) -> None:
    assert applied.cluster.shown == kubernetes.url
    assert engine(applied.cluster, LOGIN).read().value in (None, {"gen": 1}, {"gen": 2})


def test_applied_again_it_leaves_what_is_kept(applied: Kubectl, renewer: Cluster) -> None:
    kept = engine(renewer, LOGIN)
    found = kept.read()
    assert isinstance(kept.write({"gen": 1}, found.version), str)
    before = kept.read()
    again = applied("apply", "--validate=strict", "-f", str(MANIFEST))
    assert " created" not in again
    assert kept.read()[:2] == before[:2]


def test_a_renewer_reads_writes_and_watches_both_secrets(renewer: Cluster) -> None:
    for name in (LOGIN, ACCESS):
        kept = engine(renewer, name)
        version = kept.write({"gen": 2}, kept.read().version)
        assert isinstance(version, str)
        assert isinstance(kept.write({"gen": 3}, "1"), Conflict)
        seen = watched(kept._secrets, name, version, version, 1.5)
        assert (seen.refused, seen.changed) == (False, False)


def test_a_worker_reads_and_watches_the_access_token_alone(
    renewer: Cluster, worker: Cluster
) -> None:
    kept = engine(renewer, ACCESS)
    version = kept.write({"gen": 4}, kept.read().version)
    assert isinstance(version, str)
    reads = engine(worker, ACCESS)
    assert reads.read().value == {"gen": 4}
    assert not watched(reads._secrets, ACCESS, version, version, 1.5).refused
    with pytest.raises(EngineError, match="verb patch"):
        reads.write({"gen": 5}, version)
    with pytest.raises(EngineError, match=r"HTTP 403, Forbidden"):
        engine(worker, LOGIN).read()
    assert watched(engine(worker, LOGIN)._secrets, LOGIN, "1", "", 30.0).refused


WHO = {
    "renewer": {"kind": "ServiceAccount", "name": "renewer", "namespace": NAMESPACE},
    "worker": {"kind": "ServiceAccount", "name": "default", "namespace": "build"},
}
DENIED = {
    "renewer": [
        ("delete", LOGIN), ("delete", ACCESS), ("deletecollection", ""), ("list", ""),
        ("create", ""), ("update", LOGIN), ("get", "another"), ("patch", "another"),
        ("watch", ""),
    ],
    "worker": [
        ("get", LOGIN), ("watch", LOGIN), ("list", ""), ("watch", ""), ("patch", ACCESS),
        ("update", ACCESS), ("delete", ACCESS), ("create", ""), ("get", "another"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("who", DENIED)
def test_neither_may_do_anything_else(applied: Kubectl, kubernetes: Kubernetes, who: str) -> None:
    del applied
    for verb, name in [*DENIED[who], *((verb, "") for verb in ("get", "list", "create"))]:
        assert not kubernetes.allows(NAMESPACE, WHO[who], verb, name), (verb, name)


def test_the_pods_are_admitted_where_nothing_unsafe_is(
    applied: Kubectl, kubernetes: Kubernetes
) -> None:
    """By the namespace's own label: the strictest of the Pod Security Standards."""
    del applied
    documents = list(yaml.safe_load_all(MANIFEST.read_text()))
    (deployment,) = [each for each in documents if each["kind"] == "Deployment"]
    template = deployment["spec"]["template"]
    pods = f"/api/v1/namespaces/{NAMESPACE}/pods?dryRun=All"
    pod = {"metadata": {"name": "a", "labels": template["metadata"]["labels"]}}
    assert kubernetes.ask("POST", pods, {**pod, "spec": template["spec"]})
    loose = {**template["spec"], "securityContext": {}}
    assert kubernetes.ask("POST", pods, {**pod, "spec": loose}) is None
    claims = template["spec"]["serviceAccountName"], deployment["metadata"]["namespace"]
    assert claims == ("renewer", NAMESPACE)


def test_the_settings_in_it_are_a_renewer_s() -> None:
    documents = list(yaml.safe_load_all(MANIFEST.read_text()))
    (settings_map,) = [each for each in documents if each["kind"] == "ConfigMap"]
    found = settings.parse(settings_map["data"]["fleet.toml"], "fleet.toml")
    assert found.problems == []
    (row,) = found.rows
    assert (row.renews, row.said.engine, row.said.namespace) == (True, "kubernetes", NAMESPACE)
    assert (row.said.login, row.said.access) == (LOGIN, ACCESS)


def test_what_is_said_to_openbao_sets_up_both_roles(tmp_path: Path) -> None:
    (block,) = re.findall(r"```sh\n(bao .*?)```", (FLEET / "README.md").read_text(), re.DOTALL)
    with alone(tmp_path) as bao:
        bao.must("POST", "sys/auth/jwt", {"type": "jwt"})
        env = {"PATH": f"{BAO.parent}:{os.environ['PATH']}", "HOME": str(tmp_path)}
        env |= {"BAO_ADDR": bao.url, "BAO_TOKEN": bao.token}
        done = run(["sh", "-e", "-c", f"cd {FLEET}\n{block}"], env)
        assert done.returncode == 0, done.stderr
        kept = bao.must("GET", "fleet/config")["data"]
        assert (kept["max_versions"], kept["cas_required"]) == (2, True)
        role = bao.must("GET", "auth/jwt/role/ci-worker")["data"]
        assert role["token_policies"] == ["fleet-worker"]
        assert (role["token_type"], role["token_no_default_policy"]) == ("batch", True)
        for name in ("worker", "renewer"):
            policy = bao.must("GET", f"sys/policies/acl/fleet-{name}")["data"]["policy"]
            assert policy == (FLEET / f"{name}.hcl").read_text()


def test_the_service_is_one_that_systemd_reads_and_shuts_in(tmp_path: Path) -> None:
    analyze = need("systemd-analyze")
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/usr/bin/credlatch", "/usr/bin/env"))
    env = {"PATH": os.environ["PATH"], "LC_ALL": "C"}
    done = run([analyze, "verify", "--man=no", str(unit)], env)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    done = run([analyze, "security", "--offline=true", "--no-pager", str(unit)], env)
    level = re.search(r"exposure level for \S+ (\d+\.\d)", done.stdout)
    assert level is not None, done
    assert float(level[1]) < 2.0
