"""What of a client's metadata each tab of its page edits (RFC 7591 section 2), by kind, with the texts that explain it."""

from collections.abc import Mapping, Sequence
from typing import Any

from wtforms.fields.core import UnboundField

from authserver.crypto.jose import ALGORITHMS
from authserver.oauth.client_registration import PROFILES
from authserver.oauth.scope import OPENID_SCOPES
from authserver.store.client import Client
from authserver.store.resource_server import ResourceServer
from authserver.web.console.conflicts import Option
from authserver.web.console.entries import Choice, Document, DocumentForm, Flag, Lines, Several, Span, Text

CONSENT: Sequence[Option] = (
    ("remembered", "Ask once", "And again when it wants more."),
    ("required", "Ask every time", "For what is sensitive."),
    ("skipped", "Never ask", "For applications of your own alone."),
)
METHODS: Mapping[str, Option] = {
    method: (method, label, hint)
    for method, label, hint in (
        ("client_secret_basic", "Secret in the header", "client_secret_basic, what most libraries do."),
        ("client_secret_post", "Secret in the body", "client_secret_post, for libraries that cannot send the header."),
        ("private_key_jwt", "Key of its own", "private_key_jwt: it signs, and we only know its public key."),
        ("none", "No credentials", "none: a public client, protected by PKCE."),
    )
}
GRANTS: Mapping[str, Option] = {
    "authorization_code": ("authorization_code", "Sign people in", "authorization_code"),
    "refresh_token": ("refresh_token", "Keep access without asking again", "refresh_token"),
    "client_credentials": ("client_credentials", "Act in its own name", "client_credentials"),
    "urn:ietf:params:oauth:grant-type:device_code": (
        "urn:ietf:params:oauth:grant-type:device_code",
        "Sign people in on another device",
        "urn:ietf:params:oauth:grant-type:device_code",
    ),
}
OPENID_TEXTS: Mapping[str, str] = {
    "openid": "Know who signs in",
    "profile": "See their name and profile",
    "email": "See their email address",
    "address": "See their postal address",
    "phone": "See their phone number",
    "offline_access": "Keep access while they are signed out",
}
ALGS: Sequence[Option] = tuple((alg, alg + (" (every library knows it)" if alg == "RS256" else ""), "") for alg in ALGORITHMS)

ENTRIES: Mapping[str, UnboundField] = {
    "client_name": Text("Name", "What people read when they are asked to allow it."),
    "redirect_uris": Lines("Redirect URIs", "Where people come back to after signing in. One per line, compared character by character."),
    "post_logout_redirect_uris": Lines("Redirect URIs after signing out", "Where people may go when they sign out. One per line."),
    "allowed_origins": Lines(
        "Further origins", "Origins beside those of the redirect URIs whose pages may call, like https://app.example.com. One per line."
    ),
    "consent": Choice("Consent", "Whether people are asked before the application gets anything.", options=CONSENT),
    "client_uri": Text("Home page", "People find it on the consent page.", mono=True, optional=True),
    "policy_uri": Text("Privacy policy", mono=True, optional=True),
    "tos_uri": Text("Terms of service", mono=True, optional=True),
    "contacts": Lines("Contacts", "Who to ask, like an email address. One per line.", rows=2, optional=True),
    "initiate_login_uri": Text("Sign-in starts at", "An address that begins a sign-in by itself.", mono=True, optional=True),
    "require_pkce": Flag("Demand PKCE", "Take it off only for a relying party that cannot do it, like some load balancers."),
    "response_modes": Several(
        "How answers come back",
        options=(("query", "In the address", "query"), ("form_post", "By a form", "form_post: the code is in no address")),
    ),
    "attributes": Document("Attributes", 'A JSON object that APIs can have in tokens, like {"tier": "gold"}.', optional=True),
    "token_endpoint_auth_method": Choice("Authentication", "The one way that it proves who it is."),
    "jwks": Document("Public keys", "A JSON Web Key Set, for a key of its own.", optional=True),
    "jwks_uri": Text("Address of its public keys", "Instead of the keys themselves, an https address.", mono=True, optional=True),
    "token_endpoint_auth_signing_alg": Choice(
        "Algorithm of its signatures", kind="select", options=(("", "Any that fits its key", ""), *ALGS), optional=True
    ),
    "assertion_audience": Choice(
        "Audience of its signatures",
        options=(
            ("issuer", "The issuer", "What today's libraries send."),
            ("token_endpoint", "The token endpoint too", "For libraries that still send its address."),
        ),
    ),
    "apis": Several("APIs", "What it may ask tokens for."),
    "default_api": Choice("Default API", "Whose tokens it gets when it names none.", kind="select"),
    "scope": Several("Scopes", "What it may ask for. With none ticked it may ask for all of them."),
    "grant_types": Several("What it may do"),
    "refresh_token_rotation": Choice(
        "Rotation of refresh tokens",
        options=(
            ("auto", "By kind", "On for public clients, off for those that authenticate."),
            ("always", "Always", "Each use gives a new one; an old one that comes back ends the whole family."),
            ("never", "Never", "For clients that cannot store a new one safely."),
        ),
    ),
    "refresh_token_lifetime": Span(
        "Life of refresh tokens",
        "Like 24h or 30d. Empty takes the server's: one day for a single-page application, else 90 days.",
        optional=True,
    ),
    "id_token_signed_response_alg": Choice("Algorithm of ID tokens", kind="select", options=ALGS),
    "userinfo_signed_response_alg": Choice(
        "Algorithm of userinfo", "Signed answers are for clients that ask for them.", kind="select", options=(("", "Not signed", ""), *ALGS)
    ),
    "default_max_age": Span(
        "Longest time since signing in", "People whose sign-in is older sign in again. Empty for no limit.", optional=True
    ),
}

