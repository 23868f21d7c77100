"""The published keys: where they are, and that verifiers can use them and nobody else (RFC 7517, RFC 7518, RFC 8725)."""

import base64
import re
from collections.abc import Iterator

from authserver.admin.doctor.deployment import JWKS, Deployment, Document, Unusable
from authserver.admin.doctor.finding import NotSeen, Seen, check, error, warning
from authserver.admin.doctor.issuer_form import show

PRIVATE = ("d", "p", "q", "dp", "dq", "qi", "oth", "k")
MEMBERS = {"RSA": ("n", "e"), "EC": ("crv", "x", "y"), "OKP": ("crv", "x")}
LEAST_RSA_BITS = 2048
LONGEST_CACHED_SECONDS = 3600
MAX_AGE = re.compile(r"\bmax-age=(\d{1,9})")
TYPES = ("application/json", "application/jwk-set+json")


@check(
    "jwks.place",
    holds="The keys are at /.well-known/jwks.json below the issuer, and jwks_uri says so",
    section="RFC 8414 section 2; OpenID Connect Discovery 1.0 section 3",
    fix="leave jwks_uri as the server writes it: common verifiers hard-code it, and AWS records it once",
)
def jwks_place(server: Deployment) -> Iterator[Seen]:
    """It must never move."""
    named = server.openid.get("jwks_uri")
    if named != server.issuer + JWKS:
        yield error(f"jwks_uri is {show(named)}, expected {server.issuer}{JWKS}")


@check(
    "jwks.reachable",
    holds="The keys can be fetched, and there is at least one",
    section="RFC 7517 section 5",
    fix="run authserver doctor where the server runs: its keys may not open; or ask the proxy's log",
)
def jwks_reachable(server: Deployment) -> Iterator[Seen]:
    """An empty set is worse than none: it is cached."""
    try:
        if not server.keys:
            yield error(f"{server.issuer}{JWKS} is an empty set, with which no token can be verified")
    except Unusable as fault:
        yield error(str(fault))


@check(
    "jwks.private",
    holds="No private part of a key is published",
    section="RFC 7517 section 9.2",
    fix="authserver keys rotate --revoke, at once: these keys are lost",
)
def jwks_private(server: Deployment) -> Iterator[Seen]:
    """Symmetric keys count as private."""
    for key in server.keys:
        if found := [name for name in PRIVATE if name in key]:
            yield error(f"the private members {', '.join(found)} are published", _name(key))


@check(
    "jwks.members",
    holds="Every key says its kid, use, alg and all of its public members, and no kid comes twice",
    section="RFC 7517 sections 4 and 4.5; RFC 7518 section 6",
    fix="let nothing rewrite the document; authserver keys list shows what should be in it",
)
def jwks_members(server: Deployment) -> Iterator[Seen]:
    """Verifiers choose a key by kid, and some refuse one without `use` or `alg`."""
    kids = [key.get("kid") for key in server.keys]
    for key in server.keys:
        missing = [name for name in ("kty", "kid", "alg", *MEMBERS.get(str(key.get("kty")), ())) if not isinstance(key.get(name), str)]
        if missing:
            yield error(f"{', '.join(missing)} missing", _name(key))
        if key.get("use") != "sig":
            yield error(f"use is {show(key.get('use'))}, expected sig", _name(key))
        if kids.count(key.get("kid")) > 1:
            yield error("the kid comes twice", _name(key))


@check(
    "jwks.strength",
    holds="RSA keys have at least 2048 bits",
    section="RFC 7518 section 3.3",
    fix="authserver keys rotate",
)
def jwks_strength(server: Deployment) -> Iterator[Seen]:
    """Measured on the modulus."""
    for key in server.keys:
        bits = _bits(key)
        if bits is not None and bits < LEAST_RSA_BITS:
            yield error(f"an RSA key of {bits} bits, expected at least {LEAST_RSA_BITS}", _name(key))


@check(
    "jwks.caching",
    holds="The keys may be cached, for an hour at most",
    section="RFC 9111 section 5.2.2; OpenID Connect Core 1.0 section 10.1.1",
    fix="let proxy and CDN keep the Cache-Control that the server sends, and cache no longer than it says",
)
def jwks_caching(server: Deployment) -> Iterator[Seen]:
    """Without it each verification may fetch them; with too much of it a rotation in an emergency is not seen."""
    reply = server.below(JWKS)
    value = reply.header("Cache-Control") or ""
    age = MAX_AGE.search(value)
    if age is None or "no-store" in value or "private" in value or int(age[1]) == 0:
        yield warning(f"Cache-Control is {value[:60]!r}, expected public with a max-age")
        return
    if int(age[1]) > LONGEST_CACHED_SECONDS:
        yield warning(f"the keys may be cached for {age[1]} s, expected at most {LONGEST_CACHED_SECONDS}")
    stored = reply.header("Age") or "0"
    if stored.isdecimal() and int(stored) > int(age[1]):
        yield warning(f"a cache answered with a copy of {stored} s, older than the {age[1]} s that it may be")


@check(
    "jwks.content_type",
    holds="The keys come as JSON",
    section="RFC 7517 section 8.5",
    fix="let the proxy pass Content-Type on; on Lambda use authserver.lambda_handler.handler",
)
def jwks_content_type(server: Deployment) -> Iterator[Seen]:
    """Two types are right."""
    kind = server.below(JWKS).header("Content-Type") or "nothing"
    if server.keys and kind.partition(";")[0].strip().lower() not in TYPES:
        yield warning(f"{JWKS} came as {kind}, expected application/json")


def rsa_kids(server: Deployment) -> list[str]:
    """Return the ids of the keys that sign RS256."""
    return [_name(key) for key in server.keys if key.get("kty") == "RSA" and key.get("alg") == "RS256"]


def algorithm_of(server: Deployment, kid: object) -> str:
    """Return the algorithm of a published key. Raises NotSeen where there is no such key."""
    for key in server.keys:
        if key.get("kid") == kid:
            return str(key.get("alg"))
    raise NotSeen(f"no key {show(kid)} is published")


def _name(key: Document) -> str:
    return str(key.get("kid", "a key without kid"))[:64]


def _bits(key: Document) -> int | None:
    """Return the length of an RSA modulus; None for other keys, and for what is no number."""
    if key.get("kty") != "RSA" or not isinstance(key.get("n"), str):
        return None
    try:
        return int.from_bytes(base64.urlsafe_b64decode(key["n"] + "==")).bit_length()
    except ValueError:
        return None


CHECKS = (jwks_place, jwks_reachable, jwks_private, jwks_members, jwks_strength, jwks_caching, jwks_content_type)
