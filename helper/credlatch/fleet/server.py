"""OpenBao or Vault, as HTTP: where a request goes, what it carries, and what an answer says."""

from __future__ import annotations

import time
from urllib.parse import urljoin

from credlatch import url as urls
from credlatch.auth import HttpRequest
from credlatch.errors import RequestError
from credlatch.fleet.engine import EngineDownError, EngineError, left_alone
from credlatch.fleet.replies import BAD_REQUEST, FORBIDDEN, NOT_FOUND, SEALED, json_of, said

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from credlatch.auth import HttpResponse
    from credlatch.auth.tls import Tls
    from credlatch.credential import Secret

PATIENCE = 5.0  # seconds for one request; what is not known of a write within them is unknown
HOPS = 3  # redirects that are followed: from a standby to the leader, and once more
_UPGRADING = ("Waiting for the primary", "Upgrading from")  # a mount that was made just now
_SUCCESS, _REDIRECTS, _TEMPORARY = range(200, 300), range(300, 400), 307
_DOWN = frozenset({429, 412, 472, 473, 500, 502, 503, 504})
_BEHIND = 1.0  # seconds after which a server that is behind others is asked again
_MOMENT = 1.0  # seconds: standbys are 0.2 behind, on a busy machine more

# What a standby says of whatever it does not know yet, and of a login as well.
DENIALS = frozenset({FORBIDDEN, NOT_FOUND})
LOGIN_DENIALS = DENIALS | {BAD_REQUEST}
# What a standby says that has sent a write nowhere.
_NOT_FORWARDED = ("local node not active but active cluster node not found", "no active", SEALED)


class UnansweredWriteError(EngineDownError):
    """A request that changes something was sent, and whether it did is not known."""


class Server:
    """One cluster, as one client sees it; for any number of threads.

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
        denials: frozenset[int] = DENIALS,
    ) -> HttpResponse:
        """The answer to one request, whatever its status says below 429.

        What a standby denies, its leader is asked: a role, a policy or a secret may be too young.

        Args:
            method: GET, LIST, POST or PUT.
            path: below ``/v1/``, as a URL has it.
            token: proves who asks; None: nobody needs to.
            body: a JSON object; None for none.
            until: on the clock of ``time.monotonic``, when this must have ended.
            denials: the statuses that are believed of no node that may be behind.

        Raises:
            EngineDownError: no node answers; of a change: none has been sent one, or has taken it.
            UnansweredWriteError: of a change: a node may have taken it, now or a little later.
            EngineError: a node sends us where no login may travel.
        """
        end = time.monotonic() + self.patience
        end = end if until is None else min(end, until)
        failure: EngineDownError | None = None
        seen = self._index
        for turn in range(len(self._nodes)):
            at = (self._first + turn) % len(self._nodes)
            left = end - time.monotonic()
            if not changes(method) and turn + 1 < len(self._nodes):
                left /= 2  # who hangs leaves some time to the others
            try:
                last = time.monotonic() + left
                response = self._sent(method, self._nodes[at], path, token, body, last)
                self._see(response, method, seen)
                if response.status in denials:
                    leader = self._doubted(self._nodes[at], end)
                    if leader is not None:
                        response = self._sent(method, leader, path, token, body, end)
                        self._see(response, method, seen)
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

    def _doubted(self, node: urls.Url, end: float) -> urls.Url | None:
        """The node that knows better than one that denies something; None: that is to be believed.

        Raises:
            EngineDownError: nobody knows better now.
        """
        root = f"{node.text.rstrip('/')}/v1/"
        said = json_of(self._once("GET", f"{root}sys/leader", None, None, end)) or {}
        if said.get("ha_enabled") is not True or said.get("is_self") is True:
            return None
        named = said.get("leader_address")
        if not named:
            raise EngineDownError(
                f"{node.shown} has no leader now, and may be behind in what it denies: try again",
                _BEHIND,
            )
        try:
            origin = urls.parse(str(named)).origin
        except RequestError:
            origin = None
        for each in self._nodes:
            if each.origin == origin:
                return each
        # It is not for us to ask; what stands before all may ask it, or this one has learnt it.
        time.sleep(max(0.0, min(_MOMENT, end - time.monotonic())))
        return node

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
            location = response.headers.get("location", "")
            target = self._followed(target, location, response.status)
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

    def _followed(self, target: str, location: str, status: int) -> str:
        """Where a node sends us, if a token may travel there.

        Raises:
            EngineError: that is no node that is named, or in the clear.
        """
        try:
            there = urls.parse(urljoin(target, location))
        except (RequestError, ValueError):
            raise EngineError(f"{self.shown} redirects to what is no address") from None
        if not any(_is_within(there, node) for node in self._nodes):
            # Where a standby has lost its leader, it sends us after that; soon there is another.
            is_standby = status == _TEMPORARY and target.endswith(there.path)
            raise (EngineDownError if is_standby else EngineError)(
                f"{self.shown} redirects to {there.scheme}://{there.netloc}, and no token is sent "
                "there: name that node's address as well, or the address of what stands before all"
            )
        return there.text

    def _see(self, response: HttpResponse, method: str, seen: str) -> None:
        """Remember what is to be seen from now on; raise where it cannot answer now."""
        if response.status in _SUCCESS:
            if changes(method) or self._index == seen:  # else another thread has seen more
                self._index = response.headers.get("x-vault-index", self._index)
            return
        words = said(response)
        if response.status == BAD_REQUEST and words.startswith(_UPGRADING):
            raise EngineDownError(f"{self.shown} is still making the mount: try again", _BEHIND)
        if response.status not in _DOWN:
            return
        after = left_alone(response)
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


def _is_within(there: urls.Url, node: urls.Url) -> bool:
    """Whether a URL is a node's: of one that is named with a path, what is below that."""
    return there.origin == node.origin and there.path.startswith(f"{node.path.rstrip('/')}/v1/")


def changes(method: str) -> bool:
    """Whether a request of that kind may change something."""
    return method not in {"GET", "LIST"}
