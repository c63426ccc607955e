"""OpenBao or Vault, as HTTP: where a request goes, what it carries, and what an answer says."""

from __future__ import annotations

import re
import time
from urllib.parse import urljoin

from credlatch import url as urls
from credlatch.auth import HttpRequest
from credlatch.errors import RequestError
from credlatch.fleet.engine import EngineDownError, EngineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from credlatch.auth import HttpResponse
    from credlatch.auth.tls import Tls
    from credlatch.credential import Secret

PATIENCE = 5.0  # seconds for one request; what is not known of a write within them is unknown
HOPS = 3  # redirects that are followed: from a standby to the leader, and once more
_UPGRADING = ("Waiting for the primary", "Upgrading from")  # a mount that was made just now
_SUCCESS, _REDIRECTS = range(200, 300), range(300, 400)
_DOWN = frozenset({429, 412, 472, 473, 500, 502, 503, 504})
_BEHIND = 1.0  # seconds after which a server that is behind others is asked again
_LONGEST = 60.0  # seconds that a server may want to be left alone

OK, NO_CONTENT, BAD_REQUEST, FORBIDDEN, NOT_FOUND = 200, 204, 400, 403, 404
SEALED = "Vault is sealed"
# What they say themselves, and may be shown.
_SENTENCES = re.compile(
    r"permission denied|Vault is sealed|namespace not found|no handler for route"
    r"|check-and-set parameter did not match the current version"
    r"|check-and-set parameter required for this call"
    r"|local node not active but active cluster node not found|no active \w+ instance found"
    r"|invalid (?:audience|issuer|subject) \(\w+\) claim|token is expired"
    r"|invalid role or secret ID"
    r"|claim \"[\w./-]{1,60}\" does not match any associated bound claim values"
    r"|role \"[\w./-]{1,60}\" could not be found|invalid role name|missing role"
    r"|lease is not renewable|batch tokens cannot be renewed"
    r"|service account name not authorized|namespace not authorized"
    r"|Waiting for the primary to upgrade|Upgrading from non-versioned"
)
# What a standby says that has sent a write nowhere.
_NOT_FORWARDED = ("local node not active but active cluster node not found", "no active", SEALED)


class UnansweredWriteError(EngineDownError):
    """A request that changes something was sent, and whether it did is not known."""


