"""A URL means one server beyond doubt, or it is refused."""

from __future__ import annotations

import pytest

from credlatch import url as urls
from credlatch.errors import RequestError

ORIGINS = [
    # What Bazel sends for downloads, gRPC and HTTP caches.
    ("https://a.example/x", ("https", "a.example", 443)),
    ("https://a.example", ("https", "a.example", 443)),
    ("https://a.example:443/x", ("https", "a.example", 443)),
    ("https://a.example:8443/x", ("https", "a.example", 8443)),
    ("http://localhost:8080/cache", ("http", "localhost", 8080)),
    ("http://a.example:80/", ("http", "a.example", 80)),
    ("http://a.example:443/", ("http", "a.example", 443)),
    ("https://a.example:80/", ("https", "a.example", 80)),
    # Port spellings that RFC 3986 allows.
    ("https://a.example:/", ("https", "a.example", 443)),
    ("https://a.example:00443/", ("https", "a.example", 443)),
    # Case, and the dot at the end.
    ("HTTPS://A.EXAMPLE/X", ("https", "a.example", 443)),
    ("https://a.example./", ("https", "a.example", 443)),
    ("https://a.example.:65535/", ("https", "a.example", 65535)),
    # Without the dot, a resolver appends its search domains to a single label.
    ("https://intranet./", ("https", "intranet.", 443)),
    ("https://LOCALHOST.:5000/", ("https", "localhost.", 5000)),
    ("https://b\u00fccher\u3002/", ("https", "xn--bcher-kva.", 443)),
    # Addresses.
    ("https://127.0.0.1:5000/", ("https", "127.0.0.1", 5000)),
    ("https://[::1]/", ("https", "::1", 443)),
    ("https://[::1]:5000/", ("https", "::1", 5000)),
    ("https://[2001:DB8:0:0::1]/", ("https", "2001:db8::1", 443)),
    ("https://[0:0:0:0:0:0:0:1]/", ("https", "::1", 443)),
    ("https://[::ffff:1.2.3.4]/", ("https", "::ffff:102:304", 443)),
    # IDNA 2008 with UTS 46, as browsers have it.
    ("https://bücher.example/", ("https", "xn--bcher-kva.example", 443)),
    ("https://BÜCHER.example/", ("https", "xn--bcher-kva.example", 443)),
    ("https://bu\u0308cher.example/", ("https", "xn--bcher-kva.example", 443)),
    ("https://xn--bcher-kva.example/", ("https", "xn--bcher-kva.example", 443)),
    ("https://faß.example/", ("https", "xn--fa-hia.example", 443)),
    ("https://例え.テスト/", ("https", "xn--r8jz45g.xn--zckzah", 443)),
    ("https://\uff45xample\u3002com/", ("https", "example.com", 443)),
    # User information is no part of the host.
    ("https://user@a.example/", ("https", "a.example", 443)),
    ("https://user:word@a.example:8443/", ("https", "a.example", 8443)),
    ("https://b.example@a.example/", ("https", "a.example", 443)),
    # What ends a host.
    ("https://a.example?x=https://@b.example/", ("https", "a.example", 443)),
    ("https://a.example#@b.example/", ("https", "a.example", 443)),
    ("https://a.example/@b.example", ("https", "a.example", 443)),
    # Bare hosts (bazel-contrib/rules_img), and the literal wildcard that Siso asks for.
    ("a.example", ("https", "a.example", 443)),
    ("a.example:5000", ("https", "a.example", 5000)),
    ("localhost", ("https", "localhost", 443)),
    ("localhost:5000", ("https", "localhost", 5000)),
    ("127.0.0.1:5000", ("https", "127.0.0.1", 5000)),
    ("[::1]:5000", ("https", "::1", 5000)),
    ("https://*.googleapis.com/", ("https", "*.googleapis.com", 443)),
    # Buckets.
    ("s3://bucket/key", ("s3", "bucket", 0)),
    ("s3://my.bucket_1/key", ("s3", "my.bucket_1", 0)),
    ("s3://releases.2024/key", ("s3", "releases.2024", 0)),
]

