"""What each field of a client's metadata may hold (RFC 7591 section 2, OpenID Connect Registration section 2, and ours).

A check takes any JSON value and returns it, or raises a ValueError whose text completes "<field> …".
"""

import json
import math
import re
from collections.abc import Callable
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry

from authserver.crypto.digest import decode
from authserver.crypto.jose import ALGORITHMS, fits
from authserver.oauth.redirect_uri import check_redirect_uri, check_web_url, host_of, origin_of
from authserver.runtime.settings import is_loopback_host

DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
SECRET_METHODS = ("client_secret_basic", "client_secret_post")
CONFIDENTIAL_METHODS = (*SECRET_METHODS, "private_key_jwt")

MOST_ITEMS = 100
MOST_KEYS_CHARACTERS = 16 * 1024
MOST_ATTRIBUTES_CHARACTERS = 4 * 1024
LEAST_RSA_BITS = 2048
LONGEST_SCOPE = 1024
LONGEST_SPAN = 10 * 365 * 86400
DEEPEST = 20
UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")
"""What a database, or UTF-8, cannot hold."""
NOT_PLAIN = f"must be JSON without U+0000 and halves of characters, with at most {DEEPEST} objects and lists inside each other"
PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})

Check = Callable[[Any], Any]


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or not value.isprintable() or len(value) > 1000:
        raise ValueError("must be a text of at most 1000 printable characters")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _seconds(least: int) -> Check:
    def check(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= LONGEST_SPAN:
            raise ValueError(f"must be a number of seconds, at least {least}")
        return value

    return check


def _choice(*options: str) -> Check:
    def check(value: Any) -> str:
        if not isinstance(value, str) or value not in options:
            raise ValueError(f"must be one of {', '.join(options)}")
        return value

    return check


def _list_of(check: Check) -> Check:
    def check_all(value: Any) -> list[Any]:
        if not isinstance(value, (list, tuple)) or len(value) > MOST_ITEMS:
            raise ValueError(f'must be a list of at most {MOST_ITEMS} texts, like ["…"]')
        return list(dict.fromkeys(_item(check, item) for item in value))

    return check_all


def _item(check: Check, item: Any) -> Any:
    try:
        return check(item)
    except ValueError as error:
        raise ValueError(f"{error}: {str(item)[:100]!r}") from None


def _grant_type(value: Any) -> str:
    if value in ("implicit", "password"):
        raise ValueError(f"cannot contain {value}: that grant is unsafe and not offered (RFC 9700 sections 2.1.2 and 2.4)")
    return str(_choice("authorization_code", "refresh_token", "client_credentials", DEVICE_CODE)(value))


def check_scope(value: Any) -> str:
    """Return scope tokens (RFC 6749 section 3.3), each once, separated by single spaces. ValueError says what is wrong."""
    if not isinstance(value, str) or len(value) > LONGEST_SCOPE or not re.fullmatch(r"[\x20\x21\x23-\x5b\x5d-\x7e]*", value):
        raise ValueError(f"must be a text of at most {LONGEST_SCOPE} characters: scopes with spaces between them")
    return " ".join(dict.fromkeys(value.split()))


def check_resource(value: Any) -> str:
    """Return the identifier of an API: an absolute URI without fragment (RFC 8707 section 2). ValueError says what is wrong."""
    if not isinstance(value, str) or not re.fullmatch(r"[a-z][a-z0-9+.\-]*:[\x21\x23-\x3b\x3d\x3f-\x5b\x5d-\x7e]{1,200}", value):
        raise ValueError("must be an absolute URI of at most 200 characters, like https://api.example.com")
    if "#" in value:
        raise ValueError("must not have a fragment")
    return value


def _origin(value: Any) -> str:
    match = re.fullmatch(r"([a-z][a-z0-9+.\-]*)://([^/?#@]+)", value) if isinstance(value, str) else None
    if match is None or host_of(match[2]) is None or value != value.lower() or value != (origin_of(value) or value):
        raise ValueError("must be an origin in lower case without a path or default port, like https://app.example.com")
    if match[1] == "http" and not is_loopback_host(str(host_of(match[2])).strip("[]")):
        raise ValueError("must start with https:// (http is for localhost alone)")
    return str(value)


def is_plain(value: Any, room: int = DEEPEST) -> bool:
    """Tell whether a document of somebody's own can be stored, sent and shown wherever it comes to."""
    match value:
        case str():
            return UNSTORABLE.search(value) is None
        case float():
            return math.isfinite(value)
        case dict():
            return room > 0 and all(is_plain(name) and is_plain(inner, room - 1) for name, inner in value.items())
        case list():
            return room > 0 and all(is_plain(inner, room - 1) for inner in value)
    return True


def _redirect_uri(value: Any) -> str:
    return check_redirect_uri(value, private_schemes=True)


def _https_url(value: Any) -> str:
    url = check_web_url(value)
    if not url.startswith("https://"):
        raise ValueError("must start with https://")
    return url


def _keys(value: Any) -> dict[str, Any]:
    keys = value.get("keys") if isinstance(value, dict) else None
    if not isinstance(keys, list) or not keys or not all(isinstance(key, dict) for key in keys):
        raise ValueError('must be a JSON Web Key Set, like {"keys": [{"kty": "RSA", …}]}')
    if not is_plain(value):
        raise ValueError(NOT_PLAIN)
    if len(json.dumps(value, default=str)) > MOST_KEYS_CHARACTERS:
        raise ValueError("must be at most 16 KB")
    names = [json.dumps(key.get("kid"), default=str) for key in keys]
    if len(set(names)) != len(names):
        raise ValueError("must name each key with a kid of its own")
    return {"keys": list(map(_key, keys))}


def _key(key: dict[str, Any]) -> dict[str, Any]:
    if PRIVATE_MEMBERS & key.keys():
        raise ValueError("must contain public keys only: keep the private key and register a new one, this one has been shown")
    if not isinstance(key.get("kid", ""), str) or key.get("use", "sig") != "sig":
        raise ValueError("must contain signing keys (use: sig) whose kid is a text")
    try:
        if key.get("kty") == "RSA" and int.from_bytes(decode(key["n"])).bit_length() < LEAST_RSA_BITS:
            raise ValueError
        imported = JWKRegistry.import_key(key)
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        raise ValueError(f"contains a key that cannot be read, or an RSA key of less than {LEAST_RSA_BITS} bits") from None
    if not any(fits(imported, alg) for alg in ([key["alg"]] if key.get("alg") in ALGORITHMS else ALGORITHMS)):
        raise ValueError(f"contains a key that fits none of {', '.join(ALGORITHMS)}")
    return key


def _attributes(value: Any) -> dict[str, Any]:
    if not is_plain(value):
        raise ValueError(NOT_PLAIN)
    if not isinstance(value, dict) or len(json.dumps(value, default=str)) > MOST_ATTRIBUTES_CHARACTERS:
        raise ValueError('must be a JSON object of at most 4 KB, like {"tier": "gold"}')
    return value


FIELDS: dict[str, Check] = {
    "allowed_origins": _list_of(_origin),
    "apis": _list_of(check_resource),
    "assertion_audience": _choice("issuer", "token_endpoint"),
    "attributes": _attributes,
    "client_uri": check_web_url,
    "consent": _choice("required", "remembered", "skipped"),
    "contacts": _list_of(_text),
    "default_max_age": _seconds(0),
    "grant_types": _list_of(_grant_type),
    "id_token_signed_response_alg": _choice(*ALGORITHMS),
    "initiate_login_uri": _https_url,
    "jwks": _keys,
    "jwks_uri": _https_url,
    "policy_uri": check_web_url,
    "post_logout_redirect_uris": _list_of(_redirect_uri),
    "redirect_uris": _list_of(_redirect_uri),
    "refresh_token_lifetime": _seconds(60),
    "refresh_token_rotation": _choice("auto", "always", "never"),
    "require_pkce": _flag,
    "response_modes": _list_of(_choice("query", "form_post")),
    "response_types": _list_of(_choice("code")),
    "scope": check_scope,
    "token_endpoint_auth_method": _choice("none", *CONFIDENTIAL_METHODS),
    "token_endpoint_auth_signing_alg": _choice(*ALGORITHMS),
    "tos_uri": check_web_url,
    "userinfo_signed_response_alg": _choice(*ALGORITHMS),
}
TEXT_FIELDS = frozenset(FIELDS) - {
    *("allowed_origins", "apis", "attributes", "contacts", "default_max_age", "grant_types", "jwks"),
    *("post_logout_redirect_uris", "redirect_uris", "refresh_token_lifetime", "require_pkce", "response_modes", "response_types"),
}
"""The fields whose value is text, whatever it looks like."""
