"""Machines that share a login: their homes, and what an OpenBao has for them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from support.home import Home
    from support.openbao import Bao

HOST = "pypi.example.com"
URL = f"https://{HOST}/simple/"
ACCESS, LOGIN = "access/ci/pypi", "login/ci/pypi"


def configure(home: Home, bao: Bao, role: str, more: str = "", host: str = HOST) -> None:
    """Have a home be a worker's, or a renewer's, that logs in by AppRole.

    Args:
        home: whose.
        bao: furnished.
        role: worker or renewer.
        more: lines of the row, before its auth.
        host: which host the login is for.
    """
    ident, secret = bao.approle(role)
    path = home.write("secret-id", secret)
    paths = f'access = "{ACCESS}"\n' if "one-path" not in more else ""
    if role == "renewer":
        paths += f'login = "{LOGIN}"\n'
    home.write(
        ".config/credlatch/fleet.toml",
        f'[[fleet]]\nurl = "https://{host}/"\naddress = {list(bao.urls)}\nrole = "{role}"\n'
        f'{paths}{more}\nauth = {{method = "approle", role = "{ident}", file = "{path}"}}\n',
    )


def put(bao: Bao, path: str, value: dict[str, Any]) -> None:
    """Have something be at a path, whatever was there."""
    bao.must("POST", f"fleet/data/{path}", {"options": {"cas": version(bao, path)}, "data": value})


def put_token(bao: Bao, token: str, lasts: int, path: str = ACCESS) -> None:
    """Have an access token be there."""
    put(bao, path, {"access_token": token, "expires_at": int(time.time()) + lasts, "gen": 1})


def put_login(bao: Bao, entry: dict[str, Any]) -> None:
    """Have a login be there, as a person has just kept it."""
    put(bao, LOGIN, {"entry": entry, "claim": None, "suspect": None, "gen": 1, "dead": None})


def kept(bao: Bao, path: str) -> dict[str, Any]:
    """What is at a path."""
    value: dict[str, Any] = bao.must("GET", f"fleet/data/{path}")["data"]["data"]
    return value


def version(bao: Bao, path: str) -> int:
    """How often it was written."""
    data = bao("GET", f"fleet/data/{path}").json().get("data")
    return int(data["metadata"]["version"]) if data else 0
