"""A worker's source, at a real OpenBao: what it may read, how often it logs in, what is told."""

from __future__ import annotations

import json
import signal
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest

from support.agent import agent_of
from support.fleets import ACCESS, HOST, LOGIN, URL, configure, put_token
from support.jwt_keys import Issuer
from support.openbao import Bao, alone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.agent import Agent
    from support.home import Home
    from support.program import Program

_LOGINS, _READS = "update_auth_approle_", "read_fleet_"  # as the server counts them


@pytest.fixture(scope="module")
def bao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bao]:
    """A server with the mount, the policies and the logins of docs/fleet.md."""
    with alone(tmp_path_factory.mktemp("bao")) as bao:
        bao.furnish()
        yield bao


@pytest.fixture
def worker(bao: Bao, home: Home) -> Home:
    """A machine that logs in by AppRole, as a worker."""
    configure(home, bao, "worker")
    return home


def header(program: Program) -> str:
    done = program("header", URL)
    assert done.code == 0, done
    return done.out.decode().strip()


def test_a_worker_is_given_the_token_that_is_there(bao: Bao, worker: Home, frozen: Program) -> None:
    del worker
    put_token(bao, "one", 3600)
    assert header(frozen) == "Authorization: Bearer one"
    asked = json.dumps({"uri": URL}).encode()
    told = json.loads(frozen("get", stdin=asked).out)
    assert told["headers"] == {"Authorization": ["Bearer one"]}
    assert told["expires"].endswith("Z")


def test_a_worker_may_read_nothing_else_and_is_told_which_policy_it_misses(
    bao: Bao, worker: Home, frozen: Program
) -> None:
    put_token(bao, "s3cret", 3600, LOGIN)
    config = worker.path / ".config/credlatch/fleet.toml"
    config.write_text(config.read_text().replace(ACCESS, LOGIN))
    done = frozen("header", URL)
    assert done.code == 1
    assert "permission denied" in done.err
    assert "needs a policy for fleet/data/login/ci/pypi" in done.err
    assert "s3cret" not in done.said


def test_a_mount_that_compares_nothing_is_refused(bao: Bao, home: Home, frozen: Program) -> None:
    bao("POST", "sys/mounts/old", {"type": "kv", "options": {"version": "1"}})
    home.env |= {"VAULT_ADDR": bao.url, "VAULT_TOKEN": bao.token}
    home.write(
        ".config/credlatch/fleet.toml",
        f'[[fleet]]\nurl = "https://{HOST}"\nmount = "old"\naccess = "access/ci/pypi"\n',
    )
    done = frozen("header", URL)
    assert (done.code, "old is version 1 of KV, which compares nothing" in done.err) == (1, True)


def test_a_token_in_bao_s_own_file_and_variables_do(bao: Bao, home: Home, frozen: Program) -> None:
    put_token(bao, "two", 3600)
    home.env["BAO_ADDR"] = bao.url
    home.write(
        ".config/credlatch/fleet.toml",
        f'[[fleet]]\nurl = "https://{HOST}"\naccess = "access/ci/pypi"\n',
    )
    done = frozen("header", URL)
    assert "log in with `bao login`" in done.err
    home.write(".vault-token", f"{bao.token_for('worker')}\n")
    assert header(frozen) == "Authorization: Bearer two"
    home.env["VAULT_TOKEN"] = "wrong"
    done = frozen("header", URL)
    assert (done.code, "permission denied" in done.err) == (1, True)


@pytest.fixture
def agent(worker: Home, frozen: Program) -> Iterator[Agent]:
    """The worker's agent."""
    assert frozen.home is worker
    with agent_of(frozen) as started:
        yield started


def test_the_agent_logs_in_once_and_reads_once(bao: Bao, agent: Agent) -> None:
    put_token(bao, "three", 3600)
    agent.warm()
    before = [_counted(bao, each) for each in (_LOGINS, _READS)]
    answers = {agent.program.bazel(URL).authorization for _ in range(30)}
    assert answers == {"Bearer three"}
    after = [_counted(bao, each) for each in (_LOGINS, _READS)]
    assert [b - a for a, b in zip(before, after, strict=True)] == [1, 1]
    # What keeps it may be away: nobody notices while the token lives.
    bao.nodes[0].send(signal.SIGSTOP)
    try:
        assert agent.program.bazel(URL).authorization == "Bearer three"
    finally:
        bao.nodes[0].send(signal.SIGCONT)
    assert any(" fleet " in line for line in agent.log())


def _counted(bao: Bao, what: str) -> int:
    """How many requests of a kind the server has had."""
    text = bao("GET", "sys/metrics?format=prometheus").text
    lines = [line for line in text.splitlines() if line.startswith(f"vault_route_{what}_count")]
    return int(float(lines[0].split()[-1])) if lines else 0


