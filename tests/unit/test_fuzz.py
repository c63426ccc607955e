"""Every parser, given what chance makes of its own grammar: tests/fuzz has what must hold.

The same cases each time; ``./dev fuzz`` tries a million others of each.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants

from fuzz import TARGETS, Target

CASES = 60
EDITS = 4
LONGEST = 24  # words


# What was found once, at length.
ISSUED = b'{"token":"x","issued_at":"2026-11-22T00:00:00Z"}'
S3_KEY = (
    b'{"s3://bucket":{"S3Credentials":{"access_key_id":"A","secret_access_key":"a\\ud800",'
    b'"session_token":null}}}'
)
OPENID = (
    b'{"issuer":"https://sso.example","token_endpoint":"https://sso.example/token",'
    b'"scopes_supported":["openid"],"authorization_endpoint":"https://%s"}'
)
STATE = b"s" * 43
FOUND = [
    ("login_metadata", OPENID % b"sso.example/#uth"),
    ("login_metadata", OPENID % b"]0@0.@mple/auth"),
    ("login_metadata", OPENID % b"]0@[.@mple/auth"),
    (
        "login_callback",
        b"GET /?code=c&state=" + STATE + b" HTTP/1.1\r\n\nhost:127.0.0.1:8000\r\n\r\n",
    ),
    (
        "client_cargo",
        b'{"v":1,"registry":{"index-url":"https://h.example/i"},"kind":"ps://s3cr3tMARK"}',
    ),
    ("block_yaml", b"a: \t\nb: c"),
    ("block_yaml", b"a: 'r\nh:: true'"),
    ("block_yaml", b"susers:: '\\|\\1\\{\\'#'"),
    ("dates", b"13 Mar 99999999999999999999 15:47 GMT"),
    ("dates", b"Sun, 99999999999999999999 Nov 2026 07:00:00 GMT"),
    ("store_env_ado_token", b"\x80"),
    ("store_chain", b'{"docker":{"*":"/nonexistent\\ud800"}}'),
    ("store_chain", b'{"docker":{"*":"/nonexistent\\u0000"},"bazel":{"*":"/a\\u0000"}}'),
    ("store_pixi_override", b'authentication-override-file = "/a\\u0000"'),
    ("agent_asked", b"1 99999999999999999999"),
    ("challenges", b"NT,="),
    ("format_bazelrc", b"#\\"),
    ("format_bazelrc", b"common --credential_helper /a --credential_helper= "),
    ("format_bazelrc", b"build --credential_helper=*.example=/old'\r\n"),
    ("format_bazelrc", b"build --credential_helper=\\=/y=/z"),
    ("format_bazelrc", b"common --credential_helper --credential_helper --z\n"),
    (
        "format_bazelrc",
        b"a --credential_helper=/a\nb --credential_helper=/b\n --credential_helper=/a",
    ),
    ("aws_ini", b"[a]\naws_access_key_id: A\n"),
    ("aws_ini", b"[a\r]\naws_access_key_id = A\n"),
    ("aws_ini", b"[a]\nx = 1\x0c[b]\naws_access_key_id = A\n"),
    ("store_rattler_s3", S3_KEY),
    ("store_env_s3_secret", b"\x80"),
    ("block_yaml", b"true #:"),
    ("block_yaml", b"a\t# b: c"),
    ("block_yaml", b"\r- users:"),
    ("block_yaml", b"~: x"),
    ("toml_tables", b'[[credential]]\ntoken = "h.example"\n\r\n[[credential]]\nscheme = "b"\n'),
    ("registry_keys", b"http://localhost"),
    ("netrc", b"machine h.EXAMPLE. login bob password x\n"),
    ("timeout", b"1e-20"),
    ("format_go", b"GOAUTH=o\nGOAUTH=\nG"),
    ("server_registry_login", b"Sun, 99999999999999999999 Nov 2026 07:00:00 GMT\x1f" + ISSUED),
]


@pytest.fixture(autouse=True)
def the_same_cases(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would take numbers and texts of the modules, too, that are imported by then."""
    monkeypatch.setattr(providers, "_get_local_constants", Constants)
    providers.CONSTANTS_CACHE.cache.clear()


def inputs(chosen: Target) -> st.SearchStrategy[bytes]:
    """Words of its grammar in any order, with others between them; or a good input, edited."""
    word = st.one_of(
        st.sampled_from(chosen.words), st.text(max_size=4).map(_encoded), st.binary(max_size=3)
    )
    words = st.lists(word, max_size=LONGEST).map(b"".join)
    edit = st.tuples(st.floats(0, 1), st.sampled_from((0, 0, 1, 3, 30)), word)
    edits = st.lists(edit, max_size=EDITS)
    return st.one_of(words, st.builds(_edited, st.sampled_from(chosen.seeds), edits))


def _encoded(text: str) -> bytes:
    return text.encode(errors="surrogatepass")


def _edited(seed: bytes, edits: list[tuple[float, int, bytes]]) -> bytes:
    for where, cut, word in edits:
        at = int(where * len(seed))
        seed = seed[:at] + word + seed[at + cut :]
    return seed


@pytest.mark.parametrize(("name", "data"), FOUND)
def test_what_was_found_once_is_found_no_more(name: str, data: bytes) -> None:
    TARGETS[name].check(data)


@pytest.mark.parametrize("name", TARGETS)
def test_what_must_hold_for_every_input_holds(name: str) -> None:
    @settings(
        max_examples=CASES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(inputs(TARGETS[name]))
    def holds(data: bytes) -> None:
        TARGETS[name].check(data)

    for seed in TARGETS[name].seeds:
        TARGETS[name].check(seed)
    holds()
