"""KV version 2 of OpenBao and Vault, as it answers, and as what is none of it does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from credlatch.credential import Secret
from credlatch.fleet.access import Access, Given
from credlatch.fleet.engine import Conflict, EngineDownError, EngineError, Unknown
from credlatch.fleet.kv import KvEngine
from credlatch.fleet.server import Server
from credlatch.renew import http
from support.scripted_bao import Answer, ScriptedBao, kept

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = "s.token-of-the-test"
MISMATCH = {"errors": ["check-and-set parameter did not match the current version"]}
WRITTEN = {"data": {"version": 8, "created_time": "2026-11-21T10:11:12Z"}}
DENIED = {"errors": ["1 error occurred:\n\t* permission denied\n\n"]}


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    http.close()
    yield
    http.close()


@pytest.fixture
def bao() -> Iterator[ScriptedBao]:
    with ScriptedBao() as bao:
        yield bao


def engine(*servers: ScriptedBao, urls: tuple[str, ...] = (), **how: Any) -> KvEngine:
    server = Server(urls or tuple(each.url for each in servers), **how)
    given = Given("the test", lambda: Secret(TOKEN))
    return KvEngine(server, Access(server, given), "fleet", "login/ci/a")


def test_a_secret_is_read_with_its_version_and_its_age_by_the_servers_clocks(
    bao: ScriptedBao,
) -> None:
    bao.answers = [Answer(200, kept({"a": 1}, 7), Date="Sat, 21 Nov 2026 10:12:12 GMT")]
    found = engine(bao).read()
    assert found.value == {"a": 1}
    assert found.version == "7"
    assert found.age == pytest.approx(59.876, abs=0.01)
    assert abs(found.ahead) > 60  # the server lives in another time
    (request,) = bao.requests
    assert request.path == "/v1/fleet/data/login/ci/a"
    assert request.headers["x-vault-token"] == TOKEN
    assert request.headers["x-vault-request"] == "true"


def test_a_secret_whose_newest_version_is_deleted_has_that_version_and_no_value(
    bao: ScriptedBao,
) -> None:
    bao.answers = [Answer(404, kept(None, 2))]
    found = engine(bao).read()
    assert (found.value, found.version) == (None, "2")


def test_a_secret_that_was_never_written_has_no_version(bao: ScriptedBao) -> None:
    bao.answers = [Answer(404, {"errors": []}), Answer(200, WRITTEN)]
    kv = engine(bao)
    found = kv.read()
    assert (found.value, found.version, found.age) == (None, "", None)
    assert kv.write({"a": 1}, found.version) == "8"
    assert bao.requests[-1].json == {"options": {"cas": 0}, "data": {"a": 1}}


def test_a_write_compares_and_says_the_new_version(bao: ScriptedBao) -> None:
    bao.answers = [Answer(200, WRITTEN), Answer(400, MISMATCH)]
    kv = engine(bao)
    assert kv.write({"a": 1}, "7") == "8"
    assert bao.requests[-1].json["options"] == {"cas": 7}
    assert isinstance(kv.write({"a": 1}, "7"), Conflict)
    assert len(bao.requests) == 3  # the mount is looked at once


@pytest.mark.parametrize(
    "answer",
    [
        Answer(500, {"errors": ["internal error"]}),
        Answer(502, b"<html>bad gateway</html>"),
        Answer(504),
        Answer(200, b"<html>sign in</html>"),
        Answer(200, {"data": {"version": True}}),
        Answer(200, hangs_up=True),
    ],
    ids=["500", "502", "504", "a page", "no version", "hung up"],
)
def test_what_may_have_been_written_is_unknown(bao: ScriptedBao, answer: Answer) -> None:
    bao.answers = [answer]
    assert isinstance(engine(bao).write({"a": 1}, "7"), Unknown)
    assert bao.asked == ["POST fleet/data/login/ci/a"]  # and not sent again


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(503, {"errors": ["Vault is sealed"]}), "Vault is sealed.*unseal it"),
        (
            Answer(500, {"errors": ["local node not active but active cluster node not found"]}),
            "active cluster node not found",
        ),
        (Answer(503, {"errors": ["no active Vault instance found"]}), "no active Vault instance"),
        (Answer(429, {"errors": []}, Retry_After="3"), "too much to do, or is behind"),
        (
            Answer(400, {"errors": ["Upgrading from non-versioned to versioned data. This …"]}),
            "still making the mount",
        ),
    ],
)
@pytest.mark.parametrize("method", ["read", "write"])
def test_who_cannot_answer_now_has_written_nothing(
    bao: ScriptedBao, answer: Answer, said: str, method: str
) -> None:
    kv = engine(bao)
    kv.see()
    bao.answers = [answer]
    with pytest.raises(EngineDownError, match=said) as caught:
        kv.read() if method == "read" else kv.write({"a": 1}, "7")
    assert caught.value.after == {"Retry-After": 3.0}.get(next(iter(answer.headers), ""), 0) or (
        answer.status == 400 and caught.value.after == 1
    )


def test_a_wait_of_any_length_is_not_taken_from_a_server(bao: ScriptedBao) -> None:
    for text, seconds in (("1e9", 60.0), ("soon", 1.0), ("-5", 1.0), ("nan", 1.0)):
        bao.answers = [Answer(429, Retry_After=text)]
        with pytest.raises(EngineDownError) as caught:
            engine(bao).read()
        assert caught.value.after == seconds


def test_another_node_is_asked_where_one_does_not_answer(bao: ScriptedBao) -> None:
    bao.answers = [Answer(200, kept({}, 1)), Answer(200, kept({}, 2)), Answer(200, WRITTEN)]
    kv = engine(urls=("http://127.0.0.1:9", bao.url))
    assert (kv.read().version, kv.read().version) == ("1", "2")
    assert kv.write({}, "2") == "8"  # nothing had left this machine for the first


def test_a_write_that_may_have_been_taken_is_sent_to_no_other_node(bao: ScriptedBao) -> None:
    with ScriptedBao(Answer(200, kept({}, 1)), Answer(200, hangs_up=True)) as first:
        kv = engine(first, bao)
        kv.read()
        assert isinstance(kv.write({}, "1"), Unknown)
    assert bao.asked == []


def test_what_was_seen_goes_along_so_that_no_standby_answers_with_less(bao: ScriptedBao) -> None:
    bao.answers = [
        Answer(200, kept({}, 1), X_Vault_Index="eyJpIjoxfQ=="),
        Answer(404, {"errors": []}),
        Answer(200, WRITTEN, X_Vault_Index="eyJpIjoyfQ=="),
        Answer(200, kept({}, 8)),
    ]
    kv = engine(bao)
    for _ in range(2):
        kv.read()
    kv.write({}, "1")
    kv.read()
    sent = [(r.headers.get("x-vault-index"), r.headers.get("x-vault-inconsistent"))
            for r in bao.requests]  # fmt: skip
    ask = "forward-active-node"
    assert sent == [
        (None, None), ("eyJpIjoxfQ==", ask), ("eyJpIjoxfQ==", ask), ("eyJpIjoyfQ==", ask),
    ]  # fmt: skip


def test_a_redirect_to_a_node_that_is_named_is_followed_with_all_that_was_sent(
    bao: ScriptedBao,
) -> None:
    where = "/v1/fleet/data/login/ci/a"
    with ScriptedBao(Answer(200, WRITTEN)) as leader:
        bao.answers = [Answer(307, Location=f"{leader.url}{where}")]
        assert engine(bao, leader).write({"a": 1}, "7") == "8"
        (request,) = leader.requests
        assert request.json == {"options": {"cas": 7}, "data": {"a": 1}}
        assert request.headers["x-vault-token"] == TOKEN


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:9/v1/fleet/data/login/ci/a", "https://127.0.0.1:{port}/v1/a",
        "http://elsewhere.example/v1/a", "//elsewhere.example/v1/a", "http://localhost:{port}/v1/a",
        "http://user@127.0.0.1:{port}1/v1/a", "file:///etc/passwd", "http://a b/", "",
    ],
)  # fmt: skip
def test_no_token_follows_a_redirect_to_anything_else(
    bao: ScriptedBao, status: int, location: str
) -> None:
    kv = engine(bao)
    kv.see()
    before = len(bao.requests)
    bao.answers = [Answer(status, Location=location.format(port=bao.port))] * 5
    with pytest.raises(EngineError, match=r"redirects to|from node to node"):
        kv.write({"a": 1}, "7")
    expected = 3 if not location else 1  # an empty one is where we are
    assert len(bao.requests) == before + expected


def test_a_standby_that_sends_us_after_a_leader_that_is_gone_is_asked_again(
    bao: ScriptedBao,
) -> None:
    kv = engine(bao)
    kv.see()
    where = "/v1/fleet/data/login/ci/a"
    for status, location, is_down in (
        (307, f"https://10.0.0.7:8200{where}", True), (302, f"https://10.0.0.7:8200{where}", False),
        (307, "https://sso.example/login", False),
    ):  # fmt: skip
        bao.answers = [Answer(status, Location=location)]
        with pytest.raises(EngineError, match="no token is sent there") as caught:
            kv.write({"a": 1}, "7")
        assert isinstance(caught.value, EngineDownError) is is_down


def test_a_redirect_below_a_node_s_path_alone_is_followed(bao: ScriptedBao) -> None:
    """What stands before the nodes may have other services beside them."""
    kv = engine(urls=(f"{bao.url}/vault",))
    bao.mount = None
    for location, is_followed in (("/vault/v1/fleet/data/login/ci/a", True), ("/login/v1/a", False),
                                  ("/vault/v1/../../a", False), ("/vault/ui", False)):  # fmt: skip
        before = len(bao.requests)
        bao.answers = [Answer(307, Location=location), Answer(200, kept({}, 1))]
        if is_followed:
            assert kv.read().version == "1"
        else:
            with pytest.raises(EngineError, match="redirects to"):
                kv.read()
        assert len(bao.requests) == before + 1 + is_followed
    assert bao.requests[0].path == "/vault/v1/fleet/data/login/ci/a"


STANDBY = {"ha_enabled": True, "is_self": False}


@pytest.mark.parametrize("status", [403, 404])
def test_what_a_standby_denies_its_leader_is_asked(bao: ScriptedBao, status: int) -> None:
    """A policy, or a secret, that was made a moment ago."""
    with ScriptedBao(Answer(200, kept({"a": 1}, 1)), Answer(status, DENIED)) as leader:
        leader.leader = {**STANDBY, "is_self": True}
        bao.leader = {**STANDBY, "leader_address": leader.url}
        bao.answers = [Answer(status, DENIED)] * 2
        kv = engine(bao, leader)
        assert kv.read().value == {"a": 1}
        if status == 403:
            with pytest.raises(EngineError, match="permission denied"):
                kv.read()
        else:
            assert kv.read().version == ""
    assert (len(bao.asked), len(leader.asked)) == (2, 2)


@pytest.mark.parametrize("address", ["https://10.0.0.7:8200", "soon", "http://a b"])
def test_who_cannot_be_asked_for_a_leader_is_asked_once_more(
    bao: ScriptedBao, address: str
) -> None:
    """It is known by another name, behind what stands before all."""
    bao.leader = {**STANDBY, "leader_address": address}
    bao.answers = [Answer(403, DENIED), Answer(200, kept({"a": 1}, 1))]
    assert engine(bao).read().value == {"a": 1}


def test_what_a_standby_denies_that_knows_no_leader_is_not_believed(bao: ScriptedBao) -> None:
    bao.leader = {**STANDBY, "leader_address": ""}
    for answer in (Answer(403, DENIED), Answer(404, {"errors": []})):
        bao.answers = [answer]
        with pytest.raises(EngineDownError, match="has no leader now") as caught:
            engine(bao).read()
        assert caught.value.after > 0


def test_what_a_leader_denies_is_asked_once(bao: ScriptedBao) -> None:
    for said in ({**STANDBY, "is_self": True}, {}, {"ha_enabled": "yes"}):
        bao.leader = said
        before = len(bao.asked)
        bao.answers = [Answer(403, DENIED)]
        with pytest.raises(EngineError, match="permission denied"):
            engine(bao).read()
        assert len(bao.asked) == before + 1


def test_a_token_that_is_none_is_told_from_a_policy_that_is_missing(bao: ScriptedBao) -> None:
    for errors, said in (
        (["permission denied"], "no token of its, or one that has ended"),
        (["2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n"], "no token of its"),
        (DENIED["errors"], "needs a policy for fleet/data/login/ci/a"),
    ):
        bao.answers = [Answer(403, {"errors": errors})]
        with pytest.raises(EngineError, match=said):
            engine(bao).read()


def test_the_first_version_of_kv_is_refused_before_anything_is_written(bao: ScriptedBao) -> None:
    for options in ({"version": "1"}, None, {}):
        bao.mount = {"data": {"type": "kv", "options": options}}
        with pytest.raises(EngineError, match="version 1 of KV, which compares nothing"):
            engine(bao).write({"a": 1}, "")
        with pytest.raises(EngineError, match="version 1 of KV, which compares nothing"):
            engine(bao).read()
    assert not [line for line in bao.asked if line.startswith("POST")]


def test_a_mount_of_another_kind_is_refused(bao: ScriptedBao) -> None:
    bao.mount = {"data": {"type": "cubbyhole", "options": None}}
    with pytest.raises(EngineError, match="no mount of KV"):
        engine(bao).write({}, "")


def test_a_read_of_what_the_first_version_has_kept_is_refused(bao: ScriptedBao) -> None:
    bao.mount = {"data": {"type": "kv", "options": {"version": "1"}}}
    bao.answers = [Answer(200, {"data": {"data": {"a": 1}, "options": {"cas": 0}}})]
    with pytest.raises(EngineError, match="version 1 of KV"):
        engine(bao).read()


def test_a_mount_that_turns_out_to_be_the_first_version_is_no_win(bao: ScriptedBao) -> None:
    bao.answers = [Answer(204)]
    with pytest.raises(EngineError, match="version 1 of KV"):
        engine(bao).write({}, "")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(403, DENIED), "permission denied.*needs a policy for fleet/data/login/ci/a"),
        (Answer(404, {"errors": ["namespace not found"]}), "namespace not found.*its namespace"),
        (Answer(405), "is it OpenBao or Vault"),
    ],
)
def test_a_refusal_says_what_is_missing(bao: ScriptedBao, answer: Answer, said: str) -> None:
    kv = engine(bao)
    kv.see()
    bao.answers = [answer, answer]
    with pytest.raises(EngineError, match=said) as caught:
        kv.write({}, "1")
    assert not isinstance(caught.value, EngineDownError)


@pytest.mark.parametrize(
    "body",
    [
        b"[]", b"{", b'{"data": []}', b'{"data": {"data": {}}}',
        b'{"data": {"data": {}, "metadata": {"version": "2"}}}',
    ],
)  # fmt: skip
def test_what_is_no_secret_is_none(bao: ScriptedBao, body: bytes) -> None:
    bao.answers = [Answer(200, body)]
    with pytest.raises(EngineError, match="what is no secret"):
        engine(bao).read()


def test_what_a_server_repeats_is_in_no_message(bao: ScriptedBao) -> None:
    for status in (400, 403, 500, 503):
        kv = engine(bao)
        kv.see()
        bao.answers = [Answer(status, {"errors": [f"you sent {TOKEN}"]})] * 2
        with pytest.raises(EngineError) as caught:
            kv.read()
        assert TOKEN not in str(caught.value)


def test_a_namespace_goes_along(bao: ScriptedBao) -> None:
    bao.answers = [Answer(200, kept({}, 1))]
    engine(bao, namespace="team1/ci").read()
    assert bao.requests[-1].headers["x-vault-namespace"] == "team1/ci"


@pytest.mark.parametrize(
    "address", ["http://bao.example:8200", "s3://bao", "bao.example", "", "ftp://a"]
)
def test_an_address_to_which_no_token_may_travel_is_refused(address: str) -> None:
    with pytest.raises(EngineError):
        Server((address,))


@pytest.mark.parametrize("path", ["", "/", "a//b", "../sys", "a/./b", "a/../../sys", "a\nb"])
def test_a_path_that_is_none_is_refused(bao: ScriptedBao, path: str) -> None:
    server = Server((bao.url,))
    access = Access(server, None)
    for parts in (("fleet", path), (path, "a")):
        with pytest.raises(EngineError, match=r"is no (path|mount) of a secret"):
            KvEngine(server, access, *parts)


def test_a_path_goes_as_it_is_called(bao: ScriptedBao) -> None:
    bao.answers = [Answer(200, kept({}, 1))]
    server = Server((bao.url,))
    KvEngine(server, Access(server, None), "/team/kv/", "a b?c#d%2e/é").read()
    assert bao.requests[-1].target == "/v1/team/kv/data/a%20b%3Fc%23d%252e/%C3%A9"
