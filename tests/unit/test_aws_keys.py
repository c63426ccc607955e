"""Which keys of AWS a caller has: from the environment, or from the chain that the SDK resolves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from credlatch.auth import ProgramRequest
from credlatch.auth.aws_keys import LASTING
from credlatch.caller import Caller
from credlatch.credential import AccessKey
from credlatch.errors import StoreError
from credlatch.identities import aws_keys
from credlatch.rules import Rule
from credlatch.system import owners
from support.flows import NOW, REQUEST, answered
from support.found import sure

if TYPE_CHECKING:
    from pathlib import Path

    from credlatch.stores import Entry
    from support.home import Home

PAIR = {"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "secret"}
LASTING_KEYS = "aws_access_key_id = A\naws_secret_access_key = B\n"


def rule(**said: object) -> Rule:
    made = Rule()
    for name, value in said.items():
        setattr(made, name, value)
    return made


def found(home: Home, environ: dict[str, str] | None = None, **said: object) -> Entry | None:
    caller = Caller({"HOME": str(home.path), **(environ or {})}, str(home.path))
    entry = aws_keys.keys(caller, rule(**said))
    assert caller.warnings == []
    return entry


def key(entry: Entry | None) -> tuple[str, str, str | None]:
    made = sure(entry).credential
    assert isinstance(made, AccessKey)
    return made.id, made.secret.reveal(), None if made.token is None else made.token.reveal()


def asked(entry: Entry | None) -> dict[str, object]:
    """What the SDK is asked."""
    first = next(sure(sure(entry).grant).flow(REQUEST, NOW))
    assert isinstance(first, ProgramRequest)
    assert first.name == "aws"
    return first.asked


@pytest.mark.parametrize(
    ("more", "token", "expires"),
    [
        ({}, None, None),
        ({"AWS_SESSION_TOKEN": "tok"}, "tok", None),
        ({"AWS_SESSION_TOKEN": "tok", "AWS_SECURITY_TOKEN": "older"}, "older", None),
        ({"AWS_SESSION_TOKEN": " "}, None, None),
        ({"AWS_CREDENTIAL_EXPIRATION": "2026-11-21T12:00:00Z"}, None, 1_795_262_400),
        ({"AWS_CREDENTIAL_EXPIRATION": "2026-11-21T12:00:00"}, None, 1_795_262_400),
        ({"AWS_CREDENTIAL_EXPIRATION": "2026-11-21T14:00:00.5+02:00"}, None, 1_795_262_400),
        ({"AWS_PROFILE": "nope"}, None, None),
    ],
)
def test_keys_in_the_environment_are_served_at_once(
    home: Home, more: dict[str, str], token: str | None, expires: int | None
) -> None:
    entry = sure(found(home, {**PAIR, **more}))
    assert (key(entry), entry.expires, entry.grant) == (("AKID", "secret", token), expires, None)


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"AWS_ACCESS_KEY_ID": "AKID"}, "AWS_SECRET_ACCESS_KEY is not"),
        ({**PAIR, "AWS_CREDENTIAL_EXPIRATION": "soon"}, "AWS_CREDENTIAL_EXPIRATION is no time"),
    ],
)
def test_half_a_key_is_an_error_that_names_the_variable(
    home: Home, environ: dict[str, str], said: str
) -> None:
    with pytest.raises(StoreError, match=said):
        found(home, environ)


def test_without_an_identity_nobody_is_asked(home: Home) -> None:
    assert found(home) is None
    assert found(home, {"AWS_SECRET_ACCESS_KEY": "alone", "AWS_REGION": "eu-west-1"}) is None
    home.write(".aws/config", "[default]\nregion = eu-west-1\n[profile x]\n" + LASTING_KEYS)
    assert found(home) is None


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("credentials", f"[default]\n{LASTING_KEYS}"),
        ("config", f"# of mine\n[default]\n{LASTING_KEYS}"),
        ("config", '[profile "default"]\nrole_arn=arn\nsource_profile=x\n'),
        ("config", "[default]\nsso_session = s\n"),
        ("config", "[default]\nsso_account_id = 1\n"),
        ("config", "[default]\n  CREDENTIAL_PROCESS = p\n"),
        ("config", "[ default ]\nweb_identity_token_file = f\n"),
    ],
)
def test_a_default_profile_that_gives_keys_has_the_sdk_asked(
    home: Home, file: str, text: str
) -> None:
    home.write(f".aws/{file}", text)
    entry = sure(found(home))
    assert entry.location == "AWS profile default"
    assert asked(entry) == {"profile": None, "region": "us-east-1", "instance": False}


@pytest.mark.parametrize(
    ("environ", "where"),
    [
        ({"AWS_PROFILE": "p"}, "AWS profile p"),
        ({"AWS_PROFILE": "p", "AWS_DEFAULT_PROFILE": "q"}, "AWS profile q"),
        (
            {"AWS_ROLE_ARN": "arn", "AWS_WEB_IDENTITY_TOKEN_FILE": "f"},
            "AWS_WEB_IDENTITY_TOKEN_FILE",
        ),
        ({"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/r"}, "metadata service of AWS's container"),
        ({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "u"}, "metadata service of AWS's container"),
    ],
)
def test_a_variable_of_the_chain_has_the_sdk_asked(
    home: Home, environ: dict[str, str], where: str
) -> None:
    entry = sure(found(home, environ))
    assert where in entry.location
    assert asked(entry)["instance"] is False


def test_a_rule_s_profile_is_an_argument_and_beats_the_environment(home: Home) -> None:
    entry = sure(found(home, {**PAIR, "AWS_PROFILE": "p"}, profile="r"))
    assert entry.location == "AWS profile r"
    assert asked(entry)["profile"] == "r"
    assert "--profile r" in entry.remedy


def test_an_instance_s_metadata_service_is_asked_by_a_rule_alone(home: Home) -> None:
    entry = sure(found(home, use=("ecr",)))
    assert asked(entry)["instance"] is True
    assert found(home, {"AWS_EC2_METADATA_DISABLED": "True"}, use=("ecr",)) is None


def test_whatever_changes_the_keys_is_told_apart(home: Home, tmp_path: Path) -> None:
    def kept(environ: dict[str, str], folder: Path = home.path, **said: object) -> str | None:
        surroundings = {"HOME": str(home.path), "AWS_PROFILE": "p", **environ}
        entry = sure(aws_keys.keys(Caller(surroundings, str(folder)), rule(**said)))
        return sure(entry.grant).cache_key(REQUEST)

    first = kept({})
    assert kept({"TERM": "dumb"}) == first
    others = [
        kept({"AWS_ROLE_SESSION_NAME": "s"}),
        kept({"AWS_PROFILE": "q"}),
        kept({"PATH": "/other"}),
        kept({}, tmp_path),
        kept({}, profile="p"),
        kept({}, use=("ecr",)),
    ]
    for name in ("config", "credentials"):
        home.write(f".aws/{name}", "[p]\n")
        others.append(kept({}))
    elsewhere = home.write("elsewhere", "[q]\n")
    others.append(kept({"AWS_CONFIG_FILE": "elsewhere"}))
    elsewhere.write_text("[r]\n")
    others.append(kept({"AWS_CONFIG_FILE": "~/elsewhere"}))
    assert len({first, *others}) == 1 + len(others)


def test_a_file_that_every_user_can_change_is_not_handed_to_the_sdk(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owners, "is_out_of_reach", lambda *_: False)
    home.write(".aws/config", "[default]\ncredential_process = evil\n", 0o666)
    with pytest.raises(StoreError, match="config can be changed by every user"):
        found(home)


def test_what_the_sdk_answers_is_a_key_until_its_end(home: Home) -> None:
    grant = sure(sure(found(home, {"AWS_PROFILE": "p"})).grant)
    said = b'{"access_key": "A", "secret_key": "S", "token": "T", "expires": 1795223999}'
    made = answered(grant, said)
    assert (key_of := made.credential, made.expires) == (key_of, 1_795_223_999)
    assert isinstance(key_of, AccessKey)
    assert (key_of.id, key_of.secret.reveal(), sure(key_of.token).reveal()) == ("A", "S", "T")
    made = answered(grant, b'{"access_key": "A", "secret_key": "S", "token": null}')
    assert made.expires == int(NOW - 5) + LASTING
