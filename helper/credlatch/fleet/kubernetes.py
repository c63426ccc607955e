"""A Secret of Kubernetes: its `resourceVersion` is compared, and a watch tells when it changes.

One key of its data is ours, with the value as JSON. What else is in it, others may have put there,
and stays: only that key is sent, by a merge patch, which names the version that it is for. A write
that changes nothing makes no version, and any number of them succeed: a claim has its own nonce.
"""

from __future__ import annotations

import json
import random
import re
import time
from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from typing import Any, NamedTuple

from credlatch import clock
from credlatch.fleet.engine import (
    FIRST_PAUSE,
    LONGEST_PAUSE,
    Conflict,
    Engine,
    EngineDownError,
    EngineError,
    Found,
    Unknown,
    left_alone,
)
from credlatch.fleet.kubernetes_api import (
    BROKEN,
    CONFLICT,
    CREATED,
    NOT_FOUND,
    OK,
    Secrets,
    UnansweredWriteError,
    is_of,
    json_of,
    written,
)
from credlatch.fleet.kubernetes_api import version as version_of
from credlatch.fleet.kubernetes_watch import watched

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.fleet.cluster import Cluster

KEY = "credlatch.json"  # of a Secret's data
MANAGER = "credlatch"  # who has written it, as the Secret's own metadata says
_RECENT = 1.0  # seconds for which what a watch has told is what is there
_LEAST = 1.0  # seconds: for less than that nothing is watched
_GROWTH = 1.6  # how much longer each pause is, where watches do not last
# RFC 1123: what a namespace is called, and a Secret.
_NAMESPACE = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_NAME = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*"
)


class _Told(NamedTuple):
    """What a watch has told.

    Attributes:
        body: the Secret.
        version: its version.
        at: when, by ``time.monotonic``.
    """

    body: dict[str, Any]
    version: str
    at: float


class KubernetesEngine(Engine):
    """One Secret of a cluster.

    Args:
        cluster: where that is, and who we are there.
        name: the Secret's.
        namespace: that it is in; empty: our own.

    Raises:
        EngineError: one of the two is no such name.
    """

    def __init__(self, cluster: Cluster, name: str, namespace: str = "") -> None:
        namespace = namespace or cluster.namespace
        if not _NAMESPACE.fullmatch(namespace):
            raise EngineError(f"{namespace[:80]!r} is no name of a namespace: as in build")
        if not _NAME.fullmatch(name):
            raise EngineError(f"{name[:80]!r} is no name of a Secret: as in team-pypi")
        self._name = name
        self._told: _Told | None = None
        self._ahead = 0.0
        self._secrets = Secrets(cluster, namespace)
        self.place = f"the Secret {namespace}/{name} of {cluster.shown}"

    def read(self) -> Found:
        """What is there now: the API asks its store for the latest.

        What a watch has just told is that as well. Were it asked for again, all who watch would
        ask in the same moment.
        """
        told, self._told = self._told, None
        if told is not None and time.monotonic() - told.at < _RECENT:
            return Found(self._value(told.body), told.version, 0.0, self._ahead)
        response = self._secrets.ask("GET", f"/{self._name}")
        if response.status >= BROKEN:
            raise EngineDownError(
                f"{self.place} cannot be read now (HTTP {response.status}): try again",
                left_alone(response),
            )
        body = json_of(response.body)
        here = response.headers.get("date", "")
        ahead = self._ahead = clock.ahead(here, response.at)
        if response.status == NOT_FOUND and is_of(body, "secrets", self._name):
            return Found(None, "", None, ahead)
        if response.status != OK:
            raise self._secrets.refused(response, "GET", self.place)
        found = version_of(body)
        if body is None or found is None:
            raise EngineError(
                f"{self.place} is answered by something else: is it the right server?"
            )
        now, then = clock.said(here), written(body, KEY)
        age = None if now is None or then is None else max(0.0, now - then)
        return Found(self._value(body), found, age, ahead)

    def write(self, value: dict[str, Any], expected: str) -> str | Conflict | Unknown:
        """Change the Secret, or make it."""
        self._told = None
        data = {KEY: b2a_base64(json.dumps(value).encode(), newline=False).decode()}
        body: dict[str, Any]
        if expected:
            method, path = "PATCH", f"/{self._name}"
            body = {"metadata": {"resourceVersion": expected}, "data": data}
        else:
            method, path = "POST", ""
            body = {"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "data": data}
            body["metadata"] = {"name": self._name}
        try:
            response = self._secrets.ask(method, f"{path}?fieldManager={MANAGER}", body)
        except UnansweredWriteError:
            return Unknown()
        if response.status in {OK, CREATED}:
            # Whatever else says 200, in between: who knows.
            return version_of(json_of(response.body)) or Unknown()
        if response.status >= BROKEN:
            # It has waited for its store, or what stands before it for it: that may still be done.
            return Unknown()
        said = json_of(response.body)
        is_gone = response.status == NOT_FOUND and is_of(said, "secrets", self._name)
        if response.status == CONFLICT or (expected and is_gone):
            return Conflict()
        raise self._secrets.refused(response, method, self.place)

    def wait(self, version: str, timeout: float) -> None:
        """Wait for what a watch tells; where the role allows none, look now and then."""
        end = time.monotonic() + timeout
        since = version
        pause = FIRST_PAUSE
        while (left := end - time.monotonic()) > _LEAST:
            seen = watched(self._secrets, self._name, version, since, left)
            if seen.changed:
                found = version_of(seen.about)
                if seen.about is not None and found is not None:
                    self._told = _Told(seen.about, found, time.monotonic())
                return
            if seen.refused:
                super().wait(version, max(0.0, end - time.monotonic()))
                return
            if seen.too_old:
                # A Secret that nobody has changed for long is older than all that is remembered.
                since = ""
            least = seen.after or pause * random.uniform(0.5, 1.5)  # noqa: S311 - no secret
            pause = min(LONGEST_PAUSE, pause * _GROWTH)
            time.sleep(max(0.0, min(least, end - time.monotonic())))
        time.sleep(max(0.0, end - time.monotonic()))

    def _value(self, body: dict[str, Any]) -> dict[str, Any] | None:
        """What is kept in a Secret; None: nothing yet. What others have written is no login."""
        data = body.get("data")
        kept = data.get(KEY) if isinstance(data, dict) else None
        if kept is None:
            return None
        try:
            value = json_of(a2b_base64(str(kept)))
        except (Base64Error, ValueError):
            value = None
        return {} if value is None else value