class Actions(BaseHTTPRequestHandler):
    """GitHub's server for identity tokens, for a job of the team's."""

    issuer = Issuer("https://ci.example")
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        """A fresh token for whom it is asked."""
        self.asked.append(self.headers["Authorization"])
        audience = parse_qs(urlsplit(self.path).query)["audience"][0]
        now = int(time.time())
        claims = {"sub": "job:1", "aud": audience, "iat": now, "exp": now + 300}
        body = json.dumps({"value": self.issuer.sign(claims)}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def actions(bao: Bao) -> Iterator[str]:
    """Its address; OpenBao believes what it signs, for one audience."""
    bao("POST", "sys/auth/github", {"type": "jwt"})
    bao.must(
        "POST", "auth/github/config",
        {"jwt_validation_pubkeys": [Actions.issuer.public], "bound_issuer": Actions.issuer.name},
    )  # fmt: skip
    bao.must("POST", "auth/github/role/worker", {
        "role_type": "jwt", "user_claim": "sub", "bound_audiences": ["https://bao.example"],
        "token_policies": ["ci-worker"], "token_type": "batch", "token_ttl": "5m",
        "token_no_default_policy": True,
    })  # fmt: skip
    Actions.asked.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Actions) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/idtoken?api-version=2.0"
        server.shutdown()
        thread.join()


def of_a_job(home: Home, bao: Bao, audience: str, identity: str) -> None:
    """A home whose row logs in as a job of a CI's."""
    home.write(
        ".config/credlatch/fleet.toml",
        f'[[fleet]]\nurl = "https://{HOST}"\naddress = "{bao.url}"\naccess = "{ACCESS}"\n'
        f'[fleet.auth]\nmethod = "jwt"\nmount = "github"\nrole = "worker"\n'
        f'audience = "{audience}"\nidentity = {identity}\n',
    )


def test_a_job_of_github_s_logs_in_with_its_own_identity(
    bao: Bao, home: Home, frozen: Program, actions: str
) -> None:
    put_token(bao, "four", 3600)
    of_a_job(home, bao, "https://bao.example", '{ci = "github"}')
    done = frozen("header", URL)
    assert (done.code, "this is no job of one" in done.err) == (1, True), done
    home.env["GITHUB_ACTIONS"] = "true"
    done = frozen("header", URL)
    assert (done.code, "permissions: id-token: write" in done.err) == (1, True), done
    home.env |= {
        "ACTIONS_ID_TOKEN_REQUEST_URL": actions, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "of-the-job",
    }  # fmt: skip
    assert header(frozen) == "Authorization: Bearer four"
    assert Actions.asked == ["bearer of-the-job"]
    of_a_job(home, bao, "https://other.example", '{ci = "github"}')
    done = frozen("header", URL)
    assert (done.code, "refuses the login at auth/github" in done.err) == (1, True), done
    assert "invalid audience" in done.err
    assert "of-the-job" not in done.err


def test_a_job_of_gitlab_s_has_its_identity_in_a_variable(
    bao: Bao, home: Home, frozen: Program, actions: str
) -> None:
    del actions
    put_token(bao, "five", 3600)
    of_a_job(home, bao, "https://bao.example", '{variable = "VAULT_ID_TOKEN"}')
    done = frozen("header", URL)
    assert (done.code, "VAULT_ID_TOKEN, which is not set" in done.err) == (1, True), done
    now = int(time.time())
    claims = {"sub": "job:2", "aud": "https://bao.example", "iat": now, "exp": now + 300}
    home.env["VAULT_ID_TOKEN"] = Actions.issuer.sign(claims)
    assert header(frozen) == "Authorization: Bearer five"


def test_a_pod_s_service_account_is_read_again_when_it_is_another(
    bao: Bao, home: Home, frozen: Program, actions: str
) -> None:
    del actions
    put_token(bao, "six", 3600)
    place = home.path / "token"
    of_a_job(home, bao, "https://bao.example", f'{{file = "{place}"}}')
    done = frozen("header", URL)
    assert (done.code, f"{place} is empty or missing" in done.err) == (1, True), done
    now = int(time.time())
    for age, works in ((900, False), (0, True)):
        claims = {
            "sub": "sa",
            "aud": "https://bao.example",
            "iat": now - age,
            "exp": now - age + 300,
        }
        home.write("token", Actions.issuer.sign(claims))
        done = frozen("header", URL)
        assert (done.code == 0) == works, done
    assert done.out.decode().strip() == "Authorization: Bearer six"
