"""Rules: whose file is heard, which rule holds for a URL, and what it does to an answer."""

from __future__ import annotations

import base64
import json
import os
import sys
from typing import TYPE_CHECKING

import pytest

from credlatch import answers, rules
from credlatch import request as requests
from credlatch import url as urls
from credlatch.caller import Caller
from credlatch.clients import CLIENTS, pack
from credlatch.commands.setup import has_login
from credlatch.credential import AccessKey, Basic, Credential, Secret
from credlatch.headers import Headers
from credlatch.identities.table import SYSTEMS
from credlatch.rules import places
from credlatch.rules.exchange import Exchange, Identity
from credlatch.rules.shape import Shaped
from credlatch.shared_cache import SharedCache
from credlatch.stores.order import IDENTITY, ORDER, names

if TYPE_CHECKING:
    from pathlib import Path

    from credlatch.rules import Rule
    from support.home import Home

HOST = "a.example"
NAMES = tuple(name for name, _ in ORDER if name != IDENTITY)
CONFIG = ".config/credlatch/config.toml"
UV = ".local/share/uv/credentials/credentials.toml"


class User:
    """Somebody with settings, who asks as clients do."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.cwd = home.path / "work" / "here"
        self.cwd.mkdir(parents=True)
        self.shared: SharedCache | None = None
        self.warnings: list[str] = []

    def says(self, text: str) -> Path:
        return self.home.write(CONFIG, text)

    def workspace(self, text: str, folder: str = "work") -> Path:
        return self.home.write(f"{folder}/.credlatch.toml", text)

    def caller(self) -> Caller:
        return Caller(self.home.env, str(self.cwd), self.shared)

    def asks(self, client: str, stdin: str, *words: str) -> tuple[str, str]:
        """What a client is told, and what is said to a person."""
        caller = self.caller()
        caller.put_off(60)
        asked = pack(list(words)) if words else stdin.encode()
        said = answers.get(CLIENTS[client], asked, caller)
        self.warnings = caller.warnings
        return said.out.decode(), said.err.decode()

    def bazel(self, url: str = f"https://{HOST}/x") -> dict[str, str]:
        out, err = self.asks("bazel", json.dumps({"uri": url}))
        assert out, err
        return {name: value for name, (value,) in json.loads(out)["headers"].items()}

    def docker(self, key: str = HOST) -> tuple[str, str] | str:
        out, _ = self.asks("docker", key)
        if not out.startswith("{"):
            return out.strip()
        said = json.loads(out)
        return said["Username"], said["Secret"]

    def rule(self, url: str = f"https://{HOST}/x") -> Rule:
        request = requests.for_url(urls.parse(url))
        caller = self.caller()
        asked = rules.applied(request, caller, names)
        self.warnings = caller.warnings
        return asked.rule

    def fails(self, url: str = f"https://{HOST}/x") -> str:
        out, err = self.asks("bazel", json.dumps({"uri": url}))
        assert out == ""
        assert err.count("\n") == 1 + len(self.warnings)
        return err


@pytest.fixture
def user(home: Home) -> User:
    return User(home)


def basic(username: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


def two_logins(home: Home) -> None:
    """Two accounts on one host, in uv's store and in netrc."""
    service = f'[[credential]]\nservice = "https://{HOST}/"\n'
    rows = [f'username = "{name}"\npassword = "{name}-uv"\n' for name in ("alice", "bob")]
    home.write(UV, "".join(service + row for row in rows))
    rows = [f"machine {HOST} login {name} password {name}-netrc\n" for name in ("alice", "bob")]
    home.write(".netrc", "".join(rows))


# Which rule holds


