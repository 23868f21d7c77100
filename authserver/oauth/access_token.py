"""Access tokens: JWTs of RFC 9068, or opaque where the API asks for that; minted, and verified when they come back."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from authserver.crypto import jose
from authserver.crypto.digest import encode, new_token
from authserver.crypto.jose import TokenRefused, Unverified, VerifiedClaims
from authserver.crypto.key_ring import REFRESH
from authserver.oauth.errors import InvalidTargetError, refuse
from authserver.oauth.server import Server
from authserver.oauth.spec import Spec
from authserver.store.access_token import find_opaque_token, insert_opaque_token
from authserver.store.client import Client
from authserver.store.resource_server import ResourceServer
from authserver.store.user import User

if TYPE_CHECKING:
    from authserver.oauth.issuance import Authorization

TYPE = "at+jwt"
OPAQUE_PREFIX = "at_"
DEFAULT_ALG = "RS256"
RESERVED = frozenset(
    [
        "iss",
        "sub",
        "aud",
        "exp",
        "nbf",
        "iat",
        "jti",
        "client_id",
        "scope",
        "grant_id",
        "auth_time",
        "acr",
        "amr",
        "cnf",
        "act",
        "may_act",
        "azp",
        "nonce",
        "sid",
        "at_hash",
        "c_hash",
        "typ",
    ]
)


class Shape(NamedTuple):
    """What the APIs of one token agree on."""

    opaque: bool
    alg: str
    lifetime: timedelta


def shape(server: Server, resources: tuple[str, ...]) -> tuple[Shape, list[ResourceServer]]:
    """Return the form of a token for some APIs. Raises InvalidTargetError where they differ, or one is gone."""
    default = server.settings.access_token_lifetime
    found = [server.query_resource_server(identifier) for identifier in resources]
    apis = [api for api in found if api is not None]
    if len(apis) != len(resources):
        refuse(InvalidTargetError(), because="an API is not registered any more")
    if not apis:
        return Shape(False, DEFAULT_ALG, default), []
    _check_alike(apis)
    lifetime = min(api.lifetime(default) for api in apis)
    return Shape(apis[0].token_format == "opaque", apis[0].signing_alg, lifetime), apis


def _check_alike(apis: list[ResourceServer]) -> None:
    """Refuse one token for APIs that take different kinds, or that mean different things by the same claim."""
    forms = {(api.token_format, api.signing_alg) for api in apis}
    claims = {item for api in apis for item in api.claims.items()}
    if len(forms) > 1 or len({claim for claim, _ in claims}) < len(claims):
        error = InvalidTargetError("These APIs take different kinds of tokens; ask for one resource at a time.")
        refuse(error, because="APIs of one token differ in format, algorithm or claims")


def ready_keys(server: Server, client: Client) -> None:
    """Make the keys that a client's tokens need, where they are due, before the request begins its transaction."""
    metadata = client.metadata
    apis = [server.query_resource_server(identifier) for identifier in client.apis]
    algs = {api.signing_alg for api in apis if api is not None} or {DEFAULT_ALG}
    if client.kind != "service":
        algs |= {metadata.get("id_token_signed_response_alg", DEFAULT_ALG), REFRESH}
    if metadata.get("userinfo_signed_response_alg"):
        algs.add(metadata["userinfo_signed_response_alg"])
    for alg in sorted(algs):
        server.signing_key(alg)


def mint_access_token(server: Server, authorization: "Authorization") -> tuple[str, int]:
    """Return an access token and its life in seconds. A JWT leaves no row; an opaque one writes one."""
    form, apis = shape(server, authorization.resources)
    lifetime = int(form.lifetime.total_seconds())
    claims = _claims(server, authorization, apis, lifetime)
    if form.opaque:
        token = OPAQUE_PREFIX + new_token(server.runtime.new_secret)
        insert_opaque_token(server.db, token, authorization.client.client_id, claims, server.now + form.lifetime)
        return token, lifetime
    key = server.signing_key(form.alg)
    assert not isinstance(key.secret, bytes)
    return jose.sign(key.secret, {"typ": TYPE, **key.header}, claims), lifetime


def audience(server: Server, authorization: "Authorization") -> str | list[str]:
    """Return `aud`: the APIs, and the issuer where there is none, or where userinfo needs it."""
    names = list(authorization.resources)
    if not names or "openid" in authorization.scope:
        names.append(server.issuer)
    return names[0] if len(names) == 1 else names


def _claims(server: Server, authorization: "Authorization", apis: list[ResourceServer], lifetime: int) -> dict[str, Any]:
    issued = int(server.now.timestamp())
    user, grant = authorization.user, authorization.grant
    claims: dict[str, Any] = {
        "iss": server.issuer,
        "sub": user.subject if user else authorization.client.client_id,
        "aud": audience(server, authorization),
        "client_id": authorization.client.client_id,
        "iat": issued,
        "exp": issued + lifetime,
        "jti": encode(server.runtime.new_secret(16)),
    }
    if authorization.scope:
        claims["scope"] = " ".join(authorization.scope)
    if grant is not None:
        claims |= {"grant_id": grant.shown_id, "auth_time": int(grant.authenticated_at.timestamp()), "acr": grant.acr, "amr": grant.amr}
    for api in apis:
        claims |= _own_claims(api.claims, attributes_of(user, authorization.client))
    return claims


def _own_claims(wanted: Mapping[str, str], attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {claim: attributes[name] for claim, name in wanted.items() if claim not in RESERVED and name in attributes}


def attributes_of(user: User | None, client: Client) -> Mapping[str, Any]:
    """Return what an API may ask to have in its tokens, by attribute name."""
    if user is None:
        own: Mapping[str, Any] = client.metadata.get("attributes", {})
        return own
    return {**user.attributes, **user.claims, "email": user.email, "roles": user.roles, "groups": user.groups}


def verify_access_token(server: Server, token: str) -> VerifiedClaims:
    """Return the claims of a live access token of ours; whether it was revoked is not looked up. Raises TokenRefused."""
    if token.startswith(OPAQUE_PREFIX):
        return _verify_opaque(server, token)
    presented = jose.peek(token)
    if str(presented.header.get("typ", "")).lower().removeprefix("application/") != TYPE:
        raise TokenRefused("not an access token")
    claims = verify_own(server, presented)
    jose.check_times(claims, server.now)
    return claims


def verify_own(server: Server, token: Unverified) -> VerifiedClaims:
    """Return the claims of any JWT that we signed and that names us as issuer. Raises TokenRefused."""
    key = server.find_key(token.header.get("kid"))
    if key is None or key.alg != token.header.get("alg") or key.alg == REFRESH or isinstance(key.secret, bytes):
        raise TokenRefused("not signed by a key of ours")
    claims = jose.verify(token, key.secret, key.alg)
    if claims.get("iss") != server.issuer:
        raise TokenRefused("another issuer")
    return claims


def _verify_opaque(server: Server, token: str) -> VerifiedClaims:
    row = find_opaque_token(server.db, token)
    if row is None or not row.is_live(server.now):
        raise TokenRefused("opaque token is unknown, expired or revoked")
    return VerifiedClaims(dict(row.claims))


def expiry(claims: VerifiedClaims) -> datetime:
    """Return when verified claims expire."""
    return datetime.fromtimestamp(claims["exp"], UTC)


SPEC = Spec(
    name="RFC 9068",
    title="JSON Web Token Profile for OAuth 2.0 Access Tokens",
    url="https://www.rfc-editor.org/rfc/rfc9068",
    required=True,
)
