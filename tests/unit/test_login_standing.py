"""What there is for a host in every store; what is ours goes, and is revoked where that can be."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from credlatch.caller import Caller
from credlatch.errors import StoreError
from credlatch.login import revoking, standing
from credlatch.login.target import target

if TYPE_CHECKING:
    from support.home import Home
    from support.internet import Answer, Internet, Visit

HOST = "reg.example.com"
LOGIN = {"BasicHTTP": {"username": "alice", "password": "p"}}
TOKEN = {"BearerToken": "t"}
S3 = {"S3Credentials": {"access_key_id": "A", "secret_access_key": "S"}}
OAUTH: dict[str, Any] = {
    "OAuth": {
        "access_token": "access-1", "refresh_token": "refresh-1", "expires_at": 1,
        "token_endpoint": "https://sso.example/token", "client_id": "rattler",
        "revocation_endpoint": "https://sso.example/revoke",
    }
}  # fmt: skip


def found(home: Home, text: str = HOST) -> list[standing.Standing]:
    caller = Caller(home.env, str(home.path))
    return standing.there(target(text, caller), caller)


OURS = {
    "a host": (HOST, [HOST, f"docker://{HOST}", f"https://{HOST}/v2/", f"*.{HOST}", f"bob@{HOST}"]),
    "with a port": (f"{HOST}:5000", [f"{HOST}:5000", f"carl@{HOST}:5000"]),
    "a pattern": ("*.example.com", ["*.example.com"]),
    "a bucket": ("s3://bucket", ["s3://bucket"]),
    "Docker Hub": ("docker.io", ["https://index.docker.io/v1/", "docker.io"]),
}
ALL = {
    **{key: LOGIN for _, keys in OURS.values() for key in keys if not key.startswith("s3")},
    "s3://bucket": S3, "s3://other": S3, "other.example.com": LOGIN, f"cargo:{HOST}": TOKEN,
    "example.com": TOKEN, f"evil{HOST}": TOKEN, f"bob@{HOST}/part": LOGIN,
}  # fmt: skip


@pytest.mark.parametrize(("text", "keys"), OURS.values(), ids=OURS.keys())
def test_what_is_kept_for_a_host_is_found_under_all_its_names_and_no_other(
    home: Home, text: str, keys: list[str]
) -> None:
    home.write_rattler(ALL)
    assert {each.key for each in found(home, text)} == set(keys)
    for each in found(home, text):
        assert each.backend is not None
        assert revoking.removed(each).is_gone
    assert set(home.read_rattler()) == set(ALL) - set(keys)
    assert found(home, text) == []


def test_each_other_store_is_named_with_what_removes_its_login(home: Home) -> None:
    home.write_rattler({HOST: TOKEN})
    home.write(".netrc", f"machine {HOST} login bob password p\nmachine o login b password p\n")
    home.write(
        ".local/share/uv/credentials/credentials.toml",
        f'[[credential]]\nservice = "https://{HOST}/"\nusername = "carl"\nscheme = "basic"\n'
        'password = "p"\n',
    )
    home.write(".docker/config.json", json.dumps({"auths": {HOST: {"auth": "ZGFuOnA="}}}))
    home.env["CREDLATCH_TOKEN_REG_EXAMPLE_COM"] = "t"
    rows = [(each.store, each.kind, each.username, each.remedy) for each in found(home)]
    netrc = home.path / ".netrc"
    assert rows == [
        ("rattler", "token", None, ""),
        ("environment", "token", None, "unset CREDLATCH_TOKEN_REG_EXAMPLE_COM"),
        ("uv", "password", "carl", f"uv auth logout https://{HOST}/ --username carl"),
        ("netrc", "password", "bob", f"take it out of {netrc}"),
        ("docker", "password", "dan", f"docker logout {HOST}"),
    ]


def test_a_store_that_cannot_be_read_is_said_to_be_and_the_others_are_found(home: Home) -> None:
    home.write_rattler({HOST: TOKEN})
    home.write(".docker/config.json", '{"auths": {')
    caller = Caller(home.env, str(home.path))
    assert [each.store for each in standing.there(target(HOST, caller), caller)] == ["rattler"]
    assert any("config.json" in line for line in caller.warnings)


REVOKED = {
    "the refresh token, with which all goes": ({}, 200, ("refresh_token", "refresh-1")),
    "the access token, where there is no other": (
        {"refresh_token": None}, 200, ("access_token", "access-1"),
    ),
    "a provider that refuses": ({}, 503, ("refresh_token", "refresh-1")),
}  # fmt: skip


@pytest.mark.parametrize(("said", "status", "sent"), REVOKED.values(), ids=REVOKED)
def test_what_is_taken_out_is_revoked_where_it_says_by_whom(
    home: Home, internet: Internet, said: dict[str, Any], status: int, sent: tuple[str, str]
) -> None:
    kept_at_the_request: list[bool] = []

    def answer(_: Visit) -> Answer:
        kept_at_the_request.append(HOST in home.read_rattler())
        return status, {}, {}

    internet.hosts["sso.example"] = answer
    home.write_rattler({HOST: {"OAuth": {**OAUTH["OAuth"], **said}}})
    (each,) = found(home)
    became = revoking.removed(each)
    assert became.is_gone
    if status == 200:
        assert (became.revoked, became.failure) == ("https://sso.example/revoke", "")
    else:
        assert became.revoked == ""
        assert f"HTTP {status}" in became.failure
    (visit,) = internet.to("sso.example")
    assert visit.path == "/revoke"
    assert visit.form == {"token_type_hint": sent[0], "token": sent[1], "client_id": "rattler"}
    assert kept_at_the_request == [False]
    assert revoking.removed(each).is_gone is False  # somebody else was quicker
    assert len(internet.visits) == 1


NOWHERE = {
    "no endpoint": {"revocation_endpoint": None},
    "one in the clear": {"revocation_endpoint": "http://sso.example/revoke"},
    "one that is none": {"revocation_endpoint": "-x"},
    "one that is not there": {"revocation_endpoint": "https://gone.example/"},
    "no token": {"refresh_token": 1, "access_token": None},
    "a token that no header carries": {"refresh_token": "a\nb"},
}


@pytest.mark.parametrize("said", NOWHERE.values(), ids=NOWHERE.keys())
def test_a_login_goes_whatever_becomes_of_its_revocation(
    home: Home, internet: Internet, said: dict[str, Any]
) -> None:
    internet.hosts["sso.example"] = lambda visit: (
        (200 if visit.scheme == "https" else 500), {}, {}
    )  # fmt: skip
    home.write_rattler({HOST: {"OAuth": {**OAUTH["OAuth"], **said}}})
    (each,) = found(home)
    assert revoking.removed(each).is_gone
    assert home.read_rattler() == {}
    assert [visit for visit in internet.visits if visit.scheme == "http"] == []


def test_what_cannot_be_taken_out_is_not_revoked_either(
    home: Home, internet: Internet, monkeypatch: pytest.MonkeyPatch
) -> None:
    internet.hosts["sso.example"] = lambda _: (200, {}, {})
    home.write_rattler({HOST: OAUTH})
    (each,) = found(home)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("credlatch.system.atomic_write.AtomicWrite.commit", full)
    with pytest.raises(StoreError, match="no space"):
        revoking.removed(each)
    assert home.read_rattler() == {HOST: OAUTH}
    assert internet.visits == []
