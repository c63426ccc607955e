"""The identities for which tokens are minted: each is asked about a host of its system."""

from __future__ import annotations

import itertools
import os
import re

from credlatch import request as requests
from credlatch import url as urls
from credlatch.errors import CredlatchError
from credlatch.identities.servers import root
from credlatch.identities.table import SYSTEMS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from credlatch.caller import Caller
    from credlatch.identities.table import System
    from credlatch.listing import Login
    from credlatch.url import Url

_SERVER = re.compile(r"(?:https://)?[A-Za-z0-9][\w-]*(?:\.[\w-]+)+(?::\d{1,5})?(?:/[\w./-]*)?")
_MOST = 200  # texts that may be a server's name
_PATH = "get/channel/"  # quetz's

SAMPLES = {
    "ecr": ("*.dkr.ecr.*.amazonaws.com", "000000000000.dkr.ecr.us-east-1.amazonaws.com"),
    "codeartifact": (
        "*.d.codeartifact.*.amazonaws.com",
        "domain-000000000000.d.codeartifact.us-east-1.amazonaws.com/pypi/repository/simple/",
    ),
    "azure_artifacts": ("pkgs.dev.azure.com", "pkgs.dev.azure.com/organization/_packaging/feed/"),
    "acr": ("*.azurecr.io", "registry.azurecr.io"),
    "azure_blob": ("*.blob.core.windows.net", "account.blob.core.windows.net/container/object"),
    "github": ("github.com", "github.com/owner/repository"),
    "google": ("*.pkg.dev", "europe-docker.pkg.dev/project/repository"),
    "s3": ("*.s3.*.amazonaws.com", "bucket.s3.us-east-1.amazonaws.com/object"),
    "gitlab": ("gitlab.com", "gitlab.com/group/project"),
    "jfrog": ("*.jfrog.io", "company.jfrog.io/artifactory/api/pypi/repository/simple/"),
    "cloudsmith": ("*.cloudsmith.io", "dl.cloudsmith.io/basic/owner/repository/"),
    "anaconda": ("repo.anaconda.cloud", "repo.anaconda.cloud/repo/main/"),
    "prefix": ("*.prefix.dev", "repo.prefix.dev/channel/"),
}
"""For each system with hosts of its own: what to call them, and a URL that one of them has."""


def identities(caller: Caller) -> Iterator[Login]:
    """The systems that a call may be answered for with an identity of the caller's, without asking.

    A system that only a rule brings in is none: ``config check`` tells of rules.
    """
    from credlatch.listing import Login

    for system in SYSTEMS:
        if system.opt_in:
            continue
        module = __import__(f"credlatch.identities.{system.name}", fromlist=["find"])
        for hosts, url in _places(system, caller):
            aside = len(caller.warnings)
            try:
                entry = module.find(requests.for_url(url), url, caller)
            except CredlatchError:
                continue  # it is there and broken: who asks for a host of it is told
            finally:
                del caller.warnings[aside:]
            if entry is None:
                continue
            made = Login(hosts, "identity", entry.location)
            made.kind = f"{system.name.replace('_', ' ')} identity"
            made.expires, made.renews = entry.expires, True
            yield made


def _places(system: System, caller: Caller) -> Iterator[tuple[str, Url]]:
    """Hosts of a system's own, and servers of somebody's, with a URL of each to be asked for."""
    hosts, sample = SAMPLES.get(system.name, ("", ""))
    if sample:
        yield hosts, urls.parse(f"https://{sample}")
    path = sample.partition("/")[2] or _PATH
    seen = set()
    for text in itertools.islice(_named(system, caller), _MOST):
        server = root(text)
        if server is None or server.netloc in seen or _is_its_own(server.host, system):
            continue
        seen.add(server.netloc)
        # What only looks like a server's name is none to the system, which is asked.
        yield server.netloc, urls.parse(f"{server.text.rstrip('/')}/{path}")


def _named(system: System, caller: Caller) -> Iterator[str]:
    """What may be a server's name in what may name one: variables, and tools' files."""
    folders = []
    for name in system.variables:
        text = caller.get(name) or ""
        if os.path.isabs(text):
            folders.append(text)
        elif not name.endswith("TOKEN"):
            yield text
    paths = [
        caller.in_home(name[2:]) if name.startswith("~/") else caller.config(name)
        for name in system.files
    ]
    names = {os.path.basename(path) for path in paths}
    paths += [os.path.join(folder, name) for folder in folders for name in sorted(names)]
    for path in paths:
        try:
            yield from _SERVER.findall(caller.read(path) or "")
        except CredlatchError:
            continue


def _is_its_own(host: str, system: System) -> bool:
    return any(host == each or host.endswith(f".{each}") for each in system.hosts)
