"""What the agent remembers of its calls: lines for a person, and no secret."""

from __future__ import annotations

import re

import pytest

from credlatch import url as urls
from credlatch.agent.log import KEPT, Log
from credlatch.answers import Answer
from credlatch.credential import Basic, Bearer, Secret
from credlatch.errors import StoreError
from credlatch.request import Request
from credlatch.resolve import Outcome, Resolution
from credlatch.stores import Entry

HIDDEN = "kept-from-everybody"
WHEN = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ "


def request(text: str) -> Request:
    return Request(urls.parse(text), (text,))


def of(protocol: str, answer: Answer, seconds: float = 0.0) -> Answer:
    answer.protocol, answer.seconds = protocol, seconds
    return answer


def answered(credential: Bearer | Basic) -> Answer:
    asked = request(f"https://user:{HIDDEN}@a.example:8443/path?token={HIDDEN}")
    outcome = Outcome()
    entry = Entry(credential, "a file")
    outcome.resolution = Resolution(credential, asked.url, None, "netrc", entry)
    return Answer(0, HIDDEN.encode(), HIDDEN.encode(), request=asked, outcome=outcome)


@pytest.mark.parametrize("credential", [Bearer(Secret(HIDDEN)), Basic("u", Secret(HIDDEN))])
def test_an_answer_is_tool_host_store_outcome_and_time(credential: Bearer | Basic) -> None:
    log = Log()
    log.answered(of("bazel", answered(credential), 0.0123))
    assert re.fullmatch(WHEN + r"bazel a\.example:8443 netrc answered \(12\.3 ms\)\n", log.text())
    assert HIDDEN not in log.text()


def test_what_has_no_answer() -> None:
    log = Log()
    log.answered(of("docker", Answer(1, b"", b"", request=request("https://a.example/")), 0.0))
    failure = StoreError("it is locked: unlock it")
    log.answered(of("bazel", Answer(1, b"", b"", failure=failure), 0.0))
    log.answered(of("docker", Answer(1, b"", b"", request=Request(None, ("a key",))), 0.0))
    log.refused("bazel", "elsewhere")
    assert [re.sub(f"^{WHEN}", "", line) for line in log.text().splitlines()] == [
        "docker a.example - no credential (0.0 ms)",
        "bazel - - failed: it is locked: unlock it (0.0 ms)",
        "docker - - no credential (0.0 ms)",
        "bazel - - left to the caller: elsewhere",
    ]
    assert (log.calls, log.declined) == (4, 1)


def test_a_message_is_one_line_without_what_a_terminal_obeys() -> None:
    log = Log()
    failure = StoreError("\x1b[2J\r\n2026-01-01T00:00:00Z bazel forged\u2028\udcff\t" + "x" * 5_000)
    log.answered(of("bazel", Answer(1, b"", b"", failure=failure), 0.0))
    (line,) = log.text().splitlines()
    assert line.isprintable()
    assert len(line) < 300


def test_a_host_s_name_of_a_million_characters_does_not_fill_the_memory() -> None:
    log = Log()
    long = request(f"https://{'a.' * 30_000}example/")
    log.answered(of("bazel", Answer(0, b"", b"", request=long)))
    log.refused("bazel", f"{'x' * 1_000_000} is not forwarded")
    assert all(len(line) < 500 for line in log.text().splitlines())


def test_only_the_last_lines_are_kept_and_all_calls_counted() -> None:
    log = Log()
    for number in range(KEPT + 5):
        log.refused("bazel", f"call {number}")
    lines = log.text().splitlines()
    assert len(lines) == KEPT
    assert lines[0].endswith("call 5")
    assert lines[-1].endswith(f"call {KEPT + 4}")
    assert log.calls == KEPT + 5


def test_whoever_watches_is_shown_each_line_at_once() -> None:
    shown: list[str] = []
    log = Log(shown.append)
    log.note("one")
    assert len(shown) == 1
    log.note("two")
    assert "".join(f"{line}\n" for line in shown) == log.text()
