"""URLs that look like those of a system and are not: what somebody else could have asked for.

A system's row names its hosts. What is made of them is below none of them, at another port, in
plain http, or no URL; a system must neither claim it nor have anything sent there.
"""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING

from credlatch import url as urls
from credlatch.errors import RequestError
from credlatch.identities import table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from credlatch.identities.table import System
    from support.home import Home

COUNT = 1000

# What systems claim, one at least for each row, and of more than one form where there are several:
# look-alikes are made of these. A row that claims none of them is tested with its hosts themselves.
CLAIMED = (
    "https://123456789012.dkr.ecr.eu-west-1.amazonaws.com/v2/a/manifests/1",
    "https://public.ecr.aws/v2/a/b/manifests/1",
    "https://team-123456789012.d.codeartifact.eu-west-1.amazonaws.com/pypi/x/simple/",
    "https://bucket.s3.eu-west-1.amazonaws.com/a",
    "https://s3.amazonaws.com/bucket/a",
    "https://europe-docker.pkg.dev/v2/project/a/manifests/1",
    "https://eu.gcr.io/v2/project/a/manifests/1",
    "https://storage.googleapis.com/bucket/a",
    "https://bucket.storage.googleapis.com/a",
    "https://pkgs.dev.azure.com/org/_packaging/feed/pypi/simple/",
    "https://org.pkgs.visualstudio.com/_packaging/feed/pypi/simple/",
    "https://team.azurecr.io/v2/a/manifests/1",
    "https://team.blob.core.windows.net/container/a",
    "https://github.com/o/r/releases/download/1/a.zip",
    "https://api.github.com/repos/o/r/releases/assets/1",
    "https://raw.githubusercontent.com/o/r/main/a",
    "https://codeload.github.com/o/r/zip/main",
    "https://maven.pkg.github.com/o/r/a.jar",
    "https://ghcr.io/v2/o/a/manifests/1",
    "https://gitlab.com/api/v4/projects/1/packages/pypi/simple/",
    "https://registry.gitlab.com/v2/o/a/manifests/1",
    "https://team.jfrog.io/artifactory/api/pypi/x/simple/",
    "https://dl.cloudsmith.io/basic/org/repo/python/simple/",
    "https://api.anaconda.org/download/org/pkg/1/noarch/pkg-1-0.conda",
    "https://repo.anaconda.cloud/repo/main/noarch/repodata.json",
    "https://repo.prefix.dev/channel/noarch/repodata.json",
)

# At servers that no row names and the variables below do.
NAMED = (
    "https://github.company.example/o/r/archive/a.zip",
    "https://gitlab.company.example/api/v4/projects/1/packages/pypi/simple/",
    "https://registry.company.example/v2/o/a/manifests/1",
    "https://jfrog.company.example/artifactory/api/pypi/x/simple/",
    "https://quetz.company.example/get/channel/noarch/repodata.json",
)

_VARIABLES = {
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "a-secret",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AZURE_TENANT_ID": "11111111-2222-3333-4444-555555555555",
    "AZURE_CLIENT_ID": "11111111-2222-3333-4444-666666666666", "AZURE_CLIENT_SECRET": "a-secret",
    "AZURE_DEVOPS_EXT_PAT": "a-secret", "SYSTEM_ACCESSTOKEN": "a-secret",
    "VSS_NUGET_ACCESSTOKEN": "a-secret",
    "GH_TOKEN": "a-secret", "GITHUB_TOKEN": "a-secret", "GH_ENTERPRISE_TOKEN": "a-secret",
    "GH_HOST": "github.company.example",
    "CI_JOB_TOKEN": "a-secret", "CI_SERVER_HOST": "gitlab.company.example",
    "CI_REGISTRY": "registry.company.example", "CI_REGISTRY_USER": "u",
    "CI_REGISTRY_PASSWORD": "a-secret", "GITLAB_TOKEN": "a-secret",
    "JFROG_URL": "https://jfrog.company.example", "JF_URL": "https://jfrog.company.example",
    "JF_ACCESS_TOKEN": "a-secret", "CLOUDSMITH_API_KEY": "a-secret",
    "ANACONDA_API_TOKEN": "a-secret", "ANACONDA_AUTH_API_KEY": "a-secret",
    "PREFIX_API_KEY": "a-secret",
    "QUETZ_API_KEY": "a-secret", "QUETZ_SERVER_URL": "https://quetz.company.example",
    "ACTIONS_ID_TOKEN_REQUEST_URL": "https://ci.company.example/token?a=b",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "a-secret", "GITHUB_ACTIONS": "true",
}  # fmt: skip
# Of the same systems, those whose hosts rows name.
_PUBLIC = {
    "CI_SERVER_HOST": "gitlab.com", "CI_REGISTRY": "registry.gitlab.com",
    "JFROG_URL": "https://team.jfrog.io", "JF_URL": "https://team.jfrog.io",
}  # fmt: skip
_GOOGLE = {
    "type": "authorized_user", "client_id": "c", "client_secret": "a-secret",
    "refresh_token": "a-secret", "account": "", "universe_domain": "googleapis.com",
}  # fmt: skip

