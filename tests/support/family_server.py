"""A token server whose refresh tokens are good for one use, and come in families.

One that comes a second time revokes all that came of it (RFC 9700, 4.14.2), except within an
interval that some servers have.
"""

from __future__ import annotations

import threading
import time

from support.loopback import Handler, Loopback, Recorded


class _Handler(Handler):
    def respond(self, request: Recorded) -> None:
        owner: FamilyServer = self.server.owner
        token = request.form.get("refresh_token", "")
        with owner.lock:
            owner.posts.append((time.monotonic(), token))
        owner.asked.set()
        owner.stopping.wait(owner.takes)
        answer = owner.spend(token)
        self.send(400 if "error" in answer else 200, answer)


class FamilyServer(Loopback):
    """The token server.

    Attributes:
        takes: seconds of a renewal.
        reuse: seconds for which a spent token is taken again.
        life: seconds of an access token.
        posts: the refresh tokens that came, and when.
        reused: how many families have been revoked.
        good: the access tokens that are taken now.
        asked: set when one comes.
    """

    def __init__(self) -> None:
        self.takes = 0.8
        self.reuse = 0.0
        self.life = 3600
        self.posts: list[tuple[float, str]] = []
        self.reused = 0
        self.good: set[str] = set()
        self.asked = threading.Event()
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        self._families: dict[str, int] = {}
        self._spent: dict[str, float] = {}
        self._revoked: set[int] = set()
        self._of: dict[str, int] = {}
        self._serial = 0
        super().__init__(_Handler)

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        super().__exit__()

    def family(self) -> dict[str, dict[str, object]]:
        """A new login, as rattler keeps it, whose access token has just ended."""
        with self.lock:
            self._serial += 1
            self._families[f"refresh-{self._serial}"] = self._serial
            return {"OAuth": {
                "access_token": f"ended-{self._serial}",
                "refresh_token": f"refresh-{self._serial}",
                "expires_at": int(time.time()) - 1, "client_id": "c",
                "token_endpoint": f"{self.url}/token",
            }}  # fmt: skip

    def spend(self, token: str) -> dict[str, object]:
        """What comes for a refresh token."""
        with self.lock:
            family = self._families.get(token)
            if family is None or family in self._revoked:
                return {"error": "invalid_grant"}
            now = time.monotonic()
            if now - self._spent.setdefault(token, now) > self.reuse:
                self.reused += 1
                self._revoked.add(family)
                self.good -= {each for each, its in self._of.items() if its == family}
                return {"error": "invalid_grant"}
            self._serial += 1
            access, fresh = f"access-{self._serial}", f"refresh-{self._serial}"
            self._families[fresh] = self._of[access] = family
            self.good.add(access)
            return {
                "access_token": access, "refresh_token": fresh, "token_type": "Bearer",
                "expires_in": self.life,
            }  # fmt: skip
