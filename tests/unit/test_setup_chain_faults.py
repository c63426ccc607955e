"""Helpers that were there before us, and do not do what they should: one line, in time."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from credlatch import url as urls
from credlatch.errors import StoreError
from credlatch.protocols import docker
from credlatch.resolve import Resolver
from credlatch.stores import chained
from credlatch.stores.chained import ChainedStore
from support import users
from support.callers import caller_of
from support.chains import CHAIN, NOT_FOUND, Chained, failure
from support.home import Home


def ask_docker(store: ChainedStore) -> object:
    return store.look(docker.parse_get(b"r.example"))


def ask_bazel(store: ChainedStore) -> object:
    return store.find(urls.parse("https://a.example/"))


def test_what_docker_s_helper_does_not_have_is_asked_once_and_is_not_there(chains: Chained) -> None:
    script = f"echo $1 >>{chains.log}; echo '{NOT_FOUND}'; exit 1"
    chains.helper("docker-credential-other", script)
    chains.chain(docker={"r.example": "other"})
    assert Resolver(caller_of(chains.home)).resolve(docker.parse_get(b"r.example")) is None
    assert chains.asked == ["get"]


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("echo locked; exit 1", "docker-credential-other failed for r.example: locked"),
        ("echo on stderr >&2; exit 1", "failed for r.example: on stderr"),
        ("exit 7", "failed for r.example: it ended with 7"),
        ('echo \'{"Username":"u","Secret":"s3cret"}\'; exit 3', "r.example: it ended with 3"),
        ('echo \'{"Secret":"s3cret"}\'; echo locked >&2; exit 3', "failed for r.example: locked"),
        ('echo \'{"Secret":"s3cret"}\' | tee /dev/stderr; exit 3', "it ended with 3"),
        ("kill -9 $$", "failed for r.example: it ended with -9"),
        ("echo s3cret", "says of r.example is no login: it is not a JSON object"),
        ('echo \'{"Username":"u"}\'', "no login: it has no Username and Secret"),
        ("printf '\\377'", "is not a JSON object"),
        ("head -c 2000000 /dev/zero", "answers with 2000000 bytes"),
    ],
)
def test_a_helper_of_docker_s_that_fails_is_one_line(
    chains: Chained, script: str, why: str
) -> None:
    chains.helper("docker-credential-other", script)
    chains.chain(docker={"r.example": "other"})
    assert why in failure(chains, ask_docker)


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("echo 'no login' >&2; exit 1", "failed for https://a.example/: no login"),
        ("exit 1", "failed for https://a.example/: it ended with 1"),
        ('echo \'{"headers":{"a":["s3cret"]}}\' >&2; exit 1', "it ended with 1"),
        ("echo s3cret", "is no answer: it is not a JSON object"),
        ("echo '{\"headers\":[1]}'", "its headers are no object"),
        ('echo \'{"headers":{"a":["x"],"A":["y"]}}\'', "a header stands in it twice"),
        ('echo \'{"headers":{"a":"s3cret"}}\'', "a header is not a list of texts"),
    ],
)
def test_a_helper_of_bazel_s_that_fails_is_one_line(chains: Chained, script: str, why: str) -> None:
    chains.chain(bazel={"*": chains.helper("helper", script)})
    assert why in failure(chains, ask_bazel)


def test_none_is_asked_when_there_is_no_time_left_and_others_get_what_is_left(
    chains: Chained,
) -> None:
    chains.helper("docker-credential-other", "sleep 1000")
    chains.chain(docker={"r.example": "other"})
    caller = caller_of(chains.home)
    caller.deadline = time.monotonic() + 1.0
    store = chained.ChainedStore(caller)
    begin = time.monotonic()
    with pytest.raises(StoreError, match="has not answered for 1 s"):
        store.look(docker.parse_get(b"r.example"))
    assert time.monotonic() - begin < 4.5  # and not the five that one may take
    with pytest.raises(StoreError, match=r"no time was left to ask .*docker-credential-other"):
        store.look(docker.parse_get(b"r.example"))


def test_one_that_is_not_there_any_more_says_where_it_is_named(chains: Chained) -> None:
    chains.chain(docker={"*": "gone"}, bazel={"*": "/gone/helper"})
    path = chains.home.path / CHAIN
    assert failure(chains, ask_docker) == (
        f"docker-credential-gone is not on PATH: install it, or take it out of {path}"
    )
    assert "/gone/helper cannot be run: no such file" in failure(chains, ask_bazel)


def test_one_that_hangs_is_not_waited_for_and_leaves_nothing_behind(
    chains: Chained, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chained, "PATIENCE", 2.0)
    path = chains.helper("docker-credential-other", "sleep 1000 & echo $! >pid; wait")
    chains.chain(docker={"*": "other"})
    begin = time.monotonic()
    assert failure(chains, ask_docker).startswith(f"{path} has not answered for 2 s: see to it")
    assert time.monotonic() - begin < 20
    pid = int((chains.home.path / "pid").read_text())
    deadline = time.monotonic() + 20
    while _lives(pid):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _lives(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_we_are_never_asked_by_ourselves(chains: Chained) -> None:
    chains.chain(docker={"*": "credlatch", "r.example": "us"})
    assert chains.store().look(docker.parse_get(b"o.example")) is None
    (chains.home.path / "bin").mkdir()
    (chains.home.path / "bin/docker-credential-us").symlink_to(sys.executable)
    assert "is credlatch itself" in failure(chains, ask_docker)


def test_a_program_of_the_working_directory_is_not_run(chains: Chained) -> None:
    chains.home.write("docker-credential-other", "#!/bin/sh\necho x\n", 0o755)
    chains.home.env["PATH"] = f".::{chains.home.env['PATH']}"
    chains.chain(docker={"*": "other"})
    assert "is not on PATH" in failure(chains, ask_docker)


@pytest.mark.parametrize("text", ["{", "[]", '{"docker": []}', '{"docker": {"a": 1}}', '"x"'])
def test_a_damaged_list_is_one_line(chains: Chained, text: str) -> None:
    chains.home.write(CHAIN, text)
    assert str(chains.home.path / CHAIN) in failure(chains, ask_docker)


def test_the_list_may_be_read_by_everybody(chains: Chained) -> None:
    chains.home.write(CHAIN, "{}", 0o644)
    caller = caller_of(chains.home)
    assert ChainedStore(caller).look(docker.parse_get(b"x")) is None
    assert caller.warnings == []


@users.as_root
def test_root_runs_no_program_of_a_user_s_whose_file_names_it() -> None:
    with users.open_place() as place:
        chains = Chained(Home(place / "home"))
        ran = place / "ran"
        path = chains.helper("helper", f"touch {ran}; echo '{{}}'")
        chains.chain(bazel={"*": path})
        chain = place / "home/.config/credlatch/chain.json"
        for each in (place / "home", place / "home/bin", Path(path), chain):
            users.owned(each, users.ADA)
        assert "is not run" in failure(chains, ask_bazel)
        assert not ran.exists()
        users.owned(chain, 0)  # what root has written there, root means
        assert ask_bazel(chains.store()) is None
        assert ran.exists()


def test_a_link_of_the_system_s_to_a_program_is_followed() -> None:
    for path in ("/bin/sh", "/usr/bin/sh"):
        assert chained._of_the_system(path, "chain.json") == os.path.realpath(path)
