"""KV version 2, policies and logins of a real OpenBao."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from credlatch.credential import Secret
from credlatch.fleet.access import Access, Given, Login, approle, in_file
from credlatch.fleet.engine import Conflict, EngineError, read_in_time
from credlatch.fleet.kv import KvEngine
from credlatch.fleet.server import Server
from support.jwt_keys import Issuer
from support.openbao import Bao, alone

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.kubernetes import Kubernetes

AUDIENCE = "https://bao.example"


@pytest.fixture(scope="module")
def bao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bao]:
    """A server with the mount, the policies and the logins of docs/fleet.md."""
    with alone(tmp_path_factory.mktemp("bao")) as bao:
        bao.furnish()
        yield bao


def access(bao: Bao, role: str) -> Access:
    token = bao.token_for(role)
    return Access(Server(bao.urls), Given("the test", lambda: Secret(token)))


def engine(bao: Bao, role: str, path: str, mount: str = "fleet") -> KvEngine:
    who = access(bao, role)
    return KvEngine(Server(bao.urls), who, mount, path)


def test_only_one_of_two_writes_that_compare_wins(bao: Bao) -> None:
    kv = engine(bao, "renewer", "login/ci/one")
    assert (kv.read().value, kv.read().version) == (None, "")
    assert kv.write({"n": 1}, "") == "1"
    assert isinstance(kv.write({"n": 2}, ""), Conflict)
    assert kv.write({"n": 2}, "1") == "2"
    assert isinstance(kv.write({"n": 3}, "1"), Conflict)
    found = kv.read()
    assert (found.value, found.version) == ({"n": 2}, "2")
    assert found.age is not None
    assert found.age < 60
    assert abs(found.ahead) < 60


def test_what_was_deleted_is_written_again_with_its_version(bao: Bao) -> None:
    kv = engine(bao, "renewer", "login/ci/deleted")
    kv.write({"n": 1}, "")
    bao.must("DELETE", "fleet/data/login/ci/deleted")
    assert (kv.read().value, kv.read().version) == (None, "1")
    assert isinstance(kv.write({"n": 2}, ""), Conflict)
    assert kv.write({"n": 2}, "1") == "2"


def test_a_worker_reads_the_access_path_and_nothing_else(bao: Bao) -> None:
    assert engine(bao, "renewer", "access/ci/a").write({"access_token": "t"}, "") == "1"
    engine(bao, "renewer", "login/ci/a").write({"entry": {}}, "")
    worker = engine(bao, "worker", "access/ci/a")
    assert worker.read().value == {"access_token": "t"}
    with pytest.raises(EngineError, match=r"permission denied.*needs a policy"):
        worker.write({"access_token": "mine"}, "1")
    for path in ("login/ci/a", "login/ci/none"):
        with pytest.raises(EngineError, match=r"permission denied.*needs a policy"):
            engine(bao, "worker", path).read()


def test_a_renewer_cannot_delete_or_see_what_was_before(bao: Bao) -> None:
    engine(bao, "renewer", "login/ci/kept").write({"n": 1}, "")
    token = bao.token_for("renewer")
    for method, path in (
        ("DELETE", "fleet/data/login/ci/kept"),
        ("POST", "fleet/delete/login/ci/kept"),
        ("PUT", "fleet/destroy/login/ci/kept"),
        ("DELETE", "fleet/metadata/login/ci/kept"),
        ("POST", "fleet/metadata/login/ci/kept"),
        ("LIST", "fleet/metadata/login"),
        ("GET", "fleet/data/login/others"),
    ):
        assert bao(method, path, {"versions": [1]}, token=token).status_code == 403


def test_a_write_that_compares_nothing_is_refused_by_the_mount(bao: Bao) -> None:
    assert bao("POST", "fleet/data/login/ci/b", {"data": {"n": 1}}).status_code == 400


def test_the_first_version_of_kv_is_refused(bao: Bao) -> None:
    bao.must("POST", "sys/mounts/old", {"type": "kv", "options": {"version": "1"}})
    bao.must("PUT", "sys/policies/acl/old", {"policy": 'path "old/*" { capabilities = ["sudo"] }'})
    server = Server(bao.urls)
    root = Access(server, Given("the test", lambda: Secret(bao.token)))
    kv = KvEngine(server, root, "old", "login/ci/a")
    with pytest.raises(EngineError, match="old is version 1 of KV"):
        kv.write({"n": 1}, "")
    with pytest.raises(EngineError, match="old is version 1 of KV"):
        kv.read()
    assert bao("GET", "old/data/login/ci/a").status_code == 404


@pytest.mark.parametrize(
    "config", [{}, {"max_versions": 1}, {"max_versions": 1, "cas_required": True}]
)
def test_a_mount_that_keeps_little_does_as_well(bao: Bao, config: dict[str, object]) -> None:
    name = f"odd-{len(config)}"
    bao.must("POST", f"sys/mounts/{name}", {"type": "kv", "options": {"version": "2"}})
    server = Server(bao.urls)
    kv = KvEngine(server, Access(server, Given("the test", lambda: Secret(bao.token))), name, "a")
    read_in_time(kv, time.monotonic() + 30)  # it is being made
    bao.must("POST", f"{name}/config", config)
    assert kv.write({"n": 1}, "") == "1"
    for number in range(1, 12):
        assert isinstance(kv.write({"n": 0}, str(number + 1)), Conflict)
        assert kv.write({"n": number + 1}, str(number)) == str(number + 1)
    assert kv.read().value == {"n": 12}
    bao.must("DELETE", f"{name}/data/a")
    assert (kv.read().value, kv.read().version) == (None, "12")
    bao.must("POST", f"{name}/undelete/a", {"versions": [12]})
    assert (kv.read().value, kv.read().version) == ({"n": 12}, "12")
    bao.must("DELETE", f"{name}/metadata/a")
    assert (kv.read().value, kv.read().version) == (None, "")
    assert isinstance(kv.write({"n": 1}, "12"), Conflict)
    assert kv.write({"n": 1}, "") == "1"


def test_a_namespace_has_its_own_mounts_and_logins(bao: Bao) -> None:
    bao.must("POST", "sys/namespaces/team", {})
    bao.must("POST", "team/sys/mounts/fleet", {"type": "kv", "options": {"version": "2"}})
    server = Server(bao.urls, "team")
    kv = KvEngine(
        server, Access(server, Given("the test", lambda: Secret(bao.token))), "fleet", "a"
    )
    read_in_time(kv, time.monotonic() + 30)
    assert kv.write({"n": 1}, "") == "1"
    assert kv.read().value == {"n": 1}
    assert bao("GET", "fleet/data/a").status_code == 404
    assert bao("GET", "team/fleet/data/a").status_code == 200


def test_a_token_of_a_few_uses_is_replaced(bao: Bao) -> None:
    bao.must("POST", "auth/approle/role/few", {
        "token_policies": ["ci-renewer"], "token_type": "service", "token_num_uses": 3,
    })  # fmt: skip
    ident, secret = bao.approle("few")
    server = Server(bao.urls)
    who = Access(server, approle(ident, lambda: Secret(secret), "the test"))
    kv = KvEngine(server, who, "fleet", "login/ci/few")
    version = ""
    for number in range(6):
        version = str(kv.write({"n": number}, version))
        assert kv.read().value == {"n": number}
    assert version == "6"


def test_a_mount_or_a_namespace_that_is_not_there_is_said(bao: Bao) -> None:
    for namespace, mount in ((None, "none"), ("none", "fleet")):
        server = Server(bao.urls, namespace)
        root = Access(server, Given("the test", lambda: Secret(bao.token)))
        with pytest.raises(EngineError, match=r"name a mount of KV|is there such a mount"):
            KvEngine(server, root, mount, "login/ci/a").read()


def test_a_login_by_approle(bao: Bao, tmp_path: Path) -> None:
    ident, secret = bao.approle("renewer")
    path = tmp_path / "secret-id"
    path.write_text(f"{secret}\n")
    server = Server(bao.urls)
    who = Access(server, approle(ident, in_file(str(path)), str(path)))
    token = who.token()
    assert token is not None
    assert token.reveal().startswith("b.")  # a batch token
    assert KvEngine(server, who, "fleet", "login/ci/none").read().version == ""
    assert who.token() == token  # once
    path.write_text("another")
    with pytest.raises(EngineError, match=r"refuses the login at auth/approle.*invalid role or"):
        Access(server, approle(ident, in_file(str(path)), str(path))).token()


@pytest.fixture(scope="module")
def issuer(bao: Bao) -> Issuer:
    """A CI whose jobs' identities OpenBao believes."""
    issuer = Issuer("https://ci.example")
    bao.must("POST", "sys/auth/ci", {"type": "jwt"})
    bao.must(
        "POST", "auth/ci/config",
        {"jwt_validation_pubkeys": [issuer.public], "bound_issuer": issuer.name},
    )  # fmt: skip
    for role, policy in (("worker", "ci-worker"), ("renewer", "ci-renewer")):
        bao.must("POST", f"auth/ci/role/{role}", {
            "role_type": "jwt", "user_claim": "sub", "bound_audiences": [AUDIENCE],
            "bound_claims": {"ref_protected": "true", "project_path": "team/app"},
            "token_policies": [policy], "token_type": "batch", "token_ttl": "5m",
            "token_no_default_policy": True,
        })  # fmt: skip
    return issuer


