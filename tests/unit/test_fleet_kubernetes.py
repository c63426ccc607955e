"""Kubernetes as a fleet's engine: what its API, or what stands before it, says now and then."""

from __future__ import annotations

import base64
import json
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from credlatch.auth.tls import Tls
from credlatch.credential import Secret
from credlatch.fleet import value as values
from credlatch.fleet.cluster import Cluster, in_pod
from credlatch.fleet.engine import Conflict, EngineDownError, EngineError, Unknown
from credlatch.fleet.kubernetes import KubernetesEngine
from credlatch.fleet.kubernetes_watch import Lines, Seen
from support.answering import Answering
from support.raw_server import RawServer

if TYPE_CHECKING:
    from pathlib import Path

    from support.answering import Answer
    from support.loopback import Recorded

SUN = "Sun, 22 Nov 2026 18:00:10 GMT"
VALUE = {"entry": {"refresh_token": "open-sesame"}}


@pytest.fixture(autouse=True)
def _moments(monkeypatch: pytest.MonkeyPatch) -> None:
    """No server here learns anything meanwhile."""
    monkeypatch.setattr("credlatch.fleet.kubernetes_api._MOMENT", 0.01)


def cluster(url: str) -> Cluster:
    return Cluster(url, Tls(), lambda: Secret("pods-token"), "build", "this pod")


def engine(url: str) -> KubernetesEngine:
    return KubernetesEngine(cluster(url), "team-pypi")


def secret(version: str, value: Any = None, **metadata: Any) -> dict[str, Any]:
    data = {} if value is None else {"credlatch.json": packed(json.dumps(value).encode())}
    return {
        "kind": "Secret",
        "metadata": {"name": "team-pypi", "resourceVersion": version, **metadata},
        "data": data,
    }


def packed(data: bytes) -> str:
    return base64.b64encode(data).decode()


def status(code: int, reason: str, **details: str) -> tuple[int, dict[str, str], dict[str, Any]]:
    said = {"kind": "Status", "code": code, "reason": reason, "message": "open-sesame"}
    return code, {"Date": SUN}, {**said, "details": details}


def always(answer: Answer) -> Answering:
    return Answering(lambda _: answer)


def test_what_is_asked_and_sent() -> None:
    with always((200, {"Date": SUN}, secret("7", VALUE))) as server:
        assert engine(server.url).read()[:2] == (VALUE, "7")
        assert engine(server.url).write({"gen": 2}, "7") == "7"
        assert engine(server.url).write({"gen": 1}, "") == "7"
    read, changed, made = server.requests
    secrets = "/api/v1/namespaces/build/secrets"
    assert (read.method, read.target) == ("GET", f"{secrets}/team-pypi")
    assert {each.authorization for each in server.requests} == {"Bearer pods-token"}
    expected = ("PATCH", f"{secrets}/team-pypi?fieldManager=credlatch")
    assert (changed.method, changed.target) == expected
    assert changed.headers["content-type"] == "application/merge-patch+json"
    assert changed.json == {
        "metadata": {"resourceVersion": "7"},
        "data": {"credlatch.json": packed(b'{"gen": 2}')},
    }
    assert (made.method, made.target) == ("POST", f"{secrets}?fieldManager=credlatch")
    assert made.json["metadata"] == {"name": "team-pypi"}
    assert "resourceVersion" not in json.dumps(made.json)


def writer(at: str, *fields: str) -> dict[str, Any]:
    return {"time": at, "fieldsV1": {"f:data": {f"f:{field}": {} for field in fields}}}


@pytest.mark.parametrize(
    ("writers", "age"),
    [
        ([writer("2026-11-22T18:00:04Z", "credlatch.json")], 6.0),
        ([writer("2026-11-22T18:00:04Z", "credlatch.json", "."), writer("x", "other")], 6.0),
        ([writer("2026-11-22T17:00:00Z", "credlatch.json"),
          writer("2026-11-22T18:00:09Z", "credlatch.json")], 1.0),
        ([writer("2026-11-22T18:00:30Z", "credlatch.json")], 0.0),
        ([writer("2026-11-22T18:00:04Z", "other")], None),
        ([writer("yesterday", "credlatch.json"), {"time": 4, "fieldsV1": []}, 7], None),
        ([{}], None),
        (None, None),
        ({"time": "now"}, None),
    ],
)  # fmt: skip
def test_the_age_of_a_value_is_said_by_the_cluster(writers: object, age: float | None) -> None:
    with always((200, {"Date": SUN}, secret("7", {}, managedFields=writers))) as server:
        found = engine(server.url).read()
    assert found.age == age
    assert abs(found.ahead - (time.time() - 1_795_370_410)) < 60


