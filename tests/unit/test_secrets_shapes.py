"""Each shape of a secret, to the letter."""

from __future__ import annotations

import json
from base64 import b64encode

import pytest

from credlatch import url as urls
from credlatch.credential import AccessKey, Basic, Bearer, Credential, Secret, Token
from credlatch.secrets.shapes import GIT, SHAPES, made, needs_login

URL = "https://pypi.example.com/team/simple/"
BASIC = Basic("bob", Secret("p@ss word"))
BEARER = Bearer(Secret("t0k.en"))
CONDA = Token(Secret("tk0"), "X-API-Key")
ANACONDA = Token(Secret("tk0"), "Authorization", "token")
REFRESH = Basic("<token>", Secret("r3fresh"))


def shaped(shape: str, credential: Credential, url: str = URL, index: str = "") -> str:
    return made(shape, credential, urls.parse(url), index).reveal()


def encoded(text: str) -> str:
    return b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("shape", "credential", "expected"),
    [
        ("token", BEARER, "t0k.en"),
        ("token", BASIC, "p@ss word"),
        ("password", BEARER, "t0k.en"),
        ("user", BEARER, "__token__"),
        ("user", BASIC, "bob"),
        ("header", BEARER, "Authorization: Bearer t0k.en"),
        ("header", BASIC, f"Authorization: Basic {encoded('bob:p@ss word')}"),
        ("header", CONDA, "X-API-Key: tk0"),
        ("authorization", BEARER, "Bearer t0k.en"),
        ("authorization", ANACONDA, "token tk0"),
        ("authorization", Token(Secret("tk0"), "authorization"), "tk0"),
        (GIT, BEARER, f"Basic {encoded('oauth2:t0k.en')}"),
        (GIT, BASIC, f"Basic {encoded('bob:p@ss word')}"),
        ("url", BEARER, "https://__token__:t0k.en@pypi.example.com/team/simple/"),
        ("url", BASIC, "https://bob:p%40ss%20word@pypi.example.com/team/simple/"),
        ("netrc", BEARER, "machine pypi.example.com\nlogin __token__\npassword t0k.en\n"),
        ("netrc", BASIC, 'machine pypi.example.com\nlogin bob\npassword "p@ss word"\n'),
        (
            "pip.conf",
            BASIC,
            "[global]\nindex-url = https://bob:p%40ss%20word@pypi.example.com/team/simple/\n",
        ),
        (
            "uv.env",
            BEARER,
            "export UV_DEFAULT_INDEX=https://__token__:t0k.en@pypi.example.com/team/simple/\n",
        ),
        (".npmrc", BEARER, "//pypi.example.com/team/simple/:_authToken=t0k.en\n"),
        (".npmrc", BASIC, f"//pypi.example.com/team/simple/:_auth={encoded('bob:p@ss word')}\n"),
    ],
)  # fmt: skip
def test_a_text(shape: str, credential: Credential, expected: str) -> None:
    assert shaped(shape, credential) == expected


@pytest.mark.parametrize(
    ("shape", "credential", "expected"),
    [
        (
            "config.json",
            BASIC,
            {"auths": {"pypi.example.com": {"auth": encoded("bob:p@ss word")}}},
        ),
        (
            "config.json",
            REFRESH,
            {
                "auths": {
                    "pypi.example.com": {"auth": encoded("<token>:"), "identitytoken": "r3fresh"}
                }
            },
        ),
        (
            "credentials.json",
            BASIC,
            {"pypi.example.com": {"BasicHTTP": {"username": "bob", "password": "p@ss word"}}},
        ),
        ("credentials.json", BEARER, {"pypi.example.com": {"BearerToken": "t0k.en"}}),
        ("credentials.json", CONDA, {"pypi.example.com": {"CondaToken": "tk0"}}),
        ("credentials.json", ANACONDA, {"pypi.example.com": {"CondaToken": "tk0"}}),
    ],
)  # fmt: skip
def test_a_document(shape: str, credential: Credential, expected: object) -> None:
    assert json.loads(shaped(shape, credential)) == expected


