"""What a row of ``fleet.toml`` may say: its keys, their kinds, and what their values have to be."""

from __future__ import annotations

import re
from typing import Literal

from credlatch import url as urls
from credlatch.errors import RequestError
from credlatch.rules import places
from credlatch.rules.exchange import Identity  # noqa: TC001 - what msgspec checks by
from credlatch.structs import msgspec

OPENBAO, VAULT, KUBERNETES = "openbao", "vault", "kubernetes"
TOKEN, JWT, APPROLE = "token", "jwt", "approle"
WORKER, RENEWER = "worker", "renewer"
_PATH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(?:/[A-Za-z0-9_][A-Za-z0-9._-]*)*")
_SECRET_NAME = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?")  # Kubernetes' object names
_LONGEST = 512  # characters of a path


class Login(msgspec.Struct, rename="kebab", forbid_unknown_fields=True, frozen=True):
    """How a machine logs in to the engine.

    Attributes:
        method: with a token that is there already, with an identity token that the engine verifies
            (``kubernetes`` is a service account's), or with an AppRole.
        mount: below ``auth/``, where that is mounted; None: by the method's own name.
        role: as what it logs in; for an AppRole, its ``role_id``.
        audience: for whom an identity token is to be asked.
        identity: where the identity token comes from: a CI, a file or a variable.
        file: that holds the token, or the ``secret_id``; ``~/`` is the home folder.
        variable: that does.
    """

    method: Literal["token", "jwt", "kubernetes", "approle"] = "token"
    mount: str | None = None
    role: str | None = None
    audience: str | None = None
    identity: Identity | None = None
    file: str | None = None
    variable: str | None = None


class Said(msgspec.Struct, rename="kebab", forbid_unknown_fields=True, frozen=True):
    """One login that machines share, as it is written.

    Attributes:
        url: the places that it is for.
        engine: what keeps it.
        address: where the engine answers, one URL or several; None: where the environment says.
        namespace: the engine's; None: the one that the environment says, or none.
        mount: where the KV version 2 engine is mounted.
        access: the path of the access token, or Kubernetes' name of its Secret.
        login: likewise of the whole login, which renewers alone may read.
        role: what this machine does: read the access token, or renew the login.
        one_path: whether there is no path for the access token, and every machine renews.
        takeover: whether a renewal that has not ended is taken over, in time, by another machine.
        auth: how it logs in to the engine.
        authorities: a file of certificate authorities, which count besides the system's.
    """

    url: str | list[str]
    engine: Literal["openbao", "vault", "kubernetes"] = "openbao"
    address: str | list[str] | None = None
    namespace: str | None = None
    mount: str = "fleet"
    access: str | None = None
    login: str | None = None
    role: Literal["worker", "renewer"] = "worker"
    one_path: bool = False
    takeover: Literal["in-time", "never"] = "in-time"
    auth: Login = msgspec.field(default_factory=Login)
    authorities: str | None = None


def complaint(said: Said) -> tuple[str, str] | None:  # noqa: PLR0911 - one for each
    """The first key whose value cannot be meant, and why; None: there is none."""
    named = [said.url] if isinstance(said.url, str) else said.url
    if not named:
        return "url", "it names no place"
    for text in named:
        try:
            places.parse(text)
        except ValueError as error:
            return "url", str(error)
    for key, path in (("access", said.access), ("login", said.login), ("mount", said.mount)):
        if path is not None and (why := _path(path, said.engine)):
            return key, why
    if said.one_path and said.access is not None:
        return "access", "with one-path = true there is the path of the login alone"
    if said.one_path and said.login is None:
        return "login", "it is missing: one-path = true means the path that it names"
    if not said.one_path and said.access is None:
        return "access", "it is missing: the path of the access token, which workers read"
    if said.role == RENEWER and said.login is None:
        return "login", "it is missing: the path of the login, which a renewer renews"
    if said.access is not None and said.access == said.login:
        return "login", "it is the path of the access token: who reads that would have the login"
    for text in addresses(said):
        if why := _address(text):
            return "address", why
    return _login(said.auth, said.engine) or _place(said)


def _place(said: Said) -> tuple[str, str] | None:
    key = "authorities" if said.address is None else "address"
    if said.engine == KUBERNETES and getattr(said, key) is not None:
        return key, "where Kubernetes is, and whom to trust, the pod itself says, or kubeconfig"
    return None


def addresses(said: Said) -> list[str]:
    """Where the engine answers, as a row says it; empty: it says nothing."""
    if said.address is None:
        return []
    return [said.address] if isinstance(said.address, str) else said.address


def _path(text: str, engine: str) -> str:
    if engine == KUBERNETES:
        return "" if _SECRET_NAME.fullmatch(text) else "it is no name of a Secret: team-pypi"
    if len(text) > _LONGEST or not _PATH.fullmatch(text):
        return "it is no path like access/ci/pypi: letters, digits, dots, dashes between slashes"
    return ""


def _address(text: str) -> str:
    """Why an address cannot be an engine's; empty: it can."""
    try:
        url = urls.absolute(text)
    except RequestError as error:
        return str(error)
    if url.scheme == "s3" or url.host.startswith("*.") or url.username is not None:
        return "it is to be the URL of a server: https://…"
    if "?" in text or "#" in text or url.path.rstrip("/").endswith("/v1"):
        return "it is to be the URL of a server alone, as BAO_ADDR has it: without /v1"
    if not (url.may_carry_credentials or url.may_be_loopback):
        return "it is plain http, in which a login would travel in the clear"
    return ""


def _login(auth: Login, engine: str) -> tuple[str, str] | None:
    if engine == KUBERNETES and auth != Login():
        return "auth", "the machine's own service account, or kubeconfig, is asked in Kubernetes"
    if auth.mount is not None and (why := _path(auth.mount, OPENBAO)):
        return "auth.mount", why
    if auth.file is not None and auth.variable is not None:
        return "auth.variable", "it is one of file and variable"
    beside: tuple[str, ...]
    if auth.method == TOKEN:
        beside = ("role", "audience", "identity")
    elif auth.method == APPROLE:
        beside = ("audience", "identity")
    else:
        beside = ("file", "variable")
    for key in beside:
        if getattr(auth, key) is not None:
            return f"auth.{key}", f'that is not for method = "{auth.method}"'
    if auth.method == APPROLE and auth.file is None and auth.variable is None:
        return "auth.file", "it is missing: the file, or variable, that holds the secret_id"
    if auth.method != TOKEN and not auth.role:
        return "auth.role", "it is missing: as what this machine logs in"
    return None


def address_complaint(text: str) -> str:
    """As ``complaint`` has it of an address that a variable says; empty: it is one."""
    return _address(text)
