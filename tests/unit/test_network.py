"""Whether a process may send something for a caller: their network settings are the same."""

from __future__ import annotations

import os

import pytest

from credlatch.system.network import handed_on, same_network, settings

SETTINGS = {
    "HTTPS_PROXY": "http://proxy.example:3128",
    "no_proxy": "localhost",
    "SSL_CERT_FILE": "/etc/ssl/company.pem",
    "RES_OPTIONS": "timeout:1",
}


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name.startswith("SSL_CERT"):
            monkeypatch.delenv(name)
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)


def test_this_process_s_own_environment_and_a_copy_of_it_are_the_same() -> None:
    assert same_network(os.environ)
    assert same_network(dict(os.environ))


def test_a_process_that_is_given_the_settings_is_on_the_same_network(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    environ = {"HOME": "/h", "Http_Proxy": "http://p.example", "SSL_CERT_DIR": "/c", "no_proxy": ""}
    given = settings(environ)
    assert "HOME" not in given
    for name in SETTINGS:
        monkeypatch.delenv(name)
    assert not same_network(environ)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert same_network(environ)


def test_everything_else_may_differ() -> None:
    assert same_network({**SETTINGS, "HOME": "/elsewhere", "PATH": "", "MY_PROXY": "x"})


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("value", [None, "", "other"])
def test_a_setting_that_is_missing_empty_or_other_is_a_difference(
    name: str, value: str | None
) -> None:
    environ = {**SETTINGS, name: value}
    assert not same_network({key: text for key, text in environ.items() if text is not None})


@pytest.mark.parametrize(
    "name",
    [
        "HTTP_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy", "All_Proxy",
        "NO_PROXY", "SSL_CERT_DIR", "OPENSSL_CONF", "HOSTALIASES", "LOCALDOMAIN", "REQUEST_METHOD",
    ],
)  # fmt: skip
def test_a_setting_that_this_process_has_not_is_a_difference(name: str) -> None:
    assert not same_network({**SETTINGS, name: "/x"})


def test_a_process_for_others_has_no_libraries_of_openssl_s_configuration(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    environ = {**SETTINGS, "OPENSSL_CONF": "/a/build/s/openssl.cnf"}
    assert handed_on(environ) == SETTINGS
    monkeypatch.delenv("OPENSSL_CONF", raising=False)
    assert not same_network(environ)


def test_a_relative_path_leads_elsewhere_even_where_the_words_are_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "certs/company.pem")
    assert not same_network(dict(os.environ))
