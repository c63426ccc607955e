"""Many processes let go at the same instant, and what each of them said.

Each is a shell that reports that it is there and waits on a pipe; when all have reported, the pipe
is closed and all of them turn into the program that they are for. So the start of the program, too,
happens at once, which is how a build tool calls its helper.
"""

from __future__ import annotations

import os
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from support.program import TIMEOUT, Answer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from support.program import Program

# $1 is the pipe that says "here", $2 the one that says "go" by its end.
_WAIT = 'here=$1 go=$2; shift 2; printf . >&"$here"; read -r _ <&"$go"; exec "$@"'


@dataclass(frozen=True)
class Call:
    """One call of the program.

    Attributes:
        args: the words after the program's name.
        stdin: what it reads.
    """

    args: tuple[str, ...]
    stdin: bytes


class Helped(Answer):
    """An answer, and the seconds from the start of all to the end of this one."""

    def __init__(self, done: subprocess.CompletedProcess[bytes], seconds: float) -> None:
        super().__init__(done)
        self.seconds = seconds
