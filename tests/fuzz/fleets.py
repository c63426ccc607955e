"""What is said of a fleet's engines, and by them."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import yaml

from credlatch.auth import HttpResponse
from credlatch.auth.tls import Tls
from credlatch.credential import Secret
from credlatch.errors import StoreError
from credlatch.fleet import kubeconfig
from credlatch.fleet.cluster import Cluster
from credlatch.fleet.engine import Conflict, EngineError, Found, Unknown
from credlatch.fleet.kubernetes import KubernetesEngine
from credlatch.fleet.kubernetes_watch import Lines
from fuzz.target import MARK, SPLIT, of_text, target, told
from fuzz.texts import _same_yaml, _Texts

if TYPE_CHECKING:
    from collections.abc import Callable

_CONFIG = (
    "apiVersion: v1\nclusters:\n- cluster:\n    server: https://k.example\n  name: k\ncontexts:\n"
    "- context:\n    cluster: k\n    user: me\n  name: here\ncurrent-context: here\nusers:\n"
    f"- name: me\n  user:\n    token: {MARK}\n"
)
_WORDS = (
    "␊ ␊␣␣ ␊␣␣␣␣ ␊-␣ -␣ -␣-␣ clusters: contexts: users: current-context: cluster: context: user: "
    "name:␣k namespace: "
    'server:␣https://k.example token:␣x token-data exec: as: null {} [] \' " # : \\ {"users":[{ '
    "certificate-authority-data:␣UEVN client-key-data:␣/w== insecure-skip-tls-verify:␣true "
    "␍␊ --- é ␀ &a *a |"
)


@target("kubeconfig", _WORDS, [_CONFIG, _CONFIG.replace("\n-", "\n  -").replace("\n ", "\n   ")])
@of_text
def _kubeconfig(text: str) -> None:
    """Where YAML's own parser reads it as well, nothing that is read says something else."""
    try:
        ours = kubeconfig.read(text, "path")
    except StoreError as error:
        return told(error)
    _same(ours, text)
    try:
        cluster = kubeconfig._cluster(kubeconfig._relative(ours, "/folder"), "path")
    except StoreError as error:
        return told(error)
    assert MARK not in repr(cluster.tls)
    assert cluster.url.may_carry_credentials
    return None


def _same(ours: dict[str, Any], text: str) -> None:
    if "!!" in text or not text.isascii():
        return
    try:
        theirs = yaml.load(text, _Texts)  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, ValueError, RecursionError, AttributeError):
        return
    for key, inner in kubeconfig._LISTS.items():
        rows = theirs.get(key) if isinstance(theirs, dict) else None
        read: dict[str, Any] = {}
        for row in rows if isinstance(rows, list) else []:
            if isinstance(row, dict) and isinstance(row.get(inner), dict):
                read.setdefault(str(row.get("name") or ""), row[inner])
        for name in set(read) & set(ours[key]):
            _same_yaml(ours[key][name], read[name], text)


_SECRET = (
    '{"kind":"Secret","metadata":{"name":"s","resourceVersion":"7","managedFields":[{"time":'
    '"2026-11-22T18:00:00Z","fieldsV1":{"f:data":{"f:credlatch.json":{}}}}]},"data":'
    '{"credlatch.json":"eyJnZW4iOjF9"}}'
)
_STATUS = '{"kind":"Status","code":404,"reason":"NotFound","details":{"kind":"secrets","name":"s"}}'
_SAID = (
    '{ } [ ] : , " 0 7 -1 1e999 null true ␟ ␊ "kind":"Secret" "kind":"Status" resourceVersion "8" '
    '"0" "99999999999999999999" metadata data credlatch.json e30= W10= é managedFields time f:data '
    "fieldsV1 "
    '"9999-12-31T23:59:59-23:59" details secrets 200 201 404 409 410 429 500 Retry-After nan '
    '{"type":"MODIFIED","object": {"type":"ERROR","object":{"code":410}} BOOKMARK ADDED DELETED'
)


@target(
    "kubernetes_answers",
    _SAID,
    [f"{code}{SPLIT}{SPLIT}{body}" for code in (200, 404, 409, 429) for body in (_SECRET, _STATUS)],
)
@of_text
def _answers(text: str) -> None:
    """Only a Secret with a version that compares is a value, and only its own 404 is none."""
    code, _, rest = text.partition(SPLIT)
    after, _, body = rest.partition(SPLIT)
    status = (
        int(code) if code.isascii() and code.isdecimal() and 200 <= int(code[:9]) < 600 else 200
    )
    headers = {"date": "Sun, 22 Nov 2026 18:00:10 GMT", "retry-after": after}
    response = HttpResponse(status, headers, body.encode(errors="replace"), 1_795_370_410.0)
    engine = _engine(lambda: response)
    with contextlib.suppress(EngineError), _telling():
        found = engine.read()
        assert isinstance(found, Found)
        is_none = found.version == ""
        assert is_none == (status == 404)
        assert is_none or (found.version.isdecimal() and int(found.version) > 0)
        assert found.age is None or found.age >= 0
    for expected in ("", "7"):
        with contextlib.suppress(EngineError), _telling():
            result = engine.write({}, expected)
            assert isinstance(result, str | Conflict | Unknown)
            assert not isinstance(result, str) or (status in {200, 201} and int(result) > 0)


@contextlib.contextmanager
def _telling() -> Any:
    try:
        yield
    except EngineError as error:
        told(error)
        raise


def _engine(answer: Callable[[], HttpResponse]) -> KubernetesEngine:
    cluster = Cluster("https://k.example", Tls(), lambda: Secret(MARK), "n", "me")
    engine = KubernetesEngine(cluster, "s")
    engine._secrets.sent = lambda *_, **__: answer()  # type: ignore[method-assign]
    return engine


_EVENT = f'{{"type":"MODIFIED","object":{_SECRET}}}\n'


@target(
    "kubernetes_watch", _SAID, [_EVENT, f"{_EVENT.replace('7', '6')}{_EVENT.replace('7', '8')}"]
)
def _watch(data: bytes) -> None:
    """However it is cut, it tells the same."""
    whole, cut = Lines("7"), Lines("7")
    whole.read(data)
    for end in range(0, len(data) + 1, 7):
        cut.read(data[:end])
    cut.read(data)
    assert whole.seen == cut.seen
