"""Bazel's side of the credential-helper protocol, as strict as Bazel.

Bazel itself does not run here; this does what its ``CredentialHelper.java`` and
``GetCredentialsResponse.java`` do, by the facts that were read there or seen on the real program.
"""

from __future__ import annotations

import json
import re
import subprocess
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

TIMEOUT = 10.0  # seconds: --credential_helper_timeout
PIPE = 65_536  # bytes: output is read after the helper's end, so more than a pipe holds hangs
# DateTimeFormatter "yyyy-MM-dd'T'HH:mm:ssXXX": no fractions, Z or a colon in the offset.
EXPIRES = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)")


class HelperError(Exception):
    """What Bazel reports to its user."""


class Credentials:
    """What Bazel made of an answer."""

    def __init__(self, headers: dict[str, list[str]], expires: datetime | None) -> None:
        self.headers = headers
        self.expires = expires


def get_credentials(
    helper: Path | str, uri: str, env: dict[str, str], cwd: Path | None = None
) -> Credentials:
    """Ask a helper as Bazel does.

    Raises:
        HelperError: where Bazel would report one.
    """
    # Gson escapes these by default.
    body = json.dumps({"uri": uri}, separators=(",", ":"))
    for plain in "=&<>'":
        body = body.replace(plain, f"\\u{ord(plain):04x}")
    with subprocess.Popen(
        [str(helper), "get"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=env,
        cwd=cwd,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            process.stdin.write(body.encode())
            process.stdin.close()
        except BrokenPipeError as error:
            raise HelperError(f"cannot write to {helper}") from error
        try:
            code = process.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            process.terminate()
            process.wait()
            raise HelperError(f"process timed out for {uri!r}") from None
        stdout, stderr = process.stdout.read(), process.stderr.read()
    assert len(stdout) <= PIPE
    if code != 0:
        raise HelperError(f"process exited with code {code}. stderr: {stderr.decode()}")
    if not stdout:
        raise HelperError("process exited without output")
    return _parse(stdout.decode())


def _parse(text: str) -> Credentials:
    decoder = json.JSONDecoder()
    try:
        answer, end = decoder.raw_decode(text.lstrip())
    except ValueError as error:
        raise HelperError(f"not JSON: {text!r}") from error
    if text.lstrip()[end:].strip():
        raise HelperError("text after the JSON object")
    if not isinstance(answer, dict):
        raise HelperError("not a JSON object")
    return Credentials(_headers(answer.get("headers", {})), _expires(answer))


def _headers(headers: Any) -> dict[str, list[str]]:
    if not isinstance(headers, dict):
        raise HelperError("headers is not an object")
    for name, values in headers.items():
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise HelperError(f"the values of {name} are not an array of strings")
    return headers


def _expires(answer: dict[str, Any]) -> datetime | None:
    if "expires" not in answer:
        return None
    text = answer["expires"]
    if not isinstance(text, str) or not EXPIRES.fullmatch(text):
        raise HelperError(f"expires cannot be parsed: {text!r}")
    return datetime.fromisoformat(text).astimezone(UTC)
