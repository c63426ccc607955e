"""The frozen program has the SDKs of clouds, which a process of its own is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from support.program import Program


def test_each_form_answers_for_aws_s_sdk(each_form: Program) -> None:
    home = each_form.home
    home.write(".aws/credentials", "[p]\naws_access_key_id = AK\naws_secret_access_key = SK\n")
    assert each_form("sdk", "aws", stdin=b'{"profile": "p"}').json() == {
        "access_key": "AK",
        "secret_key": "SK",
        "token": None,
        "expires": None,
        "method": "shared-credentials-file",
    }


def test_each_form_speaks_to_aws_s_token_service(each_form: Program) -> None:
    # botocore's description of that service is read, its answer would be XML, and nobody listens.
    each_form.home.env["AWS_ENDPOINT_URL"] = "https://127.0.0.1:1"
    text = "[default]\nrole_arn = arn:aws:iam::123456789012:role/x\nsource_profile = b\n"
    keys = "[b]\naws_access_key_id = AK\naws_secret_access_key = SK\n"
    each_form.home.write(".aws/credentials", text + keys)
    said = each_form("sdk", "aws", stdin=b"{}").json()
    assert said["error"] == "transient"
    assert "AWS did not answer (Could not connect" in said["message"]
