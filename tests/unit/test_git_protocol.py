"""Git's credential protocol, by its bytes (git-credential(1))."""

from __future__ import annotations

import time

import pytest

from credlatch.credential import Basic, Bearer, Credential, Secret, Token
from credlatch.errors import RequestError, StoreError
from credlatch.headers import Headers
from credlatch.protocols import git
from credlatch.resolve import Resolution
from credlatch.stores import Entry
from support.jwt import make_jwt

# As git 2.39 (Debian 12) and git 2.46 write it for one URL.
OLD = b"protocol=https\nhost=git.example\n"
NEW = (
    b"capability[]=authtype\ncapability[]=state\nprotocol=https\nhost=git.example\n"
    b"wwwauth[]=%s realm=\"Git\"\n"
)  # fmt: skip
TOKEN = Bearer(Secret("t"))


@pytest.mark.parametrize(
    ("stdin", "url", "username"),
    [
        (OLD, "https://git.example/", None),
        (OLD + b"\n", "https://git.example/", None),
        (OLD + b"\nhost=other.example\n", "https://git.example/", None),
        (b"protocol=https\r\nhost=git.example\r\n\r\n", "https://git.example/", None),
        (OLD + b"username=bob\n", "https://git.example/", "bob"),
        (OLD + b"username=b@b:x/y%2F\n", "https://git.example/", "b@b:x/y%2F"),
        (OLD + b"username=\n", "https://git.example/", None),
        (OLD + b"path=team/repo.git\n", "https://git.example/team/repo.git", None),
        # Git has decoded it: what is not plain is encoded again.
        (OLD + b"path=my repo?#%.git\n", "https://git.example/my%20repo%3F%23%25.git", None),
        (OLD + b"path=\xff\n", "https://git.example/%FF", None),
        (b"protocol=http\nhost=127.0.0.1:8080\n", "http://127.0.0.1:8080/", None),
        (b"protocol=https\nhost=[::1]:8443\n", "https://[::1]:8443/", None),
        (b"protocol=https\nhost=git.example:443\n", "https://git.example/", None),
        (OLD + b"what=is this\nnone[]=\n", "https://git.example/", None),
        (OLD + b"password=a=b\n", "https://git.example/", None),
    ],
)
def test_what_a_description_is_about(stdin: bytes, url: str, username: str | None) -> None:
    asked = git.parse(stdin)
    assert asked.url is not None
    assert asked.url.text == url
    assert asked.url.username == username


@pytest.mark.parametrize("protocol", [b"smtp", b"imaps", b"cert", b"ssh", b"", b"s3"])
def test_what_is_no_web_server_s_is_not_ours(protocol: bytes) -> None:
    assert git.parse(b"protocol=" + protocol + b"\nhost=a.example\npath=/x\n").url is None


@pytest.mark.parametrize(
    ("stdin", "says"),
    [
        (b"", "no protocol"),
        (b"\n" + OLD, "no protocol"),
        (b"host=git.example\n", "no protocol"),
        (b"protocol=https\n", "no host"),
        (b"protocol=https\nhost=\n", "no host"),
        (b"protocol=https\nhost\n", "without '='"),
        (b"protocol=https\nhost=git.example/evil\n", "no host has"),
        (b"protocol=https\nhost=git.example@evil.example\n", "no host has"),
        (b"protocol=https\nhost=evil.example?.git.example\n", "no host has"),
        (b"protocol=https\nhost=evil.example#.git.example\n", "no host has"),
        (b"protocol=https\nhost=git.example\\x\n", "backslash"),
        (b"protocol=https\nhost=git\rexample\n", "control character"),
        (b"protocol=https\nhost=\xff\n", "host that is not UTF-8"),
        (OLD + b"username=\xff\n", "username that is not UTF-8"),
        (OLD + b"password=hunter2\xff\n", "password that is not UTF-8"),
    ],
)
def test_a_description_that_is_none_is_said_in_a_line(stdin: bytes, says: str) -> None:
    with pytest.raises(RequestError) as raised:
        git.parse(stdin)
    assert says in str(raised.value)
    assert "hunter2" not in str(raised.value)


def test_what_git_has_already() -> None:
    asked = git.parse(OLD + b"username=bob\npassword=a=b c\n")
    assert asked.username == "bob"
    assert asked.password == Secret("a=b c")
    assert (asked.token, asked.ends, asked.given) == (None, False, False)
    assert git.parse(OLD).password is None
    assert git.parse(OLD + b"credential=t\n").token == Secret("t")
    assert git.parse(OLD + b"username=\n").username == ""


@pytest.mark.parametrize(
    ("attribute", "ends"),
    [
        ("password_expiry_utc=4102444800", True),
        ("oauth_refresh_token=r", True),
        ("ephemeral=1", True),
        ("ephemeral=true", True),
        (f"password={make_jwt(int(time.time()) + 3600)}", True),
        (f"password={make_jwt(1)}", True),
        (f"password={make_jwt(None)}", False),
        ("ephemeral=0", False),
    ],
)
def test_a_password_that_ends_is_known_as_one(attribute: str, *, ends: bool) -> None:
    assert git.parse(OLD + b"password=p\n" + attribute.encode() + b"\n").ends is ends


