"""How an authorization response travels: query (RFC 6749 section 4.1.2) or form_post (OAuth 2.0 Form Post Response
Mode). Every response has `iss` (RFC 9207). Errors of refused implicit requests go to the fragment (section 4.2.2.1).
"""

from collections.abc import Mapping
from urllib.parse import urlencode

from authserver.oauth.spec import Spec


def default_mode(response_type: str) -> str:
    """Return the mode of a response type (OAuth 2.0 Multiple Response Type Encoding Practices section 2.1)."""
    return "fragment" if {"token", "id_token"} & set(response_type.split()) else "query"


def in_query(redirect_uri: str, parameters: Mapping[str, str]) -> str:
    """Add the parameters to the redirect URI's query; what is registered there stays as it is."""
    joiner = "&" if "?" in redirect_uri else "?"
    return f"{redirect_uri}{joiner}{urlencode(parameters)}"


def in_fragment(redirect_uri: str, parameters: Mapping[str, str]) -> str:
    """Put the parameters in the fragment."""
    return f"{redirect_uri}#{urlencode(parameters)}"


def by_form(_redirect_uri: str, _parameters: Mapping[str, str]) -> None:
    """Not a redirect: a page posts the parameters."""


LOCATIONS = {"query": in_query, "fragment": in_fragment, "form_post": by_form}

ISSUER_SPEC = Spec(
    name="RFC 9207",
    title="OAuth 2.0 Authorization Server Issuer Identification",
    url="https://www.rfc-editor.org/rfc/rfc9207",
    metadata=lambda _settings: {"authorization_response_iss_parameter_supported": True},
    required=True,
)

FORM_POST_SPEC = Spec(
    name="OAuth 2.0 Form Post Response Mode",
    title="OAuth 2.0 Form Post Response Mode",
    url="https://openid.net/specs/oauth-v2-form-post-response-mode-1_0.html",
    response_modes={"form_post": by_form},
)
