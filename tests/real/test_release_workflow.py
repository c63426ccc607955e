"""The workflows of this project: what their scripts do, and who may do what in them."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from devtools import release as releasing

from support.github_runner import Runner, workflow
from support.page import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from support.home import Home

NAMES = sorted(path.name for path in (ROOT / ".github/workflows").iterdir())
BUILD, RELEASE = workflow("build.yml"), workflow("release.yml")
TARGETS = {
    f"{system}-{machine}"
    for system in ("linux", "macos", "windows")
    for machine in ("aarch64", "x86_64")
}
MUSL = {"linux-aarch64-musl", "linux-x86_64-musl"}  # no machine of GitHub's has that
HERE = sorted(TARGETS)
TARGETS |= MUSL
VERSION = "1.2.3"
# All that any job may do beyond reading the sources, and what for.
WRITES = {
    ("docs.yml", "publish"): {"id-token", "pages"},
    ("release.yml", "sign"): {"id-token"},
    ("release.yml", "attest"): {"attestations", "id-token"},
    ("release.yml", "bom"): {"attestations", "id-token"},
    ("release.yml", "draft"): {"contents"},
}


EVERY = [(name, job, said) for name in NAMES for job, said in workflow(name)["jobs"].items()]
JOBS = pytest.mark.parametrize(
    ("name", "job", "said"), EVERY, ids=[f"{name}-{job}" for name, job, _ in EVERY]
)


def step(job: str, name: str) -> dict[str, Any]:
    found: dict[str, Any]
    (found,) = [each for each in RELEASE["jobs"][job]["steps"] if each["name"] == name]
    return found


@pytest.mark.parametrize("name", NAMES)
def test_a_workflow_as_such_may_do_nothing(name: str) -> None:
    assert workflow(name)["permissions"] == {}


@JOBS
def test_a_job_may_do_what_it_is_for_alone(name: str, job: str, said: dict[str, Any]) -> None:
    granted = {what for what, how in said["permissions"].items() if how == "write"}
    assert granted == WRITES.get((name, job), set())
    assert set(said["permissions"].values()) <= {"read", "write"}
    assert "uses" in said or said["timeout-minutes"] <= 120


@JOBS
def test_only_who_is_admitted_has_secrets(name: str, job: str, said: dict[str, Any]) -> None:
    text = json.dumps(said)
    if "secrets." in text:
        assert (name, job) == ("release.yml", "sign")
        assert said["environment"] == "release"
        # No step that runs what a dependency brings has any.
        holders = [each["name"] for each in said["steps"] if "secrets." in json.dumps(each)]
        assert holders == ["Take Apple's certificate", "Have Apple look at it"]
    assert "secrets: inherit" not in text


@JOBS
def test_nothing_that_is_evaluated_becomes_a_script(
    name: str, job: str, said: dict[str, Any]
) -> None:
    scripts = [each["run"] for each in said.get("steps", []) if "run" in each]
    assert not [script for script in scripts if "${{" in script]
    assert name
    assert job


@JOBS
def test_what_is_checked_out_leaves_no_token(name: str, job: str, said: dict[str, Any]) -> None:
    for each in said.get("steps", []):
        if each.get("uses", "").startswith("actions/checkout@"):
            assert each["with"] == {"persist-credentials": False}, (name, job)


def commands() -> set[str]:
    """Of dev, which the workflows call."""
    found: set[str] = set()
    for _, _, said in EVERY:
        scripts = [each["run"] for each in said.get("steps", []) if "run" in each]
        matrix = said.get("strategy", {}).get("matrix", {})
        rows = matrix.get("include", [])
        found |= {row["command"] for row in rows if "command" in row}
        for text in (*scripts, *matrix.get("run", [])):
            found |= set(re.findall(r"\bdev(?: \"\$COMMAND\")? ([a-z0-9]+)", text))
    return found


def test_they_call_commands_that_dev_has() -> None:
    known = set(re.findall(r"^  ([a-z0-9]+) ", (ROOT / "dev").read_text(), re.MULTILINE))
    assert {"build", "release", "smoke"} <= commands() <= known


def test_every_platform_is_built_tried_elsewhere_and_described() -> None:
    rows = BUILD["jobs"]["build"]["strategy"]["matrix"]["include"]
    built = {row["target"]: row["runner"] for row in rows}
    assert set(built) == TARGETS
    assert set(RELEASE["jobs"]["bom"]["strategy"]["matrix"]["target"]) == TARGETS
    tried = RELEASE["jobs"]["smoke"]["strategy"]["matrix"]["include"]
    assert {row["target"] for row in tried} == TARGETS
    bare = {(row["target"], row["runner"]) for row in tried if "image" not in row}
    same = {target for target, machine in bare if machine == built[target]}
    assert same == {"windows-aarch64"}  # of which GitHub has one
    assert {row["target"] for row in RELEASE["jobs"]["sign"]["strategy"]["matrix"]["include"]} == {
        target for target in TARGETS if not target.startswith("linux")
    }


def went(failing: str, signing: str) -> dict[str, str]:
    """How each job of a release ends, when one fails that would run.

    What stands in ``if`` is Python but for its signs; without one, and where it asks for no
    status, all that a job needs, and all that these need, must have succeeded.
    https://docs.github.com/actions/reference/workflows-and-actions/expressions#status-check-functions
    """
    ended: dict[str, str] = {}
    ancestors: dict[str, set[str]] = {}
    for name, job in RELEASE["jobs"].items():  # each stands below those that it needs
        needs = [job["needs"]] if isinstance(job.get("needs"), str) else job.get("needs", [])
        ancestors[name] = set(needs).union(*(ancestors[need] for need in needs))
        asked = job.get("if", "True")
        text = re.sub(r"needs\.(\w+)\.result", r"ended['\1']", asked)
        for theirs, ours in (("${{", ""), ("}}", ""), ("&&", "and"), ("vars.SIGNING", "signing")):
            text = text.replace(theirs, ours)
        text = re.sub(r"contains\(fromJSON\('(.*?)'\), (.*?)\)", r"\2 in \1", text)
        text = text.replace("!cancelled()", "True").strip()
        runs = eval(text, {"ended": ended, "signing": signing})  # noqa: S307 - our own text
        if "cancelled()" not in asked:
            runs = runs and {ended[need] for need in ancestors[name]} <= {"success"}
        ended[name] = "skipped" if not runs else "failure" if name == failing else "success"
    return ended


@pytest.mark.parametrize("signing", ["yes", ""])
def test_a_release_is_drafted_when_all_is_right(signing: str) -> None:
    ended = went("", signing)
    assert ended.pop("sign") == ("success" if signing else "skipped")
    assert set(ended.values()) == {"success"}


@pytest.mark.parametrize("failing", [name for name in RELEASE["jobs"] if name != "draft"])
def test_nothing_is_drafted_when_one_job_fails(failing: str) -> None:
    ended = went(failing, "yes")
    assert ended[failing] == "failure"
    assert ended["draft"] == "skipped"


# Two builds


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """What both machines have built, for two platforms."""
    for target in ("linux-x86_64", "macos-aarch64"):
        for machine in ("one", "other"):
            folder = tmp_path / "checkout/built" / f"{target}-{machine}"
            folder.mkdir(parents=True)
            (folder / f"credlatch-{VERSION}-{target}").write_bytes(target.encode())
            (folder / f"credlatch-{VERSION}-{target}.tar.gz").write_bytes(b"archive")
    return tmp_path / "checkout/built"


def test_two_builds_with_one_sha_256_are_shown(built: Path, home: Home) -> None:
    answer = Runner(home, built.parent)(step("compare", "Compare"))
    assert answer.code == 0, answer
    digest = hashlib.sha256(b"macos-aarch64").hexdigest()
    assert f"macos-aarch64\n{digest}  credlatch-{VERSION}-macos-aarch64\n" in answer.said


FAULTS = ["a byte", "a file is missing", "a file is more", "all", "no one"]


@pytest.mark.parametrize("fault", FAULTS)
def test_two_builds_that_differ_stop_it(fault: str, built: Path, home: Home) -> None:
    other = built / "linux-x86_64-other"
    name = f"credlatch-{VERSION}-linux-x86_64"
    if fault == "a byte":
        (other / name).write_bytes(b"linux-x86_65")
    elif fault == "a file is missing":
        (other / name).unlink()
    elif fault == "a file is more":
        (other / "more").write_bytes(b"")
    elif fault == "all":
        for file in other.iterdir():
            file.unlink()
    else:
        for folder in built.iterdir():
            folder.rename(folder.with_name(folder.name.replace("-one", "-third")))
    assert Runner(home, built.parent)(step("compare", "Compare")).code != 0


# The release


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """A release's files."""
    folder = tmp_path / "checkout/release"
    folder.mkdir(parents=True)
    (folder / "credlatch.rb").write_text("a formula\n")
    (folder / f"credlatch-{VERSION}.tar.gz").write_bytes(b"sdist")
    for target in TARGETS:
        windows = target.startswith("windows")
        for end in (".exe" if windows else "", ".zip" if windows else ".tar.gz", ".cdx.json"):
            (folder / f"credlatch-{VERSION}-{target}{end}").write_bytes(f"{target}{end}".encode())
    summed(folder)
    return folder


