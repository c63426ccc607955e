"""What lies in bazel/ is what Bazel takes, and each copy of it is the same."""

from __future__ import annotations

import hashlib
import os
import re
from typing import TYPE_CHECKING

import pytest

from support import bazel_starlark
from support.bazel_example import FOLDER, WORDS_ARCHIVE
from support.bazel_helpers import BadHelperError, Helpers, duration
from support.bazel_rc import Options, RcError

if TYPE_CHECKING:
    from support.home import Home

EXAMPLE = FOLDER / "example"
BLOCK = (FOLDER / "bazelrc").read_text()


def test_the_wrapper_of_the_example_is_the_wrapper() -> None:
    first, second = (folder / "tools/credlatch" for folder in (FOLDER, EXAMPLE))
    assert first.read_bytes() == second.read_bytes()
    # A copy and no link: what somebody copies out of here must not lead back.
    assert not second.is_symlink()
    assert os.access(first, os.X_OK)
    assert os.access(second, os.X_OK)


def test_the_example_has_the_block_as_it_is() -> None:
    assert BLOCK in (EXAMPLE / ".bazelrc").read_text()


def test_the_example_s_module_is_one() -> None:
    said = bazel_starlark.module_file((EXAMPLE / "MODULE.bazel").read_text())
    assert [what for what, _ in said] == ["module", "bazel_dep", "http_archive"]
    archive = said[2][1]
    assert archive["_file"] == "@bazel_tools//tools/build_defs/repo:http.bzl"
    assert archive["sha256"] == hashlib.sha256(WORDS_ARCHIVE).hexdigest()


def test_the_example_s_build_uses_what_is_fetched() -> None:
    ((rule, attributes),) = bazel_starlark.build_file(EXAMPLE / "BUILD.bazel")
    assert rule == "genrule"
    assert attributes["srcs"] == ["@greeting//:greeting.txt", "@words//:words.txt"]


@pytest.mark.parametrize(
    "text",
    ["def f():\n  pass\n", 'load("x", "y")\n', "nobody()\n", "module(\n", "for x in []:\n  pass\n"],
)
def test_a_module_file_that_bazel_would_refuse_is_refused(text: str) -> None:
    with pytest.raises(Exception, match=r"MODULE\.bazel"):
        bazel_starlark.module_file(text)


def test_every_option_of_ours_is_one_of_bazel_s() -> None:
    # https://bazel.build/reference/command-line-reference
    known = {"credential_helper", "credential_helper_cache_duration", "registry", "remote_cache"}
    for path in (FOLDER / "bazelrc", EXAMPLE / ".bazelrc"):
        assert set(re.findall(r"^\w\S* --(\w+)", path.read_text(), re.MULTILINE)) <= known


def options(home: Home, text: str, *configs: str, command: str = "build") -> Options:
    home.write("ws/.bazelrc", text)
    return Options(home.path / "ws", home.path, command, configs)


def test_options_are_read_in_bazel_s_order(home: Home) -> None:
    home.write(".bazelrc", "common --x=home\n")
    home.write("ws/more.bazelrc", "common --x=imported # not this\n")
    text = """
common --x=first 'a b' c\\ d "e'\\"f" '' g#h
build --x=build
test --x=test
common:ci --x=ci
common:linux --x=linux
try-import %workspace%/none.bazelrc
import %workspace%/more.bazelrc
common --x \\
  joined
"""
    assert options(home, text).words == [
        *("--x=first", "a b", "c d", "e'\"f", "g"),
        *("--x=imported", "--x", "joined", "--x=home", "--x=build"),
    ]
    assert options(home, text, "ci", command="test").all("x")[-3:] == ["build", "test", "ci"]
    assert options(home, text, command="fetch").last("x") == "home"
    with_platform = f"common --enable_platform_specific_config\n{text}"
    assert options(home, with_platform).last("x") == "linux"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("import %workspace%/none\n", "Unexpected error reading"),
        ("import\n", "Invalid import"),
        ("import %workspace%/.bazelrc\n", "Import loop"),
    ],
)
def test_options_that_cannot_be_read_end_bazel(home: Home, text: str, why: str) -> None:
    with pytest.raises(RcError, match=why):
        options(home, text)
    with pytest.raises(RcError, match="not defined"):
        options(home, "", "ci")


def test_the_longest_pattern_s_helper_is_asked(home: Home) -> None:
    for name in ("host", "long", "short", "all"):
        home.write(f"ws/{name}", "", 0o755)
    text = "".join(
        f"common --credential_helper={scope}%workspace%/{name}\n"
        for scope, name in (
            ("a.b.example=", "host"),
            ("*.b.example=", "long"),
            ("*.example=", "short"),
            ("", "all"),
        )
    )
    helpers = Helpers(options(home, text), home.path / "ws", home.env)
    asked = ("a.b.example", "b.example", "c.a.b.example", "example", "xb.example", "other")
    found = [helpers.helper(host) for host in asked]
    names = [None if path is None else path.name for path in found]
    assert names == ["host", "long", "long", "short", "short", "all"]


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("nobody", "Could not find file with name 'nobody' on PATH"),
        ("a/b", "Could not find"),
        ("%workspace%/tool", "is not executable"),
        ("%home%/tool", "bad path"),
        ("%workspace%/../tool", "bad path"),
        ("localhost=tool", "not a valid"),
        ("a_b.example=tool", "not a valid"),
    ],
)
def test_a_helper_that_bazel_does_not_take_ends_it(home: Home, value: str, why: str) -> None:
    home.write("ws/tool", "", 0o644)
    home.env["PATH"] = str(home.path / "ws")
    with pytest.raises(BadHelperError, match=why):
        Helpers(options(home, f"common --credential_helper={value}\n"), home.path / "ws", home.env)


def test_durations_are_bazel_s() -> None:
    assert duration("5m").total_seconds() == 300
    with pytest.raises(BadHelperError):
        duration("5 minutes")
