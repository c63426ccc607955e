"""GitHub, an enterprise server of it, and GitLab, as far as a helper meets them.

Each checks what it is sent by its own rules, and answers what is wrong as the real one does: 401,
403, or 404 for what a token may not see. The storage that they redirect to has signed URLs, and
refuses whatever has an Authorization beside that.
"""

from __future__ import annotations

import binascii
import json
import re
import ssl
import urllib.error
import urllib.request
from base64 import b64decode
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from support.internet import Answer, Internet, Visit
    from support.program import Program

FILE = b"what is in the file"
SIGNED = "se=2033-01-01&sp=r&sig=c2lnbmVk"
_STORAGE = "release-assets.githubusercontent.com"
_BLOBS = "pkg-containers.githubusercontent.com"
OBJECTS = "objects.corp.example"  # the storage of GitLab's packages
_HOPS = 10
_FOLLOWED = (301, 302, 303, 307)  # by Bazel's HttpConnector


def login_of(authorization: str) -> tuple[str, str] | None:
    """The user name and password of a Basic header; None: it is none."""
    scheme, _, rest = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        username, colon, password = b64decode(rest, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (username, password) if colon else None


def storage(visit: Visit) -> Answer:
    """What answers for signed URLs."""
    if visit.authorization or any("token" in name for name in visit.headers):
        return 400, {}, {"Code": "InvalidAuthenticationInfo"}
    return (200, {}, FILE) if visit.target.endswith(f"?{SIGNED}") else (403, {}, b"no signature")


class GitHub:
    """github.com, or an enterprise server.

    It has the repositories ``o/private`` and ``o/public``, with one release that has the asset 42.

    Args:
        internet: where it is.
        tokens: those that may read both repositories; any other one is refused.
        server: the host of an enterprise server; empty: github.com.

    Attributes:
        hosts: all of its hosts.
    """

    def __init__(self, internet: Internet, tokens: set[str], server: str = "") -> None:
        self._tokens = tokens
        self._server = server
        if server:
            hosts = {server: self._pages, f"raw.{server}": self._raw}
            hosts[f"codeload.{server}"] = self._archives
        else:
            hosts = {"github.com": self._pages, "api.github.com": self._api}
            hosts["raw.githubusercontent.com"] = self._raw
            hosts["codeload.github.com"] = self._archives
            hosts["ghcr.io"] = self._images
            internet.hosts[_BLOBS] = storage
        self.hosts = list(hosts)
        internet.hosts |= hosts
        internet.hosts[_STORAGE] = storage

    def _reads(self, visit: Visit, *, basic_only: bool = False) -> bool | None:
        """Whether a request has a token that is good; None: it has none."""
        sent = visit.authorization
        if not sent:
            return None
        login = login_of(sent)
        if login is not None:
            return not self._tokens.isdisjoint(login)
        scheme, _, token = sent.partition(" ")
        return not basic_only and scheme.lower() in {"bearer", "token"} and token in self._tokens

    def _api(self, visit: Visit, prefix: str = "") -> Answer:
        reads = self._reads(visit)
        if reads is False:
            return 401, {}, {"message": "Bad credentials"}
        path = visit.path.removeprefix(prefix)
        if path in {"", "/"}:
            return 200, {"X-Oauth-Scopes": "repo, read:org, gist"}, {}
        if path == "/graphql":
            return 200, {}, {"data": {"viewer": {"login": "monalisa"}}}
        found = re.fullmatch(r"/repos/o/(public|private)/releases/assets/42", path)
        if found is None or (found[1] == "private" and not reads):
            return 404, {}, {"message": "Not Found"}
        if visit.headers.get("accept") == "application/octet-stream":
            return 302, {"Location": f"https://{_STORAGE}/github-production/42?{SIGNED}"}, b""
        return 200, {}, {"id": 42, "name": "a.zip"}

    def _pages(self, visit: Visit) -> Answer:
        if self._server and visit.path.startswith(("/api/v3", "/api/graphql")):
            is_v3 = visit.path.startswith("/api/v3")
            return self._api(visit, "/api/v3" if is_v3 else "/api")
        found = re.fullmatch(r"/o/(public|private)(\.git)?/(.*)", visit.path)
        if found is None:
            return 404, {}, b"Not Found"
        name, rest = found[1], found[3]
        if rest == "info/refs":
            reads = self._reads(visit, basic_only=True)
            if reads or (reads is None and name == "public"):
                return 200, {}, FILE
            return 401, {"WWW-Authenticate": 'Basic realm="GitHub"'}, b"no"
        if rest.startswith("releases/download/"):  # of a private one no token opens these
            if name == "private":
                return 404, {}, b"Not Found"
            return 302, {"Location": f"https://{_STORAGE}/github-production/42?{SIGNED}"}, b""
        if rest.startswith("archive/") and (name == "public" or self._reads(visit)):
            archives = f"codeload.{self._server or 'github.com'}"
            return 302, {"Location": f"https://{archives}/o/{name}/tar.gz/v1"}, b""
        return 404, {}, b"Not Found"

    def _archives(self, visit: Visit) -> Answer:
        reads = self._reads(visit)
        may = reads or (reads is None and visit.path.startswith("/o/public/"))
        return (200, {}, FILE) if may else (404, {}, b"404: Not Found")

    def _raw(self, visit: Visit) -> Answer:
        login = login_of(visit.authorization)  # of a bearer token it knows nothing
        may = login is not None and login[0] in self._tokens
        if may or (not visit.authorization and visit.path.startswith("/o/public/")):
            return 200, {}, FILE
        return 404, {}, b"404: Not Found"

    def _images(self, visit: Visit) -> Answer:
        if visit.path == "/token":
            login = login_of(visit.authorization)
            may = login is not None and login[1] in self._tokens
            found = re.search(r"scope=repository%3Ao%2F(public|private)%3Apull(&|$)", visit.target)
            if found and (may or (not visit.authorization and found[1] == "public")):
                return 200, {}, {"token": f"of-{found[1]}"}  # it does not say for how long
            return 403, {}, {"errors": [{"code": "DENIED"}]}
        found = re.match(r"/v2/o/(public|private)/(manifests|blobs)/", visit.path)
        if found is None or visit.authorization != f"Bearer of-{found[1]}":
            # The scope in it is a made-up one, whatever is asked for.
            realm = 'Bearer realm="https://ghcr.io/token",service="ghcr.io"'
            challenge = f'{realm},scope="repository:user/image:pull"'
            return 401, {"WWW-Authenticate": challenge}, b"no"
        if found[2] == "blobs":
            return 307, {"Location": f"https://{_BLOBS}/ghcr1/blobs/1?{SIGNED}"}, b""
        return 200, {}, FILE


class GitLab:
    """A GitLab with the private project 7, and its registry; its sources' rules.

    Args:
        internet: where it is.
        host: its host.
        registry: its registry's host.
        job: a job's token.
        access: a personal one.
        deploy: a deploy token, and its user name.
    """

    def __init__(
        self,
        internet: Internet,
        host: str,
        registry: str,
        *,
        job: str,
        access: str,
        deploy: tuple[str, str],
    ) -> None:
        self.host, self.registry = host, registry
        self._headers = {"job-token": job, "private-token": access, "deploy-token": deploy[1]}
        self._logins = {("gitlab-ci-token", job), deploy}
        self._access = access
        internet.hosts |= {host: self._answer, registry: self._images, OBJECTS: storage}

    def _logs_in(self, visit: Visit) -> bool | None:
        if not visit.authorization:
            return None
        login = login_of(visit.authorization)
        return login is not None and (login in self._logins or login[1] == self._access)

    def _by_header(self, visit: Visit) -> bool | None:
        sent = {name: visit.headers[name] for name in self._headers if name in visit.headers}
        if sent:
            return all(self._headers[name] == value for name, value in sent.items())
        if visit.authorization.startswith("Bearer "):
            return visit.authorization == f"Bearer {self._access}"
        return None

    def _answer(self, visit: Visit) -> Answer:
        if visit.path == "/jwt/auth":
            if self._logs_in(visit):
                return 200, {}, {"token": "a-registry-token"}
            return 403, {}, {"errors": [{"code": "DENIED"}]}
        if visit.path.endswith(".git/info/refs"):
            if self._logs_in(visit):
                return 200, {}, FILE
            return 401, {"WWW-Authenticate": 'Basic realm="GitLab"'}, b"HTTP Basic: Access denied"
        if re.match(r"/api/v4/projects/7/packages/pypi/", visit.path):
            may = self._logs_in(visit)
        elif re.match(r"/api/v4/projects/7/|/o/p/-/archive/", visit.path):
            may = self._by_header(visit)
        else:
            may = None
        if may is None:  # to who sends nothing a private project is not there
            return 404, {}, {"message": "404 Project Not Found"}
        if not may:
            return 401, {}, {"message": "401 Unauthorized"}
        return 302, {"Location": f"https://{OBJECTS}/packages/7?{SIGNED}"}, b""

    def _images(self, visit: Visit) -> Answer:
        if visit.authorization == "Bearer a-registry-token":
            return 200, {}, FILE
        realm = f'Bearer realm="https://{self.host}/jwt/auth",service="container_registry"'
        return 401, {"WWW-Authenticate": f'{realm},scope="repository:o/p:pull"'}, b"no"


class Asking:
    """Bazel, as it fetches a file: who asks the helper for each hop, and follows redirects.

    Args:
        program: the helper.
        internet: where it fetches.
    """

    def __init__(self, program: Program, internet: Internet) -> None:
        self._program = program
        context = ssl.create_default_context(cafile=str(internet.authority))
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({"https": internet.url}),
            urllib.request.HTTPSHandler(context=context),
            _Unfollowed(),
        )

    def fetch(self, url: str) -> tuple[int, bytes]:
        """What is at a URL in the end, and with which status."""
        for _ in range(_HOPS):
            answer = self._program.bazel(url).json()
            headers = {name: value for name, (value,) in answer["headers"].items()}
            status, location, body = self.send(url, headers)
            if status not in _FOLLOWED:
                return status, body
            url = location
        raise AssertionError(f"more than {_HOPS} hops to {url}")

    def send(self, url: str, headers: dict[str, str]) -> tuple[int, str, bytes]:
        """Send one request: the status, where it is redirected to, and the body."""
        request = urllib.request.Request(url, headers=headers)  # noqa: S310 - https, by the tests
        try:
            with self._opener.open(request, timeout=60) as response:
                return response.status, "", response.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers.get("Location", ""), error.read()


class _Unfollowed(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """None: the next hop is asked for anew."""


def secrets_in(visit: Visit) -> str:
    """All that a request has in its headers, and logins as they read."""
    login = login_of(visit.authorization)
    return json.dumps([visit.headers, login])