def summed(folder: Path) -> None:
    rows = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"
        for path in sorted(folder.iterdir())
        if path.is_file() and path.name != "SHA256SUMS"
    ]
    (folder / "SHA256SUMS").write_text("".join(rows))


WHOLE = "See that it is of the tag's version, and whole"


def test_a_whole_release_goes_on(release: Path, home: Home) -> None:
    answer = Runner(home, release.parent)(step("assemble", WHOLE), TAG=f"v{VERSION}")
    assert answer.code == 0, answer


@pytest.mark.parametrize("target", [*sorted(TARGETS), "another tag", "a changed file"])
def test_one_that_is_not_whole_does_not(target: str, release: Path, home: Home) -> None:
    if target in TARGETS:
        for path in release.glob(f"*{target}*"):
            path.unlink()
        summed(release)
    elif target == "a changed file":
        (release / f"credlatch-{VERSION}-linux-x86_64").write_bytes(b"something else")
    tag = "v1.2.4" if target == "another tag" else f"v{VERSION}"
    assert Runner(home, release.parent)(step("assemble", WHOLE), TAG=tag).code != 0


TRIES = {
    "built": ("packed", BUILD["jobs"]["build"], "Try what is packed"),
    "signed": ("packed", RELEASE["jobs"]["sign"], "Try what is packed"),
    "released": ("release", RELEASE["jobs"]["smoke"], "Try it"),
}


