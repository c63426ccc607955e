"""What a rule may say: its keys, their kinds, and what their values have to be."""

from __future__ import annotations

from typing import Any

from credlatch import credential as credentials
from credlatch import url as urls
from credlatch.credential import Secret
from credlatch.errors import RequestError
from credlatch.rules import places
from credlatch.rules.exchange import Exchange, Identity  # noqa: TC001 - what msgspec checks by
from credlatch.structs import msgspec

# What would carry a secret, or another request.
_NOT_ADDED = frozenset(("authorization", "proxy-authorization", "cookie", "x-amz-security-token"))
_FRAMING = frozenset(("host", "content-length", "transfer-encoding", "connection", "te", "upgrade"))


class Said(msgspec.Struct, rename="kebab", forbid_unknown_fields=True, frozen=True):
    """One rule, as it is written: the attributes of ``rules.Rule``, and where they hold."""

    url: str
    use: list[str] | None = None
    forbid: bool = False
    account: str | None = None
    header: str | None = None
    scheme: str | None = None
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    username: str | None = None
    profile: str | None = None
    endpoint: str | None = None
    region: str | None = None
    path_style: bool | None = None
    audience: str | None = None
    identity: Identity | None = None
    exchange: Exchange | None = None


class Narrowing(msgspec.Struct, rename="kebab", forbid_unknown_fields=True, frozen=True):
    """All that a workspace's rule may say."""

    url: str
    use: list[str] | None = None
    forbid: bool = False
    account: str | None = None


def complaint(said: Said | Narrowing) -> tuple[str, str] | None:
    """The first key whose value cannot be meant, and why; None: there is none."""
    for key, check in _CHECKS.items():
        value = getattr(said, key, None)
        if value is None:
            continue
        try:
            check(value)
        except ValueError as error:
            return key.replace("_", "-"), str(error)
    if said.forbid and said.use:
        return "use", "nothing may answer where forbid is true: leave one of them out"
    return None


def _use(value: list[str]) -> None:
    if not value:
        raise ValueError("it names nothing: say forbid = true, if nothing may answer")


def _text(value: str) -> None:
    if not value.strip() or not value.isprintable():
        raise ValueError("it is empty, or has a control character")


def _user(value: str) -> None:
    if not value.isprintable():
        raise ValueError("it has a control character")


def _header(value: str) -> None:
    credentials.check_token(Secret("x"), value)
    if value.lower() in _FRAMING:
        raise ValueError("that header says how a request is sent, and carries no token")


def _scheme(value: str) -> None:
    if not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError("it is to be one word, or empty")


def _headers(value: dict[str, str]) -> None:
    for name, text in value.items():
        _header(name)
        if name.lower() in _NOT_ADDED:
            raise ValueError(f"{name} carries a secret, and those are in stores: log in there")
        if not Secret(text).fits_a_header:
            raise ValueError(f"{name} has a value that no header has")


def _endpoint(value: str) -> None:
    try:
        url = urls.absolute(value)
    except RequestError as error:
        raise ValueError(str(error)) from None
    if url.scheme == "s3" or url.host.startswith("*.") or url.username is not None:
        raise ValueError("it is to be the URL of a server: https://…")
    if not (url.may_carry_credentials or url.may_be_loopback):
        raise ValueError("it is plain http, in which credentials would travel in the clear")


def _region(value: str) -> None:
    if not value or not value.isascii() or not value.replace("-", "").isalnum():
        raise ValueError("it is to be a name like eu-west-1")


# In the order in which they are complained of.
_CHECKS: dict[str, Any] = {
    "url": places.parse,
    "use": _use,
    "account": _text,
    "header": _header,
    "scheme": _scheme,
    "headers": _headers,
    "username": _user,
    "profile": _text,
    "endpoint": _endpoint,
    "region": _region,
    "audience": _text,
}
