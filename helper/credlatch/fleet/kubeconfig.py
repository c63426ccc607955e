"""The file by which `kubectl` knows clusters: where they are, and who a person is there.

What it writes is block YAML, and JSON is YAML as well. Tokens and certificates count; a program
that would have to be run for a token is not run.
"""

from __future__ import annotations

import json
import os
from binascii import Error as Base64Error
from binascii import a2b_base64

from credlatch.auth.tls import Tls
from credlatch.credential import Secret
from credlatch.errors import StoreError
from credlatch.fleet.cluster import Cluster, text
from credlatch.fleet.engine import EngineError
from credlatch.identities import block_yaml

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from credlatch.caller import Caller

VARIABLE = "KUBECONFIG"
_LISTS = {"clusters": "cluster", "contexts": "context", "users": "user"}
_PATHS = ("certificate-authority", "client-certificate", "client-key", "tokenFile")
_FALSE = ("", "false", False)  # None is something in YAML that is not read


def found(caller: Caller) -> Cluster | None:
    """The cluster that `kubectl` would ask; None: there is no such file.

    Raises:
        EngineError: it says nothing of use, or what is not done here.
    """
    merged: dict[str, Any] = {}
    where = ""
    try:
        for path in _paths(caller):
            content = caller.read(path)
            if content is not None:
                where = where or path
                _merge(merged, _relative(read(content, path), os.path.dirname(path)))
    except StoreError as error:
        raise EngineError(str(error)) from None
    return _cluster(merged, where) if where else None


def read(content: str, path: str) -> dict[str, Any]:
    """What a file says: `current-context`, and by name clusters, contexts and users.

    Raises:
        StoreError: it is no such file.
    """
    if content.lstrip().startswith("{"):
        try:
            document = json.loads(content, object_hook=_without_null)
        except (ValueError, RecursionError):
            raise StoreError(f"{path} is not what kubectl writes: it is no JSON") from None
        items = {key: document.get(key) for key in _LISTS}
    else:
        document, items = _yaml(content, path)
    said: dict[str, Any] = {"current-context": _text(document, "current-context", path)}
    for key, inner in _LISTS.items():
        rows = items[key]
        said[key] = {}
        for row in rows if isinstance(rows, list) else []:
            if isinstance(row, dict) and isinstance(row.get(inner), dict):
                said[key].setdefault(_text(row, "name", path), row[inner])
    return said


def _yaml(
    content: str, path: str
) -> tuple[block_yaml.Mapping, dict[str, list[block_yaml.Mapping]]]:
    """A document without its lists, and each of these as the mappings that are its items."""
    items: dict[str, list[block_yaml.Mapping]] = {key: [] for key in _LISTS}
    lines = content.replace("\r\n", "\n").split("\n")
    rest = list(lines)
    key, begin, indent = "", 0, 0

    def item(end: int) -> None:
        if begin:
            first = lines[begin - 1]
            after = first[indent + 1 :].lstrip(" ")
            deep = len(first) - len(after) if after else indent + 2
            body = [f"{' ' * deep}{after}", *lines[begin:end]]
            own = [each if each[:deep].strip() else each[deep:] for each in body]
            # Blank lines before it, so that what is wrong is told with its own line.
            items[key].append(block_yaml.parse("\n" * (begin - 1) + "\n".join(own), path))

    for number, line in enumerate(lines, 1):
        content = line.strip(" ")
        if not content or content.startswith("#"):
            continue
        here = len(line) - len(line.lstrip(" "))
        is_item = content == "-" or content.startswith("- ")
        if key and is_item and (not begin or here == indent):
            item(number - 1)
            begin, indent = number, here
        elif here == 0 and not is_item:
            item(number - 1)
            key, begin = content.partition(":")[0].strip("\"'"), 0
            key = key if key in _LISTS and content.endswith(":") else ""
            continue
        if key:
            rest[number - 1] = ""
    item(len(lines))
    return block_yaml.parse("\n".join(rest), path), items