@pytest.mark.parametrize(
    ("place", "url", "covered"),
    [
        ("https://a.example", "https://a.example/x/y?q", True),
        ("https://a.example", "https://A.example.:443/", True),
        ("https://a.example", "http://a.example/", False),
        ("https://a.example", "https://a.example:8443/", False),
        ("https://a.example:8443", "https://a.example:8443/", True),
        ("https://a.example", "https://b.a.example/", False),
        ("https://a.example", "https://xa.example/", False),
        ("https://a.example/x", "https://a.example/x", True),
        ("https://a.example/x", "https://a.example/x/", True),
        ("https://a.example/x/", "https://a.example/x", True),
        ("https://a.example/x", "https://a.example/xy", False),
        ("https://a.example/x", "https://a.example/X", False),
        ("https://a.example/x", "https://a.example/%78/y", True),
        ("https://a.example/%78", "https://a.example/x/y", True),
        ("https://a.example/x", "https://a.example//x", True),
        ("https://a.example/x", "https://a.example/./y/../x", True),
        ("https://a.example/x", "https://a.example/y/%2e%2e/x", True),
        ("https://a.example/x", "https://a.example/y%2f..%2fx", True),
        ("https://a.example/x", "https://a.example/x/../y", False),
        ("https://a.example/ü", "https://a.example/%C3%BC/y", True),
        ("https://*.a.example", "https://b.a.example/", True),
        ("https://*.a.example", "https://c.b.a.example/", True),
        ("https://*.a.example", "https://a.example/", False),
        ("https://*.a.example", "https://ba.example/", False),
        ("https://*.a.example", "https://*.a.example/", True),
        ("https://*.a.example/x", "https://b.a.example/x/y", True),
        ("http://localhost:5000", "http://localhost:5000/x", True),
        ("s3://bucket/a", "s3://bucket/a/b", True),
        ("https://docker.io", "https://index.docker.io/v1/", True),
        ("https://docker.io/v2/team", "https://registry-1.docker.io/v2/team/a/tags/list", True),
        ("https://münchen.example", "https://xn--mnchen-3ya.example/", True),
        ("https://[::1]:80", "https://[0:0::1]:80/", True),
    ],
)
def test_a_place_covers_what_is_at_or_below_it(place: str, url: str, covered: bool) -> None:
    asked = places.of_request(requests.for_url(urls.parse(url)))
    assert asked is not None
    assert places.parse(place).covers(asked) == covered


@pytest.mark.parametrize(
    "url",
    [
        "a.example", "/x", "", "https://", "https://u@a.example", "https://u:p@a.example",
        "https://a.example/?q", "https://a.example/#f", "ftp://a.example", "https://*",
        "https://*.com", "https://a.*.example", "https://x*.example", "https://a example",
    ],
)  # fmt: skip
def test_what_is_no_place_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="URL"):
        places.parse(url)


@pytest.mark.parametrize(
    ("url", "held"),
    [
        ("https://a.example/", 1),
        ("https://a.example/x", 2),
        ("https://a.example/x/y/z", 3),
        ("https://b.a.example/x", 4),
        ("https://c.b.a.example/", 6),
        ("https://c.b.a.example/x", 6),
        ("https://d.c.b.a.example/x/y", 6),
        ("https://other.example/", None),
    ],
)
def test_the_most_specific_rule_holds_whatever_their_order(
    user: User, url: str, held: int | None
) -> None:
    texts = [
        "https://a.example", "https://a.example/x", "https://a.example/x/y", "https://b.a.example",
        "https://*.a.example/x/y/z", "https://*.b.a.example",
    ]  # fmt: skip
    for order in (texts, texts[::-1]):
        user.says("".join(f'[[rule]]\nurl = "{each}"\nprofile = "{each}"\n\n' for each in order))
        rule = user.rule(url)
        assert rule.profile == (None if held is None else texts[held - 1])
        assert rule.where == (
            "" if held is None
            else f"{user.home.path / CONFIG} line {4 * order.index(texts[held - 1]) + 1}"
        )  # fmt: skip


