"""``fleet.toml``: what it may say, what is wrong with it, and what the environment adds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from credlatch.caller import Caller
from credlatch.errors import StoreError
from credlatch.fleet import environment, settings
from credlatch.rules import places
from credlatch.url import parse

if TYPE_CHECKING:
    from pathlib import Path

WORKER = """
[[fleet]]
url = "https://pypi.example.com/"
address = "https://bao.example.com:8200"
access = "access/ci/pypi"
"""


def caller(folder: Path, text: str | None, **environ: str) -> Caller:
    place = folder / ".config/credlatch"
    place.mkdir(parents=True, exist_ok=True)
    if text is not None:
        (place / "fleet.toml").write_text(text)
        (place / "fleet.toml").chmod(0o644)
    return Caller({"HOME": str(folder), **environ}, str(folder))


def test_a_worker_needs_a_place_and_a_path() -> None:
    found = settings.parse(WORKER, "fleet.toml")
    assert found.problems == []
    (row,) = found.rows
    assert (row.said.role, row.said.engine, row.said.mount) == ("worker", "openbao", "fleet")
    assert (row.name, row.where) == ("fleet/access/ci/pypi", "fleet.toml line 2")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ('url = "nowhere"', "url: "),
        ("url = []", "url: it names no place"),
        ('engine = "redis"', "engine: "),
        ('address = "http://bao.example.com"', "address: it is plain http"),
        ('address = "https://u@bao.example.com"', "address: it is to be the URL of a server"),
        (
            'address = "https://bao.example.com/v1"',
            "address: it is to be the URL of a server alone",
        ),
        ('access = "../login/ci"', "access: it is no path"),
        ('access = "/access"', "access: it is no path"),
        ('access = "a//b"', "access: it is no path"),
        ('access = "a?version=1"', "access: it is no path"),
        ('mount = "a b"', "mount: it is no path"),
        ('role = "renewer"', "login: it is missing"),
        ('login = "access/ci/pypi"', "login: it is the path of the access token"),
        ("one-path = true", "access: with one-path = true"),
        ('secret = "s3cret"', "secret: there is no such key"),
        ('takeover = "always"', "takeover: "),
        ('auth = {method = "jwt"}', "auth.role: it is missing"),
        ('auth = {method = "approle", role = "r"}', "auth.file: it is missing"),
        ('auth = {role = "r"}', 'auth.role: that is not for method = "token"'),
        ('auth = {method = "jwt", role = "r", file = "f"}', "auth.file: that is not for"),
        ('auth = {file = "f", variable = "V"}', "auth.variable: it is one of"),
        ('auth = {method = "jwt", role = "r", mount = "../x"}', "auth.mount: it is no path"),
        ('auth = {method = "jwt", role = "r", identity = {ci = "a", file = "b"}}', "auth"),
        ('engine = "kubernetes"\naccess = "a/b"', "access: it is no name of a Secret"),
        ('engine = "kubernetes"\naccess = "a"\nmount = "m"\nauth = {file = "f"}', "auth: "),
        ('engine = "kubernetes"\naccess = "a"\nmount = "m"\nauth = {}', "address: where Kube"),
    ],
)
def test_what_cannot_be_meant_is_told_with_its_line_and_key(change: str, complaint: str) -> None:
    keys = {line.partition(" ")[0] for line in change.splitlines()}
    lines = [line for line in WORKER.splitlines() if line.partition(" ")[0] not in keys]
    found = settings.parse("\n".join([*lines, change]), "fleet.toml")
    assert found.rows == []
    (problem,) = found.problems
    assert problem.startswith("fleet.toml line "), problem
    assert complaint in problem
    assert "s3cret" not in problem


@pytest.mark.parametrize("text", ["[[", "fleet = 3", '[fleet]\nurl = "https://a.example"', "x = 1"])
def test_what_is_no_rows_at_all_is_told(text: str) -> None:
    found = settings.parse(text, "fleet.toml")
    assert (found.rows, len(found.problems)) == ([], 1)


def test_one_path_is_said_outright() -> None:
    text = WORKER.replace('access = "access', 'one-path = true\nlogin = "login')
    (row,) = settings.parse(text, "f").rows
    assert row.name == "fleet/login/ci/pypi"


def test_two_rows_for_one_place_are_an_error() -> None:
    found = settings.parse(WORKER + WORKER, "f")
    assert found.problems == [
        "f line 8: url: https://pypi.example.com/ is the place of another row, too: f line 2"
    ]


def test_the_most_specific_row_counts() -> None:
    other = WORKER.replace("example.com/", "example.com/team").replace("ci/pypi", "ci/team")
    found = settings.parse(WORKER + other, "f")
    for url, name in (
        ("https://pypi.example.com/simple/", "fleet/access/ci/pypi"),
        ("https://pypi.example.com/team/x", "fleet/access/ci/team"),
        ("https://pypi.example.com/x/../team", "fleet/access/ci/team"),
        ("https://pypi.example.com:8443/team", None),
        ("http://pypi.example.com/team", None),
        ("https://example.com/team", None),
    ):
        row = found.held(places.of_url(parse(url)))
        assert (None if row is None else row.name) == name, url


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, ("", "")),
        ({"VAULT_ADDR": "https://v"}, ("VAULT_ADDR", "https://v")),
        ({"VAULT_ADDR": "https://v", "BAO_ADDR": "https://b"}, ("BAO_ADDR", "https://b")),
        ({"VAULT_ADDR": "https://v", "BAO_ADDR": ""}, ("", "")),
        (
            {"BAO_ADDR": "https://b", "VAULT_AGENT_ADDR": "https://a"},
            ("VAULT_AGENT_ADDR", "https://a"),
        ),
    ],
)
def test_the_environment_counts_as_it_does_for_bao(
    environ: dict[str, str], expected: tuple[str, str]
) -> None:
    assert environment.address(environ) == expected


def test_what_is_said_of_tls_is_heeded_but_for_skipping_it(tmp_path: Path) -> None:
    assert environment.tls(caller(tmp_path, None, VAULT_SKIP_VERIFY="true"), None) is None
    assert environment.skips_verification({"BAO_SKIP_VERIFY": "1"}) == "BAO_SKIP_VERIFY"
    assert environment.skips_verification({"BAO_SKIP_VERIFY": "0"}) == ""
    said = {"BAO_CACERT": "ca.pem", "VAULT_CLIENT_CERT": "/c.pem", "VAULT_TLS_SERVER_NAME": "bao"}
    found = environment.tls(caller(tmp_path, None, **said), None)
    assert found is not None
    assert found.authorities == str(tmp_path / "ca.pem")
    assert (found.certificate, found.name, found.proxy) == ("/c.pem", "bao", None)
    found = environment.tls(caller(tmp_path, None, **said), "/etc/ca.pem")
    assert found is not None
    assert found.authorities == "/etc/ca.pem"


def test_an_address_of_the_file_is_not_a_jobs_to_change(tmp_path: Path) -> None:
    asks = caller(tmp_path, WORKER, BAO_ADDR="https://evil.example", BAO_NAMESPACE="team1")
    found = settings.believed(asks)
    assert found is not None
    (row,) = found.rows
    assert settings.addresses(row, asks) == ["https://bao.example.com:8200"]
    assert settings.namespace(row, asks) == "team1"


def test_an_address_that_the_environment_says_is_looked_at(tmp_path: Path) -> None:
    text = "\n".join(line for line in WORKER.splitlines() if not line.startswith("address"))
    (row,) = settings.parse(text, "f").rows
    asks = caller(tmp_path, None, VAULT_ADDR="http://bao.example.com")
    with pytest.raises(StoreError, match=r"^VAULT_ADDR cannot be used: it is plain http"):
        settings.addresses(row, asks)
    with pytest.raises(StoreError, match="neither BAO_ADDR nor VAULT_ADDR is set"):
        settings.addresses(row, caller(tmp_path, None))


def test_another_file_may_be_named_and_then_has_to_be_there(tmp_path: Path) -> None:
    asks = caller(tmp_path, None, CREDLATCH_FLEET=str(tmp_path / "other.toml"))
    assert settings.there(asks)
    with pytest.raises(StoreError, match=r"other.toml is not there, and CREDLATCH_FLEET names it"):
        settings.read(asks)
    (tmp_path / "other.toml").write_text(WORKER)
    (tmp_path / "other.toml").chmod(0o600)
    found = settings.read(asks)
    assert found is not None
    assert len(found.rows) == 1


def test_without_a_file_there_is_nothing(tmp_path: Path) -> None:
    asks = caller(tmp_path, None)
    assert not settings.there(asks)
    assert settings.believed(asks) is None


def test_what_is_wrong_stops_a_call(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="see credlatch doctor"):
        settings.believed(caller(tmp_path, WORKER.replace("https", "ftp")))
