"""What ``explain`` tells: who answers and why, what would be sent, and what each client gets."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from credlatch.credential import Basic, Bearer, Secret, Token
from credlatch.errors import RequestError
from credlatch.explain import explain, redacted
from credlatch.renew.notes import FileNotes, Note, digest
from support.callers import caller_of

if TYPE_CHECKING:
    from credlatch.explain.model import Explanation, Source
    from support.chains import Chained
    from support.home import Home

URL = "https://pypi.example.com/simple/"
SSO = "https://sso.example.com/token"
TOKEN = "eyJhbGciOiJIUzI1NiJ9" + "x" * 60 + "3Fg"
UV = (
    '[[credential]]\nservice = "https://pypi.example.com"\nusername = "alice"\n'
    'password = "s3cret-s3cret"\n'
)


def told(home: Home, text: str = URL, tool: str = "") -> Explanation:
    return explain(text, tool, caller_of(home))


def source(explanation: Explanation, store: str) -> Source:
    (found,) = [each for each in explanation.sources if each.store == store]
    return found


def oauth(ends: float, *, refresh: str = "r3fresh-r3fresh") -> dict[str, object]:
    return {
        "OAuth": {
            "access_token": TOKEN,
            "refresh_token": refresh,
            "token_endpoint": SSO,
            "client_id": "c",
            "expires_at": int(ends),
        }
    }


def test_who_answers_and_who_is_behind_it(home: Home) -> None:
    path = home.write_rattler({"pypi.example.com": oauth(time.time() + 2_525)})
    home.write(".local/share/uv/credentials/credentials.toml", UV)
    found = told(home)
    assert found.answer
    assert found.verdict == "answered by rattler"
    assert found.location == f"pypi.example.com in {path}"
    assert source(found, "environment").what == "CREDLATCH_TOKEN_PYPI_EXAMPLE_COM is not set"
    mine = source(found, "rattler")
    assert (mine.word, mine.number) == ("found", 3)
    assert mine.what == "a token, renews itself, ends in 42 min"
    assert (source(found, "uv").word, source(found, "uv").what) == ("shadowed", "user alice")
    assert source(found, "netrc").word == "-"
    assert source(found, "netrc").what == f"no {home.path}/.netrc"
    assert (source(found, "keyring").word, source(found, "keyring").what) == (
        "skipped",
        "no D-Bus here",
    )
    assert found.fixes == []


def test_what_would_be_sent_where_to_and_until_when(home: Home) -> None:
    ends = int(time.time()) + 2_525
    home.write_rattler({"pypi.example.com": oauth(ends)})
    found = told(home, f"{URL}?token=t0psecret")
    assert found.asked == URL
    (sent,) = found.sends
    assert (sent.name, sent.value) == ("Authorization", "Bearer eyJh****3Fg (83 characters)")
    assert found.only_to == "pypi.example.com, https"
    assert (found.ends, found.pending) == (ends, False)
    assert found.renewal is not None
    assert (found.renewal.at, found.renewal.begins) == (SSO, ends - 400)


def test_what_each_client_gets(home: Home) -> None:
    home.write_rattler({"pypi.example.com": {"BearerToken": TOKEN}})
    gets = {each.tools: each.gets for each in told(home).clients}
    assert gets == {
        "Bazel": "the header above",
        "docker": "user __token__, the token",
        "pip, uv": "user __token__, the token",
        "git": "user oauth2, the token",
        "Go": "the header above",
    }
    home.write_rattler({"pypi.example.com": {"BasicHTTP": {"username": "al", "password": "p"}}})
    gets = {each.tools: each.gets for each in told(home).clients}
    assert gets["git"] == gets["docker"] == "user al, the password"


@pytest.mark.parametrize(
    ("credential", "shown"),
    [
        (Bearer(Secret("a" * 31)), "Bearer ****"),
        (Bearer(Secret("abcd" + "x" * 30 + "efg")), "Bearer abcd****efg (37 characters)"),
        (Token(Secret("abcd" + "x" * 30 + "efg"), "X-Key"), "abcd****efg (37 characters)"),
        (Token(Secret("short"), "X-Key"), "****"),
        (Basic("alice", Secret("p" * 60)), "Basic ****"),
    ],
)
def test_of_a_secret_no_more_is_shown_than_tells_it_from_another(
    credential: Bearer, shown: str
) -> None:
    (header,) = redacted.headers(credential)
    assert header.value == shown


def test_a_login_that_has_ended_would_be_renewed_and_is_not_by_this(home: Home) -> None:
    path = home.write_rattler({"pypi.example.com": oauth(time.time() - 9)})
    before = path.read_bytes()
    found = told(home)
    assert found.answer
    assert found.pending
    assert found.verdict == "answered by rattler, once it is renewed"
    assert found.renewal is not None
    assert found.renewal.at == SSO
    assert {each.gets for each in found.clients} == {"a token that is fetched when it asks"}
    assert path.read_bytes() == before
    assert sorted(each.name for each in path.parent.iterdir()) == ["credentials.json"]


@pytest.mark.parametrize(("state", "ago"), [("refused", 20), ("failed", 300), ("refused", 7_300)])
def test_the_last_failure_of_a_renewal_is_told_with_its_time(
    home: Home, state: str, ago: int
) -> None:
    path = home.write_rattler({"pypi.example.com": oauth(time.time() - 10_800)})
    notes = FileNotes(f"{path}.lock")
    at = time.time() - ago
    message = f"{SSO} refused the login (HTTP 400, invalid_grant): credlatch login pypi.example.com"
    notes.put(digest("grant", SSO, Secret("r3fresh-r3fresh")), Note(state, at, message))
    notes.write()
    found = told(home)
    assert not found.answer
    assert found.verdict == "the login has ended, and cannot be renewed"
    assert (found.store, found.failure) == ("rattler", message)
    assert source(found, "rattler").word == "failed"
    assert "ended 3 h ago" in source(found, "rattler").what
    assert found.renewal is not None
    assert (found.renewal.failed, found.renewal.failed_at) == (message, int(at))
    assert found.fixes[0] == "credlatch login pypi.example.com"


def test_a_login_that_has_ended_and_that_nothing_renews(home: Home) -> None:
    ended = oauth(time.time() - 9)
    del ended["OAuth"]["refresh_token"]  # type: ignore[attr-defined]  # it is a dict
    home.write_rattler({"pypi.example.com": ended})
    found = told(home)
    assert (found.answer, found.verdict) == (False, "the login has ended")
    assert found.fixes[0] == "credlatch login pypi.example.com"


def test_a_miss_tells_the_near_misses_and_what_to_do(home: Home) -> None:
    home.write(".netrc", "machine pypi.example.com:443 login a password b\n")
    found = told(home)
    assert (found.answer, found.verdict, found.store) == (False, "no credential", None)
    (miss,) = found.near_misses
    assert (miss.store, miss.why) == ("netrc", "netrc knows no ports")
    assert found.fixes == [miss.fix]
    assert source(found, "netrc").word == "near"


def test_where_nothing_is_near_it_is_said_how_to_log_in(home: Home) -> None:
    found = told(home)
    assert not found.answer
    assert found.fixes == ["credlatch login pypi.example.com"]


def test_a_variable_of_nearly_the_right_name_is_told_beside_another_answer(home: Home) -> None:
    home.write_rattler({"pypi.example.com": {"BearerToken": TOKEN}})
    home.env["CREDLATCH_TOKEN_pypi_example_com"] = "x"
    found = told(home)
    assert found.answer
    assert [each.kept for each in found.near_misses] == ["CREDLATCH_TOKEN_pypi_example_com"]


def test_plain_http_is_refused(home: Home) -> None:
    home.write_rattler({"pypi.example.com": {"BearerToken": TOKEN}})
    found = told(home, "http://pypi.example.com/simple/")
    assert (found.answer, found.verdict) == (False, "refused: it would travel in the clear")
    assert "plain http" in found.failure


@pytest.mark.parametrize(
    ("rule", "said", "word"),
    [
        ("forbid = true", "nothing may answer", "skipped"),
        ('use = ["uv"]', "only uv may answer", "skipped"),
        ('account = "bob"', "the login of bob", "near"),
    ],
)
def test_the_rule_that_holds_is_told(home: Home, rule: str, said: str, word: str) -> None:
    home.write(".netrc", "machine pypi.example.com login a password b\n")
    path = home.write(
        ".config/credlatch/config.toml", f'[[rule]]\nurl = "https://pypi.example.com"\n{rule}\n'
    )
    found = told(home)
    assert not found.answer
    assert found.rule == f"{path} line 1: {said}"
    assert source(found, "netrc").word == word


def test_settings_that_are_wrong_are_the_answer(home: Home) -> None:
    home.write(".config/credlatch/config.toml", "[[rule]]\nnothing = 1\n")
    found = told(home)
    assert not found.answer
    assert "config.toml" in found.failure
    assert {each.word for each in found.sources} == {"skipped"}


def test_a_broken_store_is_told_and_who_answers_in_its_place(home: Home) -> None:
    home.write(".rattler/credentials.json", "{")
    home.write(".netrc", "machine pypi.example.com login a password b\n")
    found = told(home)
    assert found.store == "netrc"
    assert source(found, "rattler").word == "failed"
    assert "is not JSON" in source(found, "rattler").what


def docker(home: Home, **config: object) -> None:
    home.write(".docker/config.json", json.dumps(config))


def test_whether_docker_asks_for_the_key_at_all(home: Home) -> None:
    home.write(".netrc", "machine reg.example.com login a password b\n")
    docker(home, credHelpers={"reg.example.com": "credlatch"})
    path = f"{home.path}/.docker/config.json"
    (wired,) = told(home, "reg.example.com", "docker").wired
    assert (wired.asks, wired.why, wired.fix) == (True, f"{path} wires 'reg.example.com'", "")
    found = told(home, "reg.example.com:5000", "docker")
    (wired,) = found.wired
    assert wired.asks is False
    assert wired.why == (
        f"{path} wires 'reg.example.com', and docker asks for 'reg.example.com:5000'"
    )
    assert wired.fix == "credlatch setup docker --host reg.example.com:5000"
    assert wired.fix in found.fixes
    assert found.near_misses[0].why == "no port, not 5000"


@pytest.mark.parametrize(
    ("config", "asks", "why"),
    [
        ({"credsStore": "credlatch"}, True, "wires 'credsStore'"),
        ({"credsStore": "pass"}, False, "ask pass"),
        ({"credHelpers": {"reg.example.com": "pass"}}, False, "ask pass"),
        ({}, False, "does not wire it"),
        ({"credHelpers": 1}, None, "cannot be"),
    ],
)
def test_docker_s_wiring(
    home: Home, config: dict[str, object], asks: bool | None, why: str
) -> None:
    docker(home, **config)
    (wired,) = told(home, "reg.example.com", "docker").wired
    assert wired.asks is asks
    assert why in wired.why


@pytest.mark.parametrize(
    ("tool", "file", "content"),
    [
        ("uv", ".config/uv/uv.toml", 'keyring-provider = "subprocess"\n'),
        ("pip", ".config/pip/pip.conf", "[global]\nkeyring-provider = subprocess\n"),
        ("bazel", ".bazelrc", "common --credential_helper=*.example.com=credlatch\n"),
        ("git", ".gitconfig", "[credential]\n\thelper = !credlatch git\n"),
        ("go", ".config/go/env", "GOAUTH=credlatch goauth; netrc\n"),
    ],
)
def test_whether_a_tool_asks_at_all(home: Home, tool: str, file: str, content: str) -> None:
    (wired,) = told(home, URL, tool).wired
    assert wired.asks is False
    assert wired.fix.startswith(f"credlatch setup {tool}")
    home.write(file, content)
    (wired,) = told(home, URL, tool).wired
    assert (wired.asks, wired.fix) == (True, "")


def test_a_helper_that_is_chained_is_asked_only_where_nothing_before_it_answers(
    home: Home, chains: Chained
) -> None:
    chains.helper("docker-credential-pass")
    chains.chain(docker={"pypi.example.com": "pass"})
    found = told(home)
    assert (found.answer, found.store) == (True, "chained")
    asked = len(chains.asked)
    assert asked > 0
    home.write_rattler({"pypi.example.com": {"BearerToken": TOKEN}})
    found = told(home)
    assert found.store == "rattler"
    assert len(chains.asked) == asked


@pytest.mark.parametrize(("text", "tool"), [("s3cret@", ""), ("ftp://h", ""), ("", "docker")])
def test_what_is_nothing_to_ask_for_is_refused(home: Home, text: str, tool: str) -> None:
    with pytest.raises(RequestError):
        told(home, text, tool)


def test_a_user_s_own_password_in_the_url_is_not_shown(home: Home) -> None:
    assert "s3cret" not in repr(told(home, "https://alice:s3cret@pypi.example.com/simple/?s3cret"))