def test_all_that_a_rule_may_say_is_on_the_request(user: User) -> None:
    user.says("""
[[rule]]
url = "https://a.example"
use = ["netrc", "docker"]
account = "alice"
header = "X-API-Key"
scheme = ""
headers = {x-ms-version = "2025-07-05", Accept = "application/octet-stream"}
username = "robot"
profile = "work"
endpoint = "https://s3.a.example:9000"
region = "eu-west-1"
path-style = true
audience = "a b"
identity = {ci = "github"}
[rule.exchange]
url = "https://tokens.example/t"
""")
    rule = user.rule()
    said = {name: getattr(rule, name) for name in vars(rule)}
    assert said == {
        "where": f"{user.home.path / CONFIG} line 2", "use": ("netrc", "docker"),
        "forbidden": False, "account": "alice", "header": "X-API-Key", "scheme": "",
        "headers": {"x-ms-version": "2025-07-05", "Accept": "application/octet-stream"},
        "username": "robot", "profile": "work", "endpoint": "https://s3.a.example:9000",
        "region": "eu-west-1", "path_style": True, "audience": "a b",
        "exchange": Exchange(url="https://tokens.example/t"), "identity": Identity(ci="github"),
        "is_divided": False,
    }  # fmt: skip
    assert [name for name in (*NAMES, "s3") if rule.allows(name)] == ["netrc", "docker"]


# What is wrong with a file

URL = 'url = "https://a.example"\n'
# The second line of a rule and what follows; or the first, where that is no URL.
WRONG = (
    (URL + 'forbid = "yes"', "line 3: forbid: expected true or false, got a string"),
    (URL + "forbidd = true", "line 3: forbidd: there is no such key"),
    (URL + '\nuse = "netrc"', "line 4: use: expected an array, got a string"),
    (URL + "use = [1]", "line 3: use: expected a string, got a number"),
    (URL + "use = []", "line 3: use: it names nothing: say forbid = true"),
    (URL + 'use = ["nothing"]', "line 3: use: there is no store or system 'nothing': "),
    ('use = ["netrc"]', "line 1: url is missing"),
    ("url = 3", "line 2: url: expected a string, got a number"),
    ('url = "a.example"', "line 2: url: the URL is not absolute"),
    ('url = "https://u@a.example"', 'line 2: url: the URL has a user name: say account = "…"'),
    (URL + 'headers = {Authorization = "x"}', "line 3: headers: Authorization carries a secret"),
    (URL + '[rule.headers]\nX-A = "a\\r\\nb"', "line 3: headers: X-A has a value"),
    (URL + 'header = "X Key"', "line 3: header: its header has a name"),
    (URL + 'header = "Host"', "line 3: header: that header says how"),
    (URL + 'scheme = "a b"', "line 3: scheme: it is to be one word"),
    (URL + 'account = ""', "line 3: account: it is empty"),
    (URL + 'endpoint = "http://b.example"', "line 3: endpoint: it is plain http"),
    (URL + 'region = "eu west"', "line 3: region: it is to be a name like"),
    (URL + "path-style = 1", "line 3: path-style: expected true or false, got a number"),
    (URL + 'forbid = true\nuse = ["netrc"]', "line 4: use: nothing may answer"),
    (
        URL + '[[rule]]\nurl = "https://A.example/"',
        "line 4: url: https://A.example/ is the place of another rule, too: ",
    ),
    (URL + 'use = ["netrc"', "it is no TOML: "),
    (URL + '[rule.exchange]\nurl = "http://b.example"', "line 3: exchange: url: an identity token"),
    (URL + "[rule.exchange]\nurl = 1", "line 4: exchange.url: expected a string, got a number"),
    (URL + 'identity = {ci = "x"}', "line 3: identity.ci: "),
    (URL + "[other]", "line 3: other: there is no such setting"),
)


@pytest.mark.parametrize(("text", "said"), WRONG, ids=[said for _, said in WRONG])
def test_what_is_wrong_is_told_with_line_and_key_and_nothing_answers(
    user: User, text: str, said: str
) -> None:
    path = user.says(f"[[rule]]\n{text}\n")
    user.home.write_rattler({"b.example": {"BearerToken": "t"}})
    line = user.fails("https://b.example/")
    assert f"{path} {said}" in line or f"{path}: {said}" in line
    assert "see credlatch config check" in line
    assert user.docker("b.example") == line.strip()


