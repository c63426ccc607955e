"""Kubernetes' own API server, over its own etcd: one for all the tests of a process."""

from __future__ import annotations

import json
import socket
import time
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from credlatch.auth.tls import Tls
from credlatch.credential import Secret
from credlatch.fleet.cluster import Cluster
from support import daemon
from support.certificates import Authority
from support.components import need

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator
    from pathlib import Path

_ADMIN = "token-of-the-administrator"


class Kubernetes:
    """A cluster without a node: its API, who may do what in it, and its store.

    Args:
        url: of the API.
        authority: has signed its certificate.

    Attributes:
        url: as above.
        authority: likewise.
        folder: where the files of all servers of the cluster are.
        etcd: where its store is.
        admin: the token of who may do all.
    """

    folder: Path
    etcd: str
    admin = _ADMIN

    def __init__(self, url: str, authority: Authority) -> None:
        self.url = url
        self.authority = authority
        self._names = 0
        self._client = httpx.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {_ADMIN}"},
            verify=_context(authority),
            trust_env=False,
        )

    def close(self) -> None:
        """Hang up."""
        self._client.close()

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """What the API answers to its administrator, who may do all; None for a refusal."""
        content = None if body is None else json.dumps(body)
        kind = "merge-patch+json" if method == "PATCH" else "json"
        headers = {"Content-Type": f"application/{kind}"}
        answer = self._client.request(method, path, content=content, headers=headers)
        return answer.json() if answer.is_success else None

    def is_ready(self) -> bool | None:
        """Whether it answers; None: not yet."""
        try:
            return self._client.get("/readyz").is_success or None
        except httpx.TransportError:
            return None

    def namespace(self) -> str:
        """A fresh one."""
        self._names += 1
        name = f"build-{self._names}"
        assert self.ask("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
        return name

    def may(
        self, namespace: str, user: dict[str, str], secrets: dict[str, tuple[str, ...]]
    ) -> None:
        """Let somebody do something with some Secrets.

        Args:
            namespace: where these are.
            user: as a binding names it.
            secrets: by their names what may be done; an empty name: with any.
        """
        access = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}"
        rules = [
            {
                "apiGroups": [""],
                "resources": ["secrets"],
                "verbs": list(verbs),
                **({"resourceNames": [name]} if name else {}),
            }
            for name, verbs in secrets.items()
        ]
        named = {"metadata": {"name": user["name"]}}
        assert self.ask("POST", f"{access}/roles", {**named, "rules": rules})
        group = "rbac.authorization.k8s.io"
        role = {"apiGroup": group, "kind": "Role", "name": user["name"]}
        bound = {**named, "roleRef": role, "subjects": [user]}
        assert self.ask("POST", f"{access}/rolebindings", bound)
        name, verbs = next(iter(secrets.items()))
        self.learn(namespace, user, verbs[0], name)

    def learn(self, namespace: str, user: dict[str, str], verb: str, name: str) -> None:
        """Wait until the server knows that somebody may do something, which takes it a moment."""
        deadline = time.monotonic() + daemon.READY
        while not self.allows(namespace, user, verb, name):
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def allows(self, namespace: str, user: dict[str, str], verb: str, name: str) -> bool:
        """Whether somebody may do something with a Secret."""
        spec: dict[str, Any] = {"user": user["name"]}
        if user["kind"] == "ServiceAccount":
            whose = user["namespace"]
            spec["user"] = f"system:serviceaccount:{whose}:{user['name']}"
            spec["groups"] = ["system:serviceaccounts", f"system:serviceaccounts:{whose}"]
        what = {"namespace": namespace, "verb": verb, "resource": "secrets", "name": name}
        asked = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
        answer = self.ask("POST", asked, {"spec": {**spec, "resourceAttributes": what}})
        return bool(answer["status"]["allowed"])

    def account(self, namespace: str, name: str, **secrets: tuple[str, ...]) -> str:
        """A service account that may do something with Secrets, and its token."""
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts"
        assert self.ask("POST", path, {"metadata": {"name": name}})
        user = {"kind": "ServiceAccount", "name": name, "namespace": namespace}
        self.may(namespace, user, {each.replace("_", "-"): what for each, what in secrets.items()})
        return self.token(namespace, name)

    def token(self, namespace: str, name: str) -> str:
        """A token of a service account's, as a pod is given one."""
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token"
        return str(self.ask("POST", path, {"spec": {}})["status"]["token"])

    def cluster(self, namespace: str, token: str = _ADMIN) -> Cluster:
        """The cluster for who has a token."""
        trusted = Tls(pem=self.authority.file.read_text())
        return Cluster(self.url, trusted, lambda: Secret(token), namespace, "the tests' account")


