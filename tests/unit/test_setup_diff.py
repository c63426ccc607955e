"""What is shown of a configuration: the change, and none of the secrets beside it."""

from __future__ import annotations

import pytest

from credlatch.setup import diff
from credlatch.setup.changes import FileChange
from credlatch.setup.texts import Found


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        ('"auths": {', '"auths": {'),
        ('\t\t"auth": "dTpw",', '\t\t"auth": "****",'),
        ('{"auths":{"h":{"auth":"dT\\"pw"}},"credsStore":"x"}',
         '{"auths":{"h":{"auth":"****"}},"credsStore":"x"}'),
        ('"identitytoken": "x"', '"identitytoken": "****"'),
        ('"Password" : "x"', '"Password" : "****"'),
        ('"signing-key": "x"', '"signing-key": "****"'),
        ('"HttpHeaders": {"X-Auth-Key": "x"}', '"HttpHeaders": {"X-Auth-Key": "****"}'),
        ('"proxy": "http://u:p@h:1"', '"proxy": "http://****@h:1"'),
        ('"credHelpers": {"h": "credlatch"}', '"credHelpers": {"h": "credlatch"}'),
    ],
)  # fmt: skip
def test_json_s_secrets_are_hidden(line: str, seen: str) -> None:
    assert diff.hidden(line, in_json=True) == seen


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        ("index-url = https://u:p@h/simple", "index-url = https://****@h/simple"),
        ("common --remote_header=x-api-key=SECRET --x", "common --remote_header=****"),
        ("common --bes_header x=SECRET", "common --bes_header ****"),
        ("\textraheader = Authorization: basic x", "\textraheader = ****"),
        ("password: x", "password: ****"),
        ("signing-key = x", "signing-key = ****"),
        ("keyring-provider = import", "keyring-provider = import"),
        ("common --credential_helper=*.example=x", "common --credential_helper=*.example=x"),
        ("\thelper = !credlatch git", "\thelper = !credlatch git"),
    ],
)
def test_other_files_secrets_are_hidden(line: str, seen: str) -> None:
    assert diff.hidden(line, in_json=False) == seen


def diff_of(before: str | None, after: str | None, path: str = "/f") -> list[str]:
    return list(diff.diff(FileChange(Found(path, before, None), after, "json")))


MARK = "\\ No newline at end of file"


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        ("a\nb\nc\nd\ne\n", "a\nb\nc\nd\nx\n",
         ["--- /f", "+++ /f", "@@ -2,4 +2,4 @@", " b", " c", " d", "-e", "+x"]),
        (None, "a\n", ["--- /dev/null", "+++ /f", "@@ -0,0 +1 @@", "+a"]),
        ("a\n", None, ["--- /f", "+++ /dev/null", "@@ -1 +0,0 @@", "-a"]),
        ("a", "a\nb\n", ["--- /f", "+++ /f", "@@ -1 +1,2 @@", "-a", MARK, "+a", "+b"]),
        ("a\r\n", "a\r\nb\r\n", ["--- /f", "+++ /f", "@@ -1 +1,2 @@", " a", "+b"]),
    ],
    ids=["change", "new", "gone", "without an end", "carriage returns"],
)  # fmt: skip
def test_it_is_a_unified_diff(before: str | None, after: str | None, shown: list[str]) -> None:
    assert diff_of(before, after) == shown


def test_a_terminal_is_not_told_what_to_do() -> None:
    assert diff_of("\x1b[2J\n", "\x1b[2J\nb\x07\n", "/\x1b[1mf")[:2] == ["--- /?[1mf", "+++ /?[1mf"]
    assert not [line for line in diff_of("\x1b[2J\n", "\x1b[2J\nb\x07\n") if not line.isprintable()]
