"""What the doctor makes of the clocks of an engine's nodes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from credlatch.doctor import fleet
from credlatch.renew import http
from support.scripted_bao import Answer, ScriptedBao

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    http.close()
    yield
    http.close()


@pytest.mark.parametrize(
    ("dates", "said"),
    [
        (("10:00:00", "10:00:01"), ""), (("10:00:00", "10:01:40"), "are 100 s apart"),
        (("10:01:40", "10:00:00"), "are 100 s apart"), (("10:00:00", None), ""), ((None, None), ""),
        (("10:00:00",), ""),
    ],
)  # fmt: skip
def test_nodes_whose_clocks_are_apart_are_told(dates: tuple[str | None, ...], said: str) -> None:
    with ScriptedBao() as one, ScriptedBao() as other:
        nodes = [one, other][: len(dates)]
        for node, date in zip(nodes, dates, strict=True):
            right = Answer(200, {}, Date=f"Sat, 21 Nov 2026 {date} GMT")
            node.answers = [right if date else Answer(503, {"errors": ["Vault is sealed"]})]
        addresses = [node.url for node in nodes]
        meant: Any = SimpleNamespace(addresses=addresses, tls=None, cluster=None)
        found = list(fleet._clocks(meant))
    assert len(found) == bool(said)
    assert all(said in each.what and "NTP" in each.what for each in found)
