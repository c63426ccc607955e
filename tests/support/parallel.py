"""Several tests at once, by pytest-xdist: a file's tests in one process, in their order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from xdist.scheduler import LoadScopeScheduling

if TYPE_CHECKING:
    from xdist.remote import Producer

# Each process has its own daemons; and these files' images take longer to make than their tests.
_TOGETHER = ("tests/real/test_docker_folder_", "tests/real/test_readme_builds.py")


class _ByFile(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Hands out whole files, in the order in which they are collected: the long ones come first."""

    def __init__(self, config: pytest.Config, log: Producer | None) -> None:
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return "images" if file.startswith(_TOGETHER) else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """What decides which process runs a test."""
    return _ByFile(config, log)
