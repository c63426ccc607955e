"""Logins that docker, podman, skopeo and buildah keep in the clear."""

from __future__ import annotations

import json
import os
import sys
from base64 import b64encode
from typing import TYPE_CHECKING, Any

import pytest

from credlatch import url as urls
from credlatch.caller import Caller
from credlatch.credential import Basic
from credlatch.errors import RefusedError, StoreError
from credlatch.request import Request
from credlatch.resolve import Resolver
from credlatch.stores.docker import DockerStore
from support import found, users
from support.callers import caller_of
from support.docker_get import got
from support.found import sure
from support.matching import basic
from support.stores_contract import HOST, SECRET, OriginContract, StructuredContract

if TYPE_CHECKING:
    from credlatch.resolve import Resolution
    from credlatch.stores import Entry
    from support.home import Home

FILE = ".docker/config.json"
CONTAINERS = ".config/containers/auth.json"


def auth(username: str, password: str) -> dict[str, str]:
    return {"auth": b64encode(f"{username}:{password}".encode()).decode()}


def config(home: Home, auths: dict[str, Any], file: str = FILE) -> None:
    home.write(file, json.dumps({"auths": auths, "credHelpers": {}}, indent="\t"))


class DockerContract(StructuredContract, OriginContract):
    HEADER = ("Authorization", basic("bob", SECRET))

    def store(self, caller: Caller) -> DockerStore:
        return DockerStore(caller)

    def write(self, home: Home) -> None:
        # In the clear as well, so that the contract sees where it would show.
        config(home, {HOST: {**auth("bob", SECRET), "password": SECRET}}, self.FILE)

    def spoil(self, home: Home) -> None:
        path = home.path / self.FILE
        auths = json.loads(path.read_text())["auths"]
        config(home, {**auths, "later.example": ["passkey"], "x": None, "": 1}, self.FILE)


class TestDockerContract(DockerContract):
    FILE = FILE


class TestContainersContract(DockerContract):
    FILE = CONTAINERS


class TestRuntimeContract(DockerContract):
    FILE = "run/containers/auth.json"


def find(home: Home, url: str) -> Entry | None:
    return DockerStore(caller_of(home)).find(urls.parse(url))


def header(home: Home, url: str) -> str | None:
    return found.header(find(home, url))


def resolved(home: Home, url: str) -> Resolution | None:
    """What whoever asks by URL, and not by Docker's key, is given."""
    resolver = Resolver(caller_of(home), (("docker", DockerStore),))
    return resolver.resolve(Request(urls.parse(url), ()))


def header_by_url(home: Home, url: str) -> str | None:
    return found.header(resolved(home, url))


def test_what_docker_login_leaves_without_a_helper(home: Home) -> None:
    config(
        home,
        {"https://index.docker.io/v1/": auth("hub", "h"), "r.example:5000": auth("jürgen", "p:ä")},
    )
    assert header(home, "https://r.example:5000/v2/") == basic("jürgen", "p:ä")
    assert header(home, "https://registry-1.docker.io/v2/library/x") == basic("hub", "h")
    assert header(home, "https://index.docker.io/v1/") == basic("hub", "h")
    assert header(home, "https://r.example/v2/") is None


@pytest.mark.parametrize(
    "content",
    [
        *("", "{}", "[]", '{"credsStore":"x"}', '{"auths":null}', '["auths"]', "half {"),
        *(f'{{"auths":{{"r.example":{it}}}}}' for it in ("{}", '{"auth":""}', '{"email":"a@b"}')),
    ],
)
def test_a_file_without_logins_has_none(home: Home, content: str) -> None:
    home.write(FILE, content)
    assert find(home, "https://r.example/") is None


def test_the_most_specific_key_counts(home: Home) -> None:
    config(
        home,
        {
            "r.example": auth("host", "p"),
            "r.example/ns": auth("ns", "p"),
            "r.example/ns/repo": auth("repo", "p"),
        },
    )
    assert header(home, "https://r.example/v2/ns/repo/manifests/x") == basic("repo", "p")
    assert header(home, "https://r.example/v2/ns/other/tags/list") == basic("ns", "p")
    assert header(home, "https://r.example/v2/nso/x") == basic("host", "p")
    assert header(home, "https://r.example/v2/") == basic("host", "p")