def _free_ports(count: int) -> list[int]:
    with ExitStack() as probes:
        bound = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
        return [probes.enter_context(each).getsockname()[1] for each in bound]


def _context(authority: Authority) -> ssl.SSLContext:
    import ssl

    return ssl.create_default_context(cafile=str(authority.file))


def store(folder: Path) -> tuple[list[str], str]:
    """What starts an etcd, and its URL.

    Args:
        folder: for its files; it is made.
    """
    folder.mkdir()
    client, peer = (f"http://127.0.0.1:{port}" for port in _free_ports(2))
    words = [
        *(need("etcd"), "--data-dir", str(folder / "data"), "--unsafe-no-fsync"),
        *("--listen-client-urls", client, "--advertise-client-urls", client),
        *("--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer),
        *("--initial-cluster", f"default={peer}"),
    ]
    return words, client


def server(folder: Path, etcd: str, accounts: Path) -> tuple[list[str], Kubernetes]:
    """What starts an API server, and the cluster as that has it.

    Args:
        folder: for its files; it is made.
        etcd: where its store is.
        accounts: the key that signs service accounts' tokens; it is made where it is not there.
    """
    folder.mkdir()
    authority = Authority(folder / "authority")
    authority.server("127.0.0.1", "kubernetes.default")
    certificate = folder / "authority" / "server.pem"
    if not accounts.exists():
        key = ec.generate_private_key(ec.SECP256R1())
        form = serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        accounts.write_bytes(key.private_bytes(serialization.Encoding.PEM, *form))
    (folder / "tokens").write_text(f'{_ADMIN},admin,1,"system:masters"\n')
    (port,) = _free_ports(1)
    words = [
        *(need("kube-apiserver"), f"--etcd-servers={etcd}"),
        *("--bind-address=127.0.0.1", f"--secure-port={port}"),
        *(f"--tls-cert-file={certificate}", f"--tls-private-key-file={certificate}"),
        *(f"--client-ca-file={authority.file}", f"--token-auth-file={folder / 'tokens'}"),
        "--authorization-mode=RBAC",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={accounts}",
        f"--service-account-signing-key-file={accounts}",
        "--service-cluster-ip-range=10.96.0.0/24",
        "--disable-admission-plugins=ServiceAccount",  # whose controller is another program
        f"--cert-dir={folder / 'certificates'}",
    ]
    return words, Kubernetes(f"https://127.0.0.1:{port}", authority)


@contextmanager
def _serving(folder: Path, etcd: str, accounts: Path) -> Iterator[Kubernetes]:
    words, kubernetes = server(folder, etcd, accounts)
    with closing(kubernetes), daemon.running(words, folder / "log") as process:
        process.until(kubernetes.is_ready)
        yield kubernetes


@pytest.fixture(scope="session")
def kubernetes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kubernetes]:
    """A cluster's API."""
    folder = tmp_path_factory.mktemp("kubernetes")
    words, etcd = store(folder / "etcd")
    with (
        daemon.running(words, folder / "etcd" / "log"),
        _serving(folder / "api", etcd, folder / "accounts.pem") as kubernetes,
    ):
        kubernetes.folder, kubernetes.etcd = folder, etcd
        yield kubernetes


@pytest.fixture(scope="session")
def other_server(kubernetes: Kubernetes) -> Iterator[Kubernetes]:
    """Another server of the same cluster, which has not seen what went before."""
    folder = kubernetes.folder
    with _serving(folder / "other", kubernetes.etcd, folder / "accounts.pem") as other:
        yield other