def job(issuer: Issuer, **claims: object) -> Secret:
    """A job's identity; what is said here is other than it should be."""
    now = int(time.time())
    right = {"sub": "job:1", "aud": AUDIENCE, "ref_protected": "true", "project_path": "team/app",
             "iat": now, "exp": now + 300}  # fmt: skip
    return Secret(issuer.sign({**right, **claims}))


def test_a_login_by_a_job_s_identity(bao: Bao, issuer: Issuer) -> None:
    server = Server(bao.urls)
    who = Access(server, Login("ci", "worker", lambda: job(issuer), "the CI"))
    engine(bao, "renewer", "access/ci/job").write({"access_token": "t"}, "")
    found = KvEngine(server, who, "fleet", "access/ci/job").read()
    assert found.value == {"access_token": "t"}


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"aud": "https://other.example"}, r"invalid audience \(aud\) claim"),
        ({"ref_protected": "false"}, "ref_protected.* does not match any associated bound claim"),
        ({"exp": 1_700_000_000, "iat": 1_699_999_000}, "token is expired"),
    ],
)
def test_a_job_that_is_not_meant_is_refused_in_their_words(
    bao: Bao, issuer: Issuer, claims: dict[str, object], said: str
) -> None:
    who = Access(Server(bao.urls), Login("ci", "worker", lambda: job(issuer, **claims), "the CI"))
    with pytest.raises(EngineError, match=f"refuses the login at auth/ci.*{said}"):
        who.token()


