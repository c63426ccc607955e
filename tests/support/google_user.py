"""Somebody with Google's files in their home, who asks for a registry of Google's."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from credlatch import request as requests
from credlatch import url as urls
from credlatch.caller import Caller
from credlatch.resolve import Resolver
from credlatch.stores.order import ORDER
from support.found import header

if TYPE_CHECKING:
    from pathlib import Path

    from credlatch.resolve import Outcome
    from credlatch.shared_cache import SharedCache
    from support.home import Home

REGISTRY = "https://europe-docker.pkg.dev/v2/project/repo/image/manifests/latest"
IDENTITIES = tuple(row for row in ORDER if row[0] == "identity")


def program(home: Home, name: str, *lines: str) -> Path:
    """Write a program, first on PATH, which notes its arguments; where it notes them."""
    noted = home.path / f"{name}.noted"
    path = home.write(name, "\n".join(("#!/bin/sh", f'echo "$*" >>"{noted}"', *lines, "")), 0o755)
    if str(path.parent) not in home.env["PATH"]:
        home.path_begins_with(path.parent)
    return noted


class GoogleUser:
    """Such a user, in a home of the test's own.

    Attributes:
        home: theirs.
        shared: what earlier calls have left; None: nothing.
        seconds: that a call may take.
        warnings: of the last call.
    """

    def __init__(self, home: Home) -> None:
        self.home = home
        self.shared: SharedCache | None = None
        self.seconds = 60.0
        self.warnings: list[str] = []

    def has(self, file: dict[str, Any] | str, mode: int = 0o600) -> Path:
        """Put a file where gcloud has it."""
        text = file if isinstance(file, str) else json.dumps(file)
        name = ".config/gcloud/application_default_credentials.json"
        return self.home.write(name, text, mode)

    def says(self, **rule: str | list[str]) -> None:
        """Write a rule for REGISTRY's host into their settings; nothing: there is none."""
        lines = [f"{name} = {json.dumps(value)}" for name, value in rule.items()]
        place = f'[[rule]]\nurl = "https://{urls.parse(REGISTRY).host}/"'
        text = "\n".join((place, *lines, "")) if rule else ""
        self.home.write(".config/credlatch/config.toml", text)

    def outcome(self, url: str = REGISTRY, *, stores: bool = False) -> Outcome:
        """What identities have for a URL; with ``stores``, what they have before those."""
        caller = Caller(self.home.env, str(self.home.path), self.shared)
        caller.deadline = time.monotonic() + self.seconds
        outcome = Resolver(caller, ORDER if stores else IDENTITIES).outcome(
            requests.for_url(urls.parse(url))
        )
        self.warnings = caller.warnings
        return outcome

    def header(self, url: str = REGISTRY, *, stores: bool = False) -> str | None:
        """The one that is sent."""
        outcome = self.outcome(url, stores=stores)
        assert outcome.failure is None
        return header(outcome.resolution)

    def warning(self, url: str = REGISTRY) -> str:
        """Why there is none: one line, and no answer."""
        assert self.header(url) is None
        (line,) = self.warnings
        assert "\n" not in line
        return line