@pytest.mark.parametrize(
    "answer",
    [
        (200, {}, {"kind": "Secret", "metadata": {}}),
        (200, {}, {"kind": "Secret"}),
        (200, {}, {"kind": "Pod", "metadata": {"resourceVersion": "7"}}),
        (200, {}, secret("0")),
        (200, {}, secret("")),
        (200, {}, {"login": "here"}),
    ],
)
def test_another_s_200_is_no_answer_and_no_write(answer: Answer) -> None:
    """A version of 0 compares nothing: each machine would win."""
    with always(answer) as server:
        with pytest.raises(EngineError, match="answered by something else"):
            engine(server.url).read()
        assert isinstance(engine(server.url).write({}, "7"), Unknown)
        assert isinstance(engine(server.url).write({}, ""), Unknown)


def test_what_says_404_has_to_be_kubernetes_and_mean_the_secret() -> None:
    """Who believes any 404 begins anew, and loses the login."""
    answers: list[Answer] = [
        (404, {}, {}),
        status(404, "NotFound", kind="secrets", name="another"),
        status(404, "NotFound", kind="namespaces", name="team-pypi"),
        (404, {}, {"details": {"kind": "secrets", "name": "team-pypi"}}),
    ]
    for answer in answers:
        with always(answer) as server:
            with pytest.raises(EngineError, match="HTTP 404"):
                engine(server.url).read()
            with pytest.raises(EngineError, match="HTTP 404"):
                engine(server.url).write({}, "7")
    with always(status(404, "NotFound", kind="secrets", name="team-pypi")) as server:
        assert engine(server.url).read()[:3] == (None, "", None)
        assert isinstance(engine(server.url).write({}, "7"), Conflict)
        with pytest.raises(EngineError, match="HTTP 404"):
            engine(server.url).write({}, "")


@pytest.mark.parametrize("code", [500, 502, 503, 504])
def test_a_write_that_a_server_fails_at_may_have_been_done(code: int) -> None:
    code, headers, body = status(code, "InternalError")
    with always((code, {**headers, "Retry-After": "3"}, body)) as server:
        assert isinstance(engine(server.url).write({}, "7"), Unknown)
        assert isinstance(engine(server.url).write({}, ""), Unknown)
        with pytest.raises(EngineDownError, match=f"HTTP {code}.: try again") as caught:
            engine(server.url).read()
    assert caught.value.after == 3.0


def test_a_cluster_that_has_too_much_to_do_has_written_nothing() -> None:
    for said, after in (("7", 7.0), ("9999", 60.0), ("soon", 1.0), ("-3", 1.0), ("nan", 1.0)):
        code, headers, body = status(429, "TooManyRequests")
        with always((code, {**headers, "Retry-After": said}, body)) as server:
            for ask in (engine(server.url).read, partial(engine(server.url).write, {}, "7")):
                with pytest.raises(EngineDownError, match="too much to do") as caught:
                    ask()
                assert caught.value.after == after


def test_a_write_without_an_answer_may_have_been_done() -> None:
    with RawServer(b"") as server:
        assert isinstance(engine(server.url).write({}, "7"), Unknown)
    assert len(server.heads) == 1
    with RawServer(b"") as server, pytest.raises(EngineDownError, match="gave no answer"):
        engine(server.url).read()
    assert len(server.heads) == 2
    with pytest.raises(EngineDownError, match="cannot be reached"):
        engine(server.url).write({}, "7")


@pytest.mark.parametrize("code", [301, 302, 307, 308])
def test_no_redirect_is_followed(code: int) -> None:
    with always((200, {}, secret("7", {}))) as other:
        answer: Answer = code, {"Location": f"{other.url}/api/v1/namespaces/build/secrets/x"}, {}
        with always(answer) as server:
            for ask in (engine(server.url).read, lambda: engine(server.url).write({}, "7")):
                with pytest.raises(EngineError, match="redirects elsewhere, and no token"):
                    ask()
    assert other.requests == []


