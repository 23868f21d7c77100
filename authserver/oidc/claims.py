"""Which claims of a user a client gets (OpenID Connect Core sections 5.1, 5.4 and 5.5)."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

from authserver.oauth.errors import InvalidRequestError, refuse
from authserver.store.user import User

SCOPE_CLAIMS: dict[str, tuple[str, ...]] = {
    "profile": (
        "name",
        "family_name",
        "given_name",
        "middle_name",
        "nickname",
        "preferred_username",
        "profile",
        "picture",
        "website",
        "gender",
        "birthdate",
        "zoneinfo",
        "locale",
        "updated_at",
    ),
    "email": ("email", "email_verified"),
    "address": ("address",),
    "phone": ("phone_number", "phone_number_verified"),
}
USER_CLAIMS = tuple(claim for claims in SCOPE_CLAIMS.values() for claim in claims)
PROTOCOL_CLAIMS = ("sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "azp", "sid", "at_hash")
TARGETS = ("userinfo", "id_token")


def read_claims_parameter(text: str | None) -> dict[str, dict[str, Any]]:
    """Read the `claims` parameter: for each target, what is asked by claim name. Raises InvalidRequestError."""
    if text is None:
        return {}
    wanted = _parse(text)
    if not isinstance(wanted, dict):
        _malformed()
    return {target: _read_target(wanted[target]) for target in TARGETS if wanted.get(target) is not None}


def scopes_of(claims: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the scopes that would release what is asked claim by claim, which is what the user consents to."""
    asked = {name for target in claims.values() for name in target}
    return tuple(scope for scope, names in SCOPE_CLAIMS.items() if asked & set(names))


def without(claims: Mapping[str, Mapping[str, Any]], scopes: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Leave out the claims of some scopes."""
    hidden = {name for scope in scopes for name in SCOPE_CLAIMS[scope]}
    return {target: {name: value for name, value in asked.items() if name not in hidden} for target, asked in claims.items()}


def _parse(text: str) -> Any:
    """Read JSON that every database can hold: without infinite numbers, lone surrogates and NUL. None for any other."""
    try:
        wanted = json.loads(text)
        plain = json.dumps(wanted, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        return None
    return None if b"\\u0000" in plain else wanted


def _read_target(asked: Any) -> dict[str, Any]:
    if not isinstance(asked, dict) or not all(value is None or isinstance(value, dict) for value in asked.values()):
        _malformed()
    kept = (*USER_CLAIMS, *PROTOCOL_CLAIMS)
    return {name: asked[name] for name in asked if name in kept}


def _malformed() -> NoReturn:
    refuse(InvalidRequestError("The parameter claims is not as OpenID Connect Core section 5.5 has it."), because="bad claims parameter")


def claims_of(user: User) -> dict[str, Any]:
    """Return all standard claims that are known of a user."""
    known = {**user.claims, "email": user.email, "updated_at": int(user.updated_at.timestamp())}
    known.setdefault("email_verified", False)
    return {name: known[name] for name in USER_CLAIMS if known.get(name) not in (None, "")}


def released(user: User, scope: Iterable[str], asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return the claims that granted scopes and the `claims` request release; `sub` is always there."""
    names = {claim for word in scope for claim in SCOPE_CLAIMS.get(word, ())} | set(asked)
    return {"sub": user.subject, **{name: value for name, value in claims_of(user).items() if name in names}}


def claim_values(request: Any, *, essential_only: bool = False) -> tuple[Any, ...]:
    """Return the `value` or `values` of one claim request (section 5.5.1)."""
    if not isinstance(request, dict) or (essential_only and request.get("essential") is not True):
        return ()
    values = request.get("values")
    return tuple(values) if isinstance(values, list) else (request["value"],) if "value" in request else ()
