"""Code to paste: what a client's developers need for the libraries that they use, with this client's values filled in.

The texts lie in templates/snippets. `{{js name}}` there is a value written as JavaScript and Python write texts, `{{sh name}}`
as shells do, `{{kt name}}` as Kotlin does, `{{raw name}}` and `{{text name}}` as it is. A line goes where a value that it
names, or the `[[name]]` that it begins with, is missing.
"""

import json
import re
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import Any
from urllib.parse import quote, urlsplit

from authserver.oauth.client_metadata import LONGEST_SCOPE, SECRET_METHODS
from authserver.oauth.scope import OPENID_SCOPES
from authserver.runtime.folders import find_folder
from authserver.runtime.settings import Settings, is_loopback_host
from authserver.store.client import Client
from authserver.store.resource_server import ResourceServer

FOLDER = find_folder("templates") / "snippets"
PLACE = re.compile(r"\{\{(\w+) (\w+)\}\}")
CONDITION = re.compile(r"\[\[(\w+)\]\]")
UNKNOWN_SECRET = "YOUR_CLIENT_SECRET"
KEY_KINDS = {
    "ES256": '{ name: "ECDSA", namedCurve: "P-256" }',
    "RS256": '{ name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }',
    "PS256": '{ name: "RSA-PSS", hash: "SHA-256" }',
    "Ed25519": '{ name: "Ed25519" }',
}
PYJWT_ALGS = frozenset({"RS256", "PS256", "ES256"})
"""What PyJWT calls as we do; Ed25519 it knows as EdDSA alone."""
ALG_OF_KEY = {"EC": "ES256", "RSA": "RS256", "OKP": "Ed25519"}

Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Snippet:
    """One text to paste: its title, its language, and where it goes."""

    title: str
    language: str
    text: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class Recipe:
    """A snippet before its values: its file, and the values without which there is no point in it."""

    file: str
    title: str
    language: str
    about: str = ""
    needs: tuple[str, ...] = ()


RECIPES: Mapping[str, tuple[Recipe, ...]] = {
    "spa": (
        Recipe("spa.html", "Plain JavaScript", "html", "No library and no build: paste it into any static page."),
        Recipe("oidc-client-ts.js", "oidc-client-ts", "javascript", "A module of an application with a build."),
        Recipe("react.jsx", "React", "javascript", "react-oidc-context around your application."),
    ),
    "native": (
        Recipe("appauth.kt", "AppAuth for Android", "kotlin", needs=("app_redirect",)),
        Recipe("appauth.swift", "AppAuth for iOS and macOS", "swift", needs=("app_redirect",)),
        Recipe("command_line.py", "Python, on the command line", "python", "The standard library alone.", ("loopback_host",)),
    ),
    "web": (
        Recipe("environment.sh", "Environment", "sh", "Keep it out of version control.", ("secret",)),
        Recipe("flask.py", "Flask with Authlib", "python", needs=("secret", "openid")),
        Recipe("openid-client.mjs", "Node with openid-client", "javascript"),
    ),
    "service": (
        Recipe("curl-basic.sh", "curl", "sh", "Fetches a token.", ("basic",)),
        Recipe("curl-post.sh", "curl", "sh", "Fetches a token.", ("post",)),
        Recipe("environment.sh", "Environment", "sh", "For the programs below. Keep it out of version control.", ("secret",)),
        Recipe("service.py", "Python with requests", "python", needs=("secret",)),
        Recipe("service-key.py", "Python with requests", "python", needs=("key", "pyjwt")),
        Recipe("service.mjs", "Node with openid-client", "javascript"),
    ),
    "device": (),
}

VERIFY = (
    Recipe("verify.py", "Python with PyJWT", "python", needs=("jwt", "pyjwt")),
    Recipe("verify.mjs", "Node with jose", "javascript", needs=("jwt",)),
    Recipe("aws.yaml", "AWS HTTP API", "yaml", "A Lambda behind it needs no code for this.", ("rsa",)),
    Recipe("introspect.sh", "curl", "sh", "Asks the server about a token.", ("opaque",)),
    Recipe("introspect.py", "Python with requests", "python", needs=("opaque",)),
)


def snippets(settings: Settings, client: Client, secret: str | None = None, apis: Sequence[ResourceServer] = ()) -> list[Snippet]:
    """Return what a client's developers paste; `secret` only just after it was made, `apis` are those that it may ask for."""
    values = _values(settings, client, secret, apis)
    return _fill(RECIPES[client.kind], values)


def verify_snippets(settings: Settings, api: ResourceServer) -> list[Snippet]:
    """Return what an API's developers paste to check its tokens."""
    return _fill(VERIFY, _api_values(settings, api))


def service_curl(settings: Settings, client: Client, secret: str | None) -> str:
    """Return the command that fetches a token for a service with a secret."""
    recipe = RECIPES["service"][0 if client.auth_method == SECRET_METHODS[0] else 1]
    return _write(recipe.file, _values(settings, client, secret, ()))


def asked_scope(client: Client, apis: Sequence[ResourceServer]) -> str:
    """Return what a sign-in would ask for: what the client may, without offline access, for its first API, as far as it fits."""
    own = [scope for api in apis[:1] for scope in api.scopes]
    scopes = [scope for scope in client.scope or [*OPENID_SCOPES[:3], *own] if scope != "offline_access"]
    lengths = accumulate(len(scope) + 1 for scope in scopes)
    return " ".join(scope for scope, length in zip(scopes, lengths, strict=True) if length <= LONGEST_SCOPE)


