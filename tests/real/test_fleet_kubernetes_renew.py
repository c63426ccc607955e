"""Renewers and workers in pods: the frozen program, a real API server, and what a pod has."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families as parsed

from credlatch.fleet.kubernetes import KubernetesEngine
from credlatch.fleet.running import put
from support.logins import ENDED, FIRST, oauth
from support.pod import Pod
from support.program import TIMEOUT
from support.users import as_root, open_place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.kubernetes import Kubernetes
    from support.token_server import TokenServer

pytestmark = as_root
LOGIN, ACCESS = "team-pypi-login", "team-pypi-access"
URL = "https://pypi.example.com/simple/"


class Site:
    """A namespace with the two Secrets, and pods.

    Attributes:
        place: a folder that everybody may enter.
        program: the frozen program, where every user can run it.
        login: the Secret with the login, for who may do all.
    """

    def __init__(self, kubernetes: Kubernetes, program: Path, place: Path) -> None:
        self._kubernetes = kubernetes
        self.place = place
        self.namespace = kubernetes.namespace()
        shutil.copytree(program.parent, place / "program", symlinks=True)
        self.program = str(place / "program" / program.name)
        secrets = f"/api/v1/namespaces/{self.namespace}/secrets"
        for name in (LOGIN, ACCESS):
            assert kubernetes.ask("POST", secrets, {"metadata": {"name": name}})
        both = ("get", "patch", "watch")
        self._tokens = {
            "renewer": kubernetes.account(
                self.namespace, "renewer", team_pypi_login=both, team_pypi_access=both
            ),
            "worker": kubernetes.account(
                self.namespace, "worker", team_pypi_access=("get", "watch")
            ),
        }
        self.login = KubernetesEngine(kubernetes.cluster(self.namespace), LOGIN)

    def pod(self, role: str, name: str = "") -> Pod:
        """A pod, as fleet/kubernetes.yaml has it."""
        settings = (
            f'[[fleet]]\nurl = "{URL}"\nengine = "kubernetes"\naccess = "{ACCESS}"\n'
            f'login = "{LOGIN}"\nrole = "{role}"\n'
        )
        token = self._tokens[role]
        return Pod(self.place, name or role, self._kubernetes, self.namespace, token, settings)

    def get(self, pod: Pod) -> str:
        """The header that Bazel gets in it, or what is said."""
        done = pod.call(self.program, "get", stdin=json.dumps({"uri": URL}))
        if done.returncode:
            return done.stderr
        return str(json.loads(done.stdout)["headers"].get("Authorization"))


@pytest.fixture
def site(kubernetes: Kubernetes, folder: Path) -> Iterator[Site]:
    with open_place() as place:
        yield Site(kubernetes, folder, place)


def refresh_tokens(server: TokenServer) -> list[str]:
    return [post.form["refresh_token"] for post in server.posts("/token") if post.form]


def test_a_pod_renews_and_another_has_the_token(site: Site, token_server: TokenServer) -> None:
    put(site.login, oauth(token_server, ENDED))
    renewer, worker = site.pod("renewer"), site.pod("worker")
    for said in (f"{LOGIN} renewed (gen 2), ends in ", ""):
        done = renewer.call(site.program, "fleet", "renew", "--once")
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith(said)
    assert refresh_tokens(token_server) == [FIRST]
    assert site.get(worker) == f"['Bearer {token_server.current_access_token}']"


def test_a_worker_s_pod_cannot_be_a_renewer_s(site: Site, token_server: TokenServer) -> None:
    """Whatever its own settings say: the role is the cluster's."""
    put(site.login, oauth(token_server, ENDED))
    pod = site.pod("worker")
    pod.env["CREDLATCH_FLEET"] = site.pod("renewer", "other").env["CREDLATCH_FLEET"]
    done = pod.call(site.program, "fleet", "renew", "--once")
    assert done.returncode == 1
    assert "HTTP 403, Forbidden" in done.stdout
    assert "this pod's service account needs a role with the verb get" in done.stdout
    assert refresh_tokens(token_server) == []


def test_two_replicas_renew_ahead_and_tell_prometheus(
    site: Site, token_server: TokenServer
) -> None:
    token_server.lifetime = 8
    put(site.login, oauth(token_server, ENDED))
    worker = site.pod("worker")
    logs = [site.place / f"log-{number}" for number in range(2)]
    replicas = []
    for number, log in enumerate(logs):
        pod = site.pod("renewer", f"renewer-{number}")
        words = pod.words(site.program, "fleet", "renew", "--metrics", "127.0.0.1:0")
        with log.open("wb") as out:
            replicas.append(subprocess.Popen(words, env=pod.env, stdout=out, stderr=out, cwd="/"))
    try:
        deadline = time.monotonic() + TIMEOUT
        while len(refresh_tokens(token_server)) < 4:
            assert time.monotonic() < deadline, [log.read_text() for log in logs]
            time.sleep(0.2)
        assert site.get(worker).startswith("['Bearer ")
        counted = 0.0
        for log in logs:
            found = re.search(r"^metrics are at (\S+)$", log.read_text(), re.MULTILINE)
            assert found is not None
            said = httpx.get(found[1], timeout=TIMEOUT, trust_env=False).text
            samples = [each for family in parsed(said) for each in family.samples]
            values = {each.name: each.value for each in samples if not each.labels.get("reason")}
            counted += values["credlatch_fleet_renewals_total"]
            assert values["credlatch_fleet_token_seconds"] < 9
    finally:
        for each in replicas:
            each.send_signal(signal.SIGTERM)
        for each in replicas:
            each.wait(TIMEOUT)
    said = "".join(log.read_text() for log in logs)
    assert [each.returncode for each in replicas] == [0, 0], said
    assert 4 <= counted <= len(refresh_tokens(token_server))
    assert said.count(" renewed (gen ") == len(refresh_tokens(token_server)), said
    assert token_server.replayed == []
    assert said.count("ended\n") == 2
