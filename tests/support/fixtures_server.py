"""The token server as a fixture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.token_server import TokenServer

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def token_server() -> Iterator[TokenServer]:
    """A token server of the test's own."""
    with TokenServer() as server:
        yield server
