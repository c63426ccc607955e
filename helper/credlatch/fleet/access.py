"""Who we are to OpenBao or Vault: a login, and the token that it gives, kept while that lasts.

One login a machine, kept by its agent: a token of type batch costs the servers nothing but the
answer, and ends by itself; a service token is a write on their leader.
"""

from __future__ import annotations

import threading
import time
from urllib.parse import quote

from credlatch.credential import Secret
from credlatch.errors import StoreError
from credlatch.fleet.engine import EngineDownError, EngineError
from credlatch.fleet.replies import FORBIDDEN, NOT_FOUND, OK, json_of, said
from credlatch.fleet.server import LOGIN_DENIALS, UnansweredWriteError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from credlatch.auth import HttpResponse
    from credlatch.fleet.server import Server

    Read = Callable[[], Secret]

KUBERNETES_TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount/token"  # noqa: S105 - a path
SHARE = 3  # the part of a token's life, its last third, in which it is renewed, or another got
YOUNG = 10.0  # seconds: a token that is younger and refused has been refused for good
_MARGIN = 5.0  # seconds before its end from which a token is not used


class Given:
    """A token that is there already: in a variable, or in a file that somebody renews.

    Args:
        place: where, in words.
        read: gives it, each time as it is then; raises StoreError where there is none.
    """

    def __init__(self, place: str, read: Read) -> None:
        self.place = place
        self.read = read


class Login:
    """A login at an auth method.

    Args:
        mount: the method's, below ``auth/``: sites have one for each CI, called as they like.
        role: whom to log in as; of an AppRole its ``role_id``.
        read: gives what proves it, each time as it is then; raises StoreError where there is none.
        place: where that comes from, in words.
        names: what the two are called in the request.
    """

    def __init__(
        self,
        mount: str,
        role: str,
        read: Read,
        place: str,
        names: tuple[str, str] = ("role", "jwt"),
    ) -> None:
        self.mount = mount.strip("/").removeprefix("auth/")
        self.role = role
        self.read = read
        self.place = place
        self.names = names


def approle(role_id: str, read: Read, place: str, mount: str = "approle") -> Login:
    """A login by AppRole, whose secret id is read."""
    return Login(mount, role_id, read, place, ("role_id", "secret_id"))


def in_file(path: str) -> Read:
    """What a file has, read each time anew: Kubernetes and agents write it again and again."""

    def read() -> Secret:
        from credlatch.system import files

        text = files.read(path)
        if text is None or not text.strip():
            raise StoreError(f"{path} is {'not there' if text is None else 'empty'}")
        return Secret(text.strip())

    return read


