"""Every variant that rattler writes, and what is none."""

from __future__ import annotations

from typing import Any

import pytest

from credlatch.auth import TokenResponse
from credlatch.auth.oauth import OAuthRefresh
from credlatch.credential import AccessKey, Basic, Bearer, Credential, Secret, Token
from credlatch.errors import StoreError
from credlatch.stores import rattler_format
from support.jwt import make_jwt

SECRET = "kept-from-everybody"

# As py-rattler 0.28 wrote it after a refresh.
OAUTH: dict[str, Any] = {
    "access_token": "fresh-at",
    "refresh_token": "rotated-rt",
    "expires_at": 1_795_223_645,
    "token_endpoint": "http://127.0.0.1:18766/token",
    "revocation_endpoint": None,
    "client_id": "cid",
}


def read(value: object, host: str = "host.example") -> Any:
    return rattler_format.read(value, "the key", "the file", host)


@pytest.mark.parametrize(
    ("value", "host", "header"),
    [
        ({"BearerToken": "t"}, "", {"Authorization": "Bearer t"}),
        ({"BasicHTTP": {"username": "u", "password": "p"}}, "", {"Authorization": "Basic dTpw"}),
        ({"CondaToken": "t"}, "anaconda.org", {"Authorization": "token t"}),
        ({"CondaToken": "t"}, "conda.anaconda.org", {"Authorization": "token t"}),
        ({"CondaToken": "t"}, "repo.anaconda.cloud", {"Authorization": "token t"}),
        ({"CondaToken": "t"}, "quetz.example", {"X-API-Key": "t"}),
        ({"CondaToken": "t"}, "evilanaconda.org", {"X-API-Key": "t"}),
        ({"CondaToken": "t"}, "anaconda.org.evil.example", {"X-API-Key": "t"}),
    ],
)
def test_what_is_sent_and_a_conda_token_in_a_header_of_the_host_s_own(
    value: object, host: str, header: dict[str, str]
) -> None:
    assert read(value, host).credential.headers() == header


def test_a_bearer_token_that_is_a_jwt_ends_when_it_says() -> None:
    ends = [read({"BearerToken": token}).expires for token in (make_jwt(1_795_223_645), "t")]
    assert ends == [1_795_223_645, None]


@pytest.mark.parametrize(
    ("session", "token"),
    [({}, None), ({"session_token": None}, None), ({"session_token": "T"}, Secret("T"))],
)
def test_an_s3_key(session: dict[str, Any], token: Secret | None) -> None:
    value = {"S3Credentials": {"access_key_id": "A", "secret_access_key": "S", **session}}
    key = read(value).credential
    assert isinstance(key, AccessKey)
    assert (key.id, key.secret, key.token) == ("A", Secret("S"), token)


def test_an_oauth_login_has_a_grant_and_an_end() -> None:
    entry = read({"OAuth": OAUTH})
    grant = entry.grant
    assert entry.credential.headers() == {"Authorization": "Bearer fresh-at"}
    assert entry.expires == 1_795_223_645
    assert isinstance(grant, OAuthRefresh)
    assert grant.secret == Secret("rotated-rt")
    assert grant.server == "http://127.0.0.1:18766/token"
    assert grant.client_id == "cid"
    assert "credlatch login" in grant.remedy


@pytest.mark.parametrize("name", ["refresh_token", "expires_at", "revocation_endpoint"])
@pytest.mark.parametrize("absent", [True, False])
def test_a_field_that_rattler_leaves_out_or_writes_as_null(name: str, *, absent: bool) -> None:
    value = {**OAUTH, name: None}
    if absent:
        del value[name]
    entry = read({"OAuth": value})
    assert entry.credential.headers() == {"Authorization": "Bearer fresh-at"}
    assert (entry.grant is None) == (name == "refresh_token")
    assert (entry.expires is None) == (name == "expires_at")


NEVER = (7_258_118_401, 1_795_223_645_000, 2**63 - 1)
LONG_AGO = (-1, -(2**63), -(10**30))
NO_END: tuple[object, ...] = (
    2**63, 10**30, 1e19, float("inf"), float("-inf"), float("nan"), True, False, "", "never",
    "1795223645", [], {}, [1_795_223_645],
)  # fmt: skip


@pytest.mark.parametrize(
    ("end", "expires"),
    [
        (1_795_223_645.75, 1_795_223_645),
        *((end, None) for end in NEVER),
        *((end, 0) for end in LONG_AGO),
        *((end, 0) for end in NO_END),
    ],
)
def test_an_end_is_read_as_rattler_reads_it_and_one_it_could_not_keep_is_not_never(
    end: object, expires: int | None
) -> None:
    entry = read({"OAuth": {**OAUTH, "expires_at": end}})
    assert entry.expires == expires
    assert entry.grant is not None


