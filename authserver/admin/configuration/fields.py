"""What a configuration file may hold, as a JSON Schema (draft-07, which editors know) with a sentence for each field."""

from collections.abc import Mapping
from typing import Any

from authserver.admin.authority import ROLES
from authserver.admin.resource_servers import LONGEST, SHORTEST
from authserver.crypto.jose import ALGORITHMS
from authserver.oauth.client_metadata import CONFIDENTIAL_METHODS, DEVICE_CODE
from authserver.oauth.client_registration import PROFILES

Schema = dict[str, Any]

GRANTS = ("authorization_code", "refresh_token", "client_credentials", DEVICE_CODE)
TITLE = "APIs, clients and admin roles of authserver"


def _text(description: str, **rest: Any) -> Schema:
    return {"type": "string", "description": description, **rest}


def _texts(description: str, **item: Any) -> Schema:
    return {"type": "array", "items": {"type": "string", **item}, "maxItems": 100, "description": description}


def _choice(description: str, *options: str) -> Schema:
    return {"enum": list(options), "description": description}


def _seconds(description: str, least: int, most: int | None = None) -> Schema:
    return {"type": "integer", "minimum": least, "description": description, **({} if most is None else {"maximum": most})}


METADATA: Mapping[str, Schema] = {
    "allowed_origins": _texts("Other origins whose pages may call, for app shells and extensions."),
    "apis": _texts("Identifiers of the APIs to ask tokens for; the first is the default."),
    "assertion_audience": _choice("What private_key_jwt assertions may name as their audience.", "issuer", "token_endpoint"),
    "attributes": {"type": "object", "description": "Attributes of your own, for the claims of an API."},
    "client_uri": _text("Its home page.", format="uri"),
    "consent": _choice("Whether users are asked, each time, once, or never.", "required", "remembered", "skipped"),
    "contacts": _texts("Addresses of those who look after it."),
    "default_max_age": _seconds("How old a sign-in may be, in seconds.", 0),
    "grant_types": _texts("Grants; by kind where left out.", enum=list(GRANTS)),
    "id_token_signed_response_alg": _choice("What signs its ID tokens.", *ALGORITHMS),
    "initiate_login_uri": _text("Where a login that begins elsewhere is sent.", format="uri"),
    "jwks": {"type": "object", "description": "Its public keys for private_key_jwt, a JSON Web Key Set.", "required": ["keys"]},
    "jwks_uri": _text("Where its public keys are, instead of jwks.", format="uri"),
    "policy_uri": _text("Its privacy policy.", format="uri"),
    "post_logout_redirect_uris": _texts("Where users may go after signing out."),
    "redirect_uris": _texts("Where users come back to after signing in."),
    "refresh_token_lifetime": _seconds("How long an offline refresh token may live, in seconds.", 60),
    "refresh_token_rotation": _choice("When a refresh token is replaced as it is used.", "auto", "always", "never"),
    "require_pkce": {"type": "boolean", "description": "False only for a confidential client that cannot do PKCE."},
    "response_modes": _texts("How answers may come back.", enum=["query", "form_post"]),
    "response_types": _texts("By kind where left out.", enum=["code"]),
    "scope": _text("Scopes that it may ask for, with spaces between; left out, OpenID Connect's and all of its APIs."),
    "token_endpoint_auth_method": _choice("How it authenticates; by kind where left out.", "none", *CONFIDENTIAL_METHODS),
    "token_endpoint_auth_signing_alg": _choice("What signs its assertions.", *ALGORITHMS),
    "tos_uri": _text("Its terms of service.", format="uri"),
    "userinfo_signed_response_alg": _choice("What signs its userinfo; left out, it is plain JSON.", *ALGORITHMS),
}
"""A client's metadata (RFC 7591)."""

CLIENT: Mapping[str, Schema] = {
    "kind": _choice("Decides grants, authentication and redirect rules; cannot be changed.", *PROFILES),
    "client_name": _text("What users read when they are asked to consent.", minLength=1, maxLength=200),
    "enabled": {"type": "boolean", "description": "Whether it is served; left out, this stays as it is."},
    "secret": _text(
        "Where its secret is: env:NAME, file:PATH (beside this file), or generate, which shows it once; never the secret itself.",
        pattern="^(env:.+|file:.+|generate)$",
    ),
    **METADATA,
}
API: Mapping[str, Schema] = {
    "name": _text("What users read when they are asked to consent.", minLength=1, maxLength=200),
    "scopes": {"type": "object", "additionalProperties": {"type": "string"}, "description": "Scopes, each with the text that users read."},
    "format": _choice("What its tokens are; opaque ones are introspected.", "jwt", "opaque"),
    "alg": _choice("What signs its tokens.", *ALGORITHMS),
    "lifetime": _seconds("Life of its tokens, in seconds; left out, the server's.", SHORTEST, LONGEST),
    "claims": {
        "type": "object",
        "additionalProperties": {"type": "string"},
        "description": "Claims in its tokens, each from the attribute of the user or client that is named.",
    },
    "introspected_by": _texts("Clients that may introspect its tokens."),
}
COLUMNS = {"format": "token_format", "alg": "signing_alg", "lifetime": "token_lifetime_seconds"}
"""What an API's fields are called in the table, where it differs."""

SECTIONS: Mapping[str, Schema] = {
    "name": _text("Who owns what is in here; left out, the file's name without its suffix.", minLength=1, maxLength=100),
    "apis": {
        "type": ["object", "null"],
        "description": "APIs by identifier.",
        "additionalProperties": {
            "type": "object",
            "properties": dict(API),
            "required": ["name"],
            "additionalProperties": False,
        },
    },
    "clients": {
        "type": ["object", "null"],
        "description": "Applications and services by client_id.",
        "additionalProperties": {
            "type": "object",
            "properties": dict(CLIENT),
            "required": ["kind", "client_name"],
            "additionalProperties": False,
        },
    },
    "roles": {
        "type": ["object", "null"],
        "description": "Who administers: a role by the email of a user who is there.",
        "additionalProperties": {"enum": list(ROLES)},
    },
}


def json_schema() -> Schema:
    """Return the schema of a file."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": TITLE,
        "type": "object",
        "properties": dict(SECTIONS),
        "additionalProperties": False,
    }
