"""A token and an authorization response, fetched with a client that the operator lends (RFC 9068, RFC 9207, RFC 8725)."""

import base64
import hashlib
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, quote_plus, urlencode

from authserver.admin.doctor.deployment import Deployment
from authserver.admin.doctor.finding import NotSeen, Seen, check, error, warning
from authserver.admin.doctor.issuer_form import parts_of, plain_http_fault, show, unlike
from authserver.admin.doctor.jwks_checks import algorithm_of
from authserver.admin.doctor.wire import Reply
from authserver.crypto import jose
from authserver.crypto.jose import TokenRefused, Unverified

TOKEN = "/oauth2/token"
LONGEST_LIFETIME_SECONDS = 3600
VERIFIER = "doctor-doctor-doctor-doctor-doctor-doctor-doctor"


@check(
    "token.issued",
    holds="The client gets an access token by client credentials",
    section="RFC 6749 section 4.4",
    fix="compare id and secret with authserver clients get ID; the kind must be service",
)
def token_issued(server: Deployment) -> Iterator[Seen]:
    """By client_secret_basic, else by client_secret_post."""
    reply = answer(server)
    if reply.status != 200:
        yield error(f"the token endpoint answered {reply.status}: {_member(reply, 'error_description') or reply.text[:100]}")
    elif not _member(reply, "access_token"):
        yield error("the token endpoint answered 200 without an access_token")


@check(
    "token.not_cached",
    holds="No cache keeps a token",
    section="RFC 6749 section 5.1",
    fix="let proxy and CDN keep the Cache-Control that the server sends",
)
def token_not_cached(server: Deployment) -> Iterator[Seen]:
    """no-store on the answer."""
    value = answer(server).header("Cache-Control") or ""
    if "no-store" not in value:
        yield error(f"Cache-Control of the token endpoint is {value[:60]!r}, expected no-store")


@check(
    "token.issuer",
    holds="The token names the issuer byte for byte",
    section="RFC 9068 section 4; RFC 8725 section 3.8",
    fix="set AUTHSERVER_ISSUER to the URL that clients and verifiers are given, to the byte, in every process",
)
def token_issuer(server: Deployment) -> Iterator[Seen]:
    """`iss`."""
    if fault := unlike(access_token(server).claims.get("iss"), server.issuer):
        yield error(f"iss of the access token: {fault}")


@check(
    "token.header",
    holds="The token says that it is an access token, and its key is published with its algorithm",
    section="RFC 9068 section 2.1; RFC 7515 section 4.1.4",
    fix="let no cache keep an old JWKS, and let every process use the same database",
)
def token_header(server: Deployment) -> Iterator[Seen]:
    """`typ`, `alg` and `kid`."""
    header = access_token(server).header
    if header.get("typ") != "at+jwt":
        yield error(f"typ is {show(header.get('typ'))}, expected at+jwt: an ID token could pass for an access token")
    try:
        if (published := algorithm_of(server, header.get("kid"))) != header.get("alg"):
            yield error(f"the token is signed by {show(header.get('alg'))}, its key is published for {published}")
    except NotSeen as fault:
        yield error(f"the token's key cannot be found: {fault}")


@check(
    "token.times",
    holds="The token's times are whole numbers, and it lives for an hour at most",
    section="RFC 9068 section 2.2; RFC 9700 section 4.10; IAM and STS refuse fractions",
    fix="AUTHSERVER_ACCESS_TOKEN_LIFETIME, or the lifetime of the API: authserver apis update",
)
def token_times(server: Deployment) -> Iterator[Seen]:
    """`iat` and `exp`; what was read is no fraction."""
    claims = access_token(server).claims
    times = {name: claims.get(name) for name in ("iat", "exp")}
    for name, value in times.items():
        if not jose.is_integer(value):
            yield error(f"{name} is {show(value)}, expected a whole number of seconds")
            return
    lifetime = claims["exp"] - claims["iat"]
    if lifetime > LONGEST_LIFETIME_SECONDS:
        yield warning(f"the access token lives for {lifetime} s, expected at most {LONGEST_LIFETIME_SECONDS}: nobody can take it back")


