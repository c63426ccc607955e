"""What a rule may say of an identity token and of its exchange, and what is refused."""

from __future__ import annotations

import msgspec
import pytest

from credlatch.rules.exchange import PRESETS, Exchange, Identity

URL = "https://tokens.example.com/token"
GIVEN = {"artifactory": {"provider_name": "gh"}, "cloudsmith": {"service_slug": "bot"}}


@pytest.mark.parametrize("kind", PRESETS)
def test_every_kind_needs_a_url_and_what_its_servers_want_besides_and_no_more(kind: str) -> None:
    given = GIVEN.get(kind, {})
    said = msgspec.convert({"kind": kind, "url": URL, "fields": given}, Exchange)
    assert said.constant == {**PRESETS[said.kind].fields, **given}
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"kind": kind, "fields": given}, Exchange)
    if given:
        with pytest.raises(msgspec.ValidationError, match=next(iter(given))):
            msgspec.convert({"kind": kind, "url": URL}, Exchange)


def test_a_rule_has_its_own_names_of_fields_and_leaves_out_what_is_empty() -> None:
    said = Exchange(
        url=URL, fields={"subject_token_type": "", "scope": "a b"}, subject="assertion", json=True
    )
    assert said.subject_field == "assertion"
    assert said.sends_json
    assert set(said.constant) == {"grant_type", "scope"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "http://tokens.example.com/token"},
        {"url": "http://127.0.0.1.example.com/token"},
        {"url": "http://169.254.169.254/token"},
        {"url": "s3://bucket/token"},
        {"url": "https://*.example.com/token"},
        {"url": "https://user:password@tokens.example.com/token"},
        {"url": "tokens.example.com"},
        {"url": ""},
        {"url": URL, "kind": "unknown"},
        {"url": URL, "fields": {"subject_token": "mine"}},
        {"url": URL, "fields": {"scope": 1}},
        {"url": URL, "subject": ""},
        {"url": URL, "answer": ""},
        {"url": URL, "audience": "it is the rule's"},
    ],
)
def test_what_could_send_an_identity_elsewhere_or_is_misspelt_is_refused(
    wrong: dict[str, object],
) -> None:
    with pytest.raises(msgspec.ValidationError) as raised:
        msgspec.convert(wrong, Exchange)
    assert "password" not in str(raised.value)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/t", "http://[::1]:1/t", "http://localhost/t"])
def test_plain_http_is_for_this_machine(url: str) -> None:
    assert Exchange(url=url).server().scheme == "http"


@pytest.mark.parametrize(
    "wrong",
    [
        {"ci": "jenkins"},
        {"ci": "github", "file": "/token"},
        {"file": "/token", "variable": "TOKEN"},
        {"file": ""},
        {"variable": ""},
        {"ci": "github", "connection": "1"},
        {"connection": "1"},
        {"path": "/token"},
    ],
)
def test_an_identity_comes_from_one_place(wrong: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, Identity)
    assert msgspec.convert({"ci": "azure", "connection": "1"}, Identity).connection == "1"
