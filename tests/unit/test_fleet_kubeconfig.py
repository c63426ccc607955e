"""Where kubectl's file says that a cluster is, and who a person is there."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from credlatch.caller import Caller
from credlatch.errors import StoreError
from credlatch.fleet import cluster, kubeconfig, settings
from credlatch.fleet.engine import EngineError
from credlatch.fleet.opening import Target

if TYPE_CHECKING:
    from credlatch.fleet.cluster import Cluster
    from support.home import Home


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def config(user: dict[str, Any], **cluster: Any) -> dict[str, Any]:
    """As `kubectl config` writes it."""
    return {
        "apiVersion": "v1",
        "clusters": [
            {"cluster": {"server": "https://other.example"}, "name": "other"},
            {"cluster": {"server": "https://k.example:6443", **cluster}, "name": "kind"},
        ],
        "contexts": [
            {"context": {"cluster": "kind", "namespace": "ci", "user": "me"}, "name": "here"},
            {"context": {"cluster": "other", "user": "me"}, "name": "there"},
        ],
        "current-context": "here",
        "kind": "Config",
        "preferences": {},
        "users": [{"name": "me", "user": user}, {"name": "you", "user": {"token": "yours"}}],
    }


def found(home: Home, document: dict[str, Any] | str, name: str = ".kube/config") -> Cluster:
    text = document if isinstance(document, str) else yaml.safe_dump(document)
    home.write(name, text, 0o600)
    there = kubeconfig.found(Caller(home.env))
    assert there is not None
    return there


def token(there: Cluster) -> str | None:
    secret = there.token()
    return None if secret is None else secret.reveal()


FORMS = {
    "kubectl's": yaml.safe_dump,
    "indented": lambda each: yaml.dump(each, Dumper=_Indented),
    "JSON": json.dumps,
    "JSON in lines": lambda each: json.dumps(each, indent=2),
    "with comments": lambda each: yaml.safe_dump(each).replace("clusters:", "# mine\n\nclusters:"),
    "from Windows": lambda each: yaml.safe_dump(each).replace("\n", "\r\n"),
}


class _Indented(yaml.SafeDumper):
    """Has a list deeper than its key, as people and other programs write it."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        del indentless
        super().increase_indent(flow, indentless=False)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_each_form_says_the_same(home: Home, form: Any) -> None:
    user = {"token": "a-token", "exec": None}
    authority = {"certificate-authority-data": b64("PEM")}
    there = found(home, form(config(user, **authority, **{"insecure-skip-tls-verify": False})))
    assert (there.shown, there.namespace, token(there)) == (
        "https://k.example:6443",
        "ci",
        "a-token",
    )
    assert (there.tls.pem, there.tls.authorities, there.tls.proxy) == ("PEM", None, None)
    assert there.identity == f"the user of the context here in {home.path}/.kube/config"


def test_another_context_has_its_own(home: Home) -> None:
    there = found(home, {**config({"token": "t"}), "current-context": "there"})
    assert (there.shown, there.namespace) == ("https://other.example", "default")


def test_paths_start_from_the_file(home: Home) -> None:
    home.write(".kube/token", "from-a-file\n", 0o600)
    user = {"tokenFile": "token", "token": "old", "client-certificate": "me.crt",
            "client-key": "/keys/me.key"}  # fmt: skip
    there = found(home, config(user, **{"certificate-authority": "../ca.crt"}))
    assert token(there) == "from-a-file"
    folder = f"{home.path}/.kube"
    assert there.tls.authorities == f"{folder}/../ca.crt"
    assert (there.tls.certificate, there.tls.key) == (f"{folder}/me.crt", "/keys/me.key")
    home.write(".kube/token", "fresh\n", 0o600)
    assert token(there) == "fresh"


def test_what_is_within_comes_first(home: Home) -> None:
    home.write(".kube/me.key", "KEY", 0o600)
    user = {"client-certificate-data": b64("CERTIFICATE"), "client-certificate": "me.crt",
            "client-key": "me.key"}  # fmt: skip
    authorities = {"certificate-authority": "ca.crt", "certificate-authority-data": b64("PEM")}
    there = found(
        home, config(user, **authorities, **{"tls-server-name": "k", "proxy-url": "http://p"})
    )
    assert there.tls.chain is not None
    assert there.tls.chain.reveal() == "CERTIFICATE\nKEY"
    assert (there.tls.certificate, there.tls.pem, there.tls.authorities) == (None, "PEM", None)
    assert (there.tls.name, there.tls.proxy, token(there)) == ("k", "http://p", None)


