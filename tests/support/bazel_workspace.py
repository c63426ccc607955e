"""A workspace, fetched as Bazel fetches it: modules from registries, archives, a remote cache.

What IndexRegistry.java, HttpConnector.java and HttpCacheClient.java of Bazel do, with the helper
asked for each URL on the way.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import ssl
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from support import bazel_starlark
from support.bazel_client import HelperError
from support.bazel_helpers import Helpers
from support.bazel_rc import Options
from support.bazel_web import Connection

if TYPE_CHECKING:
    from support.bazel_web import Web

_REDIRECTS = {301, 302, 303, 307}
_MAX_REDIRECTS = 40
_CLIENT = {"Accept-Encoding": ["gzip"], "User-Agent": ["bazel/8.4.2"]}


class FetchError(Exception):
    """A file cannot be had."""


class Workspace:
    """One Bazel server in a workspace.

    Attributes:
        options: its options.
        helpers: the helpers that they name.
        warnings: what it tells its user of.
    """

    def __init__(
        self, root: Path, env: dict[str, str], web: Web, *configs: str, command: str = "build"
    ) -> None:
        self.options = Options(root, Path(env["HOME"]), command, configs)
        self.helpers = Helpers(self.options, root, env)
        self.warnings: list[str] = []
        self._root = root
        self._web = web
        self._trusted = ssl.create_default_context(cafile=str(web.authority))

    def fetch(self) -> dict[str, dict[str, bytes]]:
        """All files of all repositories that MODULE.bazel asks for.

        Raises:
            FetchError: one cannot be had.
        """
        repositories = {}
        for what, attributes in bazel_starlark.module_file(
            (self._root / "MODULE.bazel").read_text()
        ):
            if what == "bazel_dep":
                repositories[attributes["name"]] = self._module(**attributes)
            elif what == "http_archive":
                repositories[attributes["name"]] = self._archive(attributes)
        return repositories

    def _module(self, name: str, version: str) -> dict[str, bytes]:
        """A module, from the first registry that has it."""
        for registry in self.options.all("registry"):
            base = f"{registry.rstrip('/')}/"
            folder = f"{base}modules/{name}/{version}"
            text = self.get(f"{folder}/MODULE.bazel")
            if text is None:
                continue
            said = dict(bazel_starlark.module_file(text.decode()))
            assert said["module"] == {"name": name, "version": version}
            source = json.loads(self._must(f"{folder}/source.json"))
            self.get(f"{base}bazel_registry.json")
            self.get(f"{base}modules/{name}/metadata.json")
            return self._archive({**source, "urls": [source["url"]]})
        raise FetchError(f"module not found in registries: {name}@{version}")

    def _archive(self, attributes: dict[str, Any]) -> dict[str, bytes]:
        """The files of an archive, whose checksum must be what it is said to be."""
        content = self._must(attributes["urls"][0])
        digest = hashlib.sha256(content)
        expected = attributes.get("sha256") or attributes["integrity"]
        got = (digest.hexdigest(), f"sha256-{base64.b64encode(digest.digest()).decode()}")
        if expected not in got:
            raise FetchError(f"Checksum was {got[0]} but wanted {expected}")
        prefix = f"{attributes['strip_prefix']}/"
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            files = {
                member.name.removeprefix(prefix): archive.extractfile(member)
                for member in archive.getmembers()
                if member.isfile() and member.name.startswith(prefix)
            }
            return {name: file.read() for name, file in files.items() if file is not None}

    def _must(self, url: str) -> bytes:
        content = self.get(url)
        if content is None:
            raise FetchError(f"GET returned 404 Not Found: {url}")
        return content

    def get(self, url: str) -> bytes | None:
        """What is at a URL, its redirects followed; None: nothing."""
        for _ in range(_MAX_REDIRECTS):
            try:
                headers = self.helpers.headers(url) or {}
            except HelperError as error:  # fatal from bazel#30647 on
                self.warnings.append(f"Error retrieving auth headers, continuing without: {error}")
                headers = {}
            status, body, location = self._send("GET", url, headers)
            if status in _REDIRECTS:
                url = urljoin(url, location)
            elif status == 404:
                return None
            elif status != 200:
                raise FetchError(f"GET returned {status}: {url}")
            else:
                return body
        raise FetchError("Redirect loop detected")

    def cached(self, method: str, kind: str, content: bytes) -> tuple[int, bytes]:
        """Look something up in an HTTP cache, or store it there; status and content.

        Args:
            method: GET or PUT.
            kind: ``cas`` or ``ac``.
            content: what is looked for by its digest, or stored.
        """
        status, got = self._cached(method, kind, content)
        if status == 401:
            self.helpers.refresh()
            status, got = self._cached(method, kind, content)
        return status, got

    def _cached(self, method: str, kind: str, content: bytes) -> tuple[int, bytes]:
        base = urlsplit(self.options.last("remote_cache"))
        # The helper is asked for the cache, not for the entry, and the port is always there.
        port = base.port or 443
        headers = self.helpers.headers(f"https://{base.hostname}:{port}{base.path}") or {}
        path = f"{base.path.rstrip('/')}/{kind}/{hashlib.sha256(content).hexdigest()}"
        body = content if method == "PUT" else b""
        status, got, _ = self._send(method, f"https://{base.hostname}{path}", headers, body)
        return status, got

    def _send(
        self, method: str, url: str, headers: dict[str, list[str]], body: bytes = b""
    ) -> tuple[int, bytes, str]:
        """One request; the answer's status, body and Location."""
        parts = urlsplit(url)
        connection = Connection(parts.netloc, self._web.address, self._trusted)
        try:
            connection.putrequest(method, url.partition(parts.netloc)[2] or "/")
            for name, values in {**headers, **_CLIENT}.items():
                for value in values:
                    connection.putheader(name, value)
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.getheader("Location", "")
        finally:
            connection.close()
