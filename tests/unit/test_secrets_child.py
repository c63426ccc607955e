"""Who hears what is typed in a terminal."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import termios

import pytest

from support.program import TIMEOUT

PROGRAM = """
import os, sys
from credlatch.secrets.child import in_foreground
print(in_foreground(), flush=True)
if not os.fork():
    os.setpgid(0, 0)  # as a shell does with a job in the background
    print(in_foreground(), flush=True)
    os._exit(0)
os.wait()
"""


@pytest.mark.parametrize(
    ("has_terminal", "expected"), [(True, "True\nFalse\n"), (False, "False\n" * 2)]
)
def test_only_those_in_the_foreground_of_a_terminal(has_terminal: bool, expected: str) -> None:
    leader, follower = os.openpty()

    def take_terminal() -> None:
        if has_terminal:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        stdin=follower,
        capture_output=True,
        text=True,
        start_new_session=True,
        preexec_fn=take_terminal,
        timeout=TIMEOUT,
        check=True,
    )
    os.close(leader)
    os.close(follower)
    assert done.stdout == expected
