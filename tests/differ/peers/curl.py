"""curl, and what it sends with a netrc: one process for all questions about one file."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

from differ.cases import Answer, credential
from support.components import need
from support.program import TIMEOUT

if TYPE_CHECKING:
    from pathlib import Path

    from differ.peers.echo import Echo
    from support.home import Home


class Curl:
    """curl in a home of its own, with a proxy for all hosts."""

    def __init__(self, home: Home, proxy: Echo) -> None:
        self._path = need("curl")
        self._home = home
        self._proxy = proxy

    def ask(self, netrc: Path, urls: list[str]) -> list[Answer]:
        """What it sends to each of these URLs, whose scheme is ``http``."""
        words = ("silent", "globoff", "path-as-is", 'noproxy = ""', f'proxy = "{self._proxy.url}"')
        lines = [*words, f'netrc-file = "{netrc}"', 'write-out = "%{urlnum} %{http_code}\\n"']
        lines += [f"url = {json.dumps(url, ensure_ascii=False)}" for url in urls]
        done = subprocess.run(
            [self._path, "--disable", "--config", "-"],
            input="\n".join(lines).encode(),
            capture_output=True,
            env=self._home.env,
            timeout=TIMEOUT,
            check=False,
        )
        found = [Answer()] * len(urls)  # it asks for no URL that it does not understand
        body = ""
        for line in done.stdout.decode().splitlines():
            if line.startswith("{"):
                body = line
                continue
            number, status = line.split()
            if status == "200":
                sent = json.loads(body)["authorization"]
                found[int(number)] = Answer(credential(sent) if sent else "")
        return found
