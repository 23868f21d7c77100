"""A token and an authorization response, fetched with a client that the operator lends (RFC 9068, RFC 9207, RFC 8725)."""

import base64
from collections.abc import Iterator
from urllib.parse import parse_qs, quote_plus, urlencode

from authserver.admin.doctor.deployment import Deployment
from authserver.admin.doctor.finding import NotSeen, Part, Seen, error, warning
from authserver.admin.doctor.issuer_form import parts_of, show, unlike
from authserver.admin.doctor.wire import Reply
from authserver.crypto import jose
from authserver.crypto.jose import TokenRefused, Unverified
from authserver.runtime.settings import is_loopback_host

TOKENS = Part("Tokens and authorization responses, with a client that you lend")
LONGEST_LIFETIME_SECONDS = 3600
ASKED = f"response_type=code&scope=openid&prompt=none&state=doctor&nonce=doctor&code_challenge_method=S256&code_challenge={'d' * 43}"
"""By prompt=none from a browser that is nobody, to which the only answer is an error."""


@TOKENS.check("token.issued", "compare id and secret with authserver clients get ID; the kind must be service")
def issued(server: Deployment) -> Iterator[Seen]:
    """The client gets an access token by client credentials (RFC 6749 section 4.4)."""
    reply = _answer(server)
    if reply.status != 200:
        because = reply.member("error_description") or reply.member("error") or "not as OAuth does"  # the body may have a token in it
        yield error(f"the token endpoint answered {reply.status}: {str(because)[:100]}")
    elif not _text(reply):
        yield error("the token endpoint answered 200 without an access_token")


@TOKENS.check("token.not_cached", "let proxy and CDN keep the Cache-Control that the server sends")
def not_cached(server: Deployment) -> Iterator[Seen]:
    """No cache keeps a token (RFC 6749 section 5.1)."""
    value = _answer(server).header("Cache-Control")
    if "no-store" not in value:
        yield error(f"Cache-Control of the token endpoint is {value[:60]!r}, expected no-store")


@TOKENS.check("token.issuer", "set AUTHSERVER_ISSUER to the URL that clients and verifiers are given, to the byte, in every process")
def issuer(server: Deployment) -> Iterator[Seen]:
    """The token names the issuer byte for byte (RFC 9068 section 4; RFC 8725 section 3.8)."""
    if fault := unlike(access_token(server).claims.get("iss"), server.issuer):
        yield error(f"iss of the access token: {fault}")


@TOKENS.check("token.header", "let no cache keep an old JWKS, and let every process use the same database")
def header(server: Deployment) -> Iterator[Seen]:
    """The token says that it is an access token, and its key is published with its algorithm (RFC 9068 section 2.1)."""
    found = access_token(server).header
    if found.get("typ") != "at+jwt":
        yield error(f"typ is {show(found.get('typ'))}, expected at+jwt: an ID token could pass for an access token")
    published = [key.get("alg") for key in server.keys if key.get("kid") == found.get("kid")]
    if not published:
        yield error(f"no key {show(found.get('kid'))} is published, by which the token is signed")
    elif found.get("alg") not in published:
        yield error(f"the token is signed by {show(found.get('alg'))}, its key is published for {published[0]}")


@TOKENS.check("token.times", "AUTHSERVER_ACCESS_TOKEN_LIFETIME, or the lifetime of the API: authserver apis update")
def times(server: Deployment) -> Iterator[Seen]:
    """The token's times are whole numbers, and it lives for an hour at most (RFC 9068 section 2.2; RFC 9700 section 4.10)."""
    claims = access_token(server).claims
    for name in ("iat", "exp"):
        if not jose.is_integer(claims.get(name)):
            yield error(f"{name} is {show(claims.get(name))}, expected a whole number of seconds")
            return
    lifetime = claims["exp"] - claims["iat"]
    if lifetime > LONGEST_LIFETIME_SECONDS:
        yield warning(f"the access token lives for {lifetime} s, expected at most {LONGEST_LIFETIME_SECONDS}: nobody can take it back")


@TOKENS.check("token.audience", "give the client a default API: authserver clients update ID --set apis=… , or let it ask by resource")
def audience(server: Deployment) -> Iterator[Seen]:
    """The token is for an API, and not for the client that got it (RFC 9068 section 3; RFC 9700 section 2.3)."""
    found = access_token(server).claims.get("aud")
    named = found if isinstance(found, list) else [found] if isinstance(found, str) else []
    if not named or server.visitor.client_id in named:
        yield error(f"aud is {show(found)}, expected the identifier of an API")
    elif named == [server.issuer]:
        yield warning("aud is the issuer alone: the client has no API, and no API should accept this token")


@TOKENS.check("authorize.iss", "set AUTHSERVER_ISSUER to the URL that clients are given, to the byte")
def authorize_iss(server: Deployment) -> Iterator[Seen]:
    """An authorization response names the issuer byte for byte (RFC 9207 section 2; RFC 9700 section 4.4)."""
    visitor = server.visitor
    if not (visitor.client_id and visitor.redirect_uri):
        raise NotSeen("give --client-id and --redirect-uri of a client with sign-in to look at an authorization response")
    client = urlencode({"client_id": visitor.client_id, "redirect_uri": visitor.redirect_uri})
    reply = server.below(f"/oauth2/authorize?{ASKED}&{client}")
    location = reply.header("Location")
    if not location.startswith(visitor.redirect_uri):
        yield error(f"/oauth2/authorize answered {reply.status} and did not lead to {visitor.redirect_uri}: is it registered to the byte?")
        return
    answered = parse_qs(parts_of(location).query).get("iss", [])
    if fault := unlike(answered[0] if len(answered) == 1 else answered, server.issuer):
        yield error(f"iss of the authorization response: {fault}")


def access_token(server: Deployment) -> Unverified:
    """Return the access token, taken apart. Raises NotSeen."""
    token = token_text(server)
    if token.count(".") != 2:
        raise NotSeen("the access token is opaque")
    try:
        return jose.peek(token)
    except TokenRefused as fault:
        raise NotSeen(f"the access token cannot be read: {fault}") from fault


def token_text(server: Deployment) -> str:
    """Return the access token. Raises NotSeen."""
    if not (token := _text(_answer(server))):
        raise NotSeen("no access token was issued")
    return token


def _answer(server: Deployment) -> Reply:
    """Return what the token endpoint says to the client that was lent, by basic authentication, else by post. Raises NotSeen."""
    visitor, form = server.visitor, {"grant_type": "client_credentials"}
    if not (visitor.client_id and visitor.client_secret):
        raise NotSeen("give --client-id and --secret-stdin of a service client to look at a token")
    if not (server.is_https or (is_loopback_host(server.wire.host) and is_loopback_host(server.wire.address))):
        raise NotSeen("no secret is sent by plain http")
    pair = f"{quote_plus(visitor.client_id)}:{quote_plus(visitor.client_secret)}".encode()
    reply = server.below("/oauth2/token", "POST", {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}, form)
    if reply.status == 401:
        credentials = {"client_id": visitor.client_id, "client_secret": visitor.client_secret}
        reply = server.below("/oauth2/token", "POST", None, {**form, **credentials})
    return reply


def _text(reply: Reply) -> str:
    token = reply.member("access_token")
    return token if isinstance(token, str) else ""
