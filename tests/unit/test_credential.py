"""A credential gives its headers and its login, and never shows itself."""

from __future__ import annotations

import base64
import copy
import pickle
import traceback

import pytest

from credlatch.auth import TokenResponse
from credlatch.auth.oauth import OAuthRefresh
from credlatch.auth.posit import PositIdentity
from credlatch.auth.pyx import PyxApiKey, PyxRefresh
from credlatch.credential import AccessKey, Basic, Bearer, Credential, Secret, Token

TEXT = "hunter2"
SECRET = Secret(TEXT)
ALL: list[Credential] = [
    Basic("bob", SECRET),
    Bearer(SECRET),
    Token(SECRET),
    AccessKey("AK", SECRET),
]


def test_a_secret_prints_as_four_stars_wherever_it_is_printed() -> None:
    shown = [str(SECRET), repr(SECRET), f"{SECRET}", f"{SECRET!r:>9}", f"{SECRET:>9}"]
    shown += [f"{[SECRET]}", f"{ {'k': SECRET} }", "%s %r" % (SECRET, SECRET)]  # noqa: UP031
    assert all("****" in text and TEXT not in text for text in shown)


def test_a_secret_is_given_only_by_reveal_and_is_not_pickled_nor_copied_that_way() -> None:
    assert SECRET.reveal() == TEXT
    assert not hasattr(SECRET, "__dict__")
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError):
            pickle.dumps(SECRET, protocol)
    with pytest.raises(TypeError):
        pickle.dumps(ALL[0])
    with pytest.raises(TypeError):
        copy.deepcopy(SECRET)


def test_equal_secrets_are_one() -> None:
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2
    assert Secret("a") != "a"
    assert bool(Secret("a"))
    assert not Secret("")


@pytest.mark.parametrize("credential", ALL, ids=repr)
def test_a_credential_does_not_show_its_secret(credential: Credential) -> None:
    assert TEXT not in f"{credential!r}{credential}"
    assert "bob" not in repr(credential)


def test_a_grant_does_not_show_its_secret() -> None:
    grants = [
        OAuthRefresh(SECRET, "https://a.example", "client", "advice"),
        *(kind(SECRET, "https://a.example", "") for kind in (PyxRefresh, PyxApiKey, PositIdentity)),
        TokenResponse(SECRET, SECRET, 0),
    ]
    assert [grant for grant in grants if TEXT in repr(grant)] == []


@pytest.mark.parametrize("bad", ["\n", "\x00"])
def test_a_traceback_with_all_its_variables_does_not_show_it(bad: str) -> None:
    credential = Bearer(Secret(TEXT + bad))
    with pytest.raises(ValueError, match="control") as raised:
        credential.headers()
    shown = "".join(traceback.format_exception(raised.value))
    frames = [frame for frame, _ in traceback.walk_tb(raised.value.__traceback__)]
    assert TEXT not in shown
    assert "Bearer(****)" in {repr(frame.f_locals.get("self")) for frame in frames}


def header(username: str, password: str) -> str:
    (value,) = Basic(username, Secret(password)).headers().values()
    return value


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("bob", "pw"),
        ("bob", ""),
        ("", "pw"),
        ("jürgen", "pä§ 漢"),
        ("bob", "with:colon"),
        ("bob", "CR\r\nLF"),  # the encoding keeps it out of the header
        ("bob", "x" * 60_000),  # in one line, unlike MIME's base64
    ],
)
def test_basic_is_the_base64_of_the_pair_in_utf_8(username: str, password: str) -> None:
    value = header(username, password)
    assert value.startswith("Basic ")
    assert value.isprintable()
    assert base64.b64decode(value[6:], validate=True).decode() == f"{username}:{password}"


@pytest.mark.parametrize(
    ("username", "password", "why"),
    # JSON can say "\ud800"; there is no UTF-8 for it.
    [("bob:by", "pw", "RFC 7617"), ("bob", "\ud800", "surrogates"), ("\ud800", "", "surrogates")],
)
def test_what_basic_cannot_say_has_no_header(username: str, password: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        header(username, password)


def test_an_identity_token_is_no_header_but_docker_gets_it() -> None:
    identity = Basic("<token>", SECRET)
    with pytest.raises(ValueError, match="identity token"):
        identity.headers()
    assert identity.login("registry.example") == ("<token>", SECRET)


def test_a_token_travels_verbatim() -> None:
    assert Bearer(Secret("a b+/=~")).headers() == {"Authorization": "Bearer a b+/=~"}
    anaconda = Token(Secret("t"), "Authorization", "token")
    assert anaconda.headers() == {"Authorization": "token t"}
    assert Token(Secret("t"), "X-API-Key").headers() == {"X-API-Key": "t"}


@pytest.mark.parametrize(
    ("token", "why"),
    [
        *(
            (token, "control or non-ASCII")
            for token in ("a\rb", "a\nb", "a\r\nX-Injected: yes", "a\tb", "a\x00", "\x7f", "é")
        ),
        *((token, "control or non-ASCII") for token in ("a\u2028b", "\ud800")),
        *((token, "empty") for token in ("", " ", "   ")),
    ],
)
def test_a_token_that_is_empty_or_could_write_headers_of_its_own_is_refused(
    token: str, why: str
) -> None:
    for credential in (Bearer(Secret(token)), Token(Secret(token), "X-API-Key")):
        for served in (credential.headers, lambda: credential.login("")):  # noqa: B023 - at once
            with pytest.raises(ValueError, match=why) as raised:
                served()
            assert token.strip(" ") == "" or token not in str(raised.value)
    with pytest.raises(ValueError, match=why):
        Basic("<token>", Secret(token)).login("")


@pytest.mark.parametrize("name", ["", "X Y", "X:", "X\r\nY", "é", "X\0", "(x)", '"x"'])
def test_a_header_s_name_is_one_of_http_s(name: str) -> None:
    with pytest.raises(ValueError, match="RFC 9110"):
        Token(SECRET, name).headers()


def test_a_login_has_a_user_name_or_a_password() -> None:
    for username, password in (("key-as-user-name", ""), ("", "p")):
        assert header(username, password)
        assert Basic(username, Secret(password)).login("") == (username, Secret(password))
    for credential in (*ALL, Basic("k", Secret("")), Basic("", Secret("p"))):
        credential.check()
    with pytest.raises(ValueError, match="neither"):
        Basic("", Secret("")).check()


def test_a_password_is_any_text(  # but no half of a character
) -> None:
    assert Basic("b\u00f6b", Secret("a\r\n\0")).login("")[1].reveal() == "a\r\n\0"
    with pytest.raises(ValueError, match="surrogates"):
        Basic("bob", Secret("\udcff")).login("")


@pytest.mark.parametrize(
    ("host", "username"),
    [
        ("europe-docker.pkg.dev", "oauth2accesstoken"),
        ("pkg.dev", "oauth2accesstoken"),
        ("evilpkg.dev", "__token__"),
        ("pkg.dev.example", "__token__"),
        ("registry.example", "__token__"),
        ("", "__token__"),
    ],
)
def test_a_token_is_the_password_of_the_user_that_its_registry_wants(
    host: str, username: str
) -> None:
    assert Bearer(SECRET).login(host) == (username, SECRET)
    assert Basic("a:b", SECRET).login(host) == ("a:b", SECRET)


def test_an_s3_key_is_neither_header_nor_login_and_says_so() -> None:
    with pytest.raises(ValueError, match="signs requests"):
        AccessKey("AK", SECRET).headers()
    with pytest.raises(ValueError, match="no login"):
        AccessKey("AK", SECRET).login("bucket")
