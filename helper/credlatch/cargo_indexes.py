"""Which of cargo's registries get the logins of their host.

An index says to which servers cargo sends its token (``dl`` and ``api`` in its ``config.json``),
and a project's ``.cargo/config.toml`` says which index that is. So whoever has a file on a host
could have its logins sent elsewhere. They are for the indexes that the caller names, in the
configuration of their own or in the environment; any other gets what ``cargo login`` was told for
it, and that alone.
"""

from __future__ import annotations

import os

from credlatch import registry
from credlatch import request as requests
from credlatch import url as urls
from credlatch.errors import RequestError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from credlatch.caller import Caller
    from credlatch.request import Request

    Place = tuple[tuple[str, str, int], str]


def asked(request: Request, caller: Caller) -> Request:
    """What the stores are asked, for a caller: as it is, or for a token of the index's own.

    Raises:
        StoreError: cargo's configuration cannot be read.
    """
    from credlatch.resolve import Resolver

    if request.url is None:
        return request
    index = request.own.removeprefix(registry.CARGO)
    if _place(index) in _named(caller):
        return request
    own, resolver = requests.for_cargo(index, None), Resolver(caller)
    if resolver.standing(own) is None and resolver.standing(request) is not None:
        caller.warn(
            f"the login for {request.url.netloc} is not given to the index {index}, which no "
            f"configuration of yours names: name it in {config(caller)}, or use cargo login"
        )
    return own


def config(caller: Caller) -> str:
    """The path of cargo's own configuration; ``config``, its older name, counts before the other.

    The Cargo Book, "Configuration": what is in CARGO_HOME is the user's.
    """
    folder = caller.path("CARGO_HOME") or caller.in_home(".cargo")
    older = os.path.join(folder, "config")
    return older if os.path.isfile(older) else f"{older}.toml"


def _named(caller: Caller) -> set[Place]:
    texts = [
        value
        for name, value in caller.environ.items()
        if name.startswith("CARGO_REGISTRIES_") and name.endswith("_INDEX")
    ]
    # Others may read it: there are no secrets in it.
    texts += caller.document(config(caller), _configured, private=lambda _: False) or ()
    return {place for text in texts if (place := _place(text)) is not None}


def _configured(text: str, _path: str) -> tuple[str, ...]:
    """The indexes in a configuration; none where it cannot be understood, which cargo tells."""
    import tomllib

    try:
        found = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return ()
    values = (
        row.get(key)
        for table, key in (("registries", "index"), ("source", "registry"))
        for row in _rows(found.get(table))
    )
    return tuple(value for value in values if isinstance(value, str))


def _rows(table: object) -> Iterator[dict[str, object]]:
    for row in table.values() if isinstance(table, dict) else ():
        if isinstance(row, dict):
            yield row


def _place(index: str) -> Place | None:
    """Where a sparse index is, in whatever spelling; None: it is none."""
    try:
        url = urls.parse(index.removeprefix("sparse+"))
    except RequestError:
        return None
    return url.origin, url.path.rstrip("/")
