"""py-rattler's client, started once: of each home it is told, what it sends to each URL.

A script of its own, since it changes its environment with every question, and nothing of the tests
is imported in it. Its questions and answers are lines of JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any

from rattler.networking import AuthenticationMiddleware, Client
from rattler.package_streaming import download_bytes


async def _sent(client: Client, url: str) -> dict[str, Any]:
    try:
        body: dict[str, Any] = json.loads(await download_bytes(client, url))
    except Exception as error:  # noqa: BLE001 - whatever it says is its answer
        return {"failed": str(error)}
    return body


async def _answer(question: dict[str, Any]) -> list[dict[str, Any]]:
    os.environ["HOME"] = question["home"]
    try:
        client = Client([AuthenticationMiddleware()])
    except Exception as error:  # noqa: BLE001 - likewise
        return [{"failed": str(error)} for _ in question["urls"]]
    return [await _sent(client, url) for url in question["urls"]]


for line in sys.stdin:
    sys.stdout.write(json.dumps(asyncio.run(_answer(json.loads(line)))) + "\n")
    sys.stdout.flush()
# py-rattler's threads still run when Python ends, and sometimes crash it then.
os._exit(0)
