"""Kubernetes' API: how one kind of object is asked for, and what its answers say."""

from __future__ import annotations

import json
import re
import time

from credlatch import url as urls
from credlatch.auth import HttpRequest
from credlatch.fleet.engine import EngineDownError, EngineError, left_alone

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from credlatch.auth import HttpResponse
    from credlatch.credential import Secret
    from credlatch.fleet.cluster import Cluster

PATIENCE = 5.0  # seconds for one request; what is not known of a write within them is unknown
OK, CREATED, GONE, TOO_MANY, BROKEN = 200, 201, 410, 429, 500
UNAUTHORIZED, FORBIDDEN, NOT_FOUND, CONFLICT, INVALID = 401, 403, 404, 409, 422
_DENIALS = frozenset({UNAUTHORIZED, FORBIDDEN})
_MOMENT = 1.0  # seconds in which a server learns of a role
_BUSY = 1.0  # seconds after which a server that has too much to do is asked again
_VERBS = {"GET": "get", "PATCH": "patch", "POST": "create"}  # as a role has them


class UnansweredWriteError(Exception):
    """A write was sent, and whether it counts is not known."""


class Secrets:
    """The Secrets of a namespace.

    Args:
        cluster: where that is, and who we are there.
        namespace: its name.
    """

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self._cluster = cluster
        self._url = f"{cluster.url.text.rstrip('/')}/api/v1/namespaces/{namespace}/secrets"

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> HttpResponse:
        """The answer to one request, whatever its status, but for one that asks for patience.

        Args:
            method: GET, POST or PATCH.
            path: what follows the namespace's URL of Secrets.
            body: what is to be written; None: nothing.

        Raises:
            EngineDownError: there is none now; and nothing has been written.
            UnansweredWriteError: it may have been.
            EngineError: we are sent elsewhere, or have nothing to show.
        """
        response = self._answer(method, path, body)
        if response.status in _DENIALS and self._is_ready():
            response = self._answer(method, path, body)
            if response.status in _DENIALS:  # a role that is young, or read a moment ago
                time.sleep(_MOMENT)
                response = self._answer(method, path, body)
        if response.status == TOO_MANY:
            raise EngineDownError(
                f"{self._cluster.shown} has too much to do (HTTP 429): try again",
                left_alone(response) or _BUSY,
            )
        if 300 <= response.status < 400:  # noqa: PLR2004 - the statuses of redirects
            raise EngineError(
                f"{self._cluster.shown} redirects elsewhere, and no token is sent along: "
                "name the address of the API itself"
            )
        return response

    def _answer(self, method: str, path: str, body: dict[str, Any] | None) -> HttpResponse:
        from credlatch.errors import RenewalError
        from credlatch.renew.gate import NotSentError, UnansweredError

        try:
            try:
                return self.sent(method, path, body)
            except UnansweredError:
                if body is not None:
                    raise UnansweredWriteError from None
                return self.sent(method, path)  # it was closing a connection that was kept
        except (NotSentError, UnansweredError) as error:
            raise EngineDownError(str(error)) from None
        except RenewalError as error:
            raise EngineError(str(error)) from None

    def _is_ready(self) -> bool:
        """True: what a server refuses, it refuses; it may have learnt that just now.

        One that is starting answers before it knows who may do what, and refuses everything. This
        page is anybody's.

        Raises:
            EngineDownError: it is starting.
        """
        from credlatch.errors import RenewalError
        from credlatch.renew.http import send

        url = f"{self._cluster.url.text.rstrip('/')}/readyz"
        asked = HttpRequest("GET", url, tls=self._cluster.tls, redirects=True)
        try:
            status = send(asked, urls.parse(url), time.monotonic() + PATIENCE).status
        except RenewalError:
            status = BROKEN
        if status >= BROKEN:
            raise EngineDownError(f"{self._cluster.shown} is starting: try again", _BUSY)
        return True

    def sent(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        patience: float = PATIENCE,
        until: Callable[[bytes], bool] | None = None,
    ) -> HttpResponse:
        """An answer, to the token as it is now, and once more where that has just been replaced.

        Args:
            method: as of ``ask``.
            path: likewise.
            body: likewise.
            patience: seconds that it may take.
            until: as of ``renew.http.send``.

        Raises:
            RenewalError: there is none.
            EngineError: we have nothing to show.
        """
        from credlatch.renew.http import send

        end = time.monotonic() + patience
        token = self._cluster.token()
        while True:
            headers = {} if token is None else {"Authorization": f"Bearer {_sendable(token)}"}
            content = None
            if body is not None:
                kind = "merge-patch+json" if method == "PATCH" else "json"
                headers["Content-Type"] = f"application/{kind}"
                content = json.dumps(body).encode()
            asked = HttpRequest(
                method,
                self._url + path,
                headers=headers,
                content=content,
                tls=self._cluster.tls,
                redirects=True,
            )
            is_kept = body is None and until is None
            response = send(asked, urls.parse(asked.url), end, on_kept=is_kept, until=until)
            if response.status != UNAUTHORIZED:
                return response
            shown, token = token, self._cluster.token()
            if token == shown:
                return response

    def refused(self, response: HttpResponse, method: str, place: str) -> EngineError:
        """What is wrong with a request that was answered otherwise than it should have been.

        Args:
            response: the answer.
            method: as of ``ask``.
            place: what it was about, in words.
        """
        verb, who = _VERBS[method], self._cluster.identity
        said = json_of(response.body) or {}
        reason = said.get("reason") if said.get("kind") == "Status" else None
        why = f"HTTP {response.status}"
        if isinstance(reason, str) and reason.isalpha():
            why = f"{why}, {reason[:40]}"  # one of the API's own words
        if response.status == UNAUTHORIZED:
            remedy = f"the cluster does not know {who}: is its token current, and of this cluster?"
        elif response.status == FORBIDDEN:
            remedy = f"{who} needs a role with the verb {verb} for it"
        elif response.status == NOT_FOUND and is_of(said, "namespaces"):
            remedy = "there is no such namespace"
        elif response.status == INVALID:
            remedy = "is it immutable, or has it grown too large?"
        else:
            remedy = "is that the address of Kubernetes' API?"
        return EngineError(f"{place} refuses {verb} ({why}): {remedy}")


