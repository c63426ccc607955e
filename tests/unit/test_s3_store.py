"""S3 keys of rattler's store: for which URLs they sign, in which region, and until when."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from credlatch import request as requests
from credlatch import s3_hosts
from credlatch import url as urls
from credlatch.auth import HttpRequest, HttpResponse
from credlatch.auth.s3 import BucketRegion
from credlatch.caller import Caller
from credlatch.credential import AccessKey, Bearer, Secret
from credlatch.errors import RenewalError
from credlatch.renew import exchange
from credlatch.request import Request
from credlatch.resolve import Resolver
from credlatch.shared_cache import SharedCache
from credlatch.stores import Entry, Store, s3
from credlatch.stores.order import ORDER
from support.callers import caller_of
from support.found import sure
from support.ruled import rule

if TYPE_CHECKING:
    from pathlib import Path

    from credlatch.resolve import Outcome
    from support.home import Home

KEY = {"access_key_id": "AK", "secret_access_key": "sesame", "session_token": None}
AWS = "https://bucket.s3.eu-west-1.amazonaws.com/a/b.conda"
ACCOUNT = "0123456789abcdef" * 2


def keep(home: Home, **more: dict[str, Any]) -> None:
    home.write_rattler({"s3://bucket": {"S3Credentials": KEY}, **more})


def options(bucket: str, endpoint: str, region: str, *, path: bool, above: str = "") -> str:
    return (
        f'[{above}s3-options.{bucket}]\nendpoint-url = "{endpoint}"\nregion = "{region}"\n'
        f"force-path-style = {'true' if path else 'false'}\n"
    )


def outcome(
    home: Home,
    url: str,
    cwd: str = "",
    warned: tuple[str, ...] = (),
) -> Outcome:
    caller = Caller(dict(home.env), cwd or str(home.path))
    request = requests.for_url(urls.parse(url))
    found = Resolver(caller).outcome(request)
    assert [line for line in caller.warnings if not any(map(line.count, warned))] == []
    assert found.failure is None
    return found


def signed(home: Home, url: str, cwd: str = "") -> str | None:
    """The region that a URL is signed for, or None where it is not."""
    resolution = outcome(home, url, cwd).resolution
    if resolution is None:
        return None
    assert resolution.store == "s3"
    headers = resolution.credential.headers()
    assert set(headers) == {"Authorization", "x-amz-date", "x-amz-content-sha256"}
    scope = headers["Authorization"].partition("Credential=AK/")[2].split("/")
    return scope[1]


@pytest.mark.parametrize(
    ("url", "region"),
    [
        (AWS, "eu-west-1"),
        ("https://s3.eu-west-1.amazonaws.com/bucket/a", "eu-west-1"),
        ("https://bucket.s3.dualstack.eu-west-1.amazonaws.com/a", "eu-west-1"),
        ("https://s3-fips.us-east-2.amazonaws.com/bucket/a", "us-east-2"),
        ("https://bucket.s3.cn-north-1.amazonaws.com.cn/a", "cn-north-1"),
        (f"https://bucket.{ACCOUNT}.r2.cloudflarestorage.com/a", "auto"),
        ("https://s3.eu-central-2.wasabisys.com/bucket/a", "eu-central-2"),
        ("https://bucket.s3.us-west-004.backblazeb2.com/a", "us-west-004"),
        ("https://storage.googleapis.com/bucket/a", "auto"),
        ("https://bucket.fsn1.your-objectstorage.com/a", "fsn1"),
    ],
)
def test_a_key_signs_for_its_bucket_at_hosts_that_are_s3_s(
    home: Home, url: str, region: str
) -> None:
    keep(home)
    assert signed(home, url) == region
    assert signed(home, url.replace("bucket", "another")) is None
    assert signed(home, url.replace("bucket", "bucket2")) is None


def test_the_key_is_that_of_the_longest_path_as_rattler_has_it(home: Home) -> None:
    other = {**KEY, "access_key_id": "OTHER"}
    keep(home, **{"s3://bucket/a": {"S3Credentials": other}})
    for path, key in (("/a/b.conda", "OTHER"), ("/ab/b.conda", "AK"), ("/b", "AK")):
        found = sure(outcome(home, f"https://bucket.s3.eu-west-1.amazonaws.com{path}").resolution)
        assert f"Credential={key}/" in found.credential.headers()["Authorization"]


@pytest.mark.parametrize(
    "url",
    [
        "https://s3.eu-west-1.amazonaws.com/",
        "https://s3.eu-west-1.amazonaws.com/other/../bucket/a",
        "https://bucket.s3.eu-west-1.amazonaws.com.evil.example/a",
        "https://bucket.s3.eu-west-1.evil.example/a",
        "https://bucket.s3.eu-west-1.amazonaws.com:8443/a",
        "https://minio.example/bucket/a",
        "https://s3.eu-west-1.amazonaws.com/Bucket/a",
        "https://s3.eu-west-1.amazonaws.com/my.bucket./a",
        "https://bucket/a",
        "https://bucket.example/bucket",
    ],
)
def test_other_places_get_nothing(home: Home, url: str) -> None:
    keep(home, **{each: {"S3Credentials": KEY} for each in ("bucket", "s3://my.bucket")})
    assert signed(home, url) is None


def test_a_bucket_without_a_key_gets_nothing(home: Home) -> None:
    assert signed(home, AWS) is None
    home.write_rattler({"s3://bucket": {"BearerToken": "t"}})
    assert signed(home, AWS) is None


def test_a_stored_login_for_the_host_comes_first(home: Home) -> None:
    keep(home, **{"*.amazonaws.com": {"BearerToken": "t"}})
    assert sure(outcome(home, AWS).resolution).store == "rattler"


def test_a_session_token_is_sent(home: Home) -> None:
    home.write_rattler({"s3://bucket": {"S3Credentials": {**KEY, "session_token": "T+/="}}})
    headers = sure(outcome(home, AWS).resolution).credential.headers()
    assert headers["x-amz-security-token"] == "T+/="
    assert "x-amz-security-token," in headers["Authorization"]


def test_a_signature_is_for_one_url_and_method_and_ten_minutes(home: Home) -> None:
    keep(home)
    signatures = set()
    for method, url in (("GET", AWS), ("HEAD", AWS), ("GET", f"{AWS}?versionId=1")):
        before = int(time.time())
        request = requests.for_url(urls.parse(url))
        request.method = method
        resolution = sure(Resolver(caller_of(home)).resolve(request))
        assert before + 600 <= sure(resolution.expires) <= time.time() + 600
        assert resolution.entry.grant is None
        signatures.add(resolution.credential.headers()["Authorization"])
    assert len(signatures) == 3


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://bucket.s3.eu-west-1.amazonaws.com/", True),
        ("https://bucket.s3.eu-west-1.amazonaws.com", True),
        ("https://s3.eu-west-1.amazonaws.com/bucket", True),
        ("https://bucket.s3.eu-west-1.amazonaws.com/?list-type=2", False),
        ("https://another.s3.eu-west-1.amazonaws.com/", False),
        (AWS, False),
    ],
)
def test_who_has_a_bucket_for_a_remote_cache_is_told_that_it_is_none(
    home: Home, url: str, told: bool
) -> None:
    keep(home)
    caller = caller_of(home)
    Resolver(caller).outcome(requests.for_url(urls.parse(url)))
    assert ["remote cache" in line for line in caller.warnings] == [True] * told


def test_clients_that_want_a_login_get_none(home: Home) -> None:
    keep(home)
    step = outcome(home, AWS).trace[3]
    assert (step.store, step.came) == ("s3", "found")
    url = urls.parse(AWS)
    for request in (
        requests.for_url(url, login=True),
        requests.for_login(url, login=True),
        requests.for_login(url),  # as git and keyring do, which make a header of it
        requests.for_cargo(AWS, url),  # which sends Authorization alone, to all of an index
    ):
        found = Resolver(caller_of(home)).outcome(request)
        assert (found.resolution, found.failure) == (None, None)
        assert next(step.near for step in found.trace if step.store == "s3")


def test_the_s3_url_itself_has_a_key_and_no_header(home: Home) -> None:
    keep(home)
    failure = sure(
        Resolver(caller_of(home)).outcome(Request(urls.parse("s3://bucket/a"), ())).failure
    )
    assert "https URL" in str(failure)


# Other servers, which pixi's configuration names


MINIO = "http://127.0.0.1:9000"


@pytest.mark.parametrize(
    ("endpoint", "path", "urls_"),
    [
        (MINIO, True, {f"{MINIO}/bucket/a": True, f"{MINIO}/bucket?list-type=2": True}),
        (f"{MINIO}/", True, {f"{MINIO}/bucket/a": True, f"{MINIO}/bucket2/a": False}),
        (MINIO, True, {"http://127.0.0.1:9001/bucket/a": False, f"{MINIO}/other/bucket": False}),
        (MINIO, True, {"https://127.0.0.1:9000/bucket/a": False, f"{MINIO}/": False}),
        (
            "https://m.example",
            True,
            {"https://m.example/bucket/a": True, "https://bucket.m.example/a": False},
        ),
        (
            "https://m.example:9443",
            False,
            {
                "https://m.example:9443/bucket/a": True,
                "https://bucket.m.example:9443/a": True,
                "https://bucket.m.example/a": False,
                "https://a.bucket.m.example:9443/a": False,
                "https://bucket.m.example.evil.example:9443/a": False,
                "https://bucketm.example:9443/a": False,
            },
        ),
        (
            "https://m.example/s3",
            True,
            {"https://m.example/s3/bucket/a": True, "https://m.example/bucket/a": False},
        ),
    ],
)
def test_a_bucket_of_s3_options_is_at_its_endpoint(
    home: Home, endpoint: str, path: bool, urls_: dict[str, bool]
) -> None:
    keep(home)
    home.write(".pixi/config.toml", options("bucket", endpoint, "mars", path=path))
    for url, there in urls_.items():
        assert signed(home, url) == ("mars" if there else None), url


def test_a_bucket_that_is_elsewhere_is_at_none_of_aws_s_hosts(home: Home) -> None:
    keep(home)
    home.write(".pixi/config.toml", options("bucket", MINIO, "mars", path=True))
    found = outcome(home, AWS)
    assert found.resolution is None
    assert any("another endpoint" in line for step in found.trace for line in step.reasons())
    there = "https://s3.eu-west-1.amazonaws.com"
    home.write(".pixi/config.toml", options("bucket", there, "eu-west-1", path=True))
    assert signed(home, AWS) == "eu-west-1"
    # Its own global host needs no question: the options have the region.
    assert signed(home, "https://bucket.s3.amazonaws.com/a") == "eu-west-1"


def workspace(home: Home, manifest: str, config: str = "", name: str = "pixi.toml") -> str:
    folder: Path = home.path / "work"
    (folder / "sub").mkdir(parents=True, exist_ok=True)
    home.write(f"work/{name}", manifest)
    if config:
        home.write("work/.pixi/config.toml", config)
    return str(folder / "sub")


def test_what_is_nearer_counts_more_for_each_bucket_as_pixi_has_it(home: Home) -> None:
    keep(home, **{"s3://second": {"S3Credentials": KEY}})

    def regions(cwd: str = "") -> list[str | None]:
        return [signed(home, f"{MINIO}/{name}/a", cwd=cwd) for name in ("bucket", "second")]

    both = options("bucket", MINIO, "xdg", path=True) + options("second", MINIO, "xdg", path=True)
    home.write(".config/pixi/config.toml", both)
    assert regions() == ["xdg", "xdg"]
    home.write(".pixi/config.toml", options("bucket", MINIO, "home", path=True))
    assert regions() == ["home", "xdg"]
    cwd = workspace(home, "[workspace]\n", options("bucket", MINIO, "project", path=True))
    assert regions(cwd) == ["project", "xdg"]
    assert regions() == ["home", "xdg"]
    said = options("bucket", MINIO, "manifest", path=True, above="workspace.")
    workspace(home, said)
    assert regions(cwd) == ["manifest", "xdg"]
    (home.path / "work/pixi.toml").unlink()
    said = options("bucket", MINIO, "pyproject", path=True, above="tool.pixi.workspace.")
    workspace(home, said, name="pyproject.toml")
    assert regions(cwd) == ["pyproject", "xdg"]
    home.env["PIXI_HOME"] = str(home.path / "elsewhere")
    home.write("elsewhere/config.toml", options("second", MINIO, "pixi-home", path=True))
    assert regions(cwd) == ["pyproject", "pixi-home"]


def test_a_project_names_no_other_endpoint_for_a_bucket_of_the_user_s(home: Home) -> None:
    keep(home)
    home.write(".pixi/config.toml", options("bucket", MINIO, "home", path=True))
    evil = "https://evil.example"
    cwd = workspace(home, options("bucket", evil, "r", path=True, above="workspace."))
    assert signed(home, f"{evil}/bucket/a", cwd=cwd) is None
    assert signed(home, f"{MINIO}/bucket/a", cwd=cwd) == "home"
    (line,) = (
        line for step in outcome(home, f"{evil}/bucket/a", cwd=cwd).trace for line in step.reasons()
    )
    assert "your own configuration" in line


@pytest.mark.parametrize("name", ["my.bucket/x", "My.Bucket", "my.bucket.", "u@my.bucket", ""])
def test_a_project_calls_no_bucket_of_the_user_s_by_another_name(home: Home, name: str) -> None:
    home.write_rattler({"s3://my.bucket": {"S3Credentials": KEY}})
    home.write(".pixi/config.toml", options('"my.bucket"', MINIO, "home", path=True))
    evil = "https://evil.example"
    cwd = workspace(home, options(f'"{name}"', evil, "r", path=True, above="workspace."))
    assert signed(home, f"{evil}/{name}/a", cwd=cwd) is None
    assert signed(home, f"{MINIO}/my.bucket/a", cwd=cwd) == "home"


@pytest.mark.parametrize(
    "changed", ["work", "work/pixi.toml", "work/.pixi", "work/.pixi/config.toml"]
)
def test_a_project_that_others_may_change_says_nothing(home: Home, changed: str) -> None:
    keep(home)
    said = options("bucket", MINIO, "r", path=True)
    cwd = workspace(home, "[workspace]\n", said)
    assert signed(home, f"{MINIO}/bucket/a", cwd=cwd) == "r"
    (home.path / changed).chmod(0o777)
    found = outcome(home, f"{MINIO}/bucket/a", cwd=cwd, warned=("a project's logins",))
    assert found.resolution is None
    assert any("chmod go-w" in line for step in found.trace for line in step.reasons())


@pytest.mark.parametrize(
    "damage",
    [
        "[workspace]\ns3-options = 1\n",
        "[workspace.s3-options]\nbucket = 1\n",
        '[workspace.s3-options.bucket]\nendpoint-url = "http://127.0.0.1:9000"\n',
        options("bucket", "127.0.0.1:9000", "r", path=True, above="workspace."),
        options("bucket", "ftp://127.0.0.1", "r", path=True, above="workspace."),
        "[workspace]\n# s3-options\n[[[\n",
        "[package]\n# s3-options\n",
    ],
)
def test_a_project_s_damage_stops_nothing(home: Home, damage: str) -> None:
    keep(home)
    cwd = workspace(home, damage)
    assert signed(home, f"{MINIO}/bucket/a", cwd=cwd) is None
    assert signed(home, AWS, cwd=cwd) in {"eu-west-1", None}


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ('[s3-options.bucket]\nregion = "r"\n', "no endpoint-url and no force-path-style"),
        (options("bucket", "minio.example", "r", path=True), "endpoint-url cannot be used"),
        ("[s3-options]\nbucket = 1\n", "no endpoint-url and no region"),
    ],
)
def test_a_bucket_that_the_user_left_incomplete_is_told(home: Home, damage: str, said: str) -> None:
    home.write(".pixi/config.toml", damage)
    caller = caller_of(home)
    request = requests.for_url(urls.parse(f"{MINIO}/bucket/a"))
    assert Resolver(caller).resolve(request) is None
    (line,) = caller.warnings
    assert said in line
    assert str(home.path / ".pixi/config.toml") in line


def test_a_configuration_that_is_no_toml_is_one_line(home: Home) -> None:
    home.write(".pixi/config.toml", "# s3-options\n[[[\n")
    failure = sure(Resolver(caller_of(home)).outcome(requests.for_url(urls.parse(AWS))).failure)
    assert "is not TOML" in str(failure)


# Rules


@pytest.mark.parametrize(
    ("said", "url", "region"),
    [
        ({"endpoint": MINIO}, f"{MINIO}/bucket/a", "us-east-1"),
        ({"endpoint": MINIO, "region": "r"}, f"{MINIO}/bucket/a", "r"),
        ({"endpoint": "https://m.example"}, "https://bucket.m.example/a", "us-east-1"),
        ({"endpoint": "https://m.example", "path-style": True}, "https://bucket.m.example/a", None),
        ({"endpoint": "https://m.example/s3"}, "https://m.example/s3/bucket/a", "us-east-1"),
        ({"endpoint": "https://m.example"}, "https://m.example.evil.example/bucket/a", None),
        ({"endpoint": "https://m.example"}, "https://m.example:8443/bucket/a", None),
        ({"endpoint": "https://m.example"}, "https://m.example/", None),
        ({"region": "eu-south-1"}, "https://bucket.s3.amazonaws.com/a", "eu-south-1"),
        ({"region": "eu-south-1"}, "https://m.example/bucket/a", None),
    ],
)
def test_a_rule_names_the_endpoint_and_the_region(
    home: Home, said: dict[str, object], url: str, region: str | None
) -> None:
    keep(home)
    rule(home, url, said)
    assert signed(home, url) == region


# What gets its key first: the chain's keys


PLACE = s3_hosts.Place("bucket", "/a/b.conda", "eu-west-1", s3_hosts.GLOBAL)


class Chain(Store):
    """A store whose key was fetched, and ends."""

    ends = 0

    def look(self, request: Request) -> Entry:
        token = Secret("t")
        key = Entry(AccessKey("AK", Secret("s"), token), "the chain", expires=self.ends)
        return s3.signed(key, request, PLACE)


def test_a_key_that_was_fetched_signs_and_ends_with_it(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Chain, "ends", int(time.time()) + 120)
    request = requests.for_url(urls.parse(AWS))
    resolution = sure(Resolver(caller_of(home), (("it", Chain),)).resolve(request))
    assert resolution.location == "the chain"
    assert time.time() < sure(resolution.expires) <= Chain.ends


def test_what_is_no_key_is_served_as_it_is() -> None:
    entry = Entry(Bearer(Secret("t")), "elsewhere")
    assert s3.signed(entry, Request(urls.parse(AWS), ()), PLACE) is entry


def test_it_is_asked_after_rattler_s_logins_and_before_all_others() -> None:
    names = [name for name, _ in ORDER]
    assert names[names.index("s3") - 1] == "rattler"


# Where AWS has a bucket


def regions(response: HttpResponse | RenewalError) -> tuple[str, int]:
    """What comes of an answer, and for how long that is kept."""
    auth = BucketRegion("bucket")
    flow = auth.flow(Request(urls.parse(AWS), ()), 1000.0)
    asked = next(flow)
    assert isinstance(asked, HttpRequest)
    assert (asked.method, asked.url) == ("HEAD", "https://s3.amazonaws.com/bucket")
    assert asked.headers == {}
    answer = flow.send if isinstance(response, HttpResponse) else flow.throw
    try:
        answer(response)  # type: ignore[arg-type] # each gets what it takes
    except StopIteration as end:
        fresh = end.value
    return fresh.token.reveal(), fresh.expires


@pytest.mark.parametrize("status", [200, 301, 307, 400, 403])
def test_a_bucket_is_where_aws_says_whatever_else_it_answers(status: int) -> None:
    answer = HttpResponse(status, {"x-amz-bucket-region": "eu-west-1"}, b"", 1000.0)
    assert regions(answer) == ("eu-west-1", 1000 + 86_400)


@pytest.mark.parametrize(
    "answer",
    [
        HttpResponse(404, {}, b"", 1000.0),
        HttpResponse(200, {"x-amz-bucket-region": "a/s3/aws4_request, x"}, b"", 1000.0),
        HttpResponse(200, {"x-amz-bucket-region": "é"}, b"", 1000.0),
        RenewalError("no network"),
    ],
)
def test_where_aws_does_not_say_it_is_the_default_for_a_minute(
    answer: HttpResponse | RenewalError,
) -> None:
    assert regions(answer) == ("us-east-1", 1060)


@pytest.mark.parametrize(
    ("date", "said"),
    [
        ("Thu, 01 Jan 1970 00:00:00 GMT", "17 minutes ahead of"),
        ("Thu, 01 Jan 1970 01:00:00 GMT", "43 minutes behind"),
        ("Thu, 01 Jan 1970 00:16:00 GMT", ""),
        ("yesterday", ""),
    ],
)
def test_a_clock_that_is_off_is_told_where_aws_says_its_own(date: str, said: str) -> None:
    answer = HttpResponse(403, {"x-amz-bucket-region": "eu-west-1", "date": date}, b"", 1000.0)
    if said:
        with pytest.raises(RenewalError, match=f"clock is {said} S3's.*set the clock"):
            regions(answer)
    else:
        assert regions(answer)[0] == "eu-west-1"


def test_a_global_host_is_signed_for_the_region_that_was_told_once(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(home)
    asked = []

    def answered(request: HttpRequest, *_: object) -> HttpResponse:
        asked.append(request.url)
        return HttpResponse(403, {"x-amz-bucket-region": "eu-west-1"}, b"", time.time())

    monkeypatch.setattr(exchange, "_answered", answered)
    shared = SharedCache()
    for url in ("https://bucket.s3.amazonaws.com/a", "https://s3.amazonaws.com/bucket/b"):
        caller = Caller(dict(home.env), str(home.path), shared)
        found = sure(Resolver(caller).resolve(requests.for_url(urls.parse(url))))
        assert "/eu-west-1/s3/" in found.credential.headers()["Authorization"]
        assert sure(found.expires) > time.time() + 590
    assert asked == ["https://s3.amazonaws.com/bucket"]
