"""Our own answers, by the way that a call takes: bytes in, bytes out, a caller's surroundings."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from credlatch import answers
from credlatch.caller import Caller
from credlatch.clients import CLIENTS
from differ.cases import Answer, credential

if TYPE_CHECKING:
    from support.home import Home


def bazel(home: Home, url: str) -> Answer:
    """What Bazel is told to send to a URL."""
    request = json.dumps({"uri": url}).encode()
    answer = answers.get(CLIENTS["bazel"], request, Caller(home.env, str(home.path)))
    if answer.status != 0:
        return Answer(failed=answer.err.decode())
    headers = json.loads(answer.out)["headers"]
    if not headers:
        return Answer()
    ((name, (value,)),) = headers.items()
    return Answer(credential(value) if name == "Authorization" else f"{name}: {value}")


def docker(home: Home, key: str) -> Answer:
    """What Docker is told for a key."""
    answer = answers.get(CLIENTS["docker"], key.encode(), Caller(home.env, str(home.path)))
    if answer.status == 0:
        login = json.loads(answer.out)
        return Answer(f"Basic {login['Username']}:{login['Secret']}")
    said = answer.out.decode().strip()
    return Answer() if said == "credentials not found in native keychain" else Answer(failed=said)