_EVIL = ("evil.example", "evil", "com", "io", "127.0.0.1", "xn--evil-0qa.example")
_OTHER_LETTERS = str.maketrans(
    {"a": "\u0430", "e": "\u0435", "o": "\u043e", "c": "\u0441", "p": "\u0440", "i": "\u0456"}
)
# Hosts of the same companies that anybody may rent, and addresses that are nobody's name.
_RENTED = (
    "ec2-3-1-2-3.eu-west-1.compute.amazonaws.com", "a1.execute-api.eu-west-1.amazonaws.com",
    "evil-1.eu-west-1.elb.amazonaws.com", "evil.s3-website-eu-west-1.amazonaws.com",
    "evil.cloudfront.net", "evil.lambda-url.eu-west-1.on.aws", "evil.run.app", "evil.appspot.com",
    "evil.web.app", "evil.cloudapp.azure.com", "evil.azurewebsites.net", "evil.github.io",
    "evil.githubpreview.dev", "evil.gitlab.io", "169.254.169.254", "2852039166", "0xa9fea9fe",
    "[::ffff:169.254.169.254]", "[fe80::1%25eth0]", "127.1", "localhost", "metadata",
)  # fmt: skip


def around(claimed: str, host: str) -> Iterator[str]:
    """What looks like one URL: ``host`` is its own, or a part of that from some label on."""
    rest = claimed.partition("://")[2].partition("/")[2]
    name, path = claimed.split("/")[2], f"/{rest}"
    first, *below = host.split(".")
    dotless = [host.replace(".", each) for each in ("", "-", "_", "x", "..", ". ", "%2e", "/")]
    for evil in _EVIL:
        yield from (f"https://{each}{path}" for each in (f"{host}.{evil}", f"{name}.{evil}"))
        yield from (f"https://{evil}{each}{path}" for each in (f"-{host}", f"_{host}", host))
        yield from (
            f"https://{name}{mark}{evil}{path}" for mark in ("@", ":@", ":443@", "-", "%2f")
        )
        yield from (
            f"https://{name}{mark}{evil}/" for mark in ("\\", "%23", "%00.", "\t.", "%0d%0a")
        )
        yield from (
            f"https://{evil}{mark}{name}{path}" for mark in ("/", "?", "#", "/@", ";", "\\@")
        )
        yield f"https://{name}:x@{evil}:443{path}"
        yield f"https://{evil}:x@{name}:8443{path}"
    for port in (1, 80, 444, 4430, 5000, 8080, 8443, 65535):
        yield f"https://{name}:{port}{path}"
    for bad in ("0", "-443", "443443", "x", "443 ", "\uff14\uff14\uff13"):
        yield f"https://{name}:{bad}{path}"
    for scheme in ("http", "HTTP", "ftp", "file", "s3", "ws", "javascript", "https:", "http+unix"):
        yield f"{scheme}://{name}{path}"
        yield f"{scheme}://{host}{path}"
    for each in dotless:
        yield f"https://{each}{path}"
    before = name.removesuffix(host)
    for at, letter in enumerate(host):
        others = ("", f"q{letter}", f"%{ord(letter):02x}", letter.translate(_OTHER_LETTERS))
        yield from (f"https://{before}{host[:at]}{x}{host[at + 1 :]}{path}" for x in others)
    for each in (".".join(below), first, f"{first}.com", f"www{host}", f"{host}x", f"x{host}"):
        yield f"https://{each}{path}"
    for each in _RENTED:
        yield f"https://{each}{path}"
        yield f"https://{each}/{name}{path}"
    yield from (f"https://{name}..{path}", f"https://.{host}{path}", f"https://*.{host}{path}")
    yield from (f"//{name}{path}", f"{name}{path}", f"https:/{name}{path}", f"https:{name}{path}")


def identities(home: Home, *, public: bool = True) -> dict[str, str]:
    """The variables of somebody who has an identity of every kind; what they name is in a home.

    Args:
        home: the home.
        public: whether they are for the servers of CLAIMED, or else for those of NAMED.
    """
    key = home.write("adc.json", json.dumps(_GOOGLE))
    hosts = _PUBLIC if public else {}
    return {**_VARIABLES, **hosts, "GOOGLE_APPLICATION_CREDENTIALS": str(key)}


def claimed(system: System, claims: Callable[[urls.Url], bool]) -> list[str]:
    """Of CLAIMED what a system claims; or else its hosts themselves."""
    return [each for each in CLAIMED if claims(urls.parse(each))] or [
        f"https://{host}/a" for host in system.hosts
    ]


def of(
    system: System, examples: list[str], systems: Iterable[System] = (), count: int = COUNT
) -> list[str]:
    """So many URLs that look like a system's and are not, nor another one's; always the same."""
    found: dict[str, None] = {}
    for example in examples:
        name = example.split("/")[2]
        for host in {name, *(each for each in system.hosts if f".{name}".endswith(f".{each}"))}:
            found |= dict.fromkeys(around(example, host))
    others = [
        each for each in found if not any(_is_of(other, each) for other in (system, *systems))
    ]
    some = random.Random(system.name)  # noqa: S311 - always the same
    chosen = some.sample(others, min(count, len(others)))
    while len(chosen) < count:  # the same ones, asked for something else
        chosen += [f"{each}{len(chosen)}" for each in others][: count - len(chosen)]
    return chosen


def of_host(url: str) -> list[str]:
    """Likewise, of the one host of a URL."""
    return of(table.System(url, url.split("/")[2]), [url], table.SYSTEMS)


def _is_of(system: System, text: str) -> bool:
    """Whether a URL is at one of the system's own hosts after all, as its own tools ask them."""
    try:
        url = urls.parse(text)
    except RequestError:
        return False
    if url.scheme != "https" or not url.default_port or url.host.startswith("*."):
        return False
    if url.host in _RENTED:
        return False
    return any(f".{url.host}".endswith(f".{each}") for each in system.hosts)