@pytest.mark.parametrize("kept", ["", "bm8ganNvbg==", "W10=", "é", 7, "eyJ"])
def test_a_value_of_somebody_else_s_is_no_login_and_may_be_overwritten(kept: object) -> None:
    """Who could not read it could not log in again either."""
    body = secret("7")
    body["data"] = {"credlatch.json": kept}
    with always((200, {}, body)) as server:
        found = engine(server.url).read()
    assert (found.value, found.version) == ({}, "7")
    assert values.login(found.value) is None


def test_no_failure_tells_what_a_server_says() -> None:
    for code in (400, 401, 403, 413, 415, 422):
        with always(status(code, "open-sesame!")) as server:
            for ask in (engine(server.url).read, lambda: engine(server.url).write(VALUE, "7")):
                with pytest.raises(EngineError) as caught:
                    ask()
                assert f"HTTP {code}" in str(caught.value)
                assert "sesame" not in str(caught.value)
                assert "pods-token" not in str(caught.value)


@pytest.mark.parametrize(
    "name", ["", "a/b", "..", "a..b", "A", "a b", "-a", "a-", "a?x", "a" * 254]
)
def test_names_are_kubernetes_names(name: str) -> None:
    with pytest.raises(EngineError, match="is no name of a Secret"):
        KubernetesEngine(cluster("https://k.example"), name)
    if name and "." not in name:
        with pytest.raises(EngineError, match="is no name of a namespace"):
            KubernetesEngine(cluster("https://k.example"), "team", name)
    assert KubernetesEngine(cluster("https://k.example"), "team.pypi-1", "ci").place == (
        "the Secret ci/team.pypi-1 of https://k.example"
    )


def test_no_token_goes_in_the_clear() -> None:
    for url in ("http://k.example", "k.example", "s3://k.example", "file:///etc", "https://"):
        with pytest.raises(EngineError):
            cluster(url)
    with pytest.raises(EngineError, match="what no header takes"):
        KubernetesEngine(
            Cluster("https://k.example", Tls(), lambda: Secret("a\r\nb"), "build", "me"), "t"
        ).read()


@pytest.mark.parametrize(("code", "reason"), [(401, "Unauthorized"), (403, "Forbidden")])
@pytest.mark.parametrize("ready", [200, 404, 500, 503])
def test_a_server_that_is_starting_refuses_what_it_will_allow(
    code: int, reason: str, ready: int
) -> None:
    """It answers before it knows who may do what; its own page says that."""

    def answer(asked: Recorded) -> Answer:
        if asked.path == "/readyz":
            assert not asked.authorization
            return ready, {}, b"[-]informer-sync failed: reason withheld"
        return status(code, reason)

    with Answering(answer) as server:
        for ask in (engine(server.url).read, partial(engine(server.url).write, {}, "7")):
            server.requests.clear()
            with pytest.raises(EngineError) as caught:
                ask()
            is_down = ready >= 500
            assert isinstance(caught.value, EngineDownError) == is_down
            assert ("is starting: try again" in str(caught.value)) == is_down
            paths = [each.path.rpartition("/")[2] for each in server.requests]
            assert paths == ["team-pypi", "readyz", *([] if is_down else ["team-pypi"] * 2)]


@pytest.mark.parametrize("denials", [1, 2])
def test_what_a_server_has_just_learnt_it_allows_when_asked_again(denials: int) -> None:
    answers: list[Answer] = [status(403, "Forbidden")] * denials
    answers.insert(1, (200, {}, b"ok"))
    answers.append((200, {"Date": SUN}, secret("7")))
    with Answering(lambda _: answers.pop(0)) as server:
        assert engine(server.url).read()[:2] == (None, "7")


def event(what: str, **about: Any) -> bytes:
    return json.dumps({"type": what, "object": about}).encode() + b"\n"


LINES = [
    (event("BOOKMARK", kind="Secret", metadata={"resourceVersion": "9"}), Seen()),
    (event("MODIFIED", **secret("8")), Seen(changed=True, about=secret("8"))),
    (event("MODIFIED", kind="Secret"), Seen(changed=True)),
    (event("DELETED", **secret("8")), Seen(changed=True)),
    (event("DELETED", **secret("7")), Seen(changed=True)),
    (event("ADDED", **secret("7")), Seen()),
    (event("ADDED", **secret("6")), Seen()),  # as a server has it that is behind
    (event("ADDED", **secret("8")), Seen(changed=True, about=secret("8"))),
    (
        event("ADDED", **secret("6")) + event("MODIFIED", **secret("8")),
        Seen(changed=True, about=secret("8")),
    ),
    (event("ERROR", kind="Status", code=410), Seen(too_old=True)),
    (event("ERROR", kind="Status", code=500), Seen(after=4.0)),
    (event("MODIFIED", **secret("8"))[:-1], Seen()),  # half a line
    (b"<html>\n", Seen(changed=True)),  # the next read says what that is
    (b"", Seen()),
]