SECTIONS: Mapping[str, tuple[str, ...]] = {
    "settings": (
        *("client_name", "redirect_uris", "post_logout_redirect_uris", "consent"),
        *("client_uri", "policy_uri", "tos_uri", "allowed_origins", "response_modes", "require_pkce", "initiate_login_uri"),
        *("contacts", "attributes"),
    ),
    "credentials": ("token_endpoint_auth_method", "jwks", "jwks_uri", "token_endpoint_auth_signing_alg", "assertion_audience"),
    "apis": ("apis", "default_api", "scope"),
    "tokens": (
        *("grant_types", "refresh_token_rotation", "refresh_token_lifetime"),
        *("id_token_signed_response_alg", "userinfo_signed_response_alg", "default_max_age"),
    ),
}
USUAL = frozenset({"client_name", "redirect_uris", "post_logout_redirect_uris", "consent"})
"""The entries of the settings that are not under Advanced."""

WITH_REDIRECTS = frozenset(
    {
        "redirect_uris",
        "post_logout_redirect_uris",
        "response_modes",
        "initiate_login_uri",
        "default_max_age",
        "userinfo_signed_response_alg",
    }
)
FOR_PEOPLE = frozenset(
    {"consent", "id_token_signed_response_alg", "policy_uri", "tos_uri", "refresh_token_rotation", "refresh_token_lifetime"}
)
CONFIDENTIAL = frozenset(SECTIONS["credentials"])


def section_form(section: str, kind: str) -> type[DocumentForm]:
    """Return the form of a tab for clients of a kind."""
    names = [name for name in SECTIONS[section] if fits(name, kind)]
    return type(f"{section.capitalize()}Form", (DocumentForm,), {name: ENTRIES[name] for name in names})


def fits(name: str, kind: str) -> bool:
    """Tell whether clients of a kind have an entry."""
    profile = PROFILES[kind]
    if name == "require_pkce":
        return profile.redirects and "none" not in profile.auth_methods
    return not (
        (name in WITH_REDIRECTS and not profile.redirects)
        or (name in FOR_PEOPLE and kind == "service")
        or (name == "allowed_origins" and not profile.origins)
        or (name in CONFIDENTIAL and profile.auth_methods == ("none",))
    )


def offer(form: DocumentForm, client: Client, apis: Sequence[ResourceServer]) -> None:
    """Give the entries whose options differ from client to client theirs; `apis` are those that there are."""
    own = [api for api in apis if api.identifier in client.apis]
    options: dict[str, Sequence[Option]] = {
        "token_endpoint_auth_method": [METHODS[method] for method in PROFILES[client.kind].auth_methods],
        "apis": [(api.identifier, api.name, api.identifier) for api in apis],
        "default_api": [("", "The first one", ""), *((api.identifier, api.name, "") for api in own)],
        "scope": scope_options(client.kind, own),
        "grant_types": [GRANTS[grant] for grant in _grants(client.kind)],
    }
    for entry in form.entries:
        entry.options = options.get(entry.name, entry.options)


def scope_options(kind: str, apis: Sequence[ResourceServer]) -> list[Option]:
    """Return the scopes that mean something to a client: OpenID Connect's for people, and its APIs'."""
    people = [] if kind == "service" else [(scope, scope, OPENID_TEXTS[scope]) for scope in OPENID_SCOPES]
    return [*people, *((scope, scope, f"{api.name}: {text}") for api in apis for scope, text in api.scopes.items())]


def to_document(client: Client) -> dict[str, Any]:
    """Return what the forms show of a client."""
    default = client.apis[0] if client.apis else ""
    return {"client_name": client.client_name, **client.metadata, "scope": list(client.scope), "default_api": default}


def to_changes(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the forms say as metadata: scopes as one text, the default API first."""
    changes = dict(values)
    if "scope" in changes:
        changes["scope"] = " ".join(changes["scope"])
    if "apis" in changes:
        default = changes.pop("default_api", None)
        changes["apis"] = sorted(changes["apis"], key=lambda identifier: identifier != default)
    return changes


def _grants(kind: str) -> tuple[str, ...]:
    own = PROFILES[kind].grant_types
    return (*own, "client_credentials") if kind == "web" else own