@pytest.mark.parametrize(
    ("url", "user"),
    [
        ("https://git.example.com/app.git", "oauth2"),
        ("https://bitbucket.org/team/app.git", "x-token-auth"),
        ("https://bot@git.example.com/app.git", "bot"),
        ("https://bot@bitbucket.org/team/app.git", "bot"),
    ],
)
def test_git_gets_a_token_with_the_user_that_the_server_wants_as_from_our_helper(
    url: str, user: str
) -> None:
    assert shaped(GIT, BEARER, url) == f"Basic {encoded(f'{user}:t0k.en')}"
    assert shaped(GIT, BASIC, url) == f"Basic {encoded('bob:p@ss word')}"


def test_what_ends_a_key_or_a_variable_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot hold"):
        shaped(".npmrc", BEARER, "https://npm.example.com/a=b/")
    with pytest.raises(ValueError, match="NUL"):
        shaped("uv.env", Basic("bob", Secret("a\0b")), index="x")


def test_docker_hub_has_its_own_key() -> None:
    config = json.loads(shaped("config.json", BASIC, "https://docker.io/"))
    assert list(config["auths"]) == ["https://index.docker.io/v1/"]


def test_a_port_belongs_to_dockers_and_npms_names_and_not_to_netrcs_and_rattlers() -> None:
    url = "https://pypi.example.com:8443/simple"
    assert '"pypi.example.com:8443"' in shaped("config.json", BASIC, url)
    assert shaped(".npmrc", BEARER, url).startswith("//pypi.example.com:8443/simple/:")
    assert shaped("netrc", BASIC, url).startswith("machine pypi.example.com\n")
    assert '{"pypi.example.com":' in shaped("credentials.json", BASIC, url)


def test_an_index_of_uvs_gets_a_login_of_its_own_and_the_shell_nothing_to_run() -> None:
    login = Basic("bob", Secret("it's $(rm)"))
    assert shaped("uv.env", login, index="my-team.1") == (
        "export UV_INDEX_MY_TEAM_1_USERNAME=bob\n"
        "export UV_INDEX_MY_TEAM_1_PASSWORD='it'\"'\"'s $(rm)'\n"
    )


@pytest.mark.parametrize(
    ("password", "word"),
    [
        ("plain#not", '"plain#not"'),
        ('q"uote', '"q\\"uote"'),
        ("back\\slash", '"back\\\\slash"'),
        ("ünï", '"ünï"'),
        ("", '""'),
    ],
)
def test_netrc_quotes_what_it_must(password: str, word: str) -> None:
    assert f"password {word}\n" in shaped("netrc", Basic("bob", Secret(password)))


@pytest.mark.parametrize(
    ("shape", "credential", "said"),
    [
        ("token", REFRESH, "identity token"),
        ("netrc", REFRESH, "identity token"),
        ("url", REFRESH, "identity token"),
        ("header", REFRESH, "identity token"),
        ("authorization", CONDA, "travels as X-API-Key"),
        ("netrc", Basic("bob", Secret("two\nlines")), "character that netrc cannot hold"),
        (".npmrc", Bearer(Secret("${HOME}")), "character that .npmrc cannot hold"),
        (".npmrc", Bearer(Secret("a;b")), "character that .npmrc cannot hold"),
        ("config.json", Basic("a:b", Secret("pw0")), "colon"),
        ("credentials.json", Token(Secret("tk0"), "PRIVATE-TOKEN"), "no form for it"),
        ("credentials.json", Token(Secret("Basic x"), "authorization"), "no form for it"),
        ("credentials.json", AccessKey("AK", Secret("k3y")), "no form for it"),
        ("header", Bearer(Secret("a\r\nX: y")), "control or non-ASCII character"),
        (GIT, Basic("a:b", Secret("pw0")), "colon"),
        ("token", AccessKey("AK", Secret("k3y")), "S3 key"),
    ],
)
def test_what_does_not_go_is_said_without_the_secret(
    shape: str, credential: Credential, said: str
) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        shaped(shape, credential)
    assert said in str(caught.value)
    assert credential.secret.reveal() not in str(caught.value)


def test_only_headers_do_without_a_login() -> None:
    assert {shape for shape in SHAPES if not needs_login(shape)} == {"header", "authorization"}
    assert needs_login(GIT)
