"""One token server for every way of renewing: OAuth as rattler uses it, pyx, and Posit.

It answers as the real servers do, remembers what it was asked, and can be told to misbehave.
Standard library only, as ``./dev try`` uses it too. By hand, with PYTHONPATH=tests:
``python -m support.token_server``.
"""

from __future__ import annotations

import argparse
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from support.jwt import make_jwt
from support.loopback import Loopback, Recorded
from support.token_http import DeviceFlow, Fault, TokenHandler

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator

__all__ = ["Fault", "Recorded", "TokenServer", "make_jwt"]


class TokenServer(Loopback):
    """A token server on loopback, running while its ``with`` block does.

    What a test sets, at any time: ``lifetime`` in seconds (None: tokens say nothing about their
    end), ``rotate`` (False: refresh tokens may be used again, as some servers allow), ``delay`` in
    seconds before each answer, ``fault`` (for ``fault_times`` requests; None: for all), and
    ``redirect_to``/``redirect_status`` for Fault.REDIRECT.

    Attributes:
        device: Posit's device flow.
        requests: everything that was asked, in order of arrival.
        replayed: the refresh tokens that came again after they were used up.
        current_access_token: the last one issued.
    """

    def __init__(self, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self.lifetime: int | None = 3600
        self.rotate = True
        self.delay = 0.0
        self.fault: Fault | None = None
        self.fault_times: int | None = None
        self.redirect_to = ""
        self.redirect_status = 307
        self.requests: list[Recorded] = []
        self.device = DeviceFlow()
        self.replayed: list[str] = []
        self.current_access_token: str | None = None
        self.stopping = threading.Event()
        self.answering = threading.Event()
        self.answering.set()
        self._serial = 0
        self._spent: set[str] = set()
        self._lock = threading.Lock()
        super().__init__(TokenHandler, port, tls)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """It takes requests, and answers none before the block ends."""
        self.answering.clear()
        try:
            yield
        finally:
            self.answering.set()

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        super().__exit__()

    def posts(self, path: str) -> list[Recorded]:
        """The POST requests to ``path``, in order of arrival."""
        with self._lock:
            return [r for r in self.requests if r.method == "POST" and r.path == path]

    def record(self, request: Recorded) -> Fault | None:
        """Remember a request, and say which fault its answer has."""
        with self._lock:
            self.requests.append(request)
            if request.method != "POST" or self.fault is None or self.fault_times == 0:
                return None
            if self.fault_times is not None:
                self.fault_times -= 1
            return self.fault

    def spend(self, refresh_token: str) -> bool:
        """Use up a single-use refresh token; False when it was used up before."""
        with self._lock:
            if refresh_token in self._spent:
                self.replayed.append(refresh_token)
                return False
            if self.rotate:
                self._spent.add(refresh_token)
            return True

    def issue(self, fault: Fault | None) -> dict[str, Any]:
        """A new access token, and the refresh token that goes with it when they rotate."""
        with self._lock:
            self._serial += 1
            lifetime = -60 if fault is Fault.EXPIRED else self.lifetime
            end = None if lifetime is None else int(time.time()) + lifetime
            token = make_jwt(end, iss="mock", n=self._serial)
            if fault is Fault.CRLF_TOKEN:
                token = f"{token}\r\nX-Injected: yes"
            self.current_access_token = token
            answer: dict[str, Any] = {"access_token": token, "token_type": "Bearer"}
            if lifetime is not None:
                answer["expires_in"] = max(lifetime, 0)
            if self.rotate:
                answer["refresh_token"] = f"rotated-{self._serial}"
            return answer


def _main() -> None:
    parser = argparse.ArgumentParser(description="A token server on loopback, until Ctrl-C.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--fault", choices=[fault.name for fault in Fault])
    options = parser.parse_args()
    with TokenServer(options.port) as server:
        server.fault = Fault[options.fault] if options.fault else None
        print(server.url, flush=True)  # noqa: T201 - what a person wants to know
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    _main()
