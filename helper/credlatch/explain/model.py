"""What ``explain`` tells, as data: the same for a terminal and for ``--json``."""

from __future__ import annotations

from credlatch.structs import msgspec

FOUND, SHADOWED, NEAR, FAILED = "found", "shadowed", "near", "failed"
SKIPPED, NOTHING = "skipped", "-"


class Source(msgspec.Struct):
    """One store, and what it has to do with the answer.

    Attributes:
        number: its place in the order, from 1.
        store: its name, as a rule's ``use`` has it.
        word: FOUND, SHADOWED, NEAR, FAILED, SKIPPED or NOTHING.
        what: what it has, or why it has nothing, in words for a person.
        location: where that is; empty: nowhere.
        more: what else there is to know, a line each.
    """

    number: int
    store: str
    word: str
    what: str
    location: str = ""
    more: list[str] = msgspec.field(default_factory=list)


class Near(msgspec.Struct):
    """What nearly was the answer: as ``near.NearMiss``."""

    store: str
    kept: str
    location: str
    why: str
    advice: str
    fix: str


class Header(msgspec.Struct):
    """A header that would be sent, without what makes it work."""

    name: str
    value: str


class Renewal(msgspec.Struct):
    """How what is found is renewed.

    Attributes:
        at: the token server.
        begins: from when, in seconds since 1970 UTC; None: at the next use.
        failed: how it failed the last time; empty: it has not.
        failed_at: when, likewise.
    """

    at: str
    begins: int | None = None
    failed: str = ""
    failed_at: int | None = None


class Wired(msgspec.Struct):
    """Whether a tool's own configuration has it ask us for this.

    Attributes:
        tool: its name, as ``setup`` has it.
        asks: whether it does; None: that cannot be told.
        why: which setting says so, or what is in the way, in words for a person.
        fix: the command that wires it; empty: nothing is to be done.
    """

    tool: str
    asks: bool | None
    why: str
    fix: str = ""


class Client(msgspec.Struct):
    """What one client would get.

    Attributes:
        name: the client's protocol, as ``credlatch NAME`` has it.
        tools: who asks in that way, for a person.
        asks_for: the URL or key that it sends.
        status: the exit status of its call.
        gets: what it is given, in words for a person; empty: nothing.
        user: the user name among it; None: there is none.
        headers: the names of the headers among it.
        expires: until when it may keep it, in seconds since 1970 UTC, where it is told that.
        pending: whether that is fetched only when it asks.
        failure: what it is told in place of an answer; empty: nothing.
    """

    name: str
    tools: str
    asks_for: str
    status: int
    gets: str = ""
    user: str | None = None
    headers: list[str] = msgspec.field(default_factory=list)
    expires: int | None = None
    pending: bool = False
    failure: str = ""


class Explanation(msgspec.Struct, kw_only=True):
    """All of it.

    Attributes:
        version: of these fields.
        asked: what is asked for, as a message shows it.
        client: whose question it is.
        answer: whether there is an answer.
        verdict: that in words.
        store: who answers; None: nobody.
        location: where that is.
        failure: why there is none although there may be one; empty: there is no such reason.
        rule: which of the user's settings holds, and what it says; empty: none.
        forwarded: what the agent of another machine says, where CREDLATCH_AGENT names one.
        sources: each store of the order.
        near_misses: what nearly was the answer, the nearest first.
        sends: the headers that would be sent.
        only_to: where to, and nowhere else.
        pending: whether what is sent is fetched or renewed first.
        ends: when what is found ends, in seconds since 1970 UTC; None: nobody knows.
        renewal: how it is renewed; None: nothing renews it.
        clients: what each client would get.
        wired: whether tools ask us at all.
        fixes: what to do, the first thing first.
        warnings: what else is wrong, though it has no part in the answer.
    """

    version: int = 1
    asked: str
    client: str
    answer: bool = False
    verdict: str = ""
    store: str | None = None
    location: str = ""
    failure: str = ""
    rule: str = ""
    forwarded: str = ""
    sources: list[Source] = msgspec.field(default_factory=list)
    near_misses: list[Near] = msgspec.field(default_factory=list)
    sends: list[Header] = msgspec.field(default_factory=list)
    only_to: str = ""
    pending: bool = False
    ends: int | None = None
    renewal: Renewal | None = None
    clients: list[Client] = msgspec.field(default_factory=list)
    wired: list[Wired] = msgspec.field(default_factory=list)
    fixes: list[str] = msgspec.field(default_factory=list)
    warnings: list[str] = msgspec.field(default_factory=list)
