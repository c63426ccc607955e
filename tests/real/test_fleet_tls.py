"""OpenBao by TLS with an authority of a company's own: named by the row, or as bao is told."""

from __future__ import annotations

import secrets
import ssl
import time
from typing import TYPE_CHECKING

import httpx
import pytest

from support.fleets import ACCESS, HOST, URL
from support.openbao import BAO, Node, ports
from support.program import TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support.home import Home
    from support.program import Program


class Served:
    """A server in memory, by TLS.

    Attributes:
        url: where it is.
        authority: the file of who has signed its certificate.
        token: root's.
    """

    def __init__(self, url: str, authority: Path, token: str) -> None:
        self.url = url
        self.authority = authority
        self.token = token


@pytest.fixture(scope="module")
def bao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """It has an access token."""
    if not BAO.exists():
        pytest.skip("OpenBao is not installed: run ./dev test")
    folder = tmp_path_factory.mktemp("bao")
    (port,) = ports(1)
    token = secrets.token_urlsafe()
    words = ["-dev", "-dev-tls", f"-dev-tls-cert-dir={folder}", "-dev-no-store-token"]
    words += [f"-dev-root-token-id={token}", f"-dev-listen-address=127.0.0.1:{port}"]
    node = Node(folder, words, port)
    node.start()
    try:
        _waited(lambda: any(folder.glob("*-ca.pem")), node)
        (authority,) = folder.glob("*-ca.pem")
        url = f"https://127.0.0.1:{port}"
        trust = ssl.create_default_context(cafile=str(authority))
        with httpx.Client(verify=trust, headers={"X-Vault-Token": token}, timeout=TIMEOUT) as asks:

            def answers() -> bool:
                try:
                    return asks.get(f"{url}/v1/sys/health").is_success
                except httpx.HTTPError:
                    return False

            _waited(answers, node)
            kv = {"type": "kv", "options": {"version": "2"}}
            assert asks.post(f"{url}/v1/sys/mounts/fleet", json=kv).is_success
            value = {"access_token": "t", "expires_at": int(time.time()) + 3600, "gen": 1}
            put = {"options": {"cas": 0}, "data": value}

            there = f"{url}/v1/fleet/data/{ACCESS}"
            _waited(lambda: asks.post(there, json=put).is_success, node)
        yield Served(url, authority, token)
    finally:
        node.kill()


def _waited(ready: Callable[[], bool], node: Node) -> None:
    deadline = time.monotonic() + TIMEOUT
    while not ready():
        assert time.monotonic() < deadline, node.log()
        time.sleep(0.05)


def configure(home: Home, bao: Served, more: str = "") -> None:
    home.env["BAO_TOKEN"] = bao.token
    home.write(
        ".config/credlatch/fleet.toml",
        f'[[fleet]]\nurl = "https://{HOST}"\naddress = "{bao.url}"\naccess = "{ACCESS}"\n{more}',
    )


def test_nobody_is_believed_whom_no_authority_vouches_for(
    bao: Served, home: Home, frozen: Program
) -> None:
    configure(home, bao)
    home.env["BAO_SKIP_VERIFY"] = "true"
    done = frozen("header", URL)
    assert (done.code, done.out) == (1, b"")
    assert "certificate" in done.err.lower()
    assert bao.token not in done.err


@pytest.mark.parametrize("how", ["row", "BAO_CACERT", "VAULT_CACERT", "BAO_CACERT_BYTES"])
def test_a_company_s_authority_is_named(bao: Served, home: Home, frozen: Program, how: str) -> None:
    configure(home, bao, f'authorities = "{bao.authority}"\n' if how == "row" else "")
    if how != "row":
        text = bao.authority.read_text() if how.endswith("BYTES") else str(bao.authority)
        home.env[how] = text
    done = frozen("header", URL)
    assert done.out.decode().strip() == "Authorization: Bearer t", done
