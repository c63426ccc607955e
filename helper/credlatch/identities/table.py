"""The table of systems: which file is asked for which hosts.

Every call that no store answers reads it: so nothing is imported here.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from credlatch.rules import Rule
    from credlatch.url import Url


class System:
    """One row.

    Args:
        name: of the file, and what a rule's ``use`` calls it.
        hosts: names of hosts: each stands for itself and for all below it.
        variables: one that is set has the system asked for every host: it may name one.
        opt_in: whether it is asked only where a rule names it.
    """

    def __init__(
        self,
        name: str,
        *hosts: str,
        variables: tuple[str, ...] = (),
        opt_in: bool = False,
    ) -> None:
        self.name = name
        self.hosts = hosts
        self.variables = variables
        self.opt_in = opt_in


SYSTEMS: tuple[System, ...] = (
    System(
        "azure_artifacts",
        "pkgs.dev.azure.com",
        "pkgs.visualstudio.com",
        "pkgs.codedev.ms",
        "pkgs.vsts.me",
    ),
    System("acr", "azurecr.io", "azurecr.cn", "azurecr.us", "azurecr.de"),
    System("azure_blob", "blob.core.windows.net"),
)


def systems(url: Url, rule: Rule, get: Callable[[str], str | None]) -> Iterator[str]:
    """The names of the systems to be asked for a URL, in the table's order.

    Args:
        url: which.
        rule: what settings say of it.
        get: gives the caller's variables.
    """
    labels = url.host.split(".")
    suffixes = {".".join(labels[at:]) for at in range(len(labels))}
    for each in SYSTEMS:
        if rule.names(each.name):
            yield each.name
        elif each.opt_in or not rule.allows(each.name):
            continue
        elif not suffixes.isdisjoint(each.hosts) or any(map(get, each.variables)):
            yield each.name