class Server:
    """One cluster, as one client sees it; safe for one thread at a time.

    What it was told last (``X-Vault-Index``) goes with each request, so that a standby that is
    behind asks the leader instead of answering with what was there before.

    Args:
        addresses: of its nodes, or of what stands before them: the first that answers is asked.
        namespace: as ``X-Vault-Namespace`` has it; None: the root.
        tls: whom to trust, and who we are.
        patience: seconds for one request.

    Raises:
        EngineError: an address is none to which a login may travel.
    """

    def __init__(
        self,
        addresses: tuple[str, ...],
        namespace: str | None = None,
        tls: Tls | None = None,
        patience: float = PATIENCE,
    ) -> None:
        self._nodes = [_node(address) for address in addresses]
        if not self._nodes:
            raise EngineError("no OpenBao or Vault is named: set BAO_ADDR or VAULT_ADDR")
        self._known = frozenset(node.origin for node in self._nodes)
        self._namespace = namespace
        self._tls = tls
        self._index = ""
        self._first = 0
        self.patience = patience

    @property
    def shown(self) -> str:
        """The node that is asked first, as a message shows it."""
        return self._nodes[self._first].shown.rstrip("/")

    def ask(
        self,
        method: str,
        path: str,
        token: Secret | None = None,
        body: dict[str, Any] | None = None,
        until: float | None = None,
    ) -> HttpResponse:
        """The answer to one request, whatever its status says below 429.

        Args:
            method: GET, LIST, POST or PUT.
            path: below ``/v1/``, as a URL has it.
            token: proves who asks; None: nobody needs to.
            body: a JSON object; None for none.
            until: on the clock of ``time.monotonic``, when this must have ended.

        Raises:
            EngineDownError: no node answers; of a change: none has been sent one, or has taken it.
            UnansweredWriteError: of a change: a node may have taken it, now or a little later.
            EngineError: a node sends us where no login may travel.
        """
        end = time.monotonic() + self.patience
        end = end if until is None else min(end, until)
        failure: EngineDownError | None = None
        for turn in range(len(self._nodes)):
            at = (self._first + turn) % len(self._nodes)
            left = end - time.monotonic()
            if not changes(method) and turn + 1 < len(self._nodes):
                left /= 2  # who hangs leaves some time to the others
            try:
                response = self._sent(
                    method, self._nodes[at], path, token, body, time.monotonic() + left
                )
                self._see(response, method)
            except UnansweredWriteError:
                self._first = (at + 1) % len(self._nodes)
                raise
            except EngineDownError as error:
                failure = error if failure is None or error.after else failure
                continue
            self._first = at
            return response
        self._first = (self._first + 1) % len(self._nodes)
        raise failure or EngineDownError(f"{self.shown} was not asked, for want of time: try again")

    def _sent(
        self,
        method: str,
        node: urls.Url,
        path: str,
        token: Secret | None,
        body: dict[str, Any] | None,
        end: float,
    ) -> HttpResponse:
        """The answer of one node, or of one that it sends us to."""
        target = f"{node.text.rstrip('/')}/v1/{path}"
        for _ in range(HOPS):
            response = self._once(method, target, token, body, end)
            if response.status not in _REDIRECTS:
                return response
            target = self._followed(target, response.headers.get("location", ""))
        raise EngineDownError(f"{node.shown} sends us from node to node: is there a leader?")

    def _once(
        self,
        method: str,
        target: str,
        token: Secret | None,
        body: dict[str, Any] | None,
        end: float,
    ) -> HttpResponse:
        # Imported for who asks a fleet's engine.
        import json

        from credlatch.errors import RenewalError
        from credlatch.renew.gate import UnansweredError
        from credlatch.renew.http import send

        headers = {"X-Vault-Request": "true"}
        if self._namespace:
            headers["X-Vault-Namespace"] = self._namespace
        if token is not None:
            headers["X-Vault-Token"] = token.reveal()
            if self._index:
                headers["X-Vault-Index"] = self._index
                headers["X-Vault-Inconsistent"] = "forward-active-node"
        content = None if body is None else json.dumps(body).encode()
        if content is not None:
            headers["Content-Type"] = "application/json"
        asked = HttpRequest(
            method, target, headers=headers, content=content, tls=self._tls, redirects=True
        )
        server = urls.parse(target)
        try:
            return send(asked, server, end, on_kept=not changes(method))
        except UnansweredError as error:
            if changes(method):
                raise UnansweredWriteError(
                    f"{error}: what it was sent may have been done"
                ) from None
        except RenewalError as error:
            raise EngineDownError(str(error)) from None
        try:  # a connection that was kept, and that the server was closing
            return send(asked, server, end)
        except RenewalError as error:
            raise EngineDownError(f"{error}: try again") from None

    def _followed(self, target: str, location: str) -> str:
        """Where a node sends us, if a token may travel there.

        Raises:
            EngineError: that is no node that is named, or in the clear.
        """
        try:
            there = urls.parse(urljoin(target, location))
        except (RequestError, ValueError):
            raise EngineError(f"{self.shown} redirects to what is no address") from None
        if there.origin not in self._known:
            raise EngineError(
                f"{self.shown} redirects to {there.scheme}://{there.netloc}, and no token is sent "
                "there: name that node's address as well, or the address of what stands before all"
            )
        return there.text

    def _see(self, response: HttpResponse, method: str) -> None:
        """Remember what is to be seen from now on; raise where it cannot answer now."""
        if response.status in _SUCCESS:
            self._index = response.headers.get("x-vault-index", self._index)
            return
        words = said(response)
        if response.status == BAD_REQUEST and words.startswith(_UPGRADING):
            raise EngineDownError(f"{self.shown} is still making the mount: try again", _BEHIND)
        if response.status not in _DOWN:
            return
        after = seconds(response.headers.get("retry-after"))
        if response.status in {412, 429}:
            raise EngineDownError(
                f"{self.shown} has too much to do, or is behind (HTTP {response.status}): "
                "try again",
                after or _BEHIND,
            )
        what = f"{self.shown} does not answer now (HTTP {response.status}{words and f', {words}'})"
        remedy = "unseal it" if SEALED in words else "try again"
        if changes(method) and not any(each in words for each in _NOT_FORWARDED):
            raise UnansweredWriteError(f"{what}: what it was sent may have been done", after)
        raise EngineDownError(f"{what}: {remedy}", after)


def _node(address: str) -> urls.Url:
    try:
        node = urls.absolute(address)
    except RequestError as error:
        raise EngineError(f"the address of OpenBao or Vault cannot be used: {error}") from None
    if node.scheme == "s3" or not node.may_carry_credentials:
        raise EngineError(
            f"{node.shown} would get a token in the clear: OpenBao or Vault needs https"
        )
    return node


def changes(method: str) -> bool:
    """Whether a request of that kind may change something."""
    return method not in {"GET", "LIST"}


def said(response: HttpResponse) -> str:
    """What a refusal says, where it is one of their own sentences: another may repeat a secret."""
    body = json_of(response)
    errors = body.get("errors") if body is not None else None
    lines = [each for each in errors if isinstance(each, str)] if isinstance(errors, list) else []
    found = _SENTENCES.search(" ".join(lines))
    return found[0] if found is not None else ""


def json_of(response: HttpResponse) -> dict[str, Any] | None:
    """An answer's JSON object; None where it is none."""
    import json

    try:
        body = json.loads(response.body)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def seconds(text: str | None) -> float:
    """What ``Retry-After`` says; 0 where it says nothing of use."""
    try:
        return min(_LONGEST, max(0.0, float(text or "")))
    except ValueError:
        return 0.0
