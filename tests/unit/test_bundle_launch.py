"""Running the unpacked program on Windows."""

from __future__ import annotations

from credlatch.bundle import windows_launch


def test_its_exit_status_counts() -> None:
    words = ["called so", "-c", 'test "$0 $A" = "x b" && exit 7', "x"]
    assert windows_launch.run("/bin/sh", words, {"A": "b"}) == 7
