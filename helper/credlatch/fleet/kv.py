"""Secrets of OpenBao and Vault, version 2 of their KV engine: a write that compares versions."""

from __future__ import annotations

from urllib.parse import quote

from credlatch import clock
from credlatch.fleet.engine import Conflict, Engine, EngineDownError, EngineError, Found, Unknown
from credlatch.fleet.replies import (
    BAD_REQUEST,
    FORBIDDEN,
    NO_CONTENT,
    NOT_FOUND,
    OK,
    is_of_token,
    json_of,
    said,
)
from credlatch.fleet.server import UnansweredWriteError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from credlatch.auth import HttpResponse
    from credlatch.fleet.access import Access
    from credlatch.fleet.server import Server

_MISMATCH = "check-and-set parameter did not match"
_OLD = "is version 1 of KV, which compares nothing: enable version 2 at another mount and name that"


class KvEngine(Engine):
    """One secret of a KV version 2 mount.

    Args:
        server: the cluster.
        access: proves who asks.
        mount: the mount's path, as in ``kv`` or ``team/kv``.
        path: the secret's, below it.

    Raises:
        EngineError: one of the two is no such path.
    """

    def __init__(self, server: Server, access: Access, mount: str, path: str) -> None:
        self._server = server
        self._access = access
        self._mount = _segments(mount, "mount")
        self._path = _segments(path, "path")
        self._is_seen = False
        self.place = f"{self._mount}/{self._path} of {server.shown}"

    def read(self) -> Found:
        """What is there; as ``Engine.read``."""
        response = self._ask("GET")
        body = json_of(response)
        if response.status == OK or (response.status == NOT_FOUND and body and "data" in body):
            return self._found(response, body)
        if response.status == NOT_FOUND:
            self.see()  # what is said of a mount that is none, or is another kind, is the same
            return Found(None, "", None, _ahead(response))
        raise self._refused(response, "read")

    def write(self, value: dict[str, Any], expected: str) -> str | Conflict | Unknown:
        """Write, if the version is still the expected one; as ``Engine.write``."""
        self.see()
        try:
            version = int(expected or "0")
        except ValueError:
            raise EngineError(f"{expected[:40]!r} is no version of a secret") from None
        try:
            response = self._ask("POST", {"options": {"cas": version}, "data": value})
        except UnansweredWriteError:
            return Unknown()
        if response.status == OK:
            said_version = _version((json_of(response) or {}).get("data"))
            # Whatever else says 200, in between: who knows.
            return Unknown() if said_version is None else said_version
        if response.status == BAD_REQUEST and _MISMATCH in said(response):
            return Conflict()
        if response.status == NO_CONTENT:
            raise EngineError(f"{self._mount} {_OLD}")
        raise self._refused(response, "written")

    def see(self) -> None:
        """See that the mount is one that compares; asked once, and before the first write.

        Version 1 takes the same request, stores it and compares nothing: each machine would win.

        Raises:
            EngineDownError: it does not answer now.
            EngineError: it is another kind, or is not there.
        """
        if self._is_seen:
            return
        response = self._access.ask("GET", f"sys/internal/ui/mounts/{quote(self._mount)}")
        if response.status != OK:
            if response.status == FORBIDDEN:
                raise EngineError(
                    f"{self._server.shown} does not tell what {self._mount} is (permission denied):"
                    " is there such a mount, and has this role a policy for a path of it?"
                )
            raise self._refused(response, "looked at")
        data = (json_of(response) or {}).get("data")
        mount = data if isinstance(data, dict) else {}
        options = mount.get("options")
        kind, version = mount.get("type"), (options or {}).get("version")
        if kind not in {"kv", "generic"}:
            raise EngineError(
                f"{self._mount} of {self._server.shown} is no mount of KV: name one of version 2"
            )
        if version != "2":
            raise EngineError(f"{self._mount} {_OLD}")
        self._is_seen = True

    def _ask(self, method: str, body: dict[str, Any] | None = None) -> HttpResponse:
        return self._access.ask(method, f"{quote(self._mount)}/data/{quote(self._path)}", body)

    def _found(self, response: HttpResponse, body: dict[str, Any] | None) -> Found:
        data = (body or {}).get("data")
        metadata = data.get("metadata") if isinstance(data, dict) else None
        version = _version(metadata)
        if not isinstance(data, dict) or not isinstance(metadata, dict) or version is None:
            self.see()
            raise EngineError(
                f"{self.place} answers with what is no secret: is it the right server?"
            )
        self._is_seen = True  # only version 2 says so
        value = data.get("data")
        here = clock.said(response.headers.get("date"))
        written = _moment(metadata.get("created_time"))
        age = None if here is None or written is None else max(0.0, here - written)
        return Found(value if isinstance(value, dict) else None, version, age, _ahead(response))

    def _refused(self, response: HttpResponse, done: str) -> EngineError:
        words = said(response)
        why = f"HTTP {response.status}{words and f', {words}'}"
        if response.status == FORBIDDEN:
            remedy = f"its role needs a policy for {self._mount}/data/{self._path}"
            if is_of_token(response):
                remedy = "what it was shown is no token of its, or one that has ended"
        elif response.status == NOT_FOUND:
            remedy = "name a mount of KV version 2, and its namespace"
        elif response.status >= 500:  # noqa: PLR2004 - the statuses of servers that fail
            return EngineDownError(f"{self.place} cannot be {done} now ({why}): try again")
        else:
            remedy = "is it OpenBao or Vault?"
        return EngineError(f"{self.place} cannot be {done} ({why}): {remedy}")


def _segments(text: str, what: str) -> str:
    """A path without slashes at its ends, if each of its segments is one."""
    path = text.strip("/")
    parts = path.split("/")
    if any(part in {"", ".", ".."} for part in parts) or not path.isprintable():
        raise EngineError(f"{text[:80]!r} is no {what} of a secret: as in fleet/ci")
    return path


def _version(metadata: object) -> str | None:
    version = metadata.get("version") if isinstance(metadata, dict) else None
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        return None
    return str(version)


def _ahead(response: HttpResponse) -> float:
    return clock.ahead(response.headers.get("date", ""), response.at)


def _moment(text: object) -> float | None:
    """Seconds since 1970 of ``2026-11-21T10:11:12.123456789Z``; None for anything else."""
    from datetime import datetime

    try:
        return datetime.fromisoformat(str(text)).timestamp()
    except (ValueError, OverflowError):
        return None