@check(
    "token.audience",
    holds="The token is for an API, and not for the client that got it",
    section="RFC 9068 section 3; RFC 9700 section 2.3",
    fix="give the client a default API: authserver clients update ID --set apis=… , or let it ask by resource",
)
def token_audience(server: Deployment) -> Iterator[Seen]:
    """`aud`; the issuer alone means that no API was meant."""
    audience = access_token(server).claims.get("aud")
    named = [audience] if isinstance(audience, str) else audience if isinstance(audience, list) else []
    if not named or server.visitor.client_id in named:
        yield error(f"aud is {show(audience)}, expected the identifier of an API")
    elif named == [server.issuer]:
        yield warning("aud is the issuer alone: the client has no API, and no API should accept this token")


@check(
    "authorize.iss",
    holds="An authorization response names the issuer byte for byte",
    section="RFC 9207 section 2; RFC 9700 section 4.4",
    fix="set AUTHSERVER_ISSUER to the URL that clients are given, to the byte",
)
def authorize_iss(server: Deployment) -> Iterator[Seen]:
    """By prompt=none from a browser that is nobody, to which the only answer is an error."""
    visitor = server.visitor
    if not (visitor.client_id and visitor.redirect_uri):
        raise NotSeen("give --client-id and --redirect-uri of a client with sign-in to look at an authorization response")
    reply = server.at(f"{server.mount}/oauth2/authorize?{urlencode(_request(visitor.client_id, visitor.redirect_uri))}")
    location = reply.header("Location") or ""
    if not location.startswith(visitor.redirect_uri):
        yield error(f"/oauth2/authorize answered {reply.status} and did not lead to {visitor.redirect_uri}: is it registered to the byte?")
        return
    answered = parse_qs(parts_of(location).query).get("iss", [])
    if fault := unlike(answered[0] if len(answered) == 1 else answered, server.issuer):
        yield error(f"iss of the authorization response: {fault}")


def answer(server: Deployment) -> Reply:
    """Return what the token endpoint says to the client that was lent. Raises NotSeen."""
    visitor, path = server.visitor, server.mount + TOKEN
    if not (visitor.client_id and visitor.client_secret):
        raise NotSeen("give --client-id and --secret-stdin of a service client to look at a token")
    if plain_http_fault(server.issuer):
        raise NotSeen("no secret is sent by plain http")
    if server.token_answer is None:
        pair = f"{quote_plus(visitor.client_id)}:{quote_plus(visitor.client_secret)}"
        basic = {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
        form = {"grant_type": "client_credentials"}
        server.token_answer = server.ask(path, "POST", basic, form)
        if server.token_answer.status == 401:
            posted = {**form, "client_id": visitor.client_id, "client_secret": visitor.client_secret}
            server.token_answer = server.ask(path, "POST", {}, posted)
    return server.token_answer


def access_token(server: Deployment) -> Unverified:
    """Return the access token, taken apart. Raises NotSeen."""
    token = text_of_token(server)
    if token.count(".") != 2:
        raise NotSeen("the access token is opaque")
    try:
        return jose.peek(token)
    except TokenRefused as fault:
        raise NotSeen(f"the access token cannot be read: {fault}") from fault


def text_of_token(server: Deployment) -> str:
    """Return the access token. Raises NotSeen."""
    token = _member(answer(server), "access_token")
    if not token:
        raise NotSeen("no access token was issued")
    return token


def _member(reply: Reply, name: str) -> str:
    try:
        document: Any = json.loads(reply.body)
    except (ValueError, RecursionError):
        return ""
    value = document.get(name) if isinstance(document, dict) else None
    return value if isinstance(value, str) else ""


def _request(client_id: str, redirect_uri: str) -> dict[str, str]:
    challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
    asked = {"response_type": "code", "client_id": client_id, "redirect_uri": redirect_uri, "scope": "openid", "prompt": "none"}
    return {**asked, "state": "doctor", "nonce": "doctor", "code_challenge": challenge, "code_challenge_method": "S256"}


CHECKS = (token_issued, token_not_cached, token_issuer, token_header, token_times, token_audience, authorize_iss)
