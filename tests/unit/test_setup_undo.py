"""``--undo``: byte for byte, and where somebody has changed a file since, our part of it."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from credlatch.errors import SetupError
from credlatch.setup import undo
from support import users

if TYPE_CHECKING:
    from pathlib import Path

    from support.wiring import Wiring

DOCKER = ".docker/config.json"
ODD = '{ "auths":{"o.example":{"auth":"c2VjcmV0"}},\n\n  "x" : 1.50E+3,"credsStore":"pass" }'
RECORDS = ".local/share/credlatch/setup"


def test_steps_are_undone_together_to_the_last_byte(wiring: Wiring) -> None:
    wiring.home.write(DOCKER, ODD)
    before = wiring.files()
    for words in (["--host", "a.example", "--force"], [], ["--all-hosts", "--replace"]):
        assert wiring("docker", *words) == 0
    assert wiring("docker", "--undo") == 0
    assert wiring.files() == before


OURS = '"credHelpers": {"r.example": "credlatch"}'
THEIRS = '"credHelpers": {"r.example": "pass"}'


def put(wiring: Wiring, text: str | None) -> None:
    """Write Docker's configuration, or have none."""
    if text is None:
        (wiring.home.path / DOCKER).unlink(missing_ok=True)
    else:
        wiring.home.write(DOCKER, text)


@pytest.mark.parametrize(
    ("before", "since", "left"),
    [
        (None, f'{{"auths": {{"r.example": {{}}}}, {OURS}}}', '{"auths": {"r.example": {}}}'),
        (None, f"{{\n        {OURS}\n}}", None),
        ("{}", f"{{\n        {OURS}\n}}", "{}"),
        (None, None, None),
        (f"{{{THEIRS}}}", f'{{"a": 1, {OURS}}}', f'{{"a": 1, {THEIRS}}}'),
    ],
    ids=["added to", "reformatted", "empty before", "gone", "replaced, and added to"],
)
def test_what_was_there_comes_back_and_what_was_changed_since_stays(
    wiring: Wiring, before: str | None, since: str | None, left: str | None
) -> None:
    put(wiring, before)
    assert wiring("docker", "--replace") == 0
    put(wiring, since)
    assert wiring("docker", "--undo") == 0
    assert (wiring.read(DOCKER) if (wiring.home.path / DOCKER).exists() else None) == left


def test_what_somebody_has_put_in_between_two_steps_comes_back(wiring: Wiring) -> None:
    assert wiring("docker") == 0
    wiring.home.write(DOCKER, f"{{{THEIRS}}}")
    assert wiring("docker", "--replace") == 0
    wiring.home.write(DOCKER, f'{{{OURS}, "a": 1}}')
    assert wiring("docker", "--undo") == 0
    assert json.loads(wiring.read(DOCKER)) == json.loads(f'{{{THEIRS}, "a": 1}}')


def test_what_replaced_us_since_stays_and_that_is_said(wiring: Wiring) -> None:
    wiring.home.write(DOCKER, '{"credHelpers": {"r.example": "pass", "x": "y"}}')
    assert wiring("docker", "--replace") == 0
    wiring.home.write(DOCKER, '{"credHelpers": {"r.example": "ecr-login", "x": "y"}}')
    before = wiring.files()
    assert wiring("docker", "--undo") == 0
    assert "says something else of r.example since: it stays" in wiring.said
    assert "as it was" not in wiring.said
    assert wiring.files() == before


@pytest.mark.parametrize(
    ("tool", "path", "line"),
    [
        ("bazel", ".bazelrc", "build --x # mine\n"),
        ("git", ".gitconfig", "[user]\n\tname = A # mine\n"),
        ("uv", ".config/uv/uv.toml", "offline = true # mine\n"),
        ("pip", ".config/pip/pip.conf", "timeout = 60\n; mine\n"),
        ("pixi", ".pixi/config.toml", 'change-ps1 = "false" # mine\n'),
    ],
)
def test_a_line_that_was_added_since_stays(wiring: Wiring, tool: str, path: str, line: str) -> None:
    assert wiring(tool) == 0
    wiring.home.write(path, wiring.read(path) + line)
    assert wiring(tool, "--undo") == 0
    left = wiring.read(path)
    assert left.endswith(line)
    assert "credlatch" not in left
    assert "keyring-provider" not in left


