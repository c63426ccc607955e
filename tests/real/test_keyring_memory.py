"""A call that reads the keyring, with all the libraries which that takes, stays small too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.peak import MEBIBYTE, peak

if TYPE_CHECKING:
    from support.program import Program
    from support.secret_service import SecretService

HOST = "packages.example.com"


def test_a_get_from_the_keyring_takes_less_than_40_mb(
    each_form: Program, secret_service: SecretService
) -> None:
    attributes = {"service": "rattler", "username": HOST}
    secret_service.add(f"keyring:{HOST}@rattler", attributes, '{"BearerToken":"made-up"}')
    assert peak(each_form, HOST) < 40 * MEBIBYTE
