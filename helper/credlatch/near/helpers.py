"""Docker's own logins that another credential helper keeps, which is not asked after us."""

from __future__ import annotations

import shlex

from credlatch import go_json, near, registry
from credlatch.errors import StoreError
from credlatch.stores import chained, docker
from credlatch.system import programs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from credlatch.caller import Caller
    from credlatch.near import NearMiss
    from credlatch.request import Request
    from credlatch.stores.steps import Step


def found(request: Request, caller: Caller, _trace: Iterable[Step]) -> Iterator[NearMiss]:
    """The helpers that have, or may have, the login for a registry."""
    url = request.url
    if url is None or url.scheme == "s3":
        return
    keys = (*request.keys, *registry.below(url), *registry.spellings(url))
    asked = chained.ChainedStore(caller).helper_of(keys, or_all=request.registry)
    for path, tool in docker.configurations(caller):
        helper, is_sure = _helper(caller.document(path, _parsed, lambda _: False), keys)
        if helper and helper not in {asked, chained.OURSELVES}:
            has = "is" if is_sure else "may be"
            can_be_asked = programs.docker_helper(helper, caller.environ) is not None
            but = "asked" if can_be_asked else "on PATH"
            yield near.NearMiss(
                "docker",
                kept=f"docker-credential-{helper}",
                location=path,
                why=f"the login for {url.netloc} {has} in it, and it is not {but}",
                fix=""
                if url.host.startswith("-") or not can_be_asked
                else f"credlatch setup {tool} --host {shlex.quote(url.netloc)} --chain",
                rank=near.MEANT if is_sure else near.NEAR,
            )


def _parsed(text: str, path: str) -> object:
    try:
        return go_json.loads(text) if text.strip() else ()
    except ValueError:
        raise StoreError(f"{path} is not JSON") from None


def _helper(config: object, keys: tuple[str, ...]) -> tuple[str, bool]:
    """Whom a configuration names for these keys; and whether a login has been kept there.

    What ``docker login`` leaves where a helper keeps the secret is an empty entry.
    """
    said = go_json.fields(config, "auths", "credhelpers", "credsstore") or {}
    named, auths = _pairs(said.get("credhelpers")), _pairs(said.get("auths"))
    own = next((named[key] for key in keys if key in named), None)
    # Where we are wired for one registry, its login is where all others' are.
    helper = said.get("credsstore") if own in {None, chained.OURSELVES} else own
    left = [auths[key] for key in keys if key in auths]
    is_sure = bool(left) and all(each == () for each in left)
    if not isinstance(helper, str) or not (is_sure or helper == own):
        return "", False
    return helper, is_sure


def _pairs(value: object) -> dict[str, object]:
    return dict(value) if isinstance(value, tuple) else {}
