"""What identities give for a URL, asked as every client asks."""

from __future__ import annotations

import random
from base64 import b64encode
from typing import TYPE_CHECKING

from credlatch import request as requests
from credlatch import url as urls
from credlatch.identities import IdentityStore

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from credlatch.caller import Caller
    from credlatch.rules import Rule
    from credlatch.stores import Entry

_DIGITS = str.maketrans("oil", "011")


def entry(caller: Caller, url: str, rule: Rule | None = None) -> Entry | None:
    """What the identities have for a URL."""
    request = requests.for_url(urls.parse(url))
    if rule is not None:
        request.rule = rule
    return IdentityStore(caller).look(request)


def headers(caller: Caller, url: str, rule: Rule | None = None) -> dict[str, str]:
    """The headers for a URL; none for no credential."""
    found = entry(caller, url, rule)
    if found is None or found.credential is None:
        return {}
    return found.credential.headers()


def basic(username: str, password: str) -> str:
    """The value of ``Authorization`` for a login."""
    return "Basic " + b64encode(f"{username}:{password}".encode()).decode()


def look_alikes(hosts: Iterable[str], seed: int, count: int) -> Iterator[str]:
    """URLs of hosts that are none of these, nor below any, though they look it."""
    hosts = list(hosts)
    chosen = random.Random(seed)  # noqa: S311 - the same ones each time
    ways = (
        lambda host: f"https://{host}.evil.example/",
        lambda host: f"https://evil-{host}/",
        lambda host: f"https://evil{host}/",
        lambda host: f"https://{host.replace('.', '-')}.example/",
        lambda host: f"https://{host.replace('.', '', 1)}/" if host.count(".") > 1 else "",
        lambda host: f"https://{host}@evil.example/",
        lambda host: f"https://{host}:443@evil.example/",
        lambda host: f"https://evil.example/{host}/",
        lambda host: f"https://evil.example/?https://{host}/",
        lambda host: f"https://evil.example#@{host}/",
        lambda host: f"https://{host}:8443/",
        lambda host: f"http://{host}/",
        lambda host: f"http://{host}:443/",
        lambda host: f"https://{host}x/",
        lambda host: f"https://{host[:-1]}/",
        lambda host: f"https://x{chosen.randrange(10**6)}{host}/",
        lambda host: f"https://{host}.{chosen.randrange(10**6)}.test/",
        lambda host: f"https://{host.translate(_DIGITS).removesuffix('.10')}.example/",
    )
    made = 0
    while made < count:
        url = chosen.choice(ways)(chosen.choice(hosts))
        if url and not any(url.startswith(f"https://{host}/") for host in hosts):
            made += 1
            yield f"{url.rstrip('/')}/" if "?" not in url and "#" not in url else url