@pytest.mark.skipif(sys.platform in {"win32", "darwin"}, reason="has no /run")
def test_without_a_runtime_folder_containers_use_the_system_s(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("credlatch.stores.docker._RUNTIME", str(home.path / "system"))
    config(home, {"r.example": auth("system", "p")}, f"system/{os.getuid()}/auth.json")
    assert header(home, "https://r.example/v2/") is None  # a session's folder stands in its place
    del home.env["XDG_RUNTIME_DIR"]
    assert header(home, "https://r.example/v2/") == basic("system", "p")
    config(home, {"r.example": auth("own", "p")}, CONTAINERS)
    assert header(home, "https://r.example/v2/") == basic("system", "p")
    listed = DockerStore(caller_of(home)).entries()
    assert [key for key, _ in listed] == ["r.example", "r.example"]


@users.as_root
def test_a_system_s_folder_that_root_has_closed_is_no_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with users.open_place() as place:
        users.folder(place / "system", mode=0o700)
        users.folder(place / f"system/{users.ADA}", users.ADA)
        monkeypatch.setattr("credlatch.stores.docker._RUNTIME", str(place / "system"))
        caller = Caller({"HOME": str(place)}, str(place))
        url = urls.parse("https://r.example/v2/")
        assert users.become(users.ADA, lambda: DockerStore(caller).find(url)) == "None"


@pytest.mark.parametrize("key", ["r.example", "https://r.example", "https://r.example/v1/"])
def test_older_docker_s_urls_are_keys_too(home: Home, key: str) -> None:
    config(home, {key: auth("u", "p")})
    assert header(home, "https://r.example/v2/") == basic("u", "p")


@pytest.mark.parametrize("host", ["a..example:8443", "good.example?@other.example", "1.2.3"])
def test_what_means_no_host_has_no_older_form(home: Home, host: str) -> None:
    config(home, {f"https://{host}/v2/": auth("u", "p")})
    assert got(caller_of(home), f"https://{host}") is None
    assert got(caller_of(home), f"https://{host}/v2/") == "p"


def test_an_identity_token_goes_to_docker_and_not_into_a_header(home: Home) -> None:
    config(home, {"r.example": {**auth("bob", ""), "identitytoken": "id"}})
    entry = sure(find(home, "https://r.example/"))
    assert isinstance(entry.credential, Basic)
    assert entry.credential.login("r.example")[0] == "<token>"
    assert entry.credential.secret.reveal() == "id"
    with pytest.raises(ValueError, match="identity token"):
        entry.credential.headers()


def test_zero_bytes_that_an_old_docker_padded_with_are_dropped(home: Home) -> None:
    config(home, {"r.example": auth("u", "p\0\0")})
    assert header(home, "https://r.example/") == basic("u", "p")


@pytest.mark.parametrize(
    "entry",
    [
        "text",
        1,
        [],
        {"auth": "not base64!"},
        {"auth": b64encode(b"no colon").decode()},
        {"auth": b64encode(b"u:\xff").decode()},
        {"auth": b64encode(b":p").decode()},
        {"auth": "dTpw="},
        {"auth": "dTpw===="},
        {"auth": "dTpwYQ"},
        {"auth": "dTpwYQ=a"},
        {"auth": "dTpw\t"},
        {"auth": "dTp-"},
        {"auth": 1},
        {"auth": " dTpw", "identitytoken": "i"},
        {"username": "u", "password": "\ud800"},
    ],
)
def test_a_damaged_entry_is_an_error_for_its_own_host_alone(home: Home, entry: Any) -> None:
    config(home, {"r.example": entry, "b.example": auth("u", "p")})
    assert header(home, "https://b.example/") == basic("u", "p")
    with pytest.raises(StoreError, match=r"'r\.example'.*damaged"):
        find(home, "https://r.example/")


def test_the_order_of_the_files(home: Home) -> None:
    home.env["REGISTRY_AUTH_FILE"] = "mine.json"
    for file in (FILE, CONTAINERS, "run/containers/auth.json", "mine.json"):
        config(home, {"r.example": auth(file, "p")}, file)
        assert header(home, "https://r.example/") == basic(file, "p")
    (home.path / "mine.json").unlink()
    del home.env["REGISTRY_AUTH_FILE"], home.env["XDG_RUNTIME_DIR"], home.env["XDG_CONFIG_HOME"]
    (home.path / CONTAINERS).unlink()
    config(home, {"r.example": auth("folder", "p")}, "folder/config.json")
    home.env["DOCKER_CONFIG"] = "folder"
    assert header(home, "https://r.example/") == basic("folder", "p")


def test_a_broken_file_does_not_hide_the_others(home: Home) -> None:
    home.write("run/containers/auth.json", '{"auths": {')
    config(home, {"r.example": auth("u", "p")})
    assert header(home, "https://r.example/") == basic("u", "p")
    with pytest.raises(StoreError, match=r"run/containers/auth\.json"):
        find(home, "https://other.example/")


def test_plain_http_on_this_machine_is_another_server_than_https(home: Home) -> None:
    config(home, {"localhost:5000": auth("u", "p"), "https://localhost:6000": auth("v", "p")})
    assert header(home, "http://localhost:5000/v2/") == basic("u", "p")
    assert header(home, "http://localhost:6000/v2/") is None
    assert header(home, "https://localhost:6000/v2/") == basic("v", "p")


@pytest.mark.parametrize("content", ['{"auths":[]}', '{"auths":"x"}', '{"Auths":1}'])
def test_auths_that_are_no_object_are_broken(home: Home, content: str) -> None:
    home.write(FILE, content)
    with pytest.raises(StoreError, match="no JSON object"):
        find(home, "https://r.example/")


@pytest.mark.parametrize(
    "content",
    [
        '{"AUTHS":{"r.example":{"Auth":"dTpw"}}}',
        '{"auth\u017f":{"r.example":{"aUTH":"dTpw"}}}',
        r'{"\u0061uths":{"r.example":{"auth":"dTpw"}}}',
        '{"auths":{"q.example":{}},"Auths":{"r.example":{"auth":"dTpw"}}}',
        '{"auths":{"r.example":{"auth":"eDp4","AUTH":"dTpw"}}}',
        '{"auths":{"r.example":{"auth":"dTpw","auth":null}}}',
        r'{"auths":{"r.example":{"auth":"dT\r\npw\n"}}}',
        '{"auths":{"r.example":null,"https://r.example":{"auth":"dTpw"}}}',
    ],
)
@pytest.mark.parametrize("file", [FILE, CONTAINERS])
def test_json_and_base64_are_as_go_reads_them(home: Home, content: str, file: str) -> None:
    home.write(file, content)
    assert header(home, "https://r.example/") == basic("u", "p")


@pytest.mark.parametrize(
    "encoded", ["dTpw=", "d!T!pw==", "dT pw", "dTpw====", "-_-_", "dTpw\\u00a0"]
)
@pytest.mark.parametrize("file", [FILE, CONTAINERS])
def test_what_go_does_not_decode_is_damage(home: Home, encoded: str, file: str) -> None:
    home.write(file, f'{{"auths":{{"r.example":{{"auth":"{encoded}"}}}}}}')
    with pytest.raises(StoreError, match="damaged"):
        find(home, "https://r.example/")


# The key in the file, and whether it is for `r.example`: of Docker's file, and of containers'.
OLDER = {
    "https://r.example/path": (True, True),
    "https://r.example/v2": (True, True),
    "https://r.example/v1/users/": (True, True),
    "https://r.example:443/path": (True, True),
    "r.example/": (True, False),
    "r.example//": (True, False),
    "r.example/v2/": (True, False),
    "https://R.Example/path": (True, True),
    "r.example/path": (False, False),  # a namespace; docker/cli takes it for all of r.example
    "https://r.example:5000/path": (False, False),
    "https://r.example.evil/path": (False, False),
    "https://evil/r.example": (False, False),
    "https://r.example@evil/path": (False, False),
    "ftp://r.example/path": (False, False),
    "https://": (False, False),
    "/": (False, False),
}


@pytest.mark.parametrize("key", OLDER)
@pytest.mark.parametrize("file", [FILE, CONTAINERS])
def test_keys_in_older_forms_mean_their_host_by_each_tool_s_own_rule(
    home: Home, key: str, file: str
) -> None:
    config(home, {key: auth("u", "p")}, file)
    expected = OLDER[key][file != FILE]
    assert (header(home, "https://r.example/v2/") == basic("u", "p")) == expected
    assert (got(caller_of(home), "r.example") == "p") == expected
    assert got(caller_of(home), "r.example:5001") is None


@pytest.mark.parametrize("file", [FILE, CONTAINERS])
@pytest.mark.parametrize("key", ["http://r.example", "http://r.example/v1/"])
def test_a_key_in_http_is_for_docker_alone(home: Home, key: str, file: str) -> None:
    # Docker's clients name no scheme, and choose it themselves; whoever names one must mean it.
    config(home, {key: auth("u", "p")}, file)
    assert got(caller_of(home), "r.example") == got(caller_of(home), key) == "p"
    assert got(caller_of(home), "r.example/ns") == "p"
    for other in ("r.example:80", "http://r.example/v2/"):
        assert got(caller_of(home), other) is None
    assert (got(caller_of(home), "http://r.example") is None) == key.endswith("/v1/")
    assert header_by_url(home, "https://r.example/") is None
    with pytest.raises(RefusedError):  # nothing that could be sent in the clear is passed over
        resolved(home, "http://r.example/")


@pytest.mark.parametrize(
    ("keys", "first"),
    [
        (("http://r.example", "https://r.example/path", "https://r.example/v1/"), 2),
        (("http://r.example", "https://r.example/path"), 1),
        (("https://r.example/b", "https://r.example/a"), 0),
    ],
)
def test_a_usual_key_comes_before_an_older_one_that_before_http_and_then_the_first(
    home: Home, keys: tuple[str, ...], first: int
) -> None:
    empty: dict[str, Any] = {"https://r.example/c": {}}
    config(home, {**empty, **{key: auth(str(n), "p") for n, key in enumerate(keys)}})
    assert header_by_url(home, "https://r.example/") == basic(str(first), "p")


@pytest.mark.parametrize("file", [FILE, CONTAINERS])
def test_a_device_login_s_tokens_are_no_older_form_of_the_hub_s_key(home: Home, file: str) -> None:
    hub = "https://index.docker.io/v1/"
    config(home, {f"{hub}refresh-token": auth("u", "p")}, file)
    answers = [got(caller_of(home), key) for key in (hub, "docker.io", f"{hub}refresh-token")]
    assert answers == [None, None, "p"]


def test_a_registry_token_is_sent_as_it_is_and_is_no_login(home: Home) -> None:
    config(home, {"r.example": {"RegistryToken": "t"}})
    assert header_by_url(home, "https://r.example/") == "Bearer t"
    # docker/cli takes it out of its file itself; an error would end its search.
    assert got(caller_of(home), "r.example") is None
    config(home, {"r.example": {**auth("u", "p"), "registrytoken": "t"}})
    assert header_by_url(home, "https://r.example/") == "Bearer t"
    assert got(caller_of(home), "r.example") == "p"
    config(home, {"r.example": {"identitytoken": "id", "registrytoken": "t"}})
    assert header_by_url(home, "https://r.example/") == "Bearer t"
    assert got(caller_of(home), "r.example") == "id"


def test_containers_programs_know_two_fields(home: Home) -> None:
    for entry in (
        {"registrytoken": "t"},
        {"username": "u", "password": "p"},
        {"identitytoken": "i"},
    ):
        config(home, {"r.example": entry}, CONTAINERS)
        assert find(home, "https://r.example/") is None
        assert got(caller_of(home), "r.example") is None
    config(home, {"r.example": {**auth("u", ""), "identitytoken": "i"}}, CONTAINERS)
    assert got(caller_of(home), "r.example") == "i"


def test_ipv6_and_ports(home: Home) -> None:
    config(home, {"[::1]:5000": auth("u", "p"), "https://[::1]/v1/x": auth("v", "q")})
    keys = ("[::1]:5000", "[0:0::1]:5000", "[::1]", "[::1]:5001", "[::1%25lo]:5000")
    assert [got(caller_of(home), key) for key in keys] == ["p", "p", "q", None, None]


def test_of_two_names_of_docker_hub_the_one_that_is_asked_for_counts(home: Home) -> None:
    # As containers' programs have it, which ask for `docker.io/ns/repo`.
    config(home, {"index.docker.io": auth("u", "index"), "docker.io": auth("u", "io")})
    assert got(caller_of(home), "docker.io/library/x") == "io"
    assert got(caller_of(home), "index.docker.io/library/x") == "index"
