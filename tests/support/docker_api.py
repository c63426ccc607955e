"""A daemon that lets everybody log in to Docker Hub: the Hub itself is out of a test's reach."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from support.loopback import Handler, Loopback, Recorded

if TYPE_CHECKING:
    from collections.abc import Iterator

HUB = "https://index.docker.io/v1/"
_VERSION = {"API-Version": "1.41", "OSType": "linux"}


class LenientDaemon(Loopback):
    """The part of Docker's API that ``docker login`` and ``docker pull`` need.

    Attributes:
        host: what DOCKER_HOST must be to speak to it.
        logins: what clients wanted to log in with.
        pulls: the account with which clients wanted to pull, for each pull.
    """

    def __init__(self) -> None:
        super().__init__(_Handler)
        self.host = self.url.replace("http:", "tcp:")
        self.logins: list[dict[str, Any]] = []
        self.pulls: list[dict[str, Any]] = []


class _Handler(Handler):
    def respond(self, request: Recorded) -> None:
        owner: LenientDaemon = self.server.owner
        if request.method != "POST":
            answer = {"IndexServerAddress": HUB} if request.path.endswith("/info") else {}
        elif "/images/create" in request.path:
            account = base64.urlsafe_b64decode(request.headers["x-registry-auth"])
            owner.pulls.append(json.loads(account))
            answer = {"status": "pulled"}
        else:
            owner.logins.append(request.json)
            answer = {"Status": "Login Succeeded", "IdentityToken": ""}
        self.send(200, answer, _VERSION)


@pytest.fixture
def lenient_daemon() -> Iterator[LenientDaemon]:
    """A daemon to whom every login to Docker Hub is right."""
    with LenientDaemon() as daemon:
        yield daemon