def test_a_token_that_was_revoked_is_replaced_by_another_login(bao: Bao) -> None:
    ident, secret = bao.approle("renewer")
    bao.must("POST", "auth/approle/role/renewer", {"token_type": "service"})
    try:
        server = Server(bao.urls)
        who = Access(server, approle(ident, lambda: Secret(secret), "the test"))
        kv = KvEngine(server, who, "fleet", "login/ci/none")
        kv.read()
        first = who.token()
        assert first is not None
        bao.must("POST", "auth/token/revoke", {"token": first.reveal()})
        who._since -= 60  # it is an older one
        assert kv.read().version == ""
        assert who.token() != first
    finally:
        bao.must("POST", "auth/approle/role/renewer", {"token_type": "batch"})


@pytest.mark.parametrize("granted", [True, False])
def test_a_token_is_renewed_where_the_policies_let_it(bao: Bao, granted: bool) -> None:
    told = {"policies": ["ci-renewer"], "ttl": "60s", "no_default_policy": True, "renewable": True}
    if not granted:
        told["policies"] = ["bare"]
        rule = 'path "fleet/data/access/ci/*" { capabilities = ["read"] }'
        bao.must("PUT", "sys/policies/acl/bare", {"policy": rule})
    token = Secret(bao.must("POST", "auth/token/create", told)["auth"]["client_token"])
    who = Access(Server(bao.urls), Given("the test", lambda: token))
    who.token()
    who._life, who._end, who._is_renewable = 60.0, time.monotonic() + 10, True
    who.keep_alive()
    assert who.misses_renewal is not granted
    if granted:
        assert who._end > time.monotonic() + 30


def test_a_login_by_a_service_account_that_kubernetes_itself_vouches_for(
    bao: Bao, kubernetes: Kubernetes, tmp_path: Path
) -> None:
    namespace = kubernetes.namespace()
    right = kubernetes.account(namespace, "worker", none=("get",))
    other = kubernetes.account(namespace, "other", none=("get",))
    bao.must("POST", "sys/auth/kubernetes", {"type": "kubernetes"})
    bao.must("POST", "auth/kubernetes/config", {
        "kubernetes_host": kubernetes.url, "token_reviewer_jwt": kubernetes.admin,
        "kubernetes_ca_cert": kubernetes.authority.file.read_text(), "disable_local_ca_jwt": True,
    })  # fmt: skip
    bao.must("POST", "auth/kubernetes/role/worker", {
        "bound_service_account_names": ["worker"], "bound_service_account_namespaces": [namespace],
        "token_policies": ["ci-worker"], "token_type": "batch", "token_ttl": "5m",
        "token_no_default_policy": True,
    })  # fmt: skip
    engine(bao, "renewer", "access/ci/pod").write({"access_token": "t"}, "")
    path = tmp_path / "token"
    path.write_text(right)
    login = Login("kubernetes", "worker", in_file(str(path)), str(path))
    server = Server(bao.urls)
    found = KvEngine(server, Access(server, login), "fleet", "access/ci/pod").read()
    assert found.value == {"access_token": "t"}
    for token, said in ((other, "service account name not authorized"), ("none", "HTTP 4|HTTP 5")):
        path.write_text(token)
        with pytest.raises(EngineError, match=said):
            Access(Server(bao.urls), login).token()
