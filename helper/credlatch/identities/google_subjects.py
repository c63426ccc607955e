"""Where the identity is that a file of workload identity federation names (``credential_source``).

google.aip.dev/auth/4117, and for programs google.aip.dev/auth/4117#executable-sourced-credentials.
"""

from __future__ import annotations

import os

from credlatch.auth.google_federation import AwsSubject, Subject, UrlSubject, found, is_metadata
from credlatch.credential import AccessKey, Secret
from credlatch.errors import RequestError, StoreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from credlatch.caller import Caller

    Fields = dict[str, object]

_ANEW = "have it made by gcloud iam workload-identity-pools create-cred-config"
_ALLOW = "GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES"  # as Google's own libraries want it
_STS = "https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15"


def subject(said: Fields, path: str, caller: Caller) -> Subject:
    """What finds the identity.

    Args:
        said: what the file says.
        path: where it is.
        caller: whose it is.

    Raises:
        StoreError: it names none, or one that cannot be had.
    """
    source = said.get("credential_source")
    if isinstance(source, dict):
        if isinstance(source.get("environment_id"), str):
            return _aws(source, path, caller)
        if isinstance(source.get("file"), str):
            return _in_file(source["file"], _field(source, path), path, caller)
        if isinstance(source.get("url"), str):
            return _at_url(source, path)
        if isinstance(source.get("executable"), dict):
            return _of_program(source["executable"], said, path, caller)
    raise StoreError(
        f"{path} names no credential_source that is known (a file, a URL, a program, AWS): {_ANEW}"
    )


def _field(source: Fields, path: str) -> str:
    """The field of a JSON that has the identity; empty where a text is the identity."""
    form = source.get("format", {"type": "text"})
    kind = form.get("type", "text") if isinstance(form, dict) else None
    if kind == "text":
        return ""
    name = form.get("subject_token_field_name") if isinstance(form, dict) else None
    if kind != "json" or not isinstance(name, str) or not name:
        raise StoreError(
            f"{path} says in a way that is not known how its identity is written: {_ANEW}"
        )
    return name


def _in_file(name: str, field: str, path: str, caller: Caller) -> Subject:
    if not name.strip() or not name.isprintable():
        raise StoreError(f"{path} names an identity's file in a way that no file is named: {_ANEW}")
    place = caller.absolute(name)
    text = caller.read(place)
    if text is None:
        raise StoreError(
            f"{place} is not there, the identity that {path} names: "
            "have what runs this put it there"
        )
    try:
        return Subject(Secret(found(text, field)))
    except ValueError:
        raise StoreError(f"{place} holds no identity as {path} describes it: {_ANEW}") from None


def _at_url(source: Fields, path: str) -> Subject:
    from credlatch import url as urls

    url, headers = source["url"], source.get("headers", {})
    if isinstance(url, str) and isinstance(headers, dict) and _are_lines(headers):
        try:
            server = urls.absolute(url)
        except RequestError as error:
            raise StoreError(f"{path} names no URL of an identity ({error}): {_ANEW}") from None
        if server.may_carry_credentials or is_metadata(url):
            return UrlSubject(url, headers, _field(source, path))
    raise StoreError(
        f"{path} has an identity's URL that is not https, or headers that are none: {_ANEW}"
    )


def _of_program(program: Fields, said: Fields, path: str, caller: Caller) -> Subject:
    if caller.get(_ALLOW) != "1":
        raise StoreError(f"{path} names a program that gives an identity: set {_ALLOW}=1 to run it")
    from credlatch.auth.google_machine import ProgramSubject

    text = program.get("command")
    command = tuple(text.split()) if isinstance(text, str) and text.isprintable() else ()
    if not command or (os.path.dirname(command[0]) and not os.path.isabs(command[0])):
        raise StoreError(
            f"{path} names no program by its whole path, or by a name on PATH: {_ANEW}"
        )
    kind = str(said.get("subject_token_type"))
    acts = str(said.get("service_account_impersonation_url") or "")
    variables = {
        "GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE": str(said.get("audience")),
        "GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE": kind,
        "GOOGLE_EXTERNAL_ACCOUNT_INTERACTIVE": "0",
    }
    if acts:
        account = acts.rpartition("/")[2].partition(":")[0]
        variables["GOOGLE_EXTERNAL_ACCOUNT_IMPERSONATED_EMAIL"] = account
    output = program.get("output_file")
    if isinstance(output, str):
        variables["GOOGLE_EXTERNAL_ACCOUNT_OUTPUT_FILE"] = output
    if not all(value.isprintable() for value in variables.values()):
        raise StoreError(
            f"{path} has an audience, a type or a name that is no line of text: {_ANEW}"
        )
    milliseconds = program.get("timeout_millis", 30_000)
    seconds = milliseconds / 1000 if isinstance(milliseconds, int) else 0.0
    field = "saml_response" if kind.endswith(":saml2") else "id_token"
    return ProgramSubject(command, variables, seconds, field)


def _are_lines(headers: Fields) -> bool:
    each = (text for pair in headers.items() for text in pair)
    return all(isinstance(text, str) and text.isprintable() for text in each)


def _aws(source: Fields, path: str, caller: Caller) -> Subject:
    if source["environment_id"] != "aws1":
        raise StoreError(
            f"{path} is for a version of AWS's identities that is not known here: {_ANEW}"
        )
    key, get = None, caller.get
    name, secret = get("AWS_ACCESS_KEY_ID"), get("AWS_SECRET_ACCESS_KEY")
    if name and secret:
        token = get("AWS_SESSION_TOKEN")
        key = AccessKey(name, Secret(secret), Secret(token) if token else None)
    region = get("AWS_REGION") or get("AWS_DEFAULT_REGION") or ""
    places = tuple(_metadata(source, each, path) for each in _PLACES)
    if (key is None and not places[1]) or (not region and not places[0]):
        raise StoreError(
            f"{path} wants an identity of AWS: set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and "
            "AWS_REGION"
        )
    check = source.get("regional_cred_verification_url", _STS)
    if not isinstance(check, str) or not _is_sts(check):
        raise StoreError(
            f"{path} has an AWS identity told to another server than AWS's STS: {_ANEW}"
        )
    return AwsSubject(key, region, check, (places[0], places[1], places[2]))


_PLACES = ("region_url", "url", "imdsv2_session_token_url")


def _metadata(source: Fields, name: str, path: str) -> str:
    """A URL of AWS's metadata service, or nothing."""
    url = source.get(name) or ""
    if not isinstance(url, str) or (url and not is_metadata(url)):
        raise StoreError(f"{path} has a {name} that is not AWS's metadata service: {_ANEW}")
    return url


def _is_sts(check: str) -> bool:
    from credlatch import url as urls

    try:
        url = urls.absolute(check.replace("{region}", "us-east-1"))
    except RequestError:
        return False
    labels = url.host.split(".")
    return (
        url.scheme == "https"
        and url.default_port
        and labels[0] == "sts"
        and labels[-2:] in (["amazonaws", "com"], ["com", "cn"])
        and (labels[-2:] != ["com", "cn"] or labels[-3:-2] == ["amazonaws"])
        and "Action=GetCallerIdentity" in url.text
    )