def test_how_many_more_are_wrong_is_told_and_names_of_stores_with_their_list(user: User) -> None:
    user.says('[[rule]]\nurl = "https://a.example"\nuse = ["nope"]\n[[rule]]\nurl = 1\n[[rule]]\n')
    line = user.fails()
    assert "config.toml line 3: use: there is no store or system 'nope': " in line
    assert "(and 2 more): see credlatch config check" in line
    for name in (*NAMES, *(each.name for each in SYSTEMS)):
        assert name in line


@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX's")
def test_settings_that_others_may_change_are_not_believed_and_nothing_answers(
    user: User, open_folder: Path
) -> None:
    user.home.write_rattler({HOST: {"BearerToken": "t"}})
    user.home.env["XDG_CONFIG_HOME"] = str(open_folder)
    path = open_folder / "credlatch" / "config.toml"
    path.parent.mkdir(mode=0o755)
    path.write_text("")
    path.chmod(0o666)
    assert "chmod" in user.fails()
    path.chmod(0o644)  # others may read it: there are no secrets in it
    assert user.bazel() == {"Authorization": "Bearer t"}
    assert user.warnings == []


@pytest.mark.parametrize("shared", [False, True])
def test_settings_that_have_changed_count_for_the_very_next_call(user: User, shared: bool) -> None:
    user.shared = SharedCache() if shared else None
    user.home.write_rattler({HOST: {"BearerToken": "t"}})
    for text, found in (("", 1), ("forbid = true", 0), ("forbid = false", 1)):
        user.says(f'[[rule]]\nurl = "https://{HOST}"\n{text}\n' if text else "")
        for _ in range(2):
            assert len(user.bazel()) == found
    (user.home.path / CONFIG).write_text("[[rule]")
    assert "no TOML" in user.fails()
    (user.home.path / CONFIG).unlink()
    assert len(user.bazel()) == 1


def test_who_wires_a_tool_is_told_of_settings_that_are_wrong(user: User) -> None:
    url = urls.parse(f"https://{HOST}/")
    for text, may_have, warned in (("", False, 0), ("[[rule]]\n", True, 1)):
        user.says(text)
        caller = user.caller()
        assert has_login(url, caller) == may_have
        assert len(caller.warnings) == warned
    user.home.write_rattler({HOST: {"BearerToken": "t"}})
    for text, has in (("", True), (f'[[rule]]\nurl = "https://{HOST}"\nforbid = true\n', False)):
        user.says(text)
        assert has_login(url, user.caller()) == has


# What a rule does


def test_two_accounts_on_one_host_are_told_apart_by_path(user: User) -> None:
    two_logins(user.home)
    user.says(f"""
[[rule]]
url = "https://{HOST}/team-a"
account = "alice"
[[rule]]
url = "https://{HOST}/team-b"
account = "bob"
[[rule]]
url = "https://{HOST}/team-b/old"
account = "bob"
use = ["netrc"]
""")
    for path, name in (("team-a/x", "alice"), ("team-b", "bob")):
        url = f"https://{HOST}/{path}"
        assert user.bazel(url)["Authorization"] == basic(name, f"{name}-uv")
        assert user.docker(f"{HOST}/{path}") == (name, f"{name}-uv")
        assert user.asks("header", "", url)[0] == f"Authorization: {basic(name, f'{name}-uv')}\n"
        assert user.asks("token", "", url)[0] == f"{name}-uv\n"
        git = f"protocol=https\nhost={HOST}\npath={path}\n"
        assert f"username={name}\npassword={name}-uv\n" in user.asks("git", git)[0]
        assert user.asks("keyring", "", "get", url, name)[0] == f"{name}-uv\n"
        assert f"Authorization: {basic(name, f'{name}-uv')}" in user.asks("goauth", "", url)[0]
    assert user.bazel(f"https://{HOST}/team-b/old/x")["Authorization"] == basic("bob", "bob-netrc")


