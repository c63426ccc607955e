"""One login in each store in turn, as its tool writes it: for what must work with all of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from credlatch.stores.pyx import digest
from support.jwt import make_jwt
from support.matching import basic

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

URL = "https://host.example/simple/"
TOKEN = make_jwt(4_000_000_000)


class Home(Protocol):
    """Where a tool keeps logins: a home folder, in a test's environment."""

    env: dict[str, str]

    def write(self, name: str, content: str, /) -> Path:
        """Write a file below the home."""

    def write_rattler(self, entries: dict[str, Any]) -> Path:
        """Write rattler's file."""


@dataclass(frozen=True)
class Kept:
    """A login for URL.

    Attributes:
        write: puts it where its tool keeps it.
        username: whose it is; None: it is a token, which belongs to no name.
        secret: the password or token.
        header: the header's name and value.
    """

    write: Callable[[Home], object]
    username: str | None
    secret: str
    header: tuple[str, str]

    @property
    def is_of_a_user(self) -> bool:
        """Whether it is the login of one user, and not a token, which is nobody's."""
        return self.username not in {None, "__token__"}


def _login(write: Callable[[Home], object], username: str = "bob", secret: str = "p: w") -> Kept:
    return Kept(write, username, secret, ("Authorization", basic(username, secret)))


def _bearer(write: Callable[[Home], object]) -> Kept:
    return Kept(write, None, TOKEN, ("Authorization", f"Bearer {TOKEN}"))


def _posit(home: Home) -> None:
    connection = {"address": "https://host.example", "token": TOKEN, "auth_type": "sso"}
    lines = "".join(f"{name} = {json.dumps(value)}\n" for name, value in connection.items())
    home.write(".ppm/tokens.toml", f"[[connections]]\n{lines}")


def _uv(home: Home) -> None:
    credential = {"service": "https://host.example/", "username": "bob", "password": "p: w"}
    lines = "".join(f"{name} = {json.dumps(value)}\n" for name, value in credential.items())
    home.write(".local/share/uv/credentials/credentials.toml", f"[[credential]]\n{lines}")


def _pyx(home: Home) -> None:
    home.env["PYX_API_URL"] = "https://host.example"
    folder = f".local/share/pyx/credentials/{digest('https://host.example/')}"
    tokens = {"access_token": TOKEN, "refresh_token": "r"}
    home.write(f"{folder}/tokens.json", json.dumps(tokens))


def _variables(home: Home) -> None:
    home.env["CREDLATCH_USERNAME_HOST_EXAMPLE"] = "bob"
    home.env["CREDLATCH_PASSWORD_HOST_EXAMPLE"] = "p: w"


STORES = {
    "a variable with a token": _bearer(
        lambda home: home.env.update(CREDLATCH_TOKEN_HOST_EXAMPLE=TOKEN)
    ),
    "variables with a login": _login(_variables),
    "a login of pixi's": _login(
        lambda home: home.write_rattler(
            {"*.host.example": {"BasicHTTP": {"username": "bob", "password": "p: w"}}}
        )
    ),
    "a token of pixi's": _bearer(
        lambda home: home.write_rattler({"host.example": {"BearerToken": TOKEN}})
    ),
    "a conda token": Kept(
        lambda home: home.write_rattler({"host.example": {"CondaToken": TOKEN}}),
        None,
        TOKEN,
        ("X-API-Key", TOKEN),
    ),
    "uv": _login(_uv),
    "pyx": _bearer(_pyx),
    "Posit": _login(_posit, "__token__", TOKEN),
    "netrc": _login(
        lambda home: home.write(".netrc", 'machine host.example login bob password "p: w"\n')
    ),
    "Docker": _login(
        lambda home: home.write(
            ".docker/config.json", '{"auths":{"host.example":{"auth":"Ym9iOnA6IHc="}}}'
        )
    ),
}
