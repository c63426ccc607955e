"""A home with helpers that were there before us, and note what they are asked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from credlatch.errors import StoreError
from credlatch.stores.chained import ChainedStore
from support.callers import caller_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.home import Home

CHAIN = ".config/credlatch/chain.json"
LOGIN = '{"ServerURL":"x","Username":"u","Secret":"s3cret"}'
NOT_FOUND = "credentials not found in native keychain"
HELPER = """printf '%s %s\\n' "$1" "$(cat)" >>{log}
[ "$CREDLATCH_CHAINED" = 1 ] || exit 3
case $1 in
get) echo '{login}';;
list) echo '{listed}';;
*) exit 0;;
esac
"""


class Chained:
    """A home with a chain, and helpers that note what they are asked."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.log = home.path / "asked"
        home.env["PATH"] = f"{home.path}/bin:{home.env['PATH']}"

    def helper(self, name: str, script: str = "", login: str = LOGIN, listed: str = "{}") -> str:
        script = script or HELPER.format(log=self.log, login=login, listed=listed)
        path = self.home.write(f"bin/{name}", f"#!/bin/sh\n{script}\n", 0o755)
        return str(path)

    def chain(self, **protocols: dict[str, str]) -> ChainedStore:
        self.home.write(CHAIN, json.dumps(protocols))
        return self.store()

    def store(self) -> ChainedStore:
        return ChainedStore(caller_of(self.home))

    @property
    def asked(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []


@pytest.fixture
def chains(home: Home) -> Chained:
    return Chained(home)


def failure(chains: Chained, ask: Callable[[ChainedStore], object]) -> str:
    with pytest.raises(StoreError) as raised:
        ask(chains.store())
    assert "\n" not in str(raised.value)
    assert "s3cret" not in str(raised.value)
    return str(raised.value)
