"""What an engine, or somebody who may write there, tells a fleet's machines."""

from __future__ import annotations

import json
from typing import Any

from credlatch.auth import HttpResponse
from credlatch.credential import Secret
from credlatch.errors import StoreError
from credlatch.fleet import renewal, value
from credlatch.fleet.access import Access, Login
from credlatch.fleet.engine import EngineError
from credlatch.fleet.journal import _record
from credlatch.fleet.kv import KvEngine
from credlatch.fleet.server import Server
from credlatch.fleet.value import Mark
from fuzz.target import MARK, SPLIT, one_of, target, told

NOW = 1_795_223_476.9
_ADDRESS = "https://bao.example"
_STATUSES = (200, 200, 200, 204, 307, 400, 403, 404, 404, 412, 429, 500, 503)
_NAMES = ("date", "retry-after", "x-vault-index", "location")
_WORDS = (
    '{ } [ ] : , " 0 1 -1 1e999 99999999999999999999 true false null ␟ ␣ ␊ data metadata version '
    "created_time deletion_time 2026-11-22T00:00:00.123456789Z 9999-12-31T23:59:59-23:59 errors "
    "permission␣denied check-and-set␣parameter␣did␣not␣match␣the␣current␣version Vault␣is␣sealed "
    "options type kv 2 auth client_token lease_duration renewable entry claim suspect gen dead "
    "failed life id nonce ttl OAuth access_token refresh_token expires_at spent problem "
    "https://bao.example/v1/a https://evil.example/v1/a \\ud800 é NaN"
)
_ENTRY = f'{{"OAuth":{{"access_token":"{MARK}","refresh_token":"{MARK}","expires_at":5}}}}'
_VALUE = (
    f'{{"entry":{_ENTRY},"claim":{{"id":"m","nonce":"n","ttl":60}},"suspect":null,"gen":3,'
    '"dead":null,"failed":"x","life":3600}'
)


class _Told(Server):
    """A cluster that answers all with the same; what it is asked is not sent."""

    answer: HttpResponse

    def _once(self, *asked: Any) -> HttpResponse:
        target = str(asked[1])
        assert target.startswith(f"{_ADDRESS}/"), target
        return self.answer


def _server(data: bytes) -> _Told:
    said, _, body = data.partition(SPLIT.encode())
    header = said.decode("latin-1").replace("\r", " ").replace("\n", " ")
    server = _Told((_ADDRESS,))
    server.answer = HttpResponse(one_of(_STATUSES, data), dict.fromkeys(_NAMES, header), body, NOW)
    return server


_ANSWERS = [
    (
        f'Sun, 22 Nov 2026 07:00:00 GMT{SPLIT}{{"data":{{"data":{_VALUE},"metadata":{{"version":2,'
        '"created_time":"2026-11-22T06:00:00.123456789Z"}}}'
    ),
    f'{SPLIT}{{"errors":["1 error occurred: permission denied"]}}',
    f'1{SPLIT}{{"data":{{"type":"kv","options":{{"version":"2"}},"version":3}}}}',
    f'https://bao.example/v1/a{SPLIT}{{"errors":["{MARK}"]}}',
]


@target("fleet_kv", _WORDS, _ANSWERS)
def _kv(data: bytes) -> None:
    server = _server(data)
    kv = KvEngine(server, Access(server, None), "fleet", "login/ci/a")
    try:
        found = kv.read()
        assert not found.version or int(found.version) > 0
        assert found.value is None or isinstance(found.value, dict)
        assert found.age is None or found.age >= 0
        assert MARK not in repr(found)
    except EngineError as error:
        told(error)
    try:
        kv.write({"a": 1}, "1")
    except EngineError as error:
        told(error)


@target(
    "fleet_login", _WORDS,
    [f'{SPLIT}{{"auth":{{"client_token":"{MARK}","lease_duration":60,"renewable":true}}}}'],
)  # fmt: skip
def _login(data: bytes) -> None:
    server = _server(data)
    who = Access(server, Login("jwt", "worker", lambda: Secret(MARK), "the CI"))
    try:
        token = who.token()
        assert token is not None
        assert token.fits_a_header
        who.keep_alive()
    except EngineError as error:
        told(error)


@target("fleet_value", _WORDS, [_VALUE])
def _value(data: bytes) -> None:
    try:
        kept = json.loads(data)
    except (ValueError, RecursionError):
        return
    login = value.login(kept if isinstance(kept, dict) else None)
    if login is None:
        return
    renewal.lives(login, NOW)
    renewal.due()(login, NOW)
    for text in (login.dead, login.failed, *(mark.who for mark in (login.claim,) if mark)):
        assert all(each.isprintable() for each in text)
    claimed = value.login(login.claimed(Mark("m", "n", 60.0)))
    assert claimed is not None
    assert claimed.is_same(login)
    assert claimed.claim is not None
    renewed = value.login(claimed.renewed(login.entry))
    assert renewed is not None
    assert (renewed.gen, renewed.claim) == (login.gen + 1, None)
    assert value.gen_of(value.access(renewed)) == renewed.gen


@target("fleet_journal", _WORDS, [(f'{{"spent":"{MARK}","gen":1,"entry":{_ENTRY},"problem":"",'
                                  '"life":3600.0}')])  # fmt: skip
def _journal(data: bytes) -> None:
    try:
        record = _record(data.decode(errors="surrogateescape"), "journal")
    except StoreError as error:
        told(error)
    else:
        assert MARK not in repr(record.spent)