REFUSED = [
    # No URL.
    ("", "empty"),
    ("a b", "space"),
    ("https://a.example/a b", "space"),
    ("https://a.example/\ttab", "control character"),
    ("https://a.example/\r\nX-Injected: yes", "control character"),
    ("https://a.example/\x00", "control character"),
    ("https://a.example/\u202e", "control character"),
    ("https://a.example/\ud800", "control character"),
    (r"https://a.example\@b.example/", "backslash"),
    # Other schemes.
    ("grpcs://a.example", "'grpcs'"),
    ("grpc://a.example", "'grpc'"),
    ("ftp://a.example/", "'ftp'"),
    ("unix:///run/socket", "'unix'"),
    ("file:///etc/passwd", "'file'"),
    # Relative.
    ("/simple/", "not absolute"),
    ("//a.example/", "not absolute"),
    ("simple.", "not absolute"),
    ("a.example/simple", "not absolute"),
    ("user@a.example", "not absolute"),
    ("unix:/run/socket", "not absolute"),
    ("grpcs:a", "not absolute"),
    ("https:/a.example/", "not absolute"),
    ("https:a.example", "not absolute"),
    # No host, or none that is beyond doubt.
    ("https://", "no host"),
    ("https:///@b.example", "no host"),
    ("https://:443/", "no host"),
    ("https://user@/", "no host"),
    ("https://a..example/", "no host"),
    ("https://.a.example/", "no host"),
    ("https://a.example../", "no host"),
    ("https://./", "no host"),
    ("https://../", "no host"),
    ("https://intranet../", "no host"),
    ("https://\u3002/", "no host|internationalised"),
    ("https://*/", "no host"),
    ("https://*./", "no host"),
    ("https://a.*.example/", "no host"),
    ("https://a%2eexample/", "no host"),
    ("https://a.example%00.b.example/", "no host"),
    ("https://a,b.example/", "no host"),
    ("https://a<b>.example/", "no host"),
    ("https://\u2488com/", "internationalised"),
    ("https://a\u2215b.example/", "internationalised"),
    ("https://xn--\u00fc.example/", "internationalised"),
    # An address in one of the forms that programs read differently.
    ("https://127.1/", "number"),
    ("https://2130706433/", "number"),
    ("https://0x7f000001/", "number"),
    ("https://0x7f.0.0.1/", "IPv4"),
    ("https://127.0.0.0x1/", "number"),
    ("https://0177.0.0.1/", "number"),
    ("https://127.0.0.01/", "number"),
    ("https://256.0.0.1/", "number"),
    ("https://1.2.3.4.5/", "number"),
    ("https://a.example.1/", "number"),
    ("https://127.0.0.1./", "number"),
    # Only programs with IDNA take these for what they look like.
    ("https://\uff4cocalhost/", "other letters"),
    ("https://a.local\u24d7ost./", "other letters"),
    ("https://\uff11\uff12\uff17.0.0.1/", "other letters"),
    ("https://127\u30020\u30020\u30021./", "other letters"),
    ("https://[::1/", "bracket"),
    ("https://[::1]x/", "bracket"),
    ("https://[a.example]/", "IPv6"),
    ("https://[127.0.0.1]/", "IPv6"),
    ("https://[]/", "IPv6"),
    ("https://[fe80::1%25eth0]/", "IPv6"),
    ("https://[fe80::1%eth0]/", "zone"),
    ("https://::1/", "no host"),
    # Ports.
    ("https://a.example:0/", "between"),
    ("https://a.example:65536/", "between"),
    ("https://a.example:-1/", "not a number"),
    ("https://a.example:https/", "not a number"),
    ("https://a.example:\u0664\u0664\u0663/", "not a number"),
    ("https://a.example:4_43/", "not a number"),
    ("https://a.example:" + "9" * 5000, "not a number"),
    ("https://a.example:443:443/", "not a number"),
]


@pytest.mark.parametrize(("text", "origin"), ORIGINS)
def test_the_server_that_is_meant(text: str, origin: tuple[str, str, int]) -> None:
    assert urls.parse(text).origin == origin


@pytest.mark.parametrize(("text", "why"), REFUSED)
def test_what_is_not_beyond_doubt_is_refused(text: str, why: str) -> None:
    with pytest.raises(RequestError, match=why):
        urls.parse(text)


def test_the_longest_url_and_one_more() -> None:
    longest = "https://a.example/".ljust(urls.MAX_LENGTH, "x")
    assert urls.parse(longest).host == "a.example"
    with pytest.raises(RequestError, match="65537 characters"):
        urls.parse(longest + "x")


