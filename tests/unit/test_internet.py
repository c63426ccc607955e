"""The network that tests have of their own: what goes there is answered as by the host itself."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from credlatch import url as urls
from credlatch.auth import HttpRequest, HttpResponse
from credlatch.errors import RenewalError
from credlatch.renew import http
from support.answering import Answering
from support.internet import Internet, Visit

if TYPE_CHECKING:
    from pathlib import Path

    from support.internet import Answer

STS = "https://sts.eu-west-1.amazonaws.com/x%2Fy?Action=Get&b=c+d"


def sent(url: str = STS, within: float = 30.0, **asked: object) -> HttpResponse:
    """What this process's own sender gets."""
    request = HttpRequest("POST" if asked else "GET", url, **asked)  # type: ignore[arg-type] # by name
    return http.send(request, urls.parse(url), time.monotonic() + within)


def hello(visit: Visit) -> Answer:
    return 200, {"X-Host": visit.host}, {"said": visit.form if visit.body else None}


def test_a_host_is_spoken_to_by_its_real_name(internet: Internet) -> None:
    internet.hosts["sts.eu-west-1.amazonaws.com"] = hello
    response = sent(form={"a": "ü"}, headers={"X-Asked": "1"})
    assert (response.status, response.headers["x-host"]) == (200, "sts.eu-west-1.amazonaws.com")
    assert response.body == b'{"said": {"a": "\\u00fc"}}'
    (visit,) = internet.visits
    assert (visit.method, visit.url, visit.path) == ("POST", STS, "/x%2Fy")
    assert (visit.headers["x-asked"], visit.headers["host"]) == ("1", visit.host)
    assert internet.asked == ["sts.eu-west-1.amazonaws.com:443"]


def test_a_name_may_stand_for_all_below_it_and_another_port_is_told(internet: Internet) -> None:
    internet.hosts["*.amazonaws.com"] = hello
    assert sent().status == 200
    assert sent("https://a.b.amazonaws.com:8443/").status == 200
    assert [visit.url for visit in internet.visits] == [STS, "https://a.b.amazonaws.com:8443/"]
    with pytest.raises(RenewalError, match="502"):
        sent("https://amazonaws.com.evil.example/")
    assert len(internet.visits) == 2
    assert internet.asked[2:] == ["amazonaws.com.evil.example:443"]


def test_plain_http_goes_there_as_well(internet: Internet) -> None:
    internet.hosts["169.254.169.254"] = hello
    assert sent("http://169.254.169.254/latest/?a=b").status == 200
    (visit,) = internet.visits
    assert (visit.url, visit.target) == ("http://169.254.169.254/latest/?a=b", "/latest/?a=b")


def test_a_real_server_may_stand_for_a_host(internet: Internet) -> None:
    with Answering(lambda _: (201, {"X-Real": "yes"}, {"a": 1})) as server:
        internet.hosts["bucket.s3.amazonaws.com"] = server.port
        response = sent("https://bucket.s3.amazonaws.com/a%20b?c=+d", content=b"body")
        (request,) = server.requests
    assert (response.status, response.headers["x-real"], response.body) == (201, "yes", b'{"a": 1}')
    assert (request.target, request.body) == ("/a%20b?c=+d", b"body")
    assert request.headers["host"] == "bucket.s3.amazonaws.com"


def test_a_host_may_take_a_request_and_say_nothing(internet: Internet) -> None:
    internet.hosts["*"] = None
    with pytest.raises(RenewalError, match=r"too slowly|no answer"):
        sent(within=4.0)
    assert [visit.url for visit in internet.visits] == [STS]


def test_who_does_not_trust_its_authority_is_told_nothing(
    internet: Internet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    internet.hosts["*"] = hello
    with Internet(tmp_path / "another") as another:
        monkeypatch.setenv("SSL_CERT_FILE", str(another.authority))
        with pytest.raises(RenewalError, match="SSL_CERT_FILE"):
            sent()
    assert internet.visits == []


def test_loopback_itself_is_reached_without_it(internet: Internet) -> None:
    with Answering(lambda _: (200, {}, {})) as server:
        assert sent(server.url).status == 200
    assert internet.asked == []