def _fill(recipes: Iterable[Recipe], values: Values) -> list[Snippet]:
    fitting = [recipe for recipe in recipes if all(values.get(name) for name in recipe.needs)]
    return [Snippet(recipe.title, recipe.language, _write(recipe.file, values), recipe.about) for recipe in fitting]


def _values(settings: Settings, client: Client, secret: str | None, apis: Sequence[ResourceServer]) -> Values:
    scope = asked_scope(client, apis)
    return {
        "issuer": settings.issuer,
        "insecure": settings.issuer.startswith("http:"),
        "token_endpoint": f"{settings.issuer}/oauth2/token",
        "client_id": client.client_id,
        "scope": scope,
        "scopes": scope.split(),
        "openid": "openid" in client.scope or not client.scope,
        "resource": client.apis[0] if client.apis else None,
        "no_resource": not client.apis,
        **_credentials(client, secret or UNKNOWN_SECRET),
        **_redirects(client.metadata["redirect_uris"], client.metadata["post_logout_redirect_uris"]),
    }


def _credentials(client: Client, secret: str) -> Values:
    """The values of how a client authenticates; in Basic, both parts are form-encoded first (RFC 6749 section 2.3.1)."""
    method = client.auth_method
    keys = client.metadata.get("jwks", {}).get("keys", [{"kty": "EC"}])
    alg = keys[0].get("alg") or ALG_OF_KEY[keys[0]["kty"]]
    return {
        "auth_method": method,
        "secret": method in SECRET_METHODS,
        "basic": method == SECRET_METHODS[0],
        "post": method == SECRET_METHODS[1],
        "key": method == "private_key_jwt",
        "key_alg": alg,
        "key_kind": KEY_KINDS[alg],
        "pyjwt": alg in PYJWT_ALGS,
        "client_secret": secret,
        "user_and_secret": f"{quote(client.client_id, safe='')}:{quote(secret, safe='')}",
        "client_id_parameter": f"client_id={client.client_id}",
        "client_secret_parameter": f"client_secret={secret}",
        "resource_parameter": f"resource={client.apis[0]}" if len(client.apis) > 1 else None,
    }


def _redirects(uris: Sequence[str], after_logout: Sequence[str]) -> Values:
    """The values of where a client's users come back to: the first URI of each sort."""
    parts = [urlsplit(uri) for uri in uris]
    loopback = next((part for part in parts if part.scheme == "http" and is_loopback_host(part.hostname or "")), None)
    private = next((index for index, part in enumerate(parts) if part.scheme != "http"), None)
    used = parts[private or 0] if parts else None
    path = (used.path or "/") if used else None
    return {
        "redirect_uri": uris[private or 0] if uris else None,
        "app_redirect": private is not None,
        "redirect_scheme": used.scheme if used else None,
        "post_logout_redirect_uri": after_logout[0] if after_logout else None,
        "port": (used.port or 3000) if used else None,
        "callback_path": path,
        "loopback_host": loopback.hostname if loopback else None,
        "loopback_path": (loopback.path or "/") if loopback else None,
        **_free_paths(path),
    }


def _free_paths(taken: str | None) -> Values:
    """Two paths of an application that are not its callback's."""
    free = [path for path in ("/login", "/", "/sign-in") if path != taken]
    return {"login_path": free[0], "done_path": free[1]}


def _api_values(settings: Settings, api: ResourceServer) -> Values:
    is_jwt = api.token_format == "jwt"
    return {
        "issuer": settings.issuer,
        "identifier": api.identifier,
        "algs": [api.signing_alg],
        "jwt": is_jwt,
        "pyjwt": api.signing_alg in PYJWT_ALGS,
        "rsa": is_jwt and api.signing_alg == "RS256",
        "opaque": not is_jwt,
        "introspection_endpoint": f"{settings.issuer}/oauth2/introspect",
        "introspecting_client": f"{quote(str(next(iter(api.introspected_by), 'CLIENT_ID')), safe='')}:{UNKNOWN_SECRET}",
    }


def _write(file: str, values: Values) -> str:
    return "\n".join(written for line in _text(file).splitlines() if (written := _line(line, values)) is not None) + "\n"


def _line(line: str, values: Values) -> str | None:
    condition = CONDITION.match(line)
    if (condition and not values.get(condition[1])) or any(values.get(name) is None for _, name in PLACE.findall(line)):
        return None
    return PLACE.sub(lambda place: WRITERS[place[1]](values[place[2]]), CONDITION.sub("", line, count=1))


@cache
def _text(file: str) -> str:
    return (FOLDER / file).read_text("utf-8")


def _as_json(value: Any) -> str:
    """Write JSON that is a literal of JavaScript and Python too, and that ends no script element."""
    return json.dumps(value).replace("</", "<\\/")


WRITERS: Mapping[str, Callable[[Any], str]] = {
    "js": _as_json,
    "kt": lambda value: json.dumps(value).replace("$", "\\$"),
    "sh": lambda value: shlex.quote(str(value)),
    "raw": str,
    "text": str,
}