def test_a_link_that_somebody_has_replaced_since_stays(wiring: Wiring) -> None:
    assert wiring("uv") == 0
    keyring = wiring.bin / "keyring"
    keyring.unlink()
    wiring.program("keyring", "echo mine")
    assert wiring("uv", "--undo") == 0
    assert "echo mine" in keyring.read_text()
    assert not (wiring.home.path / ".config/uv").exists()


@pytest.mark.parametrize("words", [["--all-hosts"], ["--undo"]])
def test_what_could_not_be_written_is_said_before_anybody_is_asked(
    wiring: Wiring, words: list[str]
) -> None:
    wiring.home.write(DOCKER, ODD.replace('"pass"', '""'))
    assert wiring("docker") == 0
    (wiring.home.path / DOCKER).chmod(0o400)
    with pytest.raises(SetupError, match="is read-only"):
        wiring("docker", *words, "--replace", "--dry-run")


def test_what_is_still_wired_is_known(wiring: Wiring) -> None:
    wiring.program("docker-credential-pass")
    wiring.home.write(DOCKER, '{"credsStore": "pass"}')
    wiring.home.write("project/pixi.toml", "")
    wiring.cwd = wiring.home.path / "project"
    for words in (["docker", "--chain"], ["pixi", "--project"], ["git"], ["bazel"]):
        assert wiring(*words) == 0
    (wiring.home.path / ".gitconfig").write_text("[credential")
    (wiring.home.path / ".bazelrc").unlink()
    assert undo.still_wired(wiring.caller) == [
        ("docker --undo", f"{wiring.home.path}/{DOCKER}"),
        ("pixi --project --undo", f"{wiring.cwd}/.pixi/config.toml"),
    ]


def test_a_file_that_cannot_be_told_apart_is_left_with_one_line(wiring: Wiring) -> None:
    assert wiring("git") == 0
    changed = wiring.read(".gitconfig").replace("\thelper =\n", "")
    wiring.home.write(".gitconfig", changed)
    with pytest.raises(SetupError, match=r"changed since, and .* take credlatch out by hand"):
        wiring("git", "--undo")
    assert wiring.read(".gitconfig") == changed
    # And once that is done:
    wiring.home.write(".gitconfig", "")
    assert wiring("git", "--undo") == 0


@pytest.mark.parametrize(("before", "again"), [(ODD, True), (f"{{{THEIRS}}}", False)])
def test_a_step_that_was_killed_before_it_wrote_is_no_step(
    wiring: Wiring, before: str, *, again: bool
) -> None:
    wiring.home.write(DOCKER, before)
    files = wiring.files()
    assert wiring("docker", "--replace") == 0
    wiring.home.write(DOCKER, before)  # as it was when the record had been written
    if again:
        assert wiring("docker", "--replace") == 0
    assert wiring("docker", "--undo") == 0
    assert "it stays" not in wiring.said
    assert wiring.files() == files


def test_a_record_that_does_not_lead_back_is_not_followed(wiring: Wiring) -> None:
    wiring.home.write(DOCKER, '{"a": 1}')
    assert wiring("docker") == 0
    path = wiring.home.path / RECORDS / "docker.json"
    kept = json.loads(path.read_text())
    kept["steps"][0]["files"][0]["splices"][0][0] = 3
    path.write_text(json.dumps(kept))
    assert wiring("docker", "--undo") == 0
    assert wiring.read(DOCKER) == '{"a": 1}'


