"""The .bazelrc: which helper answers for which hosts."""

from __future__ import annotations

import pytest

from credlatch.setup.changes import splices, without
from credlatch.setup.formats.bazelrc import Bazelrc

RC = Bazelrc()
HOST = ("a.example",)
OURS = "common --credential_helper=a.example=credlatch\n"


@pytest.mark.parametrize(
    ("text", "key", "helper"),
    [
        ("", HOST, None),
        (OURS, HOST, "credlatch"),
        (OURS, ("",), None),
        ("build --credential_helper a.example=/opt/x\n", HOST, "/opt/x"),
        ("common --credential_helper=credlatch\n", ("",), "credlatch"),
        ("common --credential_helper=*.example=%workspace%/t\n", ("*.example",), "%workspace%/t"),
        ("common --credential_helper=a.example=a --credential_helper=b.example=b\n", HOST, "a"),
        ("common '--credential_helper=a.example=a b' # c\n", HOST, "a b"),
        ('common --credential_helper="a.example=a\\"b"\n', HOST, 'a"b'),
        ("common \\\n  --credential_helper=a.example=x\n", HOST, "x"),
        ("common --credential_helper=a.exa\\\nmple=x\n", HOST, "x"),
        ("common --credential_helper=a.example=x\r\n", HOST, "x"),
        ("#common --credential_helper=a.example=x\n", HOST, None),
        ("common --x # --credential_helper=a.example=x\n", HOST, None),
        ("build:ci --credential_helper=a.example=x\n", HOST, None),
        ("common --credential_helper_timeout=a.example=x\n", HOST, None),
        ("common --x=--credential_helper=a.example=x\n", HOST, None),
        (f"{OURS}build --credential_helper=a.example=x\n", HOST, ("credlatch", "x")),
        (f"{OURS}build --credential_helper=a.example=credlatch\n", HOST, "credlatch"),
        ("common --credential_helper\n", HOST, None),
        ("common --credential_helper", ("",), None),
    ],
)
def test_it_is_read_as_bazel_reads_it(
    text: str, key: tuple[str, ...], helper: str | tuple[str, ...] | None
) -> None:
    assert RC.get(text, key) == helper


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", OURS),
        ("# c\nbuild --x\n", f"# c\nbuild --x\n{OURS}"),
        ("build --x", f"build --x\n{OURS}"),
        ("build --x\r\n", "build --x\r\n" + OURS.replace("\n", "\r\n")),
        # Our line would be the rest of that one.
        ("build --x \\\n", f"build --x \\\n\n{OURS}"),
        ("build --y --credential_helper=a.example=/x # c\n",
         "build --y --credential_helper=a.example=credlatch # c\n"),
        ("build --credential_helper 'a.example=/x y'\n",
         "build --credential_helper a.example=credlatch\n"),
        ("build --credential_helper=a.example=x\ncommon --credential_helper=a.example=y",
         "build --credential_helper=a.example=credlatch\n" + OURS.rstrip()),
    ],
)  # fmt: skip
def test_a_line_is_added_or_changed(before: str, after: str) -> None:
    assert RC.put(before, HOST, "credlatch") == after
    assert RC.get(after, HOST) == "credlatch"
    assert without(after, splices(before, after)) == before


def test_a_path_with_spaces_is_quoted() -> None:
    text = RC.put("", ("*.example",), '/a b/"c"')
    assert text == 'common --credential_helper="*.example=/a b/\\"c\\""\n'
    assert RC.get(text, ("*.example",)) == '/a b/"c"'


def test_for_all_hosts_there_is_no_pattern() -> None:
    assert RC.put("", ("",), "credlatch") == "common --credential_helper=credlatch\n"


def test_our_line_is_taken_out_of_a_file_that_was_changed_since() -> None:
    text = f"# mine\n{OURS}build --more\n"
    assert RC.put_back(text, HOST, None) == "# mine\nbuild --more\n"
    joined = "common --x --credential_helper=a.example=credlatch --y\n"
    assert RC.put_back(joined, HOST, None) == "common --x --y\n"
    assert RC.put_back(text, HOST, "/opt/x") == (
        "# mine\ncommon --credential_helper=a.example=/opt/x\nbuild --more\n"
    )
    assert RC.put_back("# mine\n", HOST, None) == "# mine\n"


def test_a_change_of_two_lines_keeps_nothing_of_what_is_between_them() -> None:
    secret = "common --remote_header=x-api-key=SECRET\n"
    before = (
        f"build --credential_helper=a.example=x\n{secret}fetch --credential_helper=a.example=y\n"
    )
    after = RC.put(before, HOST, "credlatch")
    assert "SECRET" not in str(splices(before, after))
    assert without(after, splices(before, after)) == before
