"""``credlatch explain URL``, as an example of a command that shows an outcome.

In the program it would be ``commands/explain.py``, and the last lines a case in ``cli._command``.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from credlatch import cli
from credlatch import request as requests
from credlatch import url as urls
from credlatch.commands import streams
from credlatch.resolve import Resolver

if TYPE_CHECKING:
    from credlatch.caller import Caller


def run(args: list[str], caller: Caller) -> int:
    """Say what each store has for a URL."""
    request = requests.for_login(urls.parse(args[0]))
    outcome = Resolver(caller, renews=False).outcome(request, every=True)
    lines = []
    for step in outcome.trace:
        location = [] if step.entry is None or step.failure is not None else [step.entry.location]
        lines.append(f"{step.store}: {step.came}\n")
        lines += [f"    {text}\n" for text in (*location, *step.reasons())]
    streams.answer("".join(lines).encode())
    return 1 if outcome.resolution is None else 0


if __name__ == "__main__":
    others = cli._command
    cli._command = lambda word: run if word == "explain" else others(word)
    sys.exit(cli.main())
