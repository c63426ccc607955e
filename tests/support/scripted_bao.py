"""A server that answers as OpenBao does, or as it never would: what a test says, in turn."""

from __future__ import annotations

from typing import Any

from support.loopback import Handler, Loopback, Recorded

MOUNT = {"data": {"type": "kv", "options": {"version": "2"}}}
ALONE = {"ha_enabled": False, "is_self": False, "leader_address": ""}


def kept(value: dict[str, Any] | None, version: int) -> dict[str, Any]:
    """What a read of a secret says, as of version 2 of KV; None: it has been deleted."""
    written = {"created_time": "2026-11-21T10:11:12.123456789Z", "version": version}
    return {"data": {"data": value, "metadata": {**written, "deletion_time": ""}}}


class Answer:
    """One answer.

    Attributes:
        hangs_up: whether the connection is closed instead, without a word.
    """

    def __init__(
        self, status: int, body: dict[str, Any] | bytes = b"", *, hangs_up: bool = False,
        **headers: str,
    ) -> None:  # fmt: skip
        self.status = status
        self.body = body
        self.hangs_up = hangs_up
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


class _Handler(Handler):
    def respond(self, request: Recorded) -> None:
        owner: ScriptedBao = self.server.owner
        if request.path == "/v1/sys/leader":
            owner.doubts += 1
            return self.send(200, owner.leader)
        owner.requests.append(request)
        if request.path.startswith("/v1/sys/internal/ui/mounts/") and owner.mount is not None:
            return self.send(200, owner.mount)
        answer = owner.answers.pop(0) if owner.answers else Answer(404, {"errors": []})
        if answer.hangs_up:
            self.close_connection = True
            return None
        return self.send(answer.status, answer.body, answer.headers)

    do_LIST = Handler.do_GET  # noqa: N815 - the name is http.server's


class ScriptedBao(Loopback):
    """Gives its answers in turn, and what is not there after the last.

    Attributes:
        answers: still to be given.
        leader: what it says of who leads.
        doubts: how often it was asked that, which is not among the requests.
        mount: what it says of each mount, beside them; None: as of anything else.
        requests: everything that it was asked.
    """

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.mount: dict[str, Any] | None = MOUNT
        self.leader: dict[str, Any] = ALONE
        self.doubts = 0
        self.requests: list[Recorded] = []
        super().__init__(_Handler)

    @property
    def asked(self) -> list[str]:
        """The requests for secrets, by method and path."""
        lines = [f"{each.method} {each.path.removeprefix('/v1/')}" for each in self.requests]
        return [line for line in lines if "/sys/internal/" not in line and "sys/int" not in line]