def _paths(caller: Caller) -> list[str]:
    named = caller.get(VARIABLE)
    if named is None:
        return [caller.in_home(".kube", "config")]
    if os.pathsep not in named:
        path = caller.path(VARIABLE)
        return [path] if path else []
    return [caller.absolute(each) for each in named.split(os.pathsep) if each]


def _relative(said: dict[str, Any], folder: str) -> dict[str, Any]:
    """The same, with paths as they are meant: from where the file is."""
    for key in _LISTS:
        for row in said[key].values():
            for name in _PATHS:
                if isinstance(row.get(name), str) and row[name]:
                    row[name] = os.path.join(folder, row[name])
    return said


def _merge(into: dict[str, Any], said: dict[str, Any]) -> None:
    """Several files count as one: of what two of them name, the first one's."""
    into["current-context"] = into.get("current-context") or said["current-context"]
    for key in _LISTS:
        into[key] = {**said[key], **into.get(key, {})}


def _cluster(said: dict[str, Any], where: str) -> Cluster:
    name = said["current-context"]
    context = said["contexts"].get(name)
    if not name or context is None:
        raise EngineError(f"{where} has no current context: kubectl config use-context NAME")
    cluster = said["clusters"].get(_text(context, "cluster", where))
    user = said["users"].get(_text(context, "user", where))
    if cluster is None or user is None:
        raise EngineError(f"{where} has no cluster or no user for its context {name}: mend it")
    if cluster.get("insecure-skip-tls-verify", "") not in _FALSE:
        raise EngineError(f"{where} has TLS unverified for {name}: name its certificate-authority")
    for key in ("exec", "auth-provider", "as", "as-uid", "as-groups", "as-user-extra"):
        if user.get(key, "") not in _FALSE:
            raise EngineError(
                f"{where} has {key} for the user of {name}, which is not done here: "
                "make a context with a token (kubectl create token) or a client certificate"
            )
    certificate, key_file, chain = _ours(user, where)
    token = _token(user, where)
    if token is None and certificate is None and chain is None:
        raise EngineError(f"{where} has neither token nor certificate for the user of {name}")
    tls = Tls(
        authorities=_text(cluster, "certificate-authority", where) or None,
        pem=_data(cluster, "certificate-authority-data", where) or None,
        certificate=certificate,
        key=key_file,
        chain=chain,
        name=_text(cluster, "tls-server-name", where) or None,
        proxy=_text(cluster, "proxy-url", where) or None,
    )
    if tls.pem:
        tls = tls._replace(authorities=None)  # within it comes first, as for kubectl
    namespace = _text(context, "namespace", where) or "default"
    identity = f"the user of the context {name} in {where}"
    return Cluster(
        _text(cluster, "server", where), tls, token or (lambda: None), namespace, identity
    )


def _ours(user: dict[str, Any], where: str) -> tuple[str | None, str | None, Secret | None]:
    """Our certificate and its key: files, or both as they are; what is within comes first."""
    names = ("client-certificate", "client-key")
    files = [_text(user, name, where) for name in names]
    within = [_data(user, f"{name}-data", where) for name in names]
    if not any(within):
        return files[0] or None, files[1] or None, None
    parts = [data or (text(file) if file else "") for data, file in zip(within, files, strict=True)]
    return None, None, Secret("\n".join(parts))


def _token(user: dict[str, Any], where: str) -> Callable[[], Secret | None] | None:
    file, token = _text(user, "tokenFile", where), _text(user, "token", where)
    if file:
        return lambda: Secret(text(file).strip())
    return (lambda: Secret(token)) if token else None


def _data(row: dict[str, Any], key: str, where: str) -> str:
    """What is in base64 under a key; empty where there is nothing."""
    try:
        return a2b_base64(_text(row, key, where)).decode()
    except (Base64Error, ValueError):
        raise EngineError(f"{where} has a {key} that is no base64 of a text: mend it") from None


def _text(row: dict[str, Any], key: str, where: str) -> str:
    """A text of one line; empty where there is none."""
    value = row.get(key, "")
    if not isinstance(value, str):
        raise EngineError(f"{where} has a {key} that is no text of one line: mend it")
    return value


def _without_null(said: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in said.items() if value is not None}
