"""Which settings of a tool stop counting for a host that has one of its own."""

from __future__ import annotations

from credlatch.setup import names, texts
from credlatch.setup.formats.git_config import GitConfig

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from credlatch.caller import Caller
    from credlatch.setup.formats import Format, Key, Value
    from credlatch.setup.places import Place

AUTH_FILES = "containers-auth.json"  # podman's word for the files that it looks into first
REGISTRIES_KEY = ("credential-helpers",)
_SYSTEM_REGISTRIES = "/etc/containers/registries.conf"


def wider_pattern(form: Format, text: str, key: Key) -> Value | None:
    """Bazel's rule: the longest ``*.`` pattern around the host, else the helper for all."""
    labels = key[0].removeprefix("*.").split(".")
    wider = ["*." + ".".join(labels[at:]) for at in range(len(labels))]
    for pattern in [*wider, ""]:
        found = form.get(text, (pattern,))
        if found is not None:
            return found
    return None


def git_former(form: Format, text: str, key: Key) -> Value | None:
    """The helpers that git asks: in this file, or in any that it reads.

    Ours are none of them, unless a setting for more hosts has us asked first.
    """
    if not isinstance(form, GitConfig):
        return None
    asked = form.asked(text, key) if form.get(text, key) is None else ()
    return asked if names.first_is_credlatch(asked) else form.former(text, key) or None


def git_named(form: Format, text: str, key: Key) -> bool:
    """Whether some of these are for that very host, and not for all."""
    return key != ("",) and isinstance(form, GitConfig) and form.covering(text, key)


def git_within(form: Format, text: str, key: Key) -> dict[str, tuple[str, ...]]:
    """The helpers for parts of what a setting is for: our section at the end would end them."""
    return form.within(text, key) if isinstance(form, GitConfig) else {}


def other_providers(place: Place, _caller: Caller) -> list[str]:
    """Which of cargo's registries have a provider of their own, which it asks and nobody else."""
    import tomllib

    text = texts.read(place.path).text or ""
    found = tomllib.loads(text)
    tables = {"crates.io": found.get("registry"), **_table(found.get("registries"))}
    lines = []
    for name, table in tables.items():
        own = _table(table).get("credential-provider")
        words = own.split() if isinstance(own, str) else own
        if isinstance(words, list) and words and not names.has_credlatch(str(words[0])):
            lines.append(
                f"{name} has a credential-provider of its own, {words[0]}: cargo asks that"
            )
    return lines


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def system_helpers(form: Format, _text: str, key: Key) -> Value | None:
    """What the system's ``registries.conf`` says, where the user's does not."""
    if key != REGISTRIES_KEY:
        return None
    try:
        with open(_SYSTEM_REGISTRIES, encoding="utf-8") as file:
            found = form.get(file.read(), key)
    except (OSError, ValueError):
        return None
    return None if found == (AUTH_FILES,) else found