def _sendable(token: Secret) -> str:
    if not token.fits_a_header:
        raise EngineError("the cluster's token is empty, or has what no header takes: see its file")
    return token.reveal()


def json_of(body: bytes) -> dict[str, Any] | None:
    """A JSON object; None where it is none."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None


def version(body: dict[str, Any] | None) -> str | None:
    """The version of a Secret; None where it is none, or has none that compares."""
    metadata = (body or {}).get("metadata")
    if body is None or not isinstance(metadata, dict) or body.get("kind") != "Secret":
        return None
    said = metadata.get("resourceVersion")
    # A change that is for "0", or for none, is made whatever is there.
    return said if isinstance(said, str) and re.fullmatch("[1-9][0-9]{0,18}", said) else None


def is_of(body: dict[str, Any] | None, kind: str, name: str = "") -> bool:
    """Whether a refusal is the API's own, and about that: whatever stands before it may say 404."""
    details = (body or {}).get("details")
    if body is None or body.get("kind") != "Status" or not isinstance(details, dict):
        return False
    return details.get("kind") == kind and name in {"", details.get("name")}


def written(body: dict[str, Any], key: str) -> float | None:
    """When a key of a Secret's data was changed, in seconds since 1970 by the server's own clock.

    The server keeps for each writer which fields are its own, and when it changed them. What others
    do to the Secret, such as its labels, makes the key's value no younger.

    Returns:
        None where that is not known: people may have the server forget it.
    """
    from datetime import datetime

    found = None
    writers = body["metadata"].get("managedFields")
    for each in writers if isinstance(writers, list) else []:
        fields = each.get("fieldsV1") if isinstance(each, dict) else None
        data = fields.get("f:data") if isinstance(fields, dict) else None
        if not isinstance(data, dict) or f"f:{key}" not in data:
            continue
        try:
            at = datetime.fromisoformat(str(each.get("time"))).timestamp()
        except (ValueError, OverflowError):
            continue
        found = at if found is None else max(found, at)
    return found