def test_another_user_s_login_is_not_given_where_a_rule_names_one(user: User) -> None:
    two_logins(user.home)
    user.says(f'[[rule]]\nurl = "https://{HOST}"\naccount = "alice"\n')
    assert user.asks("keyring", "", "get", f"https://{HOST}/", "bob")[0] == ""
    (warning,) = user.warnings
    assert 'line 1 says account = "alice": none answers' in warning
    assert user.bazel(f"https://bob@{HOST}/") == {}
    assert user.bazel(f"https://alice@{HOST}/")["Authorization"] == basic("alice", "alice-uv")
    user.says(f'[[rule]]\nurl = "https://{HOST}"\naccount = "carol"\n')
    assert user.bazel() == {}


def test_only_the_stores_that_a_rule_names_are_asked(user: User) -> None:
    user.home.env["CREDLATCH_TOKEN_A_EXAMPLE"] = "from-the-environment"
    user.home.write_rattler({HOST: {"BearerToken": "from-rattler"}})
    user.home.write(".netrc", f"machine {HOST} login u password from-netrc\n")
    for use, found in (
        ('["environment"]', "Bearer from-the-environment"),
        ('["netrc", "rattler"]', "Bearer from-rattler"),
        ('["netrc"]', basic("u", "from-netrc")),
        ('["uv"]', None),
    ):
        user.says(f'[[rule]]\nurl = "https://{HOST}/x"\nuse = {use}\n')
        assert user.bazel().get("Authorization") == found
        assert user.bazel(f"https://{HOST}/")["Authorization"] == "Bearer from-the-environment"


@pytest.mark.parametrize("client", CLIENTS)
def test_nothing_answers_what_is_forbidden_whoever_asks(user: User, client: str) -> None:
    user.home.write_rattler({HOST: {"BasicHTTP": {"username": "u", "password": "sesame"}}})
    config = user.home.write(".cargo/config.toml",
                             f'[registries.a]\nindex = "sparse+https://{HOST}/x/"\n')  # fmt: skip
    assert config.exists()
    url = f"https://{HOST}/x/"
    asked: dict[str, tuple[str, ...]] = {
        "bazel": (json.dumps({"uri": url}),),
        "docker": (f"{HOST}/x",),
        "git": (f"protocol=https\nhost={HOST}\npath=x\n",),
        "keyring": ("", "get", url, "u"),
        "goauth": ("", url),
        "cargo": (json.dumps({"v": 1, "kind": "get", "operation": "read",
                              "registry": {"index-url": f"sparse+{url}"}}) + "\n",),
        "header": ("", url),
        "token": ("", url),
    }  # fmt: skip
    before = "".join(user.asks(client, *asked[client]))
    assert "sesame" in before or base64.b64encode(b"u:sesame").decode() in before
    for text in (f'url = "https://{HOST}/x"', f'url = "https://{HOST}"'):
        user.says(f"[[rule]]\n{text}\nforbid = true\n")
        after = "".join(user.asks(client, *asked[client]))
        assert "sesame" not in after
        assert base64.b64encode(b"u:sesame").decode() not in after


def test_a_wider_place_is_not_answered_for_where_a_rule_divides_it(user: User) -> None:
    """Go sends what it is given for a place to all that is below it."""
    user.home.write_rattler({HOST: {"BasicHTTP": {"username": "u", "password": "p"}}})
    url = f"https://{HOST}/x/y"

    def place() -> str:
        return user.asks("goauth", "", url)[0].splitlines()[0]

    assert place() == f"https://{HOST}"
    for rule, widest in (
        (f'url = "https://{HOST}/x/secret"\nforbid = true', url),
        (f'url = "https://{HOST}/z"\nforbid = true', f"https://{HOST}/x"),
        (f'url = "https://{HOST}/x"\nusername = "v"', f"https://{HOST}/x"),
        ('url = "https://b.example/x"\nforbid = true', f"https://{HOST}"),
    ):
        user.says(f"[[rule]]\n{rule}\n")
        assert place() == widest