@pytest.mark.parametrize("state", TRIES)
@pytest.mark.parametrize("target", HERE)
def test_both_forms_of_a_platform_are_tried(
    target: str, state: str, release: Path, home: Home
) -> None:
    place, job, name = TRIES[state]
    if place == "packed":
        for path in release.iterdir():
            if path.name.endswith("manifests") or not re.search(rf"{target}\b(?!-)", path.name):
                path.rename(release.parent / path.name)
        release.rename(release.with_name(place))
    python = home.write("bin/python", '#!/bin/sh\nprintf "%s\\n" "$@"\n', 0o755)
    home.env["PATH"] = f"{python.parent}:{home.env['PATH']}"
    (tries,) = [each for each in job["steps"] if each["name"] == name]
    answer = Runner(home, release.parent)(tries, TARGET=target, PYTHON="python")
    ends = (".zip", ".exe") if target.startswith("windows") else (".tar.gz", "")
    tried = [f"{place}/credlatch-{VERSION}-{target}{end}" for end in ends]
    assert answer.said.splitlines() == ["dev", "smoke", *tried]


def test_all_that_linux_installs_is_tried_in_clean_systems(release: Path, home: Home) -> None:
    job = RELEASE["jobs"]["install"]
    targets = {row["target"] for row in job["strategy"]["matrix"]["include"]}
    assert targets == {target for target in HERE if target.startswith("linux")}
    home.write("bin/sudo", '#!/bin/sh\nexec "$@"\n', 0o755)
    python = home.write("bin/python", '#!/bin/sh\nprintf "%s\\n" "$@"\n', 0o755)
    home.env["PATH"] = f"{python.parent}:{home.env['PATH']}"
    answer = Runner(home, release.parent)(job["steps"][-1])
    assert answer.said.splitlines() == ["dev", "release", "try", "--into", "release"]
    assert releasing.parsed(answer.said.split()[2:]).step == "try"


