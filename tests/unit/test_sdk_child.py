"""An SDK is asked in a process of its own, with the caller's surroundings, and for so long."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import TYPE_CHECKING

import pytest

from credlatch.auth import Auth, HttpRequest, ProgramRequest, TokenResponse
from credlatch.caller import Caller
from credlatch.commands import sdk as command
from credlatch.credential import Secret
from credlatch.errors import CredlatchError, LoginError, RenewalError, UsageError
from credlatch.renew import sdk_child
from credlatch.renew.exchange import exchange
from credlatch.renew.http import TooLateError
from support.flows import REQUEST
from support.waiting import alive

if TYPE_CHECKING:
    from pathlib import Path

    from credlatch.auth import Flow
    from credlatch.request import Request

KEYS = {"AWS_ACCESS_KEY_ID": "AK", "AWS_SECRET_ACCESS_KEY": "sesame"}


class Keys(Auth):
    """A flow that asks AWS's SDK."""

    single_use = False
    anonymous = True

    def __init__(self, asked: dict[str, object] | None = None, seconds: float = 60.0) -> None:
        super().__init__(Secret(""), "", "log in")
        self.program = ProgramRequest("aws", asked or {}, seconds)

    def flow(self, request: Request, now: float) -> Flow:  # noqa: ARG002 - of none of them
        response = yield self.program
        said = json.loads(response.body)
        return TokenResponse(Secret(said["secret_key"]), expires=said["expires"])


def keys(
    home: Path,
    environ: dict[str, str] | None = None,
    asked: dict[str, object] | None = None,
    seconds: float = 60.0,
) -> TokenResponse:
    """What the flow makes for a caller."""
    surroundings = {"HOME": str(home), "PATH": os.environ["PATH"], **(environ or {})}
    caller = Caller(surroundings, str(home))
    return exchange(Keys(asked, seconds), REQUEST, time.monotonic() + 60.0, caller)


def config(home: Path, text: str) -> None:
    (home / ".aws").mkdir()
    (home / ".aws" / "config").write_text(text)


def process(home: Path, script: str) -> None:
    """A profile whose keys a program gives."""
    (home / "program").write_text(f"#!/bin/sh\n{script}\n")
    (home / "program").chmod(0o755)
    config(home, f"[default]\ncredential_process = {home}/program\n")


def failure(kind: type[CredlatchError], home: Path, *args: object, **more: object) -> str:
    with pytest.raises(kind) as raised:
        keys(home, *args, **more)  # type: ignore[arg-type]
    assert "\n" not in str(raised.value)
    assert "sesame" not in str(raised.value)
    return str(raised.value)


def test_the_caller_s_environment_counts_and_not_our_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ours")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "ours")
    assert keys(tmp_path, KEYS).token.reveal() == "sesame"
    assert "there are no keys for AWS" in failure(RenewalError, tmp_path)


def test_it_runs_in_the_caller_s_folder_and_imports_nothing_from_there(tmp_path: Path) -> None:
    for name in ("botocore", "json", "credlatch", "sitecustomize"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit(9)\n")
    process(tmp_path, 'echo "{\\"Version\\": 1, \\"AccessKeyId\\": \\"A\\", '
            '\\"SecretAccessKey\\": \\"$PWD-$OWN\\"}"')  # fmt: skip
    found = keys(tmp_path, {"OWN": "the caller's", "PYTHONPATH": str(tmp_path)})
    assert found.token.reveal() == f"{tmp_path}-the caller's"


def test_what_takes_too_long_is_killed_with_all_that_it_has_started(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    process(tmp_path, f"sleep 1000 & ps -o sid= -p $$ > {pid}.new\nmv {pid}.new {pid}\nwait")
    for seconds in (2.0, 8.0, 30.0):  # a busy machine may take its time to come so far
        began = time.monotonic()
        said = failure(RenewalError, tmp_path, seconds=seconds)
        assert f"has not answered for {seconds:.0f} s" in said
        assert time.monotonic() - began < seconds + 30
        if pid.exists():
            break
    session = int(pid.read_text())
    deadline = time.monotonic() + 30
    while alive(session):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_without_time_no_process_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("subprocess.Popen", None)
    caller = Caller(KEYS, str(tmp_path))
    with pytest.raises(TooLateError, match="no time was left"):
        exchange(Keys(), REQUEST, time.monotonic() + 0.2, caller)


def test_a_flow_that_is_run_without_a_caller_asks_no_sdk() -> None:
    with pytest.raises(RenewalError, match="cannot be asked"):
        exchange(Keys(), REQUEST, time.monotonic() + 60.0)


@pytest.mark.parametrize(
    ("printed", "kind", "said"),
    [
        ('{"error": "absent", "message": "m"}', RenewalError, "m"),
        ('{"error": "permission", "message": "m"}', LoginError, "m"),
        ('{"error": "login", "message": "m"}', RenewalError, "m"),
        ('{"error": "transient", "message": "m"}', RenewalError, "m"),
        ('{"error": "another", "message": "m"}', RenewalError, "m"),
        ('{"error": [], "message": "m"}', RenewalError, "m"),
        ("[]", RenewalError, "credlatch sdk aws ended with 0: try again"),
        ("", RenewalError, "credlatch sdk aws ended with 0: try again"),
        ("[" * 100_000, RenewalError, "credlatch sdk aws ended with 0: try again"),
    ],
)
def test_each_kind_of_failure_is_one_of_ours(
    printed: str,
    kind: type[CredlatchError],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "said").write_text(printed)
    program = f"import sys; sys.stdin.read(); print(open({str(tmp_path / 'said')!r}).read())"
    monkeypatch.setattr(sdk_child, "_FROM_SOURCE", program.replace("{", "{{"))
    with pytest.raises(kind) as raised:
        keys(tmp_path)
    assert type(raised.value) is kind
    assert str(raised.value) == said


def test_a_child_that_dies_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sdk_child, "_FROM_SOURCE", "raise SystemExit('why it died')")
    assert failure(RenewalError, tmp_path).endswith("ended with 1 (why it died): try again")


def test_an_sdk_that_is_not_installed_is_named_with_its_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "credlatch.sdk.aws", raising=False)
    monkeypatch.setitem(sys.modules, "botocore.config", None)
    assert command._answer("aws", {}, Caller({}, "/")) == {
        "error": "absent",
        "message": "botocore is not installed: pip install 'credlatch[aws]'",
    }


