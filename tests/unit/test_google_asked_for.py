"""Google's identities that are asked for: gcloud's login, a machine's account, a program's."""

from __future__ import annotations

import json
import socket
import time
from typing import TYPE_CHECKING, Any

import pytest

from credlatch.auth.google_federation import METADATA
from credlatch.shared_cache import SharedCache
from support.answering import Answering
from support.found import header, sure
from support.google_servers import (
    ACTS,
    AUDIENCE,
    ID_TOKEN,
    SUBJECT,
    TARGET,
    Google,
    federated_file,
    metadata,
    user_file,
)
from support.google_user import REGISTRY, GoogleUser, program

if TYPE_CHECKING:
    from pathlib import Path

    from support.answering import Answer
    from support.home import Home
    from support.internet import Internet
    from support.loopback import Recorded

ALLOW = "GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES"
HELPER = "config config-helper --format=json(credential) --min-expiry=15m"


@pytest.fixture
def user(home: Home) -> GoogleUser:
    return GoogleUser(home)


# gcloud's own login


def gcloud(user: GoogleUser, *lines: str) -> Path:
    """A program of that name, first on PATH, which notes how it was called; the note."""
    return program(user.home, "bin/gcloud", *lines)


def gives(token: str = "ya29.gcloud") -> str:
    credential = {"access_token": token, "id_token": "x", "token_expiry": "2099-01-01T00:00:00Z"}
    return f"echo '{json.dumps({'credential': credential})}'"


def test_gcloud_is_not_run_unless_a_rule_names_it(user: GoogleUser) -> None:
    noted = gcloud(user, gives())
    assert user.header() is None
    assert not noted.exists()
    user.says(use=["gcloud"])
    assert user.header() == "Bearer ya29.gcloud"
    assert noted.read_text() == f"{HELPER}\n"


def test_gcloud_gets_the_caller_s_environment_and_asks_nobody(user: GoogleUser) -> None:
    gcloud(user, '[ "$CLOUDSDK_CORE_DISABLE_PROMPTS$MINE" = 1m ] || exit 3', "read x", gives())
    user.home.env["MINE"] = "m"
    user.says(use=["gcloud"])
    assert user.header() == "Bearer ya29.gcloud"


@pytest.mark.parametrize(
    ("profile", "option"),
    [("team-b", "--configuration=team-b"), ("me@company.example", "--account=me@company.example")],
)
def test_a_rule_s_profile_chooses_gcloud_s_configuration_or_account(
    user: GoogleUser, profile: str, option: str
) -> None:
    noted = gcloud(user, gives())
    user.says(use=["gcloud"], profile=profile)
    user.header()
    assert noted.read_text() == f"{HELPER} {option}\n"


def test_gcloud_is_run_once_for_a_token_and_again_after_another_login(user: GoogleUser) -> None:
    noted = gcloud(user, gives())
    user.says(use=["gcloud"])
    user.shared = SharedCache()
    for _ in range(3):
        user.header()
    assert len(noted.read_text().splitlines()) == 1
    user.home.write(".config/gcloud/credentials.db", "another")
    gcloud(user, gives("ya29.other"))
    assert user.header() == "Bearer ya29.other"


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (
            ("echo no active account >&2", "exit 1"),
            "ended with 1 (no active account): run gcloud auth login",
        ),
        (("echo '{}'",), "not answer with a token"),
        (('echo \'{"credential": {"access_token": 7, "token_expiry": 1}}\'',), "not answer"),
        (("echo sesame",), "not answer with a token"),
        (("sleep 600",), "has not answered for"),
        (("head -c 300000 /dev/zero",), "bytes"),
    ],
)
def test_what_gcloud_cannot_say_is_told_in_one_line(
    user: GoogleUser, lines: tuple[str, ...], why: str
) -> None:
    gcloud(user, *lines)
    user.says(use=["gcloud"])
    user.seconds = 2.0 if "sleep 600" in lines else 60.0
    said = user.warning()
    assert why in said
    assert "sesame" not in said


def test_without_gcloud_that_is_said(user: GoogleUser) -> None:
    user.home.hide("gcloud")
    user.says(use=["gcloud"])
    user.shared = SharedCache()
    for _ in range(2):
        assert "gcloud is not on PATH: run gcloud auth login, or install" in user.warning()


# A machine's own account


@pytest.fixture
def machine(user: GoogleUser) -> Answering:
    """A machine's metadata service, and a rule that has it asked."""

    def answer(request: Recorded) -> Answer:
        return metadata(request)

    server = Answering(answer)
    user.home.env["GCE_METADATA_HOST"] = f"127.0.0.1:{server.port}"
    user.says(use=["gce"])
    return server


