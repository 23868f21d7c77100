"""What is wrong with a refused request, rule by rule: each compares what was asked with what is registered."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from authserver.admin.operation import Operation
from authserver.admin.uri_difference import nearest_difference
from authserver.oauth.client_metadata import SECRET_METHODS
from authserver.oauth.scope import OPENID_SCOPES
from authserver.store.client import Client
from authserver.store.refusal import Refusal
from authserver.store.resource_server import find_resource_server


@dataclass(frozen=True, slots=True)
class Mend:
    """A change of the client's metadata that lets the request pass, and what the button says."""

    label: str
    changes: Mapping[str, Any]


@dataclass(slots=True)
class Comparison:
    """What a rule finds."""

    title: str
    sentences: list[str]
    registered: dict[str, list[str]] = field(default_factory=dict)
    mend: Mend | None = None


Rule = Callable[[Operation, Refusal, Client], Comparison]


def compare(operation: Operation, refusal: Refusal, client: Client | None) -> Comparison:
    """Compare a refused request with its client's registration, by the rule for its error."""
    if client is None:
        return _without_client(refusal)
    if client.disabled_at is not None:
        return Comparison("The client is disabled", [f"{client.client_id} may not be used until somebody enables it."])
    rule = RULES.get(refusal.error)
    found = rule(operation, refusal, client) if rule else Comparison(TITLES.get(refusal.error, f"Refused with {refusal.error}"), [])
    found.sentences.append(_reason(refusal))
    return found


def _without_client(refusal: Refusal) -> Comparison:
    named = f"No client is registered under {refusal.client_id}." if refusal.client_id else "The request names no client."
    advice = "Compare the client_id in the application's settings with the list of applications; upper and lower case count."
    return Comparison("Unknown client", [named, advice, _reason(refusal)])


def _reason(refusal: Refusal) -> str:
    return f"The server's own reason: {refusal.because}."


def _redirect_uri(_operation: Operation, refusal: Refusal, client: Client) -> Comparison:
    asked, registered = str(refusal.asked.get("redirect_uri", "")), list(client.metadata["redirect_uris"])
    found = Comparison("The redirect URI is not registered", [], {"redirect_uri": registered})
    if not asked:
        found.sentences.append("The request has no redirect_uri, and the client has several, or this is an OpenID Connect request.")
        return found
    if asked in registered:
        found.sentences.append("It is registered now, so the same request would pass.")
        return found
    difference = nearest_difference(asked, registered)
    if difference is not None:
        found.sentences.append(f"It differs from {difference.nearest} at character {difference.character}: {difference.what}.")
    if _host(asked) not in map(_host, registered):
        found.sentences.append("No registered URI has its host: whoever owns that host would be given your users' codes.")
    found.sentences.append("Correct it in the application, or add it here if it is the application's.")
    found.mend = Mend("Add this URI", {"redirect_uris": [*registered, asked]})
    return found


def _host(uri: str) -> str:
    try:
        return urlsplit(uri).hostname or ""
    except ValueError:
        return ""


def _scope(operation: Operation, refusal: Refusal, client: Client) -> Comparison:
    known = set(OPENID_SCOPES) if client.kind != "service" else set()
    for identifier in client.apis:
        api = find_resource_server(operation.db, identifier)
        known |= set(api.scopes) if api else set()
    allowed = set(client.scope) or known
    asked = str(refusal.asked.get("scope", "")).split()
    unknown, forbidden = [word for word in asked if word not in known], [word for word in asked if word in known - allowed]
    found = Comparison("The scope is not allowed", [], {"scope": sorted(allowed)})
    if unknown:
        advice = "correct it, or give the client the API that has it"
        found.sentences.append(f"No API of this client has the scope {', '.join(unknown)}: {advice}.")
    if forbidden:
        found.sentences.append(f"The client is not allowed to ask for {', '.join(forbidden)}.")
        found.mend = Mend(f"Allow {' '.join(forbidden)}", {"scope": " ".join([*client.scope, *forbidden])}) if not unknown else None
    if asked and not unknown and not forbidden:
        found.sentences.append("It is allowed now, at one of the client's APIs: name that API by the parameter resource.")
    return found


def _target(operation: Operation, refusal: Refusal, client: Client) -> Comparison:
    asked = str(refusal.asked.get("resource", "")).split()
    missing = [identifier for identifier in asked if identifier not in client.apis]
    there = [identifier for identifier in missing if find_resource_server(operation.db, identifier) is not None]
    found = Comparison("The client may not ask for this API", [], {"resource": list(client.apis)})
    for identifier in missing:
        found.sentences.append(
            f"{identifier} is registered, but not for this client." if identifier in there else f"No API has the identifier {identifier}."
        )
    if missing and missing == there:
        found.mend = Mend(f"Allow {' '.join(there)}", {"apis": [*client.apis, *there]})
    return found


def _client_authentication(operation: Operation, refusal: Refusal, client: Client) -> Comparison:
    found = Comparison("The client did not prove who it is", [], {"token_endpoint_auth_method": [client.auth_method]})
    presented = next((method for method in (*SECRET_METHODS, "private_key_jwt", "none") if f"presented {method}," in refusal.because), "")
    if presented:
        found.sentences.append(f"It used {presented}, and is registered for {client.auth_method}.")
        if presented in SECRET_METHODS and client.auth_method in SECRET_METHODS:
            found.mend = Mend(f"Register it for {presented}", {"token_endpoint_auth_method": presented})
    elif client.auth_method in SECRET_METHODS:
        live = [secret for secret in client.secrets if secret.is_live(operation.now())]
        found.sentences.append(f"The secret is wrong or has ended; {len(live)} of its secrets work now. Make a new one if it is lost.")
    return found


def _grant_type(_operation: Operation, _refusal: Refusal, client: Client) -> Comparison:
    sentence = f"A client of the kind {client.kind} uses other grants; register another client for this one."
    return Comparison("The client may not use this grant", [sentence], {"grant_type": list(client.metadata["grant_types"])})


def _code_or_token(_operation: Operation, _refusal: Refusal, _client: Client) -> Comparison:
    sentences = [
        "A code can be used once, for a minute, with the redirect_uri and the code_verifier of its request.",
        "A refresh token ends with its session, when it is too old, or when an old one of its family is used again.",
    ]
    return Comparison("The code or token opens nothing", sentences)


TITLES = {
    "invalid_request": "The request is not complete or not correct",
    "unsupported_response_type": "Only response_type=code is supported",
    "unsupported_grant_type": "The grant type is not supported",
    "access_denied": "The user said no",
    "unmet_authentication_requirements": "The user could not sign in as demanded",
    "request_not_supported": "Request objects are not supported",
    "request_uri_not_supported": "Request objects are not supported",
    "registration_not_supported": "The registration parameter is not supported",
}

RULES: Mapping[str, Rule] = {
    "bad_redirect_uri": _redirect_uri,
    "invalid_scope": _scope,
    "invalid_target": _target,
    "invalid_client": _client_authentication,
    "unauthorized_client": _grant_type,
    "invalid_grant": _code_or_token,
}