@pytest.mark.parametrize("words", [[], ["nobody"], ["aws", "more"], ["../aws"]])
def test_only_what_is_there_can_be_asked(words: list[str]) -> None:
    with pytest.raises(UsageError, match="sdk needs one of aws"):
        command.run(words, Caller({}, "/"))


def test_a_flow_may_ask_a_server_and_an_sdk(tmp_path: Path) -> None:
    class Both(Keys):
        def flow(self, request: Request, now: float) -> Flow:
            yield HttpRequest("GET", "https://elsewhere.example/")
            return (yield from super().flow(request, now))

    with pytest.raises(RenewalError):
        exchange(Both(), REQUEST, time.monotonic() + 60.0, Caller(KEYS, str(tmp_path)))


# What AWS's chain says

SSO = """\
[default]
sso_session = my
sso_account_id = 1
sso_role_name = R
[sso-session my]
sso_region = eu-west-1
sso_start_url = https://x.example/
"""
ROLE = """\
[profile r]
role_arn = arn:aws:iam::123456789012:role/x
source_profile = b
[profile b]
aws_access_key_id = AK
aws_secret_access_key = sesame
"""
MFA = """\
[profile m]
role_arn = arn:aws:iam::123456789012:role/x
source_profile = b
mfa_serial = arn:aws:iam::123456789012:mfa/me
"""
NOWHERE = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}


@pytest.mark.parametrize(
    ("text", "environ", "kind", "said"),
    [
        ("", {"AWS_PROFILE": "nope"}, RenewalError, "there is no AWS profile nope: see `aws"),
        (SSO, {}, RenewalError, "run `aws sso login --profile default`"),
        (ROLE, {"AWS_PROFILE": "r"}, RenewalError, "AWS did not answer"),
        (f"{MFA}{ROLE}", {"AWS_PROFILE": "m"}, RenewalError, "nobody can be asked"),
        ("[default]\nlogin_session = a\n", {}, RenewalError, "`eval $(aws configure export"),
        ("[default]\nsource_profile\n", {}, RenewalError, "see ~/.aws/config"),
        (
            "[default]\naws_access_key_id = AK\n",
            {},
            RenewalError,
            "AWS profile default cannot be used (Partial credentials",
        ),
    ],
)
def test_what_the_chain_cannot_do_is_one_line_with_what_helps(
    text: str, environ: dict[str, str], kind: type[CredlatchError], said: str, tmp_path: Path
) -> None:
    config(tmp_path, text)
    assert said in failure(kind, tmp_path, {**NOWHERE, **environ})


@pytest.mark.parametrize(
    ("prints", "says"),
    [
        ('"Expiration": "2015-01-01T00:00:00Z"', "have ended already"),
        ('"Expiration": "soon"', "AWS identity cannot be used (ParserError)"),
        ('"Version": []', "AWS profile default gave no keys"),
    ],
)
def test_what_a_process_prints_and_botocore_does_not_expect_is_one_line(
    prints: str, says: str, tmp_path: Path
) -> None:
    said = f'{{"Version": 1, "AccessKeyId": "A", "SecretAccessKey": "sesame", {prints}}}'
    process(tmp_path, f"cat <<'END'\n{said}\nEND")
    assert says in failure(RenewalError, tmp_path)


def test_a_profile_that_is_asked_for_beats_keys_in_the_environment(tmp_path: Path) -> None:
    text = "[profile other]\naws_access_key_id = AK2\naws_secret_access_key = of-the-profile\n"
    config(tmp_path, text)
    assert keys(tmp_path, {**KEYS, "AWS_PROFILE": "other"}).token.reveal() == "sesame"
    assert keys(tmp_path, KEYS, {"profile": "other"}).token.reveal() == "of-the-profile"