def test_the_metadata_service_is_asked_only_where_a_rule_names_it_and_by_no_proxy(
    user: GoogleUser, machine: Answering, internet: Internet
) -> None:
    with machine as server:
        user.says()
        assert user.header() is None
        assert server.requests == []
        user.says(use=["gce"])
        user.home.env["NO_PROXY"] = ""
        assert user.header() == "Bearer ya29.instance"
        (request,) = server.requests
        assert request.path == "/computeMetadata/v1/instance/service-accounts/default/token"
        assert internet.asked == []


def test_a_metadata_service_of_somebody_else_s_gives_nothing(
    user: GoogleUser, machine: Answering
) -> None:
    with machine as server:
        server.answer = lambda request: (200, {}, metadata(request)[2])
        assert "not answer with a token" in user.warning()
        server.answer = lambda _: (404, {"Metadata-Flavor": "Google"}, {})
        assert "has no service account" in user.warning()


def test_a_silent_metadata_service_is_given_up_within_two_seconds(user: GoogleUser) -> None:
    user.says(use=["gce"])
    user.shared = SharedCache()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        user.home.env["GCE_METADATA_HOST"] = f"127.0.0.1:{silent.getsockname()[1]}"
        for _ in range(2):
            assert "this machine has no such metadata service" in user.warning()
        # And nobody waits for it again at once.
        silent.accept()[0].close()
        silent.setblocking(False)
        with pytest.raises(BlockingIOError):
            silent.accept()
    assert METADATA < 2.0


@pytest.mark.parametrize("host", ["a/b", "u@host", "host?x", "127.1", "a b"])
def test_a_variable_that_names_no_metadata_service_is_told(user: GoogleUser, host: str) -> None:
    user.says(use=["gce"])
    user.home.env["GCE_METADATA_HOST"] = host
    assert "GCE_METADATA_HOST" in user.warning()


# A program that a file of workload identity federation names


def executable(user: GoogleUser, answer: object, *before: str, **more: Any) -> Path:
    """A file that names such a program, and what it notes of its calls."""
    text = f"printf %s '{json.dumps(answer)}'"
    noted = program(user.home, "bin/identity", *before, text)
    command = f"{user.home.path}/bin/identity --to google"
    user.has(federated_file({"executable": {"command": command, **more}}, **ACTING))
    return noted


ACTING = {"service_account_impersonation_url": ACTS}
GOOD = {"version": 1, "success": True, "token_type": ID_TOKEN, "id_token": SUBJECT}


def test_a_file_s_program_is_run_only_where_google_s_own_variable_allows_it(
    user: GoogleUser, internet: Internet
) -> None:
    google = Google(internet)
    for value in ("", "0", "true"):
        user.home.env[ALLOW] = value
        noted = executable(user, GOOD)
        assert f"set {ALLOW}=1" in user.warning()
        assert not noted.exists()
    user.home.env[ALLOW] = "1"
    sent = sure(header(user.outcome().resolution))
    assert google.issued(sent.removeprefix("Bearer ")) == TARGET
    assert noted.read_text() == "--to google\n"


def test_a_file_s_program_is_told_for_whom_it_is_asked(
    user: GoogleUser, internet: Internet
) -> None:
    Google(internet)
    user.home.env[ALLOW] = "1"
    said = f"{AUDIENCE} {ID_TOKEN} 0 {TARGET}"
    names = ("AUDIENCE", "TOKEN_TYPE", "INTERACTIVE", "IMPERSONATED_EMAIL")
    told = " ".join(f"$GOOGLE_EXTERNAL_ACCOUNT_{name}" for name in names)
    executable(user, GOOD, f'[ "{told}" = "{said}" ] || exit 9')
    assert user.header() is not None


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ({**GOOD, "success": False, "code": "401", "message": "log in\nfirst"}, "401 log in first"),
        ({**GOOD, "expiration_time": 1_000_000_000}, "has ended"),
        ({**GOOD, "id_token": ""}, "not answer"),
        ({"success": True}, "not answer"),
        ([], "not answer"),
    ],
)
def test_a_program_that_gives_no_identity_is_told_in_one_line(
    user: GoogleUser, internet: Internet, answer: object, why: str
) -> None:
    Google(internet)
    user.home.env[ALLOW] = "1"
    executable(user, answer)
    assert why in user.warning()
    assert internet.asked == []


@pytest.mark.parametrize("command", ["", "./identity", "bin/identity", "a\nb", 7])
def test_a_program_is_named_by_its_path_or_found_on_path(user: GoogleUser, command: object) -> None:
    user.home.env[ALLOW] = "1"
    user.has(federated_file({"executable": {"command": command}}))
    assert "names no program" in user.warning()


def test_a_stored_login_comes_first_and_none_of_this_is_asked(user: GoogleUser) -> None:
    noted = gcloud(user, gives())
    user.says()
    user.has(user_file())
    user.home.write(".netrc", "machine europe-docker.pkg.dev login oauth2accesstoken password p\n")
    before = time.monotonic()
    assert sure(user.header(REGISTRY, stores=True)).startswith("Basic ")
    assert not noted.exists()
    assert time.monotonic() - before < 60
