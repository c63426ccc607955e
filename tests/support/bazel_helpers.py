"""Which helper Bazel asks for a URI, and how long it keeps the answer.

What ``CredentialHelperProvider.java``, ``CommandLinePathFactory.java`` and
``CredentialCacheExpiry.java`` of Bazel do.
"""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from support import bazel_client

if TYPE_CHECKING:
    from support.bazel_rc import Options

_PATTERN = re.compile(r"(\*|[-a-zA-Z0-9]+)(\.[-a-zA-Z0-9]+)+")
_PATH = re.compile(r"(%([a-z_]+)%/)?([^%].*)")
_DURATION = re.compile(r"(\d+)(ms|s|m|h|d)")
_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400}


class BadHelperError(Exception):
    """What ends Bazel before it builds anything."""


def duration(text: str) -> timedelta:
    """The value of such an option."""
    found = _DURATION.fullmatch(text)
    if found is None:
        raise BadHelperError(f"Illegal duration '{text}'")
    return timedelta(seconds=int(found[1]) * _UNITS[found[2]])


class Helpers:
    """The helpers of one server, and what they have said.

    Attributes:
        calls: each URI that a helper has been asked for, in order.
        now: the server's clock.
    """

    def __init__(self, options: Options, workspace: Path, env: dict[str, str]) -> None:
        self.calls: list[str] = []
        self.now = datetime.now(UTC)
        self._env = env
        self._workspace = workspace
        self._keeps = duration(options.last("credential_helper_cache_duration", "30m"))
        self._by_pattern: dict[str, Path] = {}
        self._cache: dict[str, tuple[datetime, dict[str, list[str]]]] = {}
        for value in options.all("credential_helper"):
            pattern, equals, path = value.partition("=")
            if not equals:
                pattern, path = "", value
            elif not _PATTERN.fullmatch(pattern):
                raise BadHelperError(f"Pattern '{pattern}' is not a valid (wildcard) DNS name")
            self._by_pattern[pattern] = self._executable(path)

    def _executable(self, text: str) -> Path:
        found = _PATH.fullmatch(text)
        if found is None or (found[2] or "workspace") != "workspace" or ".." in Path(text).parts:
            raise BadHelperError(f"bad path: '{text}'")
        path = self._workspace / found[3] if found[2] else Path(text)
        if not path.is_absolute():
            path = self._on_path(text)
        if not os.access(path, os.X_OK):
            raise BadHelperError(f"Credential helper {path} is not executable")
        return path

    def _on_path(self, name: str) -> Path:
        search = self._env.get("PATH", "")
        if "/" not in name:
            for folder in search.split(os.pathsep):
                path = Path(folder, name)
                if path.is_file() and os.access(path, os.X_OK):
                    return path
        raise BadHelperError(f"Could not find file with name '{name}' on PATH '{search}'")

    def helper(self, host: str) -> Path | None:
        """The helper for a host: its own, else that of the longest suffix, else the one for all."""
        labels = host.split(".")
        suffixes = [f"*.{'.'.join(labels[at:])}" for at in range(len(labels))]
        found = (self._by_pattern.get(pattern) for pattern in (host, *suffixes, ""))
        return next((each for each in found if each is not None), None)

    def refresh(self) -> None:
        """Forget all answers, as Bazel does when a remote cache has refused one."""
        self._cache.clear()

    def headers(self, uri: str) -> dict[str, list[str]] | None:
        """The headers for a URI; None: no helper is asked, and netrc or a rule's auth would count.

        Raises:
            HelperError: the helper has failed, which is not kept.
        """
        kept = self._cache.get(uri)
        if kept is not None and self.now < kept[0]:
            return kept[1]
        helper = self.helper(urlsplit(uri).hostname or "")
        if helper is None:
            return None
        self.calls.append(uri)
        got = bazel_client.get_credentials(helper, uri, self._env, self._workspace)
        self._cache[uri] = (got.expires or self.now + self._keeps, got.headers)
        return got.headers
