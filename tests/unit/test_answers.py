"""Whose request it is, where nobody said so, and the whole of an answer."""

from __future__ import annotations

import pytest

from credlatch import answers


@pytest.mark.parametrize("stdin", [b'{"uri":"https://a.example/"}', b' \r\n{"uri":', b"", b" \n"])
def test_an_object_and_nothing_at_all_are_bazel_s(stdin: bytes) -> None:
    assert answers.protocol_of(stdin) == answers.BAZEL


@pytest.mark.parametrize(
    "stdin",
    [b"a.example", b"[::1]", b"[::1]:5000", b"[fe80::1]:443\n", b'["a"]', b"\xff", b"\x00{"],
)
def test_anything_else_is_a_key_of_docker_s(stdin: bytes) -> None:
    assert answers.protocol_of(stdin) == answers.DOCKER
