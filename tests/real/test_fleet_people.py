"""What people are told of a login that machines share: doctor, explain, list, at a real OpenBao."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from support.fleets import ACCESS, HOST, LOGIN, URL, configure, put_login, put_token
from support.logins import oauth
from support.openbao import Bao, alone, cluster
from support.program import TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.home import Home
    from support.program import Program
    from support.token_server import TokenServer


@pytest.fixture(scope="module")
def bao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bao]:
    """A server with the mount, the policies and the logins of docs/fleet.md."""
    with alone(tmp_path_factory.mktemp("bao")) as bao:
        bao.furnish()
        yield bao


def diagnosis(frozen: Program) -> list[tuple[str, str]]:
    """What the doctor says of the fleet."""
    said = json.loads(frozen("doctor", "--json").out)
    return [
        (each["severity"], each["what"]) for each in said["findings"] if each["subject"] == "fleet"
    ]


def test_the_doctor_finds_nothing_where_all_is_well(
    bao: Bao, home: Home, frozen: Program, token_server: TokenServer
) -> None:
    put_token(bao, "t", 3600)
    put_login(bao, oauth(token_server, 3600))
    for role, count in (("worker", 2), ("renewer", 3)):
        configure(home, bao, role)
        found = diagnosis(frozen)
        assert [severity for severity, _ in found] == ["ok"] * count, found
        assert any(f"fleet/{ACCESS}" in what and "ends in 59 min" in what for _, what in found)


def test_the_doctor_tells_of_a_worker_that_may_read_the_login(
    bao: Bao, home: Home, frozen: Program, token_server: TokenServer
) -> None:
    put_token(bao, "t", 3600)
    put_login(bao, oauth(token_server, 3600))
    configure(home, bao, "renewer")
    config = home.path / ".config/credlatch/fleet.toml"
    config.write_text(config.read_text().replace('role = "renewer"\n', 'role = "worker"\n', 1))
    warned = [what for severity, what in diagnosis(frozen) if severity == "warn"]
    (what,) = warned
    assert what.startswith(f"this worker may read fleet/{LOGIN}, where the refresh token is: ")


def test_the_doctor_tells_of_what_the_policies_miss_or_give_too_much_of(
    bao: Bao, home: Home, frozen: Program, token_server: TokenServer
) -> None:
    put_token(bao, "t", 3600)
    put_login(bao, oauth(token_server, 3600))
    configure(home, bao, "renewer")
    policy = (
        f'path "fleet/data/{ACCESS}" {{ capabilities = ["read"] }}\n'
        f'path "fleet/data/{LOGIN}" {{ capabilities = ["read", "create", "update", "delete"] }}\n'
        'path "sys/capabilities-self" { capabilities = ["update"] }\n'
    )
    bao.must("PUT", "sys/policies/acl/odd", {"policy": policy})
    told = {"token_policies": ["odd"], "token_ttl": "10m", "token_no_default_policy": True}
    bao.must("POST", "auth/approle/role/odd", told)
    ident, secret = bao.approle("odd")
    home.write("secret-id", secret)
    config = home.path / ".config/credlatch/fleet.toml"
    text = config.read_text()
    before = text.split('role = "')[2].split('"')[0]
    config.write_text(text.replace(before, ident))
    found = [what for severity, what in diagnosis(frozen) if severity in {"warn", "fail"}]
    assert len(found) == 3, found
    assert f"may delete fleet/data/{LOGIN}" in found[0]
    assert f"may not write fleet/data/{ACCESS}" in found[1]
    assert 'path "auth/token/renew-self"' in found[2]


def test_the_doctor_tells_of_a_wrong_kind_a_wrong_login_and_a_sealed_server(
    bao: Bao, home: Home, frozen: Program
) -> None:
    configure(home, bao, "worker")
    config = home.path / ".config/credlatch/fleet.toml"
    text = config.read_text()
    bao("POST", "sys/mounts/first", {"type": "kv", "options": {"version": "1"}})
    config.write_text(text.replace("access =", 'mount = "first"\naccess =', 1))
    ((severity, what),) = [each for each in diagnosis(frozen) if each[0] != "ok"]
    assert severity == "fail"
    assert "first" in what
    config.write_text(text)
    home.write("secret-id", "wrong")
    ((severity, what),) = [each for each in diagnosis(frozen) if each[0] != "ok"]
    assert (severity, "refuses the login at auth/approle" in what) == ("fail", True)
    config.write_text(text.replace("access/ci", "../ci"))
    ((severity, what),) = [each for each in diagnosis(frozen) if each[0] != "ok"]
    assert (severity, "access: it is no path" in what) == ("fail", True)


def test_a_sealed_server_is_told_with_what_to_do(bao: Bao, home: Home, frozen: Program) -> None:
    configure(home, bao, "worker")
    bao.must("PUT", "sys/seal")
    found = [what for severity, what in diagnosis(frozen) if severity == "fail"]
    assert len(found) == 1, found
    assert "Vault is sealed" in found[0]
    assert "unseal it" in found[0]


def test_a_cluster_without_a_leader_is_told_though_it_is_still_read(
    home: Home, frozen: Program, tmp_path: Path, token_server: TokenServer
) -> None:
    with cluster(tmp_path / "cluster") as three:
        three.furnish()
        put_token(three, "t", 3600)
        put_login(three, oauth(token_server, 3600))
        configure(home, three, "worker")
        assert [severity for severity, _ in diagnosis(frozen)] == ["ok", "ok"]
        left = three.leader()
        for node in three.nodes:
            if node is not left:
                node.kill()
        deadline = time.monotonic() + TIMEOUT
        while not any(severity == "fail" for severity, _ in diagnosis(frozen)):
            assert time.monotonic() < deadline
        said = " ".join(what for severity, what in diagnosis(frozen) if severity == "fail")
        assert "leader" in said, said


def test_explain_and_list_name_the_place_and_ask_for_nothing(home: Home, frozen: Program) -> None:
    secret = home.write("secret-id", "s3cret")
    home.write(
        ".config/credlatch/fleet.toml",
        f'[[fleet]]\nurl = "https://{HOST}/"\naddress = "https://bao.invalid"\n'
        f'access = "{ACCESS}"\nauth = {{method = "approle", role = "r", file = "{secret}"}}\n',
    )
    told = frozen("explain", URL)
    assert f"fleet/{ACCESS} of https://bao.invalid" in told.out.decode()
    listed = json.loads(frozen("list", "--json").out)["logins"]
    (login,) = [each for each in listed if each["store"] == "fleet"]
    assert (login["host"], login["kind"], login["renews"]) == (
        f"https://{HOST}/",
        "shared token",
        True,
    )
    assert not login["shadowed_by"]
    assert "s3cret" not in told.said
