"""The frames between a client and the agent, to the byte: other programs speak them too."""

from __future__ import annotations

import random

import pytest

from credlatch.agent import wire

SEED = 1851


def test_a_request_to_the_byte() -> None:
    """As docs/agent.md has it."""
    assert wire.request(wire.GET, b"bazel", b"") == (
        b"CRED\x01G\x00\x00\x00\x0d\x00\x00\x00\x05bazel\x00\x00\x00\x00"
    )
    assert wire.request(wire.STATUS) == b"CRED\x01S\x00\x00\x00\x00"


def test_an_answer_to_the_byte() -> None:
    assert wire.answer(1, b"out", b"") == (
        b"=\x00\x00\x00\x10\x00\x00\x00\x01\x01\x00\x00\x00\x03out\x00\x00\x00\x00"
    )


def test_the_words_are_told_apart() -> None:
    asked = [wire.GET, wire.FORWARDED, wire.STATUS, wire.LOG, wire.STOP]
    begun = [wire.PULSE, wire.DECLINED, wire.ANSWERED]
    for words in (asked, begun):
        assert len(set(words)) == len(words)
        assert {len(word) for word in words} == {1}


FIELDS: list[tuple[bytes, ...]] = [
    (),
    (b"",),
    (b"", b"", b""),
    (b"\0", b"\xff" * 5),
    (b"x" * 300, b"", b"y" * 70_000),
    (wire.PULSE, wire.ANSWERED, wire.MAGIC),
]


@pytest.mark.parametrize("fields", FIELDS, ids=lambda fields: str([len(each) for each in fields]))
def test_what_was_packed_comes_out(fields: tuple[bytes, ...]) -> None:
    assert wire.unpack(wire.pack(*fields)) == list(fields)
    data = wire.request(wire.GET, *fields)
    asks_for, length = wire.head(data[: wire.HEAD])
    assert asks_for == wire.GET
    assert length == len(data) - wire.HEAD


def test_every_field_that_is_cut_off_is_noticed() -> None:
    fields = [b"bazel", b"", b"/home", b"x" * 20]
    body = wire.pack(*fields)
    whole = [len(wire.pack(*fields[:count])) for count in range(len(fields) + 1)]
    for cut in range(len(body)):
        if cut in whole:
            assert wire.unpack(body[:cut]) == fields[: whole.index(cut)]
        else:
            with pytest.raises(ValueError, match="cut off"):
                wire.unpack(body[:cut])


def test_random_bytes_are_fields_or_an_error() -> None:
    dice = random.Random(SEED)  # noqa: S311 - to be repeated, not to be secret
    understood = 0
    for _ in range(20_000):
        # Small numbers often, so that lengths are met that fit.
        body = bytes(dice.choices(range(6), k=dice.randrange(24)))
        try:
            fields = wire.unpack(body)
        except ValueError:
            continue
        understood += 1
        assert wire.pack(*fields) == body
    assert understood > 100


GOOD = wire.request(wire.GET, b"x")[: wire.HEAD]


@pytest.mark.parametrize(
    "head",
    [
        b"",
        GOOD[:-1],
        GOOD + b"\0",
        b"CRED\x02" + GOOD[5:],
        b"cred\x01" + GOOD[5:],
        b"GET / HTTP",
        GOOD[:6] + (wire.LONGEST + 1).to_bytes(4, "big"),
        GOOD[:6] + b"\xff" * 4,
    ],
)
def test_what_is_no_request_of_this_version(head: bytes) -> None:
    with pytest.raises(ValueError, match="not a request of this version"):
        wire.head(head)


def test_the_longest_request() -> None:
    head = GOOD[:6] + wire.LONGEST.to_bytes(4, "big")
    assert wire.head(head) == (wire.GET, wire.LONGEST)