@pytest.mark.parametrize("target", sorted(MUSL))
def test_those_with_musl_are_tried_where_there_is_no_glibc(
    target: str, release: Path, home: Home
) -> None:
    # Runs the command in the place of a container, with commands of its own.
    script = """#!/bin/sh
while [ "$1" != sh ]; do printf "%s\\n" "$1"; shift; done
exec "$@"
"""
    for name, text in {
        "docker": script,
        "apk": "#!/bin/sh\n",
        "python3": '#!/bin/sh\nprintf "%s\\n" "$@"\n',
    }.items():
        tool = home.write(f"bin/{name}", text, 0o755)
    home.env["PATH"] = f"{tool.parent}:{home.env['PATH']}"
    (row,) = [
        row
        for row in RELEASE["jobs"]["smoke"]["strategy"]["matrix"]["include"]
        if row["target"] == target
    ]
    runner = Runner(home, release.parent, {"matrix.alpine": row["alpine"]})
    answer = runner(step("smoke", "Try it in Alpine"), TARGET=target)
    tried = [f"release/credlatch-{VERSION}-{target}{end}" for end in (".tar.gz", "")]
    assert answer.said.splitlines()[-4:] == ["dev", "smoke", *tried]
    assert row["alpine"] in answer.said
    (other,) = [each for each in BUILD["jobs"]["build"]["steps"] if "Try what" in each["name"]]
    assert "musl" in other["if"]


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_what_is_in_it_is_said_of_its_own_files(target: str, release: Path, home: Home) -> None:
    runner = Runner(home, release.parent)
    assert runner(step("bom", "Find what is of this platform"), TARGET=target).code == 0
    (name,) = runner.outputs().values()
    assert name == f"release/credlatch-{VERSION}-{target}"
    runner.context["steps.find.outputs.name"] = name
    said = step("bom", "Say what is in it")["with"]
    assert (release.parent / runner.evaluated(said["sbom-path"])).exists()
    subjects = [release.parent / path for path in runner.evaluated(said["subject-path"]).split()]
    assert len([path for path in subjects if path.exists()]) == 2


@pytest.fixture
def gh(home: Home) -> Path:
    """What gh was told; it keeps the notes, too."""
    told = home.path / "told"
    script = f'#!/bin/sh\nprintf "%s\\n" "$@" >>"{told}"\necho "token: $GH_TOKEN" >>"{told}"\n'
    home.env["PATH"] = f"{home.write('bin/gh', script, 0o755).parent}:{home.env['PATH']}"
    return told


def draft(release: Path, home: Home) -> tuple[Runner, int]:
    runner = Runner(home, release.parent, {"github.repository": "o/r", "github.token": "t"})
    return runner, runner(step("draft", "Draft it"), TAG=f"v{VERSION}").code


def test_a_draft_has_each_file_once_and_the_digest_of_all(
    release: Path, home: Home, gh: Path
) -> None:
    runner, code = draft(release, home)
    assert code == 0
    told = gh.read_text().splitlines()
    assert told[:5] == ["release", "create", f"v{VERSION}", "--draft", "--verify-tag"]
    files = [path.name for path in sorted(release.iterdir()) if path.is_file()]
    assert sorted(word.removeprefix("./") for word in told if word.startswith("./")) == files
    assert told.count("token: t") == 1
    digest = hashlib.sha256((release / "SHA256SUMS").read_bytes()).hexdigest()
    assert digest in (runner.temporary / "notes").read_text()


def test_what_has_changed_on_the_way_is_not_drafted(release: Path, home: Home, gh: Path) -> None:
    (release / f"credlatch-{VERSION}.tar.gz").write_bytes(b"another sdist")
    assert draft(release, home)[1] != 0
    assert not gh.exists()