def test_what_we_said_with_the_answer_is_known_again() -> None:
    assert git.parse(OLD + b"state[]=other:x\nstate[]=credlatch:given\n").given
    assert not git.parse(OLD + b"state[]=other:credlatch:given\n").given
    assert not git.parse(OLD + b"state[]=credlatch:given\nstate[]=\n").given


def answered(stdin: bytes, credential: Credential, expires: int | None = None) -> bytes:
    asked = git.parse(stdin)
    found = Resolution(credential, asked.url, expires, "netrc", Entry(credential, "~/.netrc"))
    return git.render(asked, found)


def test_a_login_is_a_user_name_and_a_password_and_its_end_where_it_is_known() -> None:
    login = Basic("bob", Secret("p:ä =w"))
    assert answered(OLD, login) == "username=bob\npassword=p:ä =w\n".encode()
    expected = b"username=oauth2\npassword=t\npassword_expiry_utc=1800000000\n"
    assert answered(OLD, TOKEN, 1_800_000_000) == expected


@pytest.mark.parametrize(
    ("stdin", "username"),
    [
        (OLD, "oauth2"),
        (OLD + b"username=bob\n", "bob"),
        (OLD + b"username=\n", "oauth2"),
        (b"protocol=https\nhost=bitbucket.org\n", "x-token-auth"),
        (b"protocol=https\nhost=bitbucket.org\nusername=bob\n", "bob"),
    ],
)
@pytest.mark.parametrize("token", [TOKEN, Token(Secret("t"), "X-API-Key")])
def test_a_token_is_the_password_of_the_user_that_git_names(
    token: Token, stdin: bytes, username: str
) -> None:
    assert answered(stdin, token) == f"username={username}\npassword=t\n".encode()


STATE = b"state[]=credlatch:given\n"
OURS = b"username=oauth2\npassword=t\n"


def test_a_server_that_wants_a_bearer_gets_one_from_a_git_that_can_and_of_nothing_else() -> None:
    assert answered(NEW % b"Bearer", TOKEN, 1_800_000_000) == (
        b"capability[]=authtype\ncapability[]=state\n" + STATE +
        b"authtype=Bearer\ncredential=t\nephemeral=1\npassword_expiry_utc=1800000000\n"
    )  # fmt: skip
    login = answered(NEW % b"Bearer", Basic("bob", Secret("p")))
    assert login.endswith(b"\nusername=bob\npassword=p\n")
    assert answered(NEW % b"Bearer", Token(Secret("t"), "X-API-Key")).endswith(b"\n" + OURS)


@pytest.mark.parametrize(
    "offer",
    [
        b"Basic",
        b"basic",
        b'Bearer realm="a",Basic',
        b'Bearer authorization_uri="x"\nwwwauth[]=Basic',
        b"Negotiate",
        b'Bearer realm="x"\nwwwauth[]=\nwwwauth[]=Basic',
    ],
)
def test_a_server_that_takes_basic_gets_the_token_as_a_password(offer: bytes) -> None:
    assert answered(NEW % offer, TOKEN) == b"capability[]=state\n" + STATE + OURS


def test_nothing_is_sent_that_git_has_not_announced() -> None:
    asked = OLD + b'wwwauth[]=Bearer realm="x"\n'
    assert answered(asked, TOKEN) == b"username=oauth2\npassword=t\n"
    only_state = b"capability[]=state\n" + asked
    assert b"authtype" not in answered(only_state, TOKEN)
    assert b"state" not in answered(b"capability[]=authtype\n" + asked, TOKEN)


@pytest.mark.parametrize("character", ["\n", "\r", "\0", "\nhost=evil.example"])
@pytest.mark.parametrize("field", ["username", "password"])
def test_a_login_that_could_write_attributes_is_refused(field: str, character: str) -> None:
    fields = {"username": "bob", "password": "hunter2"}
    fields[field] += character
    with pytest.raises(
        StoreError, match=f"~/.netrc cannot .* its {field} has a line break"
    ) as raised:
        answered(OLD, Basic(fields["username"], Secret(fields["password"])))
    assert "hunter2" not in str(raised.value)


def test_a_line_is_as_long_as_git_says_and_no_longer() -> None:
    longest = "x" * (65_535 - len("password=\n"))
    assert longest in answered(OLD, Basic("bob", Secret(longest))).decode()
    with pytest.raises(StoreError, match="65536 bytes"):
        answered(OLD, Basic("bob", Secret(longest + "x")))


def test_the_capabilities_are_announced_as_git_announces_its_own() -> None:
    assert git.CAPABILITIES == b"version 0\ncapability authtype\ncapability state\n"


def test_several_headers_are_the_login_beside_them() -> None:
    login = Basic("gitlab-ci-token", Secret("t"))
    headers = Headers({"JOB-TOKEN": Secret("t")}, login)
    assert answered(OLD + b"username=bob\n", headers) == b"username=gitlab-ci-token\npassword=t\n"
