"""Rules as a test makes them, and requests that they are for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from credlatch import request as requests
from credlatch import url as urls
from credlatch.rules import Rule

if TYPE_CHECKING:
    from credlatch.request import Request


def ruled(url: str, **said: object) -> Request:
    """What a client asks for a URL of which the user's settings say this."""
    request = requests.for_url(urls.parse(url))
    request.rule = Rule()
    request.rule.where = "config.toml, rule 1"
    for name, value in said.items():
        if not hasattr(Rule, name):
            raise AttributeError(name)
        setattr(request.rule, name, value)
    return request