def test_a_refusal_does_not_repeat_what_was_sent() -> None:
    for text in ("https://user:hunter2@/", "https://user:hunter2@a%b/", "hunter2", "x://hunter2"):
        with pytest.raises(RequestError) as raised:
            urls.parse(text)
        assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "username"),
    [
        ("https://a.example/", None),
        ("https://@a.example/", None),
        ("https://:word@a.example/", None),
        ("https://bob@a.example/", "bob"),
        ("https://bob:word@a.example/", "bob"),
        ("https://a%40b:word@a.example/", "a@b"),
        ("https://j%C3%BCrgen@a.example/", "jürgen"),
        ("https://a@b@a.example/", "a@b"),
    ],
)
def test_the_user_name_and_never_the_password(text: str, username: str | None) -> None:
    url = urls.parse(text)
    assert url.username == username
    assert "word" not in url.text + repr(url) + url.netloc


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("", "/"),
        ("/", "/"),
        ("/a/b/", "/a/b/"),
        ("/a/./b", "/a/b"),
        ("/a/../b", "/b"),
        ("/a/b/..", "/a/"),
        ("/a/b/%2e", "/a/b/"),
        ("/../../b", "/b"),
        ("/..", "/"),
        ("/a/%2e%2E/b", "/b"),
        ("/a/.%2e/b", "/b"),
        ("/a/%2e/b", "/a/b"),
        ("/a//../b", "/a/b"),
        ("/.a/..b/c.", "/.a/..b/c."),
        ("/a/...", "/a/..."),
        ("/a%2f..%2fb", "/a%2f..%2fb"),
        ("/a?/../b", "/a"),
        # As the server will get it, and as WHATWG URL writes it.
        ("/é", "/%C3%A9"),
        ("/%c3%a9", "/%c3%a9"),
        ("/\U0001f600/x", "/%F0%9F%98%80/x"),
        ('/"<>`{}', "/%22%3C%3E%60%7B%7D"),
        ("/!$&'()*+,;=:@|^[]~%", "/!$&'()*+,;=:@|^[]~%"),
        ("/é/../%2e%2e/b", "/b"),
        ("/a#/../b", "/a"),
    ],
)
def test_the_path_as_the_server_will_read_it(path: str, meant: str) -> None:
    assert urls.parse(f"https://a.example{path}").path == meant


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("HTTPS://user:word@A.Example:443", "https://a.example/"),
        ("https://a.example:8443/x?y=1#z", "https://a.example:8443/x?y=1"),
        ("https://[::1]:443/x", "https://[::1]/x"),
        ("https://[::1]:5000", "https://[::1]:5000/"),
        ("https://a.example?x", "https://a.example/?x"),
        ("a.example:5000", "https://a.example:5000/"),
        ("s3://bucket/key", "s3://bucket/key"),
    ],
)
def test_the_text_that_may_be_shown(text: str, shown: str) -> None:
    assert urls.parse(text).text == shown


@pytest.mark.parametrize(
    ("named", "asked", "covered"),
    [
        ("https://a.example", "https://a.example/x", True),
        ("https://a.example/", "https://a.example", True),
        ("https://a.example:443/", "https://A.example./x", True),
        ("https://a.example/team", "https://a.example/team", True),
        ("https://a.example/team", "https://a.example/team/", True),
        ("https://a.example/team", "https://a.example/team/x", True),
        ("https://a.example/team", "https://a.example/team?x", True),
        ("https://a.example/team", "https://a.example/teams", False),
        ("https://a.example/team", "https://a.example/Team", False),
        ("https://a.example/team", "https://a.example/", False),
        ("https://a.example/team", "https://a.example//team", False),
        ("https://a.example/team", "https://a.example/team/../other", False),
        ("https://a.example/team", "https://a.example/team/%2e%2e/other", False),
        ("https://a.example/team", "https://a.example/other/../team/x", True),
        ("https://a.example/", "http://a.example/", False),
        ("https://a.example/", "https://a.example:8443/", False),
        ("https://a.example/", "https://b.a.example/", False),
        ("https://a.example/", "https://example/", False),
        ("http://a.example:443/", "https://a.example/", False),
        ("https://intranet/", "https://intranet./", False),
        ("https://intranet./", "https://intranet/", False),
        ("https://intranet./", "https://INTRANET./x", True),
    ],
)
def test_what_an_address_covers(named: str, asked: str, covered: bool) -> None:
    assert urls.parse(named).covers(urls.parse(asked)) is covered


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("a.example", False),
        ("a1", False),
        ("node.dc1", False),
        ("127.x.dc1", False),
        ("1.2.3.x4", False),
        ("1.2.3.4", True),
        ("[::1]", True),
        ("[2001:db8::a]", True),
    ],
)
def test_an_address_is_told_from_a_name(host: str, address: bool) -> None:
    assert urls.parse(f"https://{host}/").is_ip is address


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("localhost", True),
        ("LOCALHOST.", False),  # the resolver may know: test_addresses.py
        ("a.localhost", False),
        ("127.0.0.1", True),
        ("127.255.255.254", True),
        ("[::1]", True),
        ("localhost.evil.example", False),
        ("notlocalhost", False),
        ("localhost1", False),
        ("127.0.0.1.evil.example", False),
        ("127.evil.dc1", False),
        ("128.0.0.1", False),
        ("0.0.0.0", False),  # noqa: S104 - not this machine alone
        ("[::]", False),
        ("[::2]", False),
        ("10.0.0.1", False),
    ],
)
def test_plain_http_carries_credentials_within_this_machine_only(host: str, here: bool) -> None:
    assert urls.parse(f"http://{host}:8080/").may_carry_credentials is here
    assert urls.parse(f"https://{host}:8080/").may_carry_credentials is True


@pytest.mark.parametrize(
    "text", ["a.example", "a.example:443", "localhost", "[::1]", "//a.example"]
)
def test_what_a_store_names_has_a_scheme(text: str) -> None:
    with pytest.raises(RequestError, match="not absolute"):
        urls.absolute(text)
    assert urls.absolute("https://a.example:443").text == "https://a.example/"