def test_several_files_count_as_one(home: Home) -> None:
    first = {**config({"token": "first"}), "current-context": "", "contexts": []}
    second = config({"token": "second"}, server="https://second.example")
    home.write("a/first", yaml.safe_dump(first), 0o600)
    home.write("b/second", yaml.safe_dump(second), 0o600)
    home.env["KUBECONFIG"] = f"{home.path}/a/first:{home.path}/missing:{home.path}/b/second"
    there = found(home, config({"token": "not this"}))
    assert (there.shown, token(there)) == ("https://k.example:6443", "first")
    home.env["KUBECONFIG"] = f"{home.path}/b/second"
    there = found(home, config({"token": "not this"}))
    assert (there.shown, token(there)) == ("https://second.example", "second")


def test_where_there_is_none(home: Home) -> None:
    assert kubeconfig.found(Caller(home.env)) is None
    with pytest.raises(EngineError, match="this is no pod, and there is no kubeconfig"):
        cluster.found(Caller(home.env))
    home.env |= {"KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443"}
    with pytest.raises(EngineError, match="the pod needs a service account"):
        cluster.found(Caller(home.env))
    assert found(home, config({"token": "t"})).shown == "https://k.example:6443"
    assert cluster.found(Caller(home.env)).shown == "https://k.example:6443"


def target(home: Home) -> Target:
    row = '[[fleet]]\nurl = "https://pypi.example.com"\nengine = "kubernetes"\naccess = "team"\n'
    home.write(".config/credlatch/fleet.toml", row, 0o600)
    caller = Caller(home.env)
    said = settings.read(caller)
    assert said is not None
    return Target(said.rows[0], caller)


def test_what_is_kept_of_one_cluster_or_person_is_no_other_s(home: Home) -> None:
    """An agent serves calls with any KUBECONFIG, and a journal waits for its own cluster."""
    user = {"tokenFile": "token"}
    home.write(".kube/token", "first", 0o600)
    home.write(".kube/config", yaml.safe_dump(config(user)), 0o600)
    first = target(home)
    assert first.place == "the Secret ci/team of https://k.example:6443"
    assert (target(home).key, target(home).place_key) == (first.key, first.place_key)
    home.write(".kube/token", "second", 0o600)
    again = target(home)
    assert (again.key == first.key, again.place_key == first.place_key) == (False, True)
    home.write(
        "other", yaml.safe_dump(config({"token": "first"}, server="https://b.example")), 0o600
    )
    home.env["KUBECONFIG"] = f"{home.path}/other"
    other = target(home)
    assert other.server == "https://b.example"
    assert (other.key == first.key, other.place_key == first.place_key) == (False, False)


def test_a_row_for_a_cluster_that_is_not_known_says_so(home: Home) -> None:
    with pytest.raises(StoreError, match="no cluster of Kubernetes is known here"):
        target(home)


REFUSED: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"token": "t"}, {"insecure-skip-tls-verify": True}, "has TLS unverified for here"),
    ({"exec": {"command": "aws", "args": ["eks"]}}, {}, "has exec for the user of here"),
    ({"token": "t", "as": "admin"}, {}, "has as for the user of here"),
    ({"auth-provider": {"name": "gcp"}}, {}, "has auth-provider"),
    ({"username": "a", "password": "b"}, {}, "has neither token nor certificate"),
    ({"client-key-data": "é"}, {}, "client-key-data that is no"),
    ({"token": "t", "as-groups": ["admins"]}, {}, "has as-groups"),
    ({"token": ["t"]}, {}, "has a token that is no text"),
    ({"token": "t"}, {"certificate-authority-data": "/w=="}, "that is no base64 of a text"),
    ({"token": "t"}, {"server": "http://k.example"}, "would get a token in the clear"),
    ({"token": "t"}, {"server": ""}, "cannot be used"),
]


@pytest.mark.parametrize(("user", "said", "why"), REFUSED)
@pytest.mark.parametrize("form", [yaml.safe_dump, json.dumps])
def test_what_is_not_done_is_said(
    home: Home, user: dict[str, Any], said: dict[str, Any], why: str, form: Any
) -> None:
    with pytest.raises(EngineError, match=why):
        found(home, form(config(user, **said)))


def test_what_is_written_in_a_line_is_not_passed_over(home: Home) -> None:
    text = yaml.safe_dump(config({"token": "t"}))
    assert "    token: t\n" in text
    with pytest.raises(EngineError, match="has as-groups"):
        found(home, text.replace("    token: t\n", "    token: t\n    as-groups: [admins]\n"))


@pytest.mark.parametrize(
    "text",
    ["", "{}", "clusters:\n- cluster: [\n", "current-context: gone\n", "users: {}\n", "{]",
     "clusters:\n- a\n- b: c\n", "x", "clusters:\n- cluster:\n    server: x\n   name: y\n"],
)  # fmt: skip
def test_what_is_damaged_is_one_line(home: Home, text: str) -> None:
    with pytest.raises(StoreError) as caught:
        found(home, text)
    assert "\n" not in str(caught.value)
    assert ".kube/config" in str(caught.value)