def test_the_record_holds_no_secret_and_is_private(wiring: Wiring) -> None:
    wiring.home.write(DOCKER, ODD)
    wiring.home.write(".gitconfig", '[http]\n\textraheader = "Authorization: x SECRET"\n')
    wiring.home.write(".config/pip/pip.conf", "[global]\nindex-url = https://u:SECRET@h/\n")
    wiring.home.write(".bazelrc", "common --remote_header=x-api-key=SECRET\n")
    for tool in ("docker", "git", "pip", "bazel"):
        assert wiring(tool) == 0
        assert "SECRET" not in wiring.said
        assert "c2VjcmV0" not in wiring.said
    folder = wiring.home.path / RECORDS
    kept = {path.name: path.read_text() for path in folder.iterdir()}
    assert {"docker.json", "git.json", "pip.json", "bazel.json"} <= set(kept)
    assert not [name for name, text in kept.items() if "SECRET" in text or "c2VjcmV0" in text]
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 2, "steps": []}', '{"version": 1}'])
def test_a_damaged_record_is_one_line_and_changes_nothing(wiring: Wiring, text: str) -> None:
    assert wiring("docker") == 0
    wiring.home.write(f"{RECORDS}/docker.json", text)
    before = wiring.files()
    for words in (["--undo"], ["--host", "n.example", "--force"]):
        with pytest.raises(SetupError, match=r"docker\.json is damaged: remove it"):
            wiring("docker", *words)
    assert wiring.files() == before


@pytest.mark.parametrize("text", [ODD, None])
def test_links_to_a_configuration_stay_links_and_lead_to_a_new_file_where_there_is_none(
    wiring: Wiring, text: str | None
) -> None:
    kept = wiring.home.write("dotfiles/config.json", text or "")
    if text is None:
        kept.unlink()
    (wiring.home.path / ".docker").mkdir()
    link = wiring.home.path / DOCKER
    link.symlink_to("../dotfiles/config.json")
    assert wiring("docker") == 0
    assert f"{link} is a link, and {kept} is what changes" in wiring.said
    assert "credlatch" in kept.read_text()
    assert wiring("docker", "--undo") == 0
    assert os.readlink(link) == "../dotfiles/config.json"
    assert (kept.read_text() if kept.exists() else None) == text


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o640, 0o755])
def test_a_file_keeps_its_mode_and_its_owner(wiring: Wiring, mode: int) -> None:
    path = wiring.home.write(".bazelrc", "build --x\n", mode)
    if os.geteuid() == 0:  # who may give a file to somebody else
        os.chown(path, 12345, 12346)
    before = path.stat()
    for words in ([], ["--undo"]):
        assert wiring("bazel", *words) == 0
        after = path.stat()
        assert (after.st_mode, after.st_uid, after.st_gid) == (
            before.st_mode, before.st_uid, before.st_gid
        )  # fmt: skip


@pytest.mark.parametrize(("tool", "path", "mode"), [
    ("docker", DOCKER, 0o600),
    ("podman", ".config/containers/auth.json", 0o600),
    ("bazel", ".bazelrc", 0o640),
])  # fmt: skip
def test_a_new_file_is_private_where_logins_may_come_into_it(
    wiring: Wiring, tool: str, path: str, mode: int
) -> None:
    mask = os.umask(0o027)
    try:
        assert wiring(tool) == 0
    finally:
        os.umask(mask)
    assert (wiring.home.path / path).stat().st_mode & 0o777 == mode


@users.as_root
@pytest.mark.parametrize("what", ["file", "folder", "link"])
def test_root_undoes_nothing_of_others_that_a_user_s_record_names(
    wiring: Wiring, tmp_path: Path, what: str
) -> None:
    assert wiring("docker", "--all-hosts") == 0
    (tmp_path / "system").mkdir()
    target = tmp_path / "system/x"
    record = wiring.home.path / RECORDS / "docker.json"
    stored = json.loads(record.read_text())
    (step,) = stored["steps"]
    if what == "file":
        target.write_text(wiring.read(DOCKER))
        step["files"][0]["path"] = str(target)
    elif what == "folder":
        target.mkdir()
        step["files"][0]["folders"] = [str(target)]
    else:
        target.symlink_to("gone")
        step["link"] = {"path": str(target), "text": "gone", "made": True}
    record.write_text(json.dumps(stored))
    for path in (wiring.home.path, *wiring.home.path.rglob("*")):
        users.owned(path, users.ADA)
    with pytest.raises(SetupError, match=f"names {target}: another user's file leads to"):
        wiring("docker", "--undo")
    assert os.path.lexists(target)
