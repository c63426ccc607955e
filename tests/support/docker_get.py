"""What a Docker client's ``get`` is answered, without a process."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from credlatch import answers
from credlatch.clients import CLIENTS
from credlatch.protocols import docker

if TYPE_CHECKING:
    from credlatch.caller import Caller


def got(caller: Caller, key: str) -> str | None:
    """The password that a key gets; None where the protocol says that there is none."""
    answer = answers.get(CLIENTS["docker"], key.encode(), caller)
    if answer.out.decode().strip() == docker.NOT_FOUND:
        assert answer.status == 1
        return None
    secret = json.loads(answer.out)["Secret"]
    assert isinstance(secret, str)
    return secret
