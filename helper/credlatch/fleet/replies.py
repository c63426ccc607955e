"""What OpenBao and Vault answer: their statuses, and which of their words may be shown."""

from __future__ import annotations

import json
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from credlatch.auth import HttpResponse

OK, NO_CONTENT, BAD_REQUEST, FORBIDDEN, NOT_FOUND = 200, 204, 400, 403, 404
SEALED = "Vault is sealed"
# What they say themselves, and may be shown.
_SENTENCES = re.compile(
    r"permission denied|Vault is sealed|namespace not found|no handler for route"
    r"|check-and-set parameter did not match the current version"
    r"|check-and-set parameter required for this call"
    r"|local node not active but active cluster node not found|no active \w+ instance found"
    r"|invalid (?:audience|issuer|subject) \(\w+\) claim|token is expired"
    r"|invalid role or secret ID"
    r"|claim \"[\w./-]{1,60}\" does not match any associated bound claim values"
    r"|role \"[\w./-]{1,60}\" could not be found|invalid role name|missing role"
    r"|lease is not renewable|batch tokens cannot be renewed"
    r"|service account name not authorized|namespace not authorized"
    r"|Waiting for the primary to upgrade|Upgrading from non-versioned"
)


def said(response: HttpResponse) -> str:
    """What a refusal says, where it is one of their own sentences: another may repeat a secret."""
    body = json_of(response)
    errors = body.get("errors") if body is not None else None
    lines = [each for each in errors if isinstance(each, str)] if isinstance(errors, list) else []
    found = _SENTENCES.search(" ".join(lines))
    return found[0] if found is not None else ""


def is_of_token(response: HttpResponse) -> bool:
    """Whether a refusal is of the token itself, and of no policy: that is told in other words."""
    errors = (json_of(response) or {}).get("errors")
    return errors == ["permission denied"] or "invalid token" in str(errors)


def json_of(response: HttpResponse) -> dict[str, Any] | None:
    """An answer's JSON object; None where it is none."""
    try:
        body = json.loads(response.body)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None
