"""A flow without a network: what it asks for, and what it makes of an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from credlatch import request as requests
from credlatch import url as urls
from credlatch.auth import HttpRequest, HttpResponse

if TYPE_CHECKING:
    from credlatch.auth import Auth, TokenResponse

NOW = 1_795_223_476.9
REQUEST = requests.for_url(urls.parse("https://a.example/x"))


def asked(auth: Auth) -> HttpRequest:
    """The first request of a flow."""
    first = next(auth.flow(REQUEST, NOW))
    assert isinstance(first, HttpRequest)
    return first


def answered(auth: Auth, body: bytes, status: int = 200) -> TokenResponse:
    """What a flow of one request makes of the answer to it."""
    flow = auth.flow(REQUEST, NOW - 5)
    next(flow)
    try:
        flow.send(HttpResponse(status, {}, body, NOW))
    except StopIteration as end:
        made: TokenResponse = end.value
        return made
    raise AssertionError("it asks again")