def test_for_many_hosts_at_once_nothing_answers_where_a_rule_is_for_some_of_them(
    user: User,
) -> None:
    """Siso asks for a pattern, and sends what it is given to all hosts that fit."""
    user.home.write_rattler({"*.a.example": {"BearerToken": "t"}})
    many = "https://*.a.example/x"
    for rule, answered in (
        ('url = "https://b.a.example"\nforbid = true', False),
        ('url = "https://b.a.example/x/y"\naccount = "u"', False),
        ('url = "https://*.b.a.example"\nforbid = true', False),
        ('url = "https://*.a.example/x/y"\nforbid = true', False),
        ('url = "https://b.a.example/y"\nforbid = true', True),
        ('url = "https://a.example"\nforbid = true', True),
        ('url = "https://*.a.example"\nuse = ["rattler"]', True),
    ):
        user.says(f"[[rule]]\n{rule}\n")
        assert bool(user.bazel(many)) == answered, rule
        assert len(user.warnings) == (not answered)


# Its form

SHAPES = {
    "a header": ('header = "X-API-Key"', {"X-API-Key": "t"}, None),
    "a header and a scheme": (
        'header = "X-Auth"\nscheme = "Token"', {"X-Auth": "Token t"}, None
    ),
    "a scheme": ('scheme = "token"', {"Authorization": "token t"}, None),
    "no scheme": ('scheme = ""', {"Authorization": "t"}, None),
    "an added header": (
        'headers = {x-ms-version = "2"}', {"Authorization": None, "x-ms-version": "2"}, None
    ),
    "a user name": ('username = "robot"', {"Authorization": None}, "robot"),
    "all": (
        'header = "X"\nheaders = {Y = "2"}\nusername = "robot"', {"X": "t", "Y": "2"}, "robot"
    ),
}  # fmt: skip
STORED = {
    "bearer": ({"BearerToken": "t"}, "Bearer t", "__token__"),
    "basic": ({"BasicHTTP": {"username": "u", "password": "t"}}, basic("u", "t"), "u"),
}


@pytest.mark.parametrize("stored", STORED.values(), ids=STORED)
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_what_was_found_has_the_form_that_a_rule_gives_it(
    user: User,
    shape: tuple[str, dict[str, str | None], str | None],
    stored: tuple[dict[str, object], str, str],
) -> None:
    entry, own, conventional = stored
    text, headers, username = shape
    user.home.write_rattler({HOST: entry})
    user.says(f'[[rule]]\nurl = "https://{HOST}"\n{text}\n')
    if username is not None and own != "Bearer t":
        own = basic(username, "t")
    assert user.bazel() == {
        name: own if value is None else value for name, value in headers.items()
    }
    assert user.docker() == (username or conventional, "t")
    git = f"protocol=https\nhost={HOST}\n"
    sent = username or (conventional if conventional == "u" else "oauth2")
    assert f"username={sent}\npassword=t\n" in user.asks("git", git)[0]


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (AccessKey("a", Secret("sesame")), "it has none"),
        (Headers({"Authorization": Secret("sesame")}), "headers of its own"),
    ],
)
def test_what_is_no_token_is_not_carried_by_another_header(found: Credential, why: str) -> None:
    rule = rules.Rule()
    rule.header, rule.where = "X-Key", "the settings"
    with pytest.raises(ValueError, match=why) as raised:
        Shaped(found, rule).headers()
    assert "sesame" not in str(raised.value)


def test_headers_of_its_own_are_added_to_and_keep_the_login_beside_them() -> None:
    rule = rules.Rule()
    rule.headers = {"ACCEPT": "a/b"}
    login = Basic("u", Secret("p"))
    shaped = Shaped(Headers({"X": Secret("t"), "Accept": Secret("c/d")}, login), rule)
    assert shaped.headers() == {"X": "t", "ACCEPT": "a/b"}
    assert shaped.login("") == ("u", Secret("p"))
    assert (shaped.names_user, shaped.logs_in) == (True, True)
    assert not Shaped(Headers({"X": Secret("t")}), rule).logs_in


