"""Words that are hosts, which shells complete."""

from __future__ import annotations

import time

import click
from click.shell_completion import CompletionItem

from credlatch import listing


class Host(click.ParamType[str]):
    """A host, pattern or URL; the hosts of logins are offered."""

    name = "host"

    def shell_complete(
        self,
        ctx: click.Context,
        param: click.Parameter,  # noqa: ARG002 - Click's
        incomplete: str,
    ) -> list[CompletionItem]:
        """The hosts that there are logins for."""
        found = listing.listed(ctx.find_root().obj, time.time()).logins
        kinds = {login.host: f"{login.kind}, {login.store}" for login in reversed(found)}
        return [
            CompletionItem(host, help=kinds[host])
            for host in sorted(kinds)
            if host.startswith(incomplete)
        ]