@pytest.mark.parametrize(("told", "seen"), LINES)
def test_what_a_watch_tells(told: bytes, seen: Seen) -> None:
    lines = Lines("7")
    for end in range(len(told) + 1):  # however it is cut
        lines.read(told[:end])
    assert lines.seen == seen


def test_a_watch_that_cannot_go_back_so_far_begins_anew() -> None:
    """A Secret that nobody has changed for long: its version is older than what is remembered."""
    watches: list[str] = []

    def answer(asked: Recorded) -> Answer:
        watches.append(asked.target)
        if "resourceVersion=7" in asked.target:
            return status(410, "Expired")
        return 200, {}, event("MODIFIED", **secret("8"))

    with Answering(answer) as server:
        engine(server.url).wait("7", 30.0)
    first, second = watches[:2]
    expected = "?watch=1&fieldSelector=metadata.name%3Dteam-pypi&allowWatchBookmarks=true"
    assert first.startswith(f"/api/v1/namespaces/build/secrets{expected}")
    assert first.endswith("&timeoutSeconds=30&resourceVersion=7")
    assert "resourceVersion" not in second


def test_what_a_watch_has_told_is_not_asked_for_again() -> None:
    """Or a thousand who watch would ask in the same moment."""

    def answer(asked: Recorded) -> Answer:
        if "watch=1" in asked.target:
            return 200, {}, event("MODIFIED", **secret("8", VALUE))
        return 200, {"Date": SUN}, secret("9", {"entry": "newer"})

    with Answering(answer) as server:
        there = engine(server.url)
        before = there.read()
        server.requests.clear()
        there.wait("7", 30.0)
        found = there.read()
        assert (found.value, found.version, found.age) == (VALUE, "8", 0.0)
        assert found.ahead == before.ahead
        assert len(server.requests) == 1
        assert there.read().version == "9"  # it is told once
        there.wait("7", 30.0)
        there.write({}, "8")
        assert there.read().version == "9"  # what we have written is newer


def test_waiting_ends_in_time_whatever_a_server_does(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    for answer in (status(429, "TooManyRequests"), status(503, "ServiceUnavailable")):
        slept.clear()
        with always(answer) as server:
            begun = time.monotonic()
            engine(server.url).wait("7", 1.5)
            assert time.monotonic() - begun < 20
        assert max(slept) <= 1.5
    with always((200, {}, secret("7", {}))) as server:
        engine(server.url).wait("7", 0.0)
    assert server.requests == []


def mounted(folder: Path) -> Path:
    for name, content in (("token", "t-1\n"), ("ca.crt", "PEM"), ("namespace", "ci\n")):
        (folder / name).write_text(content)
    return folder


def test_a_pod_is_its_service_account(tmp_path: Path) -> None:
    folder = str(mounted(tmp_path))
    for host, port, url in (
        ("10.96.0.1", "443", "https://10.96.0.1"),
        ("fd00::1", "6443", "https://[fd00::1]:6443"),
    ):
        there = {"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": port}
        found = in_pod(there, folder)
        assert found is not None
        assert (found.shown, found.namespace, found.tls.pem) == (url, "ci", "PEM")
        assert found.tls.proxy == ""  # NO_PROXY has networks, if at all
        (tmp_path / "token").write_text(f"{host}\n")  # as the kubelet does each hour
        token = found.token()
        assert token is not None
        assert token.reveal() == host


def test_where_there_is_no_pod_and_where_it_has_no_account(tmp_path: Path) -> None:
    assert in_pod({}, str(tmp_path)) is None
    assert in_pod({"KUBERNETES_SERVICE_HOST": "", "KUBERNETES_SERVICE_PORT": "443"}) is None
    there = {"KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443"}
    with pytest.raises(EngineError, match="token is not there: the pod needs a service account"):
        in_pod(there, str(tmp_path))
    mounted(tmp_path)
    (tmp_path / "ca.crt").unlink()
    with pytest.raises(EngineError, match=r"ca\.crt is not there"):
        in_pod(there, str(tmp_path))
