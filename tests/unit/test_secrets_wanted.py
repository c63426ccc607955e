"""What the command line says about secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from credlatch.errors import UsageError
from credlatch.secrets import wanted

if TYPE_CHECKING:
    from credlatch.secrets.wanted import Wanted


def parts(secret: Wanted) -> tuple[str, str, str, str]:
    return secret.id, secret.url.text, secret.shape, secret.index


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("id=t,url=https://h.example/a,as=netrc", ("t", "https://h.example/a", "netrc", "")),
        ("as=token,url=h.example,id=t", ("t", "https://h.example/", "token", "")),
        ("id=t,url=https://h.example", ("t", "https://h.example/", "token", "")),
        ("id=t,url=https://h.example/?a=b", ("t", "https://h.example/?a=b", "token", "")),
        ("id=t,url=http://127.0.0.1:80/", ("t", "http://127.0.0.1/", "token", "")),
        ("id=a.b-c_D:1,url=h.example", ("a.b-c_D:1", "https://h.example/", "token", "")),
        (
            "id=u,url=h.example,as=uv.env,index=my-team.1",
            ("u", "https://h.example/", "uv.env", "my-team.1"),
        ),
    ],
)
def test_a_secret_is_named_by_its_fields(text: str, expected: tuple[str, str, str, str]) -> None:
    found = wanted.secret(text)
    assert parts(found) == expected
    assert not found.in_environment


def test_a_user_in_the_url_counts_and_a_password_there_does_not_nor_is_it_said() -> None:
    url = wanted.secret("id=t,url=https://bob:pw@h.example/").url
    assert (url.username, url.text) == ("bob", "https://h.example/")
    with pytest.raises(UsageError) as caught:
        wanted.secret("id=t,url=https://bob:hunter2@h..example/")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no field ''"),
        ("token", "no field 'token'"),
        ("id=t,src=/x", "no field 'src'"),
        ("url=h.example", "has no id="),
        ("id=t", "has no url="),
        ("id=t,id=u,url=h.example", "'id' of a secret stands there twice"),
        ("id=,url=h.example", "'id' of a secret stands there twice, or empty"),
        ("id=t,url=h.example,as=jwt", "as=jwt: there is no such shape; there are token, "),
        ("id=t,url=h.example,as=git", "as=git: there is no such shape"),
        ("id=../t,url=h.example", "'../t' cannot be a file's name"),
        ("id=.t,url=h.example", "cannot be a file's name"),
        (f"id={'t' * 201},url=h.example", "cannot be a file's name"),
        ("id=t t,url=h.example", "cannot be a file's name"),
        ("id=t,url=h.example,index=x", "goes with as=uv.env"),
        ("id=t,url=h.example,as=uv.env,index=x$y", "goes with as=uv.env"),
        ("id=t,url=http://h.example/", "plain http"),
        ("id=t,url=ftp://h.example/", "scheme is 'ftp'"),
        ("id=t,url=s3://bucket/", "no server's URL"),
        ("id=t,url=https://*.h.example/", "no server's URL"),
        ("id=t,url=https://h..example/", "no host"),
        ("id=t,url=h", "not absolute"),
    ],
)
def test_what_is_wrong_with_one_is_said(text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        wanted.secret(text)
    assert said in str(caught.value)


def test_a_variable_is_named_by_its_id() -> None:
    found = wanted.variable("id=PIP_INDEX_URL,url=h.example,as=url")
    assert parts(found) == ("PIP_INDEX_URL", "https://h.example/", "url", "")
    assert found.in_environment


@pytest.mark.parametrize("name", ["a-b", "1a", "a.b", "a:b"])
def test_what_no_variable_can_be_called_is_said(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        wanted.variable(f"id={name},url=h.example")
    assert "cannot be a variable's name" in str(caught.value)


@pytest.mark.parametrize(
    ("host", "name", "url"),
    [
        ("h.example", "HTTP_AUTH_HEADER_h.example", "https://h.example/"),
        ("h.example:8443", "HTTP_AUTH_HEADER_h.example", "https://h.example:8443/"),
        ("https://H.example/a", "HTTP_AUTH_HEADER_H.example", "https://h.example/a"),
        ("https://bob@h.example:443?b", "HTTP_AUTH_HEADER_h.example", "https://h.example/?b"),
        ("[::1]", "HTTP_AUTH_HEADER_::1", "https://[::1]/"),
        (
            "bücher.example",
            "HTTP_AUTH_HEADER_xn--bcher-kva.example",
            "https://xn--bcher-kva.example/",
        ),
        ("http://[::1]:80", "HTTP_AUTH_HEADER_::1", "http://[::1]/"),
        ("intranet", "HTTP_AUTH_HEADER_intranet", "https://intranet/"),
    ],
)
def test_buildkit_names_a_host_for_http_without_its_port(host: str, name: str, url: str) -> None:
    assert parts(wanted.for_http(host)) == (name, url, "authorization", "")


@pytest.mark.parametrize(
    ("host", "name", "url"),
    [
        ("git.example", "GIT_AUTH_HEADER.git.example", "https://git.example/"),
        ("git.example:8443", "GIT_AUTH_HEADER.git.example:8443", "https://git.example:8443/"),
        ("https://Git.example:443/x", "GIT_AUTH_HEADER.Git.example:443", "https://git.example/x"),
        ("https://bob@git.example/x", "GIT_AUTH_HEADER.git.example", "https://git.example/x"),
        ("http://[::1]:8080", "GIT_AUTH_HEADER.[::1]:8080", "http://[::1]:8080/"),
    ],
)
def test_buildkit_names_a_host_for_git_with_its_port(host: str, name: str, url: str) -> None:
    assert parts(wanted.for_git(host)) == (name, url, "git", "")


@pytest.mark.parametrize("host", ["", "h example", "http://h.example", "*.h.example"])
def test_what_is_no_host_is_said(host: str) -> None:
    for make in (wanted.for_http, wanted.for_git):
        with pytest.raises(UsageError):
            make(host)
