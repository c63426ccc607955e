"""Docker's protocol, by its bytes."""

from __future__ import annotations

import pytest

from credlatch import url as urls
from credlatch.credential import Basic, Bearer, Secret
from credlatch.errors import RequestError
from credlatch.protocols import docker
from credlatch.resolve import Resolution
from credlatch.stores import Entry

# docker-credential-helpers compares these as a whole: they are part of the protocol.
NOT_FOUND = "credentials not found in native keychain"
NO_SERVER_URL = "no credentials server URL"
NO_USERNAME = "no credentials username"


def test_the_three_texts_of_the_wire() -> None:
    assert docker.NOT_FOUND == NOT_FOUND
    assert docker.NO_SERVER_URL == NO_SERVER_URL
    assert docker.NO_USERNAME == NO_USERNAME


@pytest.mark.parametrize(
    ("stdin", "key"),
    [
        (b"registry.example", "registry.example"),
        (b"registry.example:5000\n", "registry.example:5000"),
        (b"https://index.docker.io/v1/\r\n", "https://index.docker.io/v1/"),
        (b"  registry.example \n", "registry.example"),
        (b"my key", "my key"),
        (b"r\xc3\xa9gistre.example", "régistre.example"),
        (b"x" * 100_000, "x" * 100_000),  # the reference helpers fail from 64 KiB
    ],
)
def test_a_key_is_kept_as_it_was_sent(stdin: bytes, key: str) -> None:
    assert docker.parse_key(stdin) == key
    request = docker.parse_get(stdin)
    assert request.keys[0] == key
    assert request.key_first
    assert request.login


@pytest.mark.parametrize(
    ("stdin", "why"),
    [*((stdin, f"^{NO_SERVER_URL}$") for stdin in (b"", b"\n", b" \r\n")), (b"\xff\xfe", "UTF-8")],
)
def test_no_key(stdin: bytes, why: str) -> None:
    for parse in (docker.parse_key, docker.parse_get):
        with pytest.raises(RequestError, match=why):
            parse(stdin)


def test_no_key_is_asked_for_twice() -> None:
    for key in ("registry.example", "https://index.docker.io/v1/", "docker.io", "localhost:5000"):
        keys = docker.parse_get(key.encode()).keys
        assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    ("stdin", "stored"),
    [
        (b'{"ServerURL":"registry.example","Username":"bob","Secret":"pw"}\n',
         ("registry.example", "bob", "pw")),
        # Go escapes < and > for HTML's sake.
        (rb'{"ServerURL":"r.example","Username":"\u003ctoken\u003e","Secret":"identity"}',
         ("r.example", "<token>", "identity")),
        ('{"ServerURL":"https://r.example/v1/","Username":"jürgen","Secret":"p\\"ä\\n"}'.encode(),
         ("https://r.example/v1/", "jürgen", 'p"ä\n')),
        (b'{"Secret":"s","Username":"u","ServerURL":"h","More":[1]}', ("h", "u", "s")),
        # As Go reads it: names in any case, the last of several counts, null changes nothing.
        (b'{"serverurl":"h","USERNAME":"u","secret":"s"}', ("h", "u", "s")),
        (b'{"ServerURL":"h","Username":"a","username":"u","Secret":"s"}', ("h", "u", "s")),
        (b'{"Secret":"a","secret":"b","Secret":"s","ServerURL":"h","Username":"u"}',
         ("h", "u", "s")),
        (b'{"ServerURL":"h","serverURL":null,"Username":"u","Secret":"s"}', ("h", "u", "s")),
        ('{"\u017ferverURL":"h","Username":"u","Secret":"s"}'.encode(), ("h", "u", "s")),
        (b'{"ServerURL":"h","Username":"u","Secret":""}', ("h", "u", "")),
        (b'{"ServerURL":"h","Username":"u"}', ("h", "u", "")),
        (b'{"ServerURL":"h","Username":"u","Secret":"' + b"s" * 500_000 + b'"}',
         ("h", "u", "s" * 500_000)),
    ],
    ids=range(12),
)  # fmt: skip
def test_what_is_to_be_stored(stdin: bytes, stored: tuple[str, str, str]) -> None:
    key, login = docker.parse_store(stdin)
    assert (key, login.username, login.secret.reveal()) == stored


