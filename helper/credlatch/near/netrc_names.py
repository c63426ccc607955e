"""The names of a netrc's machines: which of them are nobody's, and whose they are meant to be."""

from __future__ import annotations

from credlatch import url as urls
from credlatch.errors import RequestError
from credlatch.stores import netrc


def meant(name: str) -> str:
    """The host that a machine's name is meant to be; nothing where it is none, or a pattern.

    Args:
        name: as it stands in the netrc. Where it is not the host's name, the store does not find
            it for that host: ``is_found``.
    """
    try:
        # An address stands there in either form, with brackets and without.
        is_bare = name.count(":") > 1 and "://" not in name and not name.startswith("[")
        text = f"[{name}]" if is_bare else name
        url = urls.parse(text if "://" in text else f"https://{text}")
    except RequestError:
        return ""
    return url.host if netrc.is_host(url.host, url.host) and "*" not in url.host else ""


def is_found(name: str, host: str) -> bool:
    """Whether the store finds a machine of that name for a host: its own judgement."""
    return netrc.is_host(name, host)


def strange(name: str) -> str:
    """What stands in a name that a netrc has no use for."""
    if name.startswith("*."):
        return "patterns"
    if not name.isascii():
        return "letters but ASCII's"
    return "URLs" if "/" in name else "user names there" if "@" in name else "ports"
