"""The rules of a client's metadata (RFC 7591 section 2, OpenID Connect Registration section 2), with defaults by kind.

Five kinds: `spa`, `native`, `web`, `service`, `device`. The kind decides grants, authentication and redirect URIs;
client_metadata.py says what each field may hold, redirect_uri.py which redirect URIs are acceptable.
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from authserver.oauth.client_metadata import CONFIDENTIAL_METHODS, DEVICE_CODE, FIELDS
from authserver.oauth.redirect_uri import check_redirect_uri, matches, origin_of
from authserver.store.client import Client


class Invalid(Exception):
    """A value cannot be taken: `field` names it, `why` completes the sentence "<field> …"."""

    def __init__(self, field: str, why: str) -> None:
        """Keep both; the text of the exception is `field: why`."""
        super().__init__(f"{field}: {why}")
        self.field = field
        self.why = why


@dataclass(frozen=True, slots=True)
class Profile:
    """A kind of client: its grants, the ways it may authenticate (its default first), and what it has."""

    grant_types: tuple[str, ...]
    auth_methods: tuple[str, ...]
    redirects: bool = False
    private_schemes: bool = False
    origins: bool = False


CODE = ("authorization_code", "refresh_token")
PROFILES = {
    "spa": Profile(CODE, ("none",), redirects=True, origins=True),
    "native": Profile(CODE, ("none",), redirects=True, origins=True, private_schemes=True),
    "web": Profile(CODE, CONFIDENTIAL_METHODS, redirects=True),
    "service": Profile(("client_credentials",), CONFIDENTIAL_METHODS),
    "device": Profile((DEVICE_CODE, "refresh_token"), ("none", *CONFIDENTIAL_METHODS)),
}


def check_client(kind: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the whole metadata of a client of that kind: `values` checked, the rest by default. Raises Invalid."""
    profile = check_kind(kind)
    given = {field: _check_field(field, value) for field, value in values.items() if value is not None}
    metadata = {**_defaults(profile), **given}
    for rule in (_check_grants, _check_redirects, _check_authentication, _check_origins):
        rule(kind, profile, metadata)
    return metadata


def check_kind(kind: object) -> Profile:
    """Return the profile of a kind. Raises Invalid."""
    if not isinstance(kind, str) or kind not in PROFILES:
        raise Invalid("kind", f"must be one of {', '.join(PROFILES)}")
    return PROFILES[kind]


def check_name(field: str, name: object, most: int = 200) -> str:
    """Return a name that people read, trimmed: printable and not empty. Raises Invalid."""
    if not isinstance(name, str) or not name.strip() or len(name) > most:
        raise Invalid(field, f"must be a text of 1 to {most} characters")
    if not name.isprintable():
        raise Invalid(field, "must not contain control or invisible formatting characters")
    return name.strip()


def redirect_matches(client: Client, uri: str) -> bool:
    """Tell whether a redirect URI is the client's: byte for byte, or a native client's loopback URI with any port."""
    return matches(client.kind, client.metadata.get("redirect_uris", ()), uri)


def origins_of(kind: str, metadata: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the origins from which a client's pages may call: a `spa`'s redirect URIs', and the explicitly allowed ones."""
    own = metadata["redirect_uris"] if kind == "spa" else ()
    return tuple(sorted({*filter(None, map(origin_of, own)), *metadata["allowed_origins"]}))


def _defaults(profile: Profile) -> dict[str, Any]:
    return {
        "redirect_uris": [],
        "post_logout_redirect_uris": [],
        "allowed_origins": [],
        "grant_types": list(profile.grant_types),
        "response_types": ["code"] if profile.redirects else [],
        "response_modes": ["query", "form_post"] if profile.redirects else [],
        "token_endpoint_auth_method": profile.auth_methods[0],
        "id_token_signed_response_alg": "RS256",
        "scope": "",
        "apis": [],
        "require_pkce": True,
        "refresh_token_rotation": "auto",
        "assertion_audience": "issuer",
        "consent": "remembered",
    }


def _check_field(field: str, value: Any) -> Any:
    if field not in FIELDS:
        nearest = difflib.get_close_matches(str(field), FIELDS, n=1)
        raise Invalid(str(field), "is not client metadata" + (f"; did you mean {nearest[0]}?" if nearest else ""))
    try:
        return FIELDS[field](value)
    except ValueError as error:
        raise Invalid(field, str(error)) from None


def _check_grants(kind: str, profile: Profile, metadata: Mapping[str, Any]) -> None:
    grants = metadata["grant_types"]
    if not grants:
        raise Invalid("grant_types", "must name at least one grant")
    if profile.redirects != ("authorization_code" in grants):
        raise Invalid("grant_types", f"must {'' if profile.redirects else 'not '}contain authorization_code for a {kind} client")
    if "client_credentials" in grants and metadata["token_endpoint_auth_method"] == "none":
        raise Invalid("grant_types", "must not contain client_credentials for a client without credentials (RFC 6749 section 4.4)")
    if kind == "service" and "refresh_token" in grants:
        raise Invalid("grant_types", "must not contain refresh_token for a service client (RFC 6749 section 4.4.3)")
    if metadata["response_types"] != (["code"] if profile.redirects else []):
        raise Invalid("response_types", 'must be ["code"] where grant_types has authorization_code, and else empty')


def _check_redirects(kind: str, profile: Profile, metadata: Mapping[str, Any]) -> None:
    for field in ("redirect_uris", "post_logout_redirect_uris"):
        if metadata[field] and not profile.redirects:
            raise Invalid(field, f"must be empty for a {kind} client")
        for uri in metadata[field]:
            _check_redirect_uri(field, uri, profile)
    if profile.redirects and not metadata["redirect_uris"]:
        raise Invalid("redirect_uris", f"must name at least one URI for a {kind} client")
    if profile.redirects and not metadata["response_modes"]:
        raise Invalid("response_modes", "must name at least one of query, form_post")


def _check_redirect_uri(field: str, uri: str, profile: Profile) -> None:
    try:
        check_redirect_uri(uri, private_schemes=profile.private_schemes)
    except ValueError as error:
        raise Invalid(field, f"{error}: {uri}") from None


def _check_authentication(kind: str, profile: Profile, metadata: Mapping[str, Any]) -> None:
    method = metadata["token_endpoint_auth_method"]
    if method not in profile.auth_methods:
        raise Invalid("token_endpoint_auth_method", f"must be one of {', '.join(profile.auth_methods)} for a {kind} client")
    if method == "none" and not metadata["require_pkce"]:
        raise Invalid("require_pkce", "can only be false for a client that authenticates (RFC 9700 section 2.1.1)")
    if "jwks" in metadata and "jwks_uri" in metadata:
        raise Invalid("jwks_uri", "must not be given beside jwks (RFC 7591 section 2)")
    if method == "private_key_jwt" and not ("jwks" in metadata or "jwks_uri" in metadata):
        raise Invalid("jwks", "must be given, or jwks_uri, for private_key_jwt")


def _check_origins(kind: str, profile: Profile, metadata: Mapping[str, Any]) -> None:
    if metadata["allowed_origins"] and not profile.origins:
        raise Invalid("allowed_origins", f"must be empty for a {kind} client: it does not call from a browser")