class Access:
    """A cluster, asked as whoever a login says; for any number of threads.

    Args:
        server: the cluster.
        method: how to log in; None: nothing is proved, and only what all may ask is answered.
    """

    def __init__(self, server: Server, method: Login | Given | None) -> None:
        self._server = server
        self._method = method
        self._token: Secret | None = None
        self._since = 0.0
        self._end: float | None = None
        self._life = 0.0
        self._tried = -YOUNG
        self._is_renewable = False
        self._uses: int | None = None  # that the token is still good for; None: any number
        self._lock = threading.RLock()
        # Whether a renewal of the token itself was refused: the policies miss renew-self.
        self.misses_renewal = False

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> HttpResponse:
        """The answer to one request, as ``Server.ask`` has it, with a token that is good.

        A token that is refused may have been revoked, or have ended by the servers' clock: then
        another one is got, once.

        Raises:
            EngineError: as there; or there is no token to be had.
        """
        token = self._for_one()
        response = self._server.ask(method, path, token, body)
        if response.status != FORBIDDEN or token is None:
            return response
        with self._lock:
            if self._token == token:  # else somebody has got another one meanwhile
                if not self._is_old(token):
                    return response
                self._token = None
            again = self._for_one()
        return response if again == token else self._server.ask(method, path, again, body)

    def _for_one(self) -> Secret | None:
        """A token for one request: a role may give such as are good for a few."""
        with self._lock:
            if self._uses is not None and self._uses < 1:
                self._token = None
            token = self.token()
            if self._uses is not None:
                self._uses -= 1
            return token

    def token(self) -> Secret | None:
        """A token that is good, as far as that is known; raises as ``ask``."""
        with self._lock:
            if isinstance(self._method, Given):
                read = _read(self._method)
                if read != self._token:
                    self._keep(read)
            elif self._method is not None and self._token is None:
                self._log_in(self._method)
            elif self._method is not None and self._is_ending():
                self._log_in_again(self._method)
            return self._token

    @property
    def is_renewable(self) -> bool:
        """Whether the token can be renewed, as far as that is known; one of type batch cannot."""
        return self._is_renewable

    def keep_alive(self) -> None:
        """Renew the token in the last third of its life: for who runs for longer than that.

        Where it cannot be renewed, a login gives another one when this has ended.

        Raises:
            EngineError: as ``ask``.
        """
        with self._lock:
            token = self.token()
            if token is None:
                return
            if isinstance(self._method, Given) and not self._life:
                self._look_up(token)
            left = None if self._end is None else self._end - time.monotonic()
            if not self._is_renewable or left is None or left * SHARE > self._life:
                return
            response = self._server.ask("POST", "auth/token/renew-self", token, {})
            if response.status == OK:
                self._take(response, token)
            elif response.status == FORBIDDEN:
                self.misses_renewal = True
                self._is_renewable = False

    def close(self) -> None:
        """Forget the token; who has logged in has it revoked, as far as that goes."""
        with self._lock:
            token, self._token = self._token, None
            if token is None or not isinstance(self._method, Login):
                return
            try:
                self._server.ask("POST", "auth/token/revoke-self", token, {})
            except EngineError:
                return  # it ends by itself

    def _is_old(self, token: Secret) -> bool:
        """Whether a token that is refused may have been good before."""
        if isinstance(self._method, Given):
            return _read(self._method) != token
        return self._uses is not None or time.monotonic() - self._since > YOUNG

    def _is_ending(self) -> bool:
        """Whether the token is too near its end to be used; no clock but this one's pace counts."""
        if self._end is None:
            return False
        left = self._end - time.monotonic()
        return left < (
            min(_MARGIN, self._life / SHARE) if self._is_renewable else self._life / SHARE
        )

    def _keep(self, token: Secret) -> None:
        self._token = token
        self._since = time.monotonic()
        self._end, self._life, self._is_renewable = None, 0.0, False
        self._uses = None

    def _log_in_again(self, login: Login) -> None:
        """Get another token in time; what proved us may have ended, and the token still live."""
        now = time.monotonic()
        lives = self._end is not None and self._end > now
        if lives and now - self._tried < YOUNG:
            return
        self._tried = now
        try:
            self._log_in(login)
        except EngineError:
            if not lives:
                raise

    def _log_in(self, login: Login) -> None:
        where = f"auth/{login.mount}"
        body = {login.names[0]: login.role, login.names[1]: _read(login).reveal()}
        try:
            path = f"{quote(where)}/login"
            response = self._server.ask("POST", path, None, body, denials=LOGIN_DENIALS)
        except UnansweredWriteError as error:
            raise EngineDownError(f"no login at {where}: {error}: try again") from None
        if response.status != OK:
            words = said(response)
            what = f"role {login.role[:40]!r}, its bound claims and what {login.place} gives"
            remedy = f"are {what} the same?"
            if response.status == NOT_FOUND:
                remedy = "is that its address, its namespace, and where the method is mounted?"
            raise EngineError(
                f"{self._server.shown} refuses the login at {where} (HTTP {response.status}"
                f"{words and f', {words}'}): {remedy}"
            )
        self._take(response, None)

    def _take(self, response: HttpResponse, token: Secret | None) -> None:
        """Keep the token that came, or the new end of the one that is there."""
        auth = (json_of(response) or {}).get("auth")
        auth = auth if isinstance(auth, dict) else {}
        text, life = auth.get("client_token"), auth.get("lease_duration")
        if token is None:
            if not isinstance(text, str) or not text or not Secret(text).fits_a_header:
                raise EngineError(f"{self._server.shown} answers a login without a token")
            token = Secret(text)
        self._keep(token)
        if isinstance(life, int) and life > 0:
            self._life = float(life)
            self._end = self._since + life
        self._is_renewable = auth.get("renewable") is True
        uses = auth.get("num_uses")
        if isinstance(uses, int) and not isinstance(uses, bool) and uses > 0:
            self._uses = uses

    def _look_up(self, token: Secret) -> None:
        """Learn how long a token that was given lasts, if it may ask that."""
        response = self._server.ask("GET", "auth/token/lookup-self", token)
        data = (json_of(response) or {}).get("data")
        if response.status != OK or not isinstance(data, dict):
            return
        ttl, life = data.get("ttl"), data.get("creation_ttl")
        if isinstance(ttl, int) and isinstance(life, int) and ttl > 0:
            self._end = time.monotonic() + ttl
            self._life = float(max(ttl, data.get("period") or life))
            self._is_renewable = data.get("renewable") is True


def _read(method: Login | Given) -> Secret:
    try:
        secret = method.read()
    except EngineError:
        raise
    except StoreError as error:
        raise EngineError(f"no login for OpenBao or Vault: {error}") from None
    if not secret.fits_a_header:
        raise EngineError(f"what {method.place} gives is no token of OpenBao or Vault")
    return secret