@pytest.mark.parametrize("audience", ["https://audit.example", "", "a b&c=ü", None])
def test_the_audience_that_a_token_is_for_goes_with_its_grant(audience: str | None) -> None:
    grant = read({"OAuth": {**OAUTH, "audience": audience}}).grant
    assert grant.audience == audience
    assert read({"OAuth": OAUTH}).grant.audience is None


def test_a_jwt_without_expires_at_is_never_renewed_as_rattler_has_it() -> None:
    entry = read({"OAuth": {**OAUTH, "access_token": make_jwt(1), "expires_at": None}})
    assert entry.expires is None
    assert not entry.renew_unknown


@pytest.mark.parametrize("extra", [{"scope": ["a"]}, {"id_token": "x"}])
def test_a_field_of_a_later_version_is_passed_over(extra: dict[str, Any]) -> None:
    assert read({"OAuth": {**OAUTH, **extra}}).expires == 1_795_223_645


@pytest.mark.parametrize(
    "value",
    [
        None,
        SECRET,
        [SECRET],
        {},
        {"BearerToken": [SECRET]},
        {"BearerToken": None},
        {"BearerToken": "t", "BasicHTTP": {"username": "u", "password": SECRET}},
        {"BasicHTTP": {"username": "u"}},
        {"BasicHTTP": {"username": 1, "password": SECRET}},
        {"BasicHTTP": f"u:{SECRET}"},
        {"CondaToken": {"token": SECRET}},
        {"S3Credentials": {"access_key_id": "A"}},
        {"OAuth": {}},
        {"OAuth": {**OAUTH, "access_token": None}},
        {"OAuth": {**OAUTH, "token_endpoint": 1}},
        {"OAuth": {**OAUTH, "audience": 1}},
        {"OAuth": {**OAUTH, "audience": [SECRET]}},
        {"OAuth": SECRET},
    ],
)
def test_what_rattler_does_not_write_is_damaged(value: object) -> None:
    with pytest.raises(StoreError, match="'the key' in the file is damaged") as raised:
        read(value)
    assert SECRET not in str(raised.value)


def test_a_kind_of_a_later_version_is_named_and_not_called_damaged() -> None:
    with pytest.raises(StoreError, match=r"'Passkey'.*update credlatch") as raised:
        read({"Passkey": {"key": SECRET}})
    assert SECRET not in str(raised.value)


def test_a_renewed_value_keeps_every_other_field() -> None:
    value = {"OAuth": {**OAUTH, "later": [1]}}
    renewed = rattler_format.renewed(
        value,
        Secret("rotated-rt"),
        TokenResponse(Secret("new-at"), Secret("new-rt"), 1_795_230_000),
    )
    assert renewed == {
        "OAuth": {
            **OAUTH,
            "later": [1],
            "access_token": "new-at",
            "refresh_token": "new-rt",
            "expires_at": 1_795_230_000,
        }
    }
    assert value["OAuth"]["access_token"] == "fresh-at"


def test_without_a_new_refresh_token_the_old_one_stays_and_an_unknown_end_is_null() -> None:
    renewed = rattler_format.renewed(
        {"OAuth": OAUTH}, Secret("rotated-rt"), TokenResponse(Secret("new-at"))
    )
    assert renewed == {"OAuth": {**OAUTH, "access_token": "new-at", "expires_at": None}}


@pytest.mark.parametrize(
    "value",
    [
        None,
        {},
        {"BearerToken": "newer"},
        {"OAuth": {**OAUTH, "refresh_token": "of a newer login"}},
        {"OAuth": {**OAUTH, "refresh_token": None}},
        {"OAuth": None},
    ],
)
def test_a_login_made_meanwhile_is_not_overwritten(value: object) -> None:
    fresh = TokenResponse(Secret("new-at"), Secret("new-rt"))
    assert rattler_format.renewed(value, Secret("rotated-rt"), fresh) is None


def test_what_is_stored_is_what_rattler_writes() -> None:
    stored = rattler_format.stored(Basic("jürgen", Secret("p:ä")))
    assert stored == {"BasicHTTP": {"username": "jürgen", "password": "p:ä"}}


@pytest.mark.parametrize(
    "credential",
    [
        Bearer(Secret("t")), Token(Secret("t"), "X-API-Key"), Basic("u", Secret("p")),
        AccessKey("A", Secret("S"), Secret("T")),
    ],
)  # fmt: skip
def test_what_is_stored_is_read_as_the_same(credential: Credential) -> None:
    read = rattler_format.read(rattler_format.stored(credential), "h", "a test", "h").credential
    assert type(read) is type(credential)
    assert read.secret == credential.secret


def test_what_makes_no_login_is_not_stored() -> None:
    with pytest.raises(TypeError):
        rattler_format.stored(Credential(Secret("t")))
