"""API Gateway's own JWT authorizers, of HTTP APIs and, since 2026, of REST APIs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tests.aws_consumers.internet import Internet
from tests.aws_consumers.tokens import EC, RSA, Claims, KeyCache, Now, Refused, audiences, check_times, discover, read, scopes, verified

MOST_HEADER_BYTES = 10_240  # request line and headers together: API Gateway quotas


def token_of(identity: str) -> str:
    """Return the token of an identity source: alone, or after `Bearer `. Raises Refused."""
    if len(identity) > MOST_HEADER_BYTES:
        raise Refused("size", 431)
    return identity.removeprefix("Bearer ").strip()


def check_scopes(claims: Claims, wanted: Iterable[str]) -> None:
    """One of the route's scopes is enough. Raises Refused."""
    if set(wanted) and not set(wanted) & scopes(claims):
        raise Refused("scope", 403)


def as_text(value: object) -> str:
    """Write a claim as HTTP APIs hand it to an integration: lists in brackets, everything a text."""
    if isinstance(value, list):
        return f"[{' '.join(map(str, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)


@dataclass
class HttpApiAuthorizer:
    """HTTP API developer guide, "Control access to HTTP APIs with JWT authorizers", and its troubleshooting page.

    RSA alone; `kid`; `iss` as configured; `aud`, or `client_id` only where there is no `aud`; `exp`, `nbf`, `iat`; one
    of the route's scopes in `scope` or `scp`. Public keys may be cached for two hours, which is assumed here at its
    worst: nothing is looked for again before that.
    """

    issuer: str
    audience: tuple[str, ...]
    internet: Internet
    now: Now
    keys: KeyCache = field(init=False)

    def __post_init__(self) -> None:
        """Create it: the issuer must have a discovery document. Raises Refused."""
        self.keys = KeyCache(self.internet, self.now, 7200, looks_again=False)
        self.jwks_uri = discover(self.internet, self.issuer)["jwks_uri"]

    def authorize(self, identity: str, wanted: Iterable[str] = ()) -> dict[str, str]:
        """Return the claims as the integration gets them. Raises Refused."""
        claims = verified(token_of(identity), RSA, lambda kid: self.keys.find(self.jwks_uri, kid))
        if claims.get("iss") != self.issuer:
            raise Refused("issuer")
        if not audiences(claims, "aud" if "aud" in claims else "client_id") & set(self.audience):
            raise Refused("audience")
        check_times(claims, self.now())
        check_scopes(claims, wanted)
        return {name: as_text(value) for name, value in claims.items()}


@dataclass
class RestApiAuthorizer:
    """REST API developer guide, "Control access to REST APIs using JWT authorizers", with its pages on creation, methods and keys.

    RS* and ES*; several issuers, each an absolute https URL without query or fragment and equal to the discovery
    document's; `aud` must match, `client_id` does not stand in; where the keys are is recorded at creation; keys are
    cached for an hour, an unknown one is looked for at once; further claims are compared as single texts.
    """

    issuers: Mapping[str, tuple[str, ...]]
    internet: Internet
    now: Now
    claims: Mapping[str, str] = field(default_factory=dict)
    keys: KeyCache = field(init=False)

    def __post_init__(self) -> None:
        """Create it. Raises Refused."""
        self.keys = KeyCache(self.internet, self.now, 3600, looks_again=True)
        self.jwks_uris = {issuer: self._recorded(issuer) for issuer in self.issuers}

    def _recorded(self, issuer: str) -> str:
        parts = urlsplit(issuer)
        if parts.scheme != "https" or not parts.netloc or parts.username or "?" in issuer or "#" in issuer:
            raise Refused("issuer")
        return str(discover(self.internet, issuer)["jwks_uri"])

    def authorize(self, identity: str, wanted: Iterable[str] = ()) -> Claims:
        """Return the claims. Raises Refused."""
        token = token_of(identity)
        claims = verified(token, RSA + EC, lambda kid: self._find(token, kid))
        if not audiences(claims) & set(self.issuers[claims["iss"]]):
            raise Refused("audience")
        check_times(claims, self.now())
        if any(claims.get(name) != value for name, value in self.claims.items()):
            raise Refused("claim")
        check_scopes(claims, wanted)
        return claims

    def _find(self, token: str, kid: object) -> dict[str, Any]:
        issuer = read(token)[1].get("iss")
        if issuer not in self.jwks_uris:
            raise Refused("issuer")
        return self.keys.find(self.jwks_uris[issuer], kid)
