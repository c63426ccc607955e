"""A watch of Kubernetes: what it tells of one object, line by line, as it happens."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from credlatch.fleet.engine import LONGEST_PAUSE, EngineError, left_alone
from credlatch.fleet.kubernetes_api import BROKEN, GONE, OK, TOO_MANY, json_of
from credlatch.fleet.kubernetes_api import version as version_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.fleet.kubernetes_api import Secrets


class Seen(NamedTuple):
    """What a watch has told: by default nothing.

    Attributes:
        changed: there may be another version.
        too_old: it cannot begin with the version that it was to begin with.
        refused: it is not for us.
        after: seconds after which there may be another watch; 0: soon.
        about: what it is now, where that was told.
    """

    changed: bool = False
    too_old: bool = False
    refused: bool = False
    after: float = 0.0
    about: dict[str, Any] | None = None


def watched(secrets: Secrets, name: str, version: str, since: str, patience: float) -> Seen:
    """What a watch of a Secret tells, until there is something to tell.

    Args:
        secrets: of its namespace.
        name: which.
        version: what is known of it already.
        since: from which version on it tells; empty: what is there, and then what happens to it.
        patience: seconds that it lasts at most.
    """
    from credlatch.errors import RenewalError
    from credlatch.renew.gate import UnansweredError

    lines = Lines(version)
    # A role may be for this name alone: then only what is asked of this name is allowed.
    query = (
        f"?watch=1&fieldSelector=metadata.name%3D{name}&allowWatchBookmarks=true"
        f"&timeoutSeconds={math.ceil(patience)}{since and f'&resourceVersion={since}'}"
    )
    try:
        response = secrets.sent("GET", query, None, patience, lines.read)
    except UnansweredError:  # it was silent to the end, or has broken off
        return lines.seen
    except (RenewalError, EngineError):
        return Seen(after=LONGEST_PAUSE)
    if response.status == OK:
        lines.read(response.body)
        return lines.seen
    if response.status == TOO_MANY or response.status >= BROKEN:
        return Seen(after=left_alone(response) or LONGEST_PAUSE)
    return Seen(too_old=response.status == GONE, refused=response.status != GONE)


class Lines:
    """The events of a watch.

    Args:
        version: what is known already: it is no news, nor is what was there before.

    Attributes:
        seen: what they say.
    """

    def __init__(self, version: str) -> None:
        self._known = int(version or "0")
        self._read = 0
        self.seen = Seen()

    def read(self, body: bytes) -> bool:
        """Read the events that have come since; whether that is enough.

        Args:
            body: all that has come from the beginning.
        """
        while self.seen == Seen() and (end := body.find(b"\n", self._read)) >= 0:
            event = json_of(body[self._read : end])
            self._read = end + 1
            self.seen = self._said(event or {})
        return self.seen != Seen()

    def _said(self, event: dict[str, Any]) -> Seen:
        about = event.get("object")
        about = about if isinstance(about, dict) else {}
        version = version_of(about)
        match event.get("type"):
            case "BOOKMARK":
                return Seen()
            case "ADDED" | "MODIFIED" if version is not None and int(version) <= self._known:
                return Seen()
            case "ERROR" if about.get("code") == GONE:
                return Seen(too_old=True)
            case "ERROR":
                return Seen(after=LONGEST_PAUSE)
            case "ADDED" | "MODIFIED" if version is not None:
                return Seen(changed=True, about=about)
            case _:
                return Seen(changed=True)
