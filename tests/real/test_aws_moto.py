"""AWS's chain with moto's token and metadata services, which others have written."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import botocore.session
import pytest

from support.aws_servers import ACCOUNT
from support.program import TIMEOUT
from support.started import started

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.home import Home
    from support.program import Program

_MOTO = Path(__file__).resolve().parents[2] / ".scratch" / "tools" / "moto-5.2.5"
_SERVE = "from moto.server import main; main()"
REGISTRY = f"https://{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/v2/a/blobs/sha256:{64 * '0'}"
KEYS = "[base]\naws_access_key_id = AK\naws_secret_access_key = SK\n"
ROLE = f"[profile role]\nrole_arn = arn:aws:iam::{ACCOUNT}:role/Reader\nsource_profile = base\n"


@pytest.fixture(scope="module")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """moto's services; the URL of them all."""
    if not _MOTO.exists():
        pytest.skip("moto is not installed: run ./dev test")
    folder = tmp_path_factory.mktemp("moto")
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(_MOTO)}
    said = folder / "said"
    with said.open("wb") as log:
        words = [sys.executable, "-c", _SERVE, "-H", "127.0.0.1", "-p", "0"]
        with started(words, env=env, cwd=folder, stdout=log, stderr=subprocess.STDOUT) as process:
            deadline = time.monotonic() + TIMEOUT
            while not (found := re.search(r"Running on (http://\S+)", said.read_text())):
                assert process.poll() is None, said.read_text()
                assert time.monotonic() < deadline
                time.sleep(0.1)
            yield found[1]


def whose(moto: str, keys: dict[str, str]) -> str:
    """Whose keys they are, as the token service says."""
    client = botocore.session.Session().create_client(
        "sts",
        region_name="eu-west-1",
        endpoint_url=moto,
        aws_access_key_id=keys["access_key"],
        aws_secret_access_key=keys["secret_key"],
        aws_session_token=keys["token"],
    )
    return str(client.get_caller_identity()["Arn"])


@pytest.fixture
def there(home: Home, moto: str) -> None:
    """moto, in the place of AWS."""
    home.env |= {"AWS_ENDPOINT_URL": moto, "AWS_REGION": "eu-west-1"}


@pytest.mark.usefixtures("there")
def test_a_role_is_assumed(frozen: Program, home: Home, moto: str) -> None:
    home.write(".aws/config", ROLE)
    home.write(".aws/credentials", KEYS)
    keys = frozen("sdk", "aws", stdin=b'{"profile": "role"}').json()
    assert keys["method"] == "assume-role"
    assert time.time() < keys["expires"] <= time.time() + 3700
    assert f"arn:aws:sts::{ACCOUNT}:assumed-role/Reader/" in whose(moto, keys)


@pytest.mark.usefixtures("there")
def test_a_job_s_token_is_exchanged(frozen: Program, home: Home, moto: str) -> None:
    token = home.write("token", "a.jwt.token")
    home.env |= {
        "AWS_ROLE_ARN": f"arn:aws:iam::{ACCOUNT}:role/Job",
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(token),
        "AWS_ROLE_SESSION_NAME": "build-7",
    }
    keys = frozen("sdk", "aws", stdin=b"{}").json()
    assert keys["method"] == "assume-role-with-web-identity"
    assert whose(moto, keys) == f"arn:aws:sts::{ACCOUNT}:assumed-role/Job/build-7"


@pytest.mark.usefixtures("there")
def test_an_instance_s_role_is_asked_by_the_second_version(
    frozen: Program, home: Home, moto: str
) -> None:
    home.env["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = moto
    assert frozen("sdk", "aws", stdin=b"{}").json()["error"] == "absent"
    keys = frozen("sdk", "aws", stdin=b'{"instance": true}').json()
    assert (keys["method"], keys["access_key"]) == ("iam-role", "test-key")


@pytest.mark.usefixtures("there")
def test_a_token_that_has_ended_already_is_one_line(frozen: Program, home: Home) -> None:
    """moto's tokens for ECR end in 2015."""
    home.write(".aws/config", ROLE)
    home.write(".aws/credentials", KEYS)
    home.env["AWS_PROFILE"] = "role"
    answer = frozen.bazel(REGISTRY)
    assert (answer.code, answer.err.count("\n")) == (1, 1)
    assert "has already expired (is this machine's clock right?)" in answer.err