@pytest.mark.parametrize(
    ("stdin", "complaint"),
    [
        (b'{"ServerURL":"","Username":"u","Secret":"s"}', f"^{NO_SERVER_URL}$"),
        (b'{"ServerURL":" ","Username":"u","Secret":"s"}', f"^{NO_SERVER_URL}$"),
        (b'{"Username":"u","Secret":"s"}', f"^{NO_SERVER_URL}$"),
        (b"{}", f"^{NO_SERVER_URL}$"),
        (b'{"ServerURL":"h","Username":"","Secret":"s"}', f"^{NO_USERNAME}$"),
        (b'{"ServerURL":"h","Secret":"s"}', f"^{NO_USERNAME}$"),
        (b"", "not JSON"),
        (b"registry.example", "not JSON"),
        (b'{"ServerURL":"h","Username":"u","Secret":"hunter2"', "not JSON"),
        (b'{"ServerURL":"h","Username":"u","Secret":"hunter2\xff"}', "not UTF-8"),
        (b'["h","u","hunter2"]', "not a JSON object"),
        (b'{"ServerURL":1,"Username":"u","Secret":"hunter2"}', '"ServerURL" is not a string'),
        (b'{"ServerURL":"h","Username":["u"],"Secret":"s"}', '"Username" is not a string'),
        (b'{"ServerURL":"h","Username":"u","Secret":[]}', '"Secret" is not a string'),
        (b'{"ServerURL":"h","Username":null,"Secret":"s"}', f"^{NO_USERNAME}$"),
        (b'{"ServerURL":"h","Username":"u","Secret":"s","secret":1}', '"Secret" is not a string'),
        (rb'{"ServerURL":"h","Username":"u","Secret":"hunter2\ud800"}', '"Secret" is not Unicode'),
    ],
)
def test_what_cannot_be_stored_is_refused_without_repeating_it(
    stdin: bytes, complaint: str
) -> None:
    with pytest.raises(RequestError, match=complaint) as raised:
        docker.parse_store(stdin)
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    ("key", "credential", "answer"),
    [
        ("registry.example", Basic("bob", Secret("pw")),
         b'{"ServerURL":"registry.example","Username":"bob","Secret":"pw"}\n'),
        ("registry.example", Basic("<token>", Secret("identity")),
         b'{"ServerURL":"registry.example","Username":"<token>","Secret":"identity"}\n'),
        ("registry.example", Bearer(Secret("t")),
         b'{"ServerURL":"registry.example","Username":"__token__","Secret":"t"}\n'),
        ("europe-docker.pkg.dev", Bearer(Secret("t")),
         b'{"ServerURL":"europe-docker.pkg.dev","Username":"oauth2accesstoken","Secret":"t"}\n'),
        ('a"key', Basic("jürgen", Secret("\r\n")),
         b'{"ServerURL":"a\\"key","Username":"j\\u00fcrgen","Secret":"\\r\\n"}\n'),
    ],
)  # fmt: skip
def test_an_answer(key: str, credential: Basic | Bearer, answer: bytes) -> None:
    url = urls.parse(f"https://{key}") if '"' not in key else None
    assert (
        docker.render_get(
            key, Resolution(credential, url, None, "store", Entry(credential, "a test"))
        )
        == answer
    )


def test_the_list_is_keys_and_user_names_in_order() -> None:
    assert docker.render_list({}) == b"{}\n"
    names = {"https://index.docker.io/v1/": "bob", "a.example": 'j"é'}
    expected = b'{"a.example":"j\\"\\u00e9","https://index.docker.io/v1/":"bob"}\n'
    assert docker.render_list(names) == expected


def test_the_usage_names_every_action() -> None:
    assert all(action in docker.USAGE for action in docker.ACTIONS)
    assert "\n" not in docker.USAGE
