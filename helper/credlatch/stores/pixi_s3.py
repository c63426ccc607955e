"""Where pixi's ``s3-options`` say that buckets are: endpoint, region and style of each.

Pixi has them, bucket by bucket, from the machine's configuration, the user's, a project's, and the
project's manifest, each of which counts more than those before it. A project says nothing of a
bucket that the user's own have at another endpoint: what a project says outranks no user.
"""

from __future__ import annotations

from credlatch import s3_hosts
from credlatch.errors import RequestError, StoreError
from credlatch.stores import pixi_config

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from credlatch.caller import Caller
    from credlatch.url import Url

    Options = dict[str, "Option | str"]

_FIELDS = {"endpoint-url": str, "region": str, "force-path-style": bool}
OUTRANKED = "names another endpoint for a bucket than your own configuration"


class Option:
    """What they say of one bucket.

    Attributes:
        endpoint: of its server.
        region: which signatures are for.
        path_style: whether the bucket is in the path alone.
    """

    def __init__(self, endpoint: Url, region: str, *, path_style: bool) -> None:
        self.endpoint = endpoint
        self.region = region
        self.path_style = path_style

    def below(self, url: Url, bucket: str) -> str | None:
        """What a URL asks of the bucket, as it was written; None where it is for another."""
        endpoint = self.endpoint
        if (url.scheme, url.port) != (endpoint.scheme, endpoint.port):
            return None
        if self.path_style and url.host != endpoint.host:
            return None
        return s3_hosts.below(url, bucket, endpoint.host, endpoint.path.rstrip("/"))


def options(caller: Caller, pass_over: Callable[[str, str], None]) -> dict[str, Option]:
    """What holds for the caller, by bucket.

    Args:
        caller: whose configuration counts, and the project around the working directory.
        pass_over: told why something does not count, and where it is.

    Raises:
        StoreError: a configuration of the user's own cannot be read.
    """
    of_user, of_project = pixi_config.mentions_s3(caller)
    found: Options = {}
    for path in reversed(pixi_config.own_files(caller)) if of_user else ():
        found |= caller.document(path, _of_config, lambda _: False) or {}  # settings, no secret
    kept = _usable(found, caller.warn)
    if of_project:
        for bucket, option in _of_project(caller, pass_over).items():
            own = kept.get(bucket)
            if own is not None and own.endpoint.origin != option.endpoint.origin:
                pass_over(OUTRANKED, f"{pixi_config.S3}.{bucket} of the project")
            else:
                kept[bucket] = option
    return kept


def _of_project(caller: Caller, pass_over: Callable[[str, str], None]) -> dict[str, Option]:
    from credlatch.stores import pixi_project

    found: Options = {}
    try:
        for path, text in pixi_project.settings(caller):
            of_manifest = path.endswith(pixi_config.MANIFESTS)
            found |= (_of_manifest if of_manifest else _of_config)(text, path)
    except StoreError as error:
        pass_over(f"is not heard ({error})", f"{pixi_config.S3} of the project")
        return {}
    return _usable(
        found, lambda line: pass_over(f"says nothing that counts ({line})", pixi_config.S3)
    )


def _usable(found: Options, warn: Callable[[str], None]) -> dict[str, Option]:
    for option in found.values():
        if isinstance(option, str):
            warn(option)
    return {bucket: option for bucket, option in found.items() if isinstance(option, Option)}


def _of_config(text: str, path: str) -> Options:
    return _read(text, path, ())


def _of_manifest(text: str, path: str) -> Options:
    above = () if path.endswith(pixi_config.MANIFESTS[0]) else ("tool", "pixi")
    found: Options = {}
    for name in ("project", "workspace"):
        found |= _read(text, path, (*above, name))
    return found


def _read(text: str, path: str, above: tuple[str, ...]) -> Options:
    """The options below a table, by bucket; in place of one that is damaged what is wrong with it.

    Raises:
        StoreError: it is not TOML, and may have some.
    """
    if pixi_config.S3 not in text:
        return {}
    import tomllib

    try:
        table: object = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise StoreError(f"{path} is not TOML ({error}): mend it") from None
    for name in (*above, pixi_config.S3):
        table = table.get(name) if isinstance(table, dict) else None
    buckets = table if isinstance(table, dict) else {}
    return {bucket: _option(bucket, value, path) for bucket, value in buckets.items()}


def _option(bucket: str, value: object, path: str) -> Option | str:
    from credlatch import url as urls

    where = f"{path}: {pixi_config.S3}.{bucket}"
    said = value if isinstance(value, dict) else {}
    wrong = [name for name, kind in _FIELDS.items() if not isinstance(said.get(name), kind)]
    if wrong:
        return f"{where} has no {' and no '.join(wrong)}, as pixi wants: add it"
    try:
        endpoint = urls.absolute(said["endpoint-url"])
    except RequestError as error:
        return f"{where}: its endpoint-url cannot be used: {error}"
    return Option(endpoint, said["region"], path_style=said["force-path-style"])