def test_a_token_with_a_line_break_is_not_carried_by_a_rule_s_header_either(user: User) -> None:
    user.home.write_rattler({HOST: {"BearerToken": "t\r\nX: y"}})
    user.says(f'[[rule]]\nurl = "https://{HOST}"\nheader = "X-Key"\n')
    assert "control" in user.fails()


def test_a_rule_sends_nothing_over_plain_http(user: User) -> None:
    user.home.write_rattler({HOST: {"BearerToken": "t"}})
    user.says(f'[[rule]]\nurl = "http://{HOST}"\nheader = "X-Key"\nuse = ["rattler"]\n')
    assert "plain http" in user.fails(f"http://{HOST}/")


# A workspace


def test_a_workspace_narrows_and_never_widens(user: User) -> None:
    two_logins(user.home)
    user.home.write_rattler({HOST: {"BearerToken": "from-rattler"}})
    for mine, theirs, found in (
        (None, 'use = ["netrc"]\naccount = "bob"', basic("bob", "bob-netrc")),
        (None, 'use = ["uv"]\naccount = "alice"', basic("alice", "alice-uv")),
        (None, "forbid = true", None),
        ('use = ["rattler"]', 'use = ["netrc"]', None),
        ('use = ["rattler", "netrc"]', 'use = ["netrc", "uv"]\naccount = "bob"',
         basic("bob", "bob-netrc")),
        ("forbid = true", 'use = ["rattler"]', None),
        ('use = ["netrc"]\naccount = "alice"', 'account = "bob"', None),
        ('use = ["netrc"]\naccount = "alice"', "forbid = false", basic("alice", "alice-netrc")),
    ):  # fmt: skip
        user.says("" if mine is None else f'[[rule]]\nurl = "https://{HOST}"\n{mine}\n')
        user.workspace(f'[[rule]]\nurl = "https://{HOST}/x"\n{theirs}\n')
        assert user.bazel().get("Authorization") == found, (mine, theirs)


def test_a_workspace_has_no_system_answer_that_is_asked_only_where_a_rule_names_it(
    user: User,
) -> None:
    user.workspace(f'[[rule]]\nurl = "https://{HOST}"\nuse = ["netrc"]\n')
    rule = user.rule()
    assert not rule.names("netrc")
    assert [name for name in (*NAMES, "s3") if rule.allows(name)] == ["netrc"]
    user.says(f'[[rule]]\nurl = "https://{HOST}"\nuse = ["netrc", "uv"]\n')
    rule = user.rule()
    assert [name for name in NAMES if rule.names(name)] == ["netrc"]


def test_the_nearest_workspace_counts(user: User) -> None:
    user.home.write_rattler({HOST: {"BearerToken": "t"}})
    user.workspace(f'[[rule]]\nurl = "https://{HOST}"\nforbid = true\n', "work")
    assert user.bazel() == {}
    user.workspace("", "work/here")
    assert len(user.bazel()) == 1


@pytest.mark.parametrize(
    ("text", "said", "answered"),
    [
        ('header = "X-Key"', "line 3: header: a workspace may not say that", True),
        ('use = ["rattler"]\nprofile = "x"', "line 4: profile: a workspace may not", True),
        ("forbid = 1", "line 3: forbid: expected true or false", False),
        ("use = []", "line 3: use: it names nothing", False),
        ('use = ["ratler"]', "line 3: use: there is no store or system 'ratler'", False),
        ('use = ["ratler", "rattler"]', "line 3: use: there is no store", True),
        ("account = 3", "line 3: account: expected a string", False),
        (f'\n[[rule]]\nurl = "https://{HOST}/"', "line 5: url: https://a.example/ is", False),
        ('\n[[rule]]\nurl = "x"\nforbid = true', "line 5: url: the URL is not absolute", True),
        ("\n[other]", "line 4: other: there is no such setting", True),
        ("forbid =", "no TOML", True),
    ],
)
def test_what_is_wrong_with_a_workspace_is_a_warning_and_widens_nothing(
    user: User, text: str, said: str, answered: bool
) -> None:
    user.home.write_rattler({HOST: {"BearerToken": "t"}})
    user.workspace(f'[[rule]]\nurl = "https://{HOST}"\n{text}\n')
    assert bool(user.bazel()) == answered
    (warning,) = user.warnings
    assert said in warning
    assert user.bazel("https://b.example/") == {}


@pytest.mark.skipif(sys.platform == "win32", reason="modes and links are POSIX's")
@pytest.mark.parametrize("how", ["others may change it", "its folder", "a link", "a folder"])
def test_a_workspace_that_others_may_have_written_is_not_heard(user: User, how: str) -> None:
    user.home.write_rattler({HOST: {"BearerToken": "t"}})
    path = user.workspace(f'[[rule]]\nurl = "https://{HOST}"\nforbid = true\n')
    assert user.bazel() == {}
    if how == "others may change it":
        path.chmod(0o666)
    elif how == "its folder":
        path.parent.chmod(0o777)
    elif how == "a link":
        path.rename(path.with_name("real"))
        path.symlink_to("real")
    else:
        path.unlink()
        path.mkdir()
    assert len(user.bazel()) == 1
    (warning,) = user.warnings
    assert "the workspace's settings are not heard" in warning


@pytest.mark.skipif(sys.platform == "win32", reason="root is POSIX's")
def test_a_workspace_of_another_user_s_is_not_heard(user: User) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root gives files away")
    user.home.write_rattler({HOST: {"BearerToken": "t"}})
    path = user.workspace(f'[[rule]]\nurl = "https://{HOST}"\nforbid = true\n')
    os.chown(path, 65534, 65534)
    assert len(user.bazel()) == 1
    assert "not heard" in user.warnings[0]


@pytest.mark.skipif(sys.platform == "win32", reason="root is POSIX's")
def test_settings_of_another_user_s_name_no_file_no_server_and_no_system_to_root(
    user: User,
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root gives files away")
    user.home.env |= {
        "SECRET": "a.b.c", "GH_ENTERPRISE_TOKEN": "sesame", "CREDLATCH_TOKEN_A_EXAMPLE": "t"
    }  # fmt: skip
    user.says(f"""
[[rule]]
url = "https://{HOST}/token"
use = ["token"]
identity = {{variable = "SECRET"}}
[[rule]]
url = "https://{HOST}/github"
use = ["github"]
[[rule]]
url = "https://{HOST}/env"
use = ["environment"]
header = "X-Key"
endpoint = "https://b.example"
profile = "p"
[[rule]]
url = "https://{HOST}/none"
forbid = true
""")
    mine = {path: user.bazel(f"https://{HOST}/{path}") for path in ("token", "github", "env")}
    assert mine["token"]["Authorization"] == "Bearer a.b.c"
    assert "sesame" in str(mine["github"])
    assert mine["env"] == {"X-Key": "t"}
    for each in (user.home.path, *user.home.path.rglob("*")):
        os.chown(each, 65534, 65534)
    for path in ("token", "github", "none"):
        assert user.bazel(f"https://{HOST}/{path}") == {}
        assert any("another user's (uid 65534): its rules only narrow" in x for x in user.warnings)
    assert user.bazel(f"https://{HOST}/env") == {"Authorization": "Bearer t"}
    rule = user.rule(f"https://{HOST}/env")
    assert (rule.endpoint, rule.profile, rule.use) == (None, None, ())
    user.home.write(CONFIG, '[[rule]]\nurl = "https://b.example"\nuse = ["nope"]\n')
    os.chown(user.home.path / CONFIG, 65534, 65534)
    assert "line 3: use: there is no store or system 'nope'" in user.fails().splitlines()[0]


def test_where_there_are_no_settings_nothing_is_imported_or_read(user: User) -> None:
    request = requests.for_url(urls.parse("https://a.example"))
    assert rules.applied(request, user.caller(), lambda: pytest.fail("asked")) is request
    assert request.rule is rules.NONE
