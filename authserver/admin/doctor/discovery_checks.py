"""Discovery and published keys: where they are, what they say of the issuer, and RFC 9700 (RFC 8414, RFC 7517)."""

from collections.abc import Iterator

from authserver.admin.doctor.deployment import JWKS, OAUTH, OPENID, Deployment, Document, Unusable, texts
from authserver.admin.doctor.finding import Part, Seen, error, warning
from authserver.admin.doctor.issuer_form import show, unlike
from authserver.admin.doctor.reach_checks import MAX_AGE

DISCOVERY, KEYS = Part("Discovery"), Part("Published keys")
DOCUMENTS = (OPENID, OAUTH)
NEEDED = ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri")
JSON_TYPES = ("application/json", "application/jwk-set+json")
STRANGER = "https://doctor.invalid"
OBSOLETE_GRANTS = ("implicit", "password")
UNSAFE_ALGORITHMS = ("none", "HS256", "HS384", "HS512")
PRIVATE = ("d", "p", "q", "dp", "dq", "qi", "oth", "k")
MEMBERS = {"RSA": ("n", "e"), "EC": ("crv", "x", "y"), "OKP": ("crv", "x")}
LONGEST_CACHED_SECONDS = 3600
WHOLE_PATH = "route every path below the issuer to the server, stage and base path included"
IMPOSTOR = "nothing in this server says so: find what answers in its place"


@DISCOVERY.check("discovery.openid", WHOLE_PATH)
def openid(server: Deployment) -> Iterator[Seen]:
    """OpenID Connect's discovery document is below the issuer (OpenID Connect Discovery 1.0 section 4)."""
    return _unusable(server, OPENID)


@DISCOVERY.check("discovery.oauth", WHOLE_PATH)
def oauth(server: Deployment) -> Iterator[Seen]:
    """OAuth's metadata document is below the issuer (RFC 8414 section 3)."""
    return _unusable(server, OAUTH)


@DISCOVERY.check("discovery.path_inserted", f"route {OAUTH}/ of the host to the server as well")
def path_inserted(server: Deployment) -> Iterator[Seen]:
    """OAuth's metadata document is where RFC 8414 puts it: the issuer's path behind the well-known one (RFC 8414 section 3.1)."""
    if not server.mount:
        return
    try:
        found = server.object_at(OAUTH + server.mount)
    except Unusable as fault:
        yield warning(f"{fault}; clients that follow RFC 8414 look there")
        return
    if difference := unlike(found.get("issuer"), server.issuer):
        yield error(f"the document there is of another issuer: {difference}")


@DISCOVERY.check("discovery.issuer", "set AUTHSERVER_ISSUER to the URL that clients and verifiers are given, to the byte")
def issuer(server: Deployment) -> Iterator[Seen]:
    """Both documents name the issuer byte for byte (RFC 8414 section 3.3; OpenID Connect Discovery 1.0 section 4.3)."""
    for path in DOCUMENTS:
        reply = server.below(path)
        if reply.status == 200 and (fault := unlike(reply.member("issuer"), server.issuer)):
            yield error(f"the issuer of {path} differs from the URL: {fault}")


@DISCOVERY.check("discovery.endpoints", "set AUTHSERVER_ISSUER to the URL with its whole path, once; let the proxy rewrite no body")
def endpoints(server: Deployment) -> Iterator[Seen]:
    """Every endpoint is there, and below the issuer (RFC 8414 section 2)."""
    for name, value in {**dict.fromkeys(NEEDED), **server.openid}.items():
        if (name.endswith("_endpoint") or name == "jwks_uri") and not server.is_place(value):
            yield error(f"{name} is {show(value)}, expected an address below {server.issuer}, its path once")


@DISCOVERY.check("discovery.content_type", "let the proxy pass Content-Type on; on Lambda use authserver.lambda_handler.handler")
def content_type(server: Deployment) -> Iterator[Seen]:
    """Documents and keys come as JSON (RFC 8414 section 3.2; RFC 7517 section 8.5)."""
    for path in (*DOCUMENTS, JWKS):
        reply = server.below(path)
        if reply.status == 200 and reply.media_type not in JSON_TYPES:
            yield warning(f"{path} came as {reply.media_type or 'nothing'}, expected application/json")


@DISCOVERY.check("discovery.cors", "let the server alone answer CORS: turn CORS off at the proxy, gateway or function URL")
def cors(server: Deployment) -> Iterator[Seen]:
    """Pages of any origin may read discovery and keys (OpenID Connect Discovery 1.0 section 4; Fetch standard, CORS protocol)."""
    for path in (*DOCUMENTS, JWKS):
        allowed = server.below(path, "GET", {"Origin": STRANGER}).each("Access-Control-Allow-Origin")
        if allowed != ["*"]:  # a gateway that adds its own makes two, which browsers refuse
            yield warning(f"{path} came with Access-Control-Allow-Origin {', '.join(allowed) or 'missing'}, expected one *")


@DISCOVERY.check("cors.strangers", "turn CORS off at the gateway: the server itself answers the origins of registered clients")
def cors_strangers(server: Deployment) -> Iterator[Seen]:
    """Pages of strangers may not call the token endpoint, and none the authorization endpoint (RFC 9700 section 2.6)."""
    for path in ("/oauth2/token", "/oauth2/authorize"):
        preflight = server.below(path, "OPTIONS", {"Origin": STRANGER, "Access-Control-Request-Method": "POST"})
        if allowed := preflight.header("Access-Control-Allow-Origin"):
            yield error(f"{path} allowed {STRANGER} to call it: Access-Control-Allow-Origin is {allowed[:60]}")


@DISCOVERY.check("discovery.grants", IMPOSTOR)
def grants(server: Deployment) -> Iterator[Seen]:
    """Neither the implicit nor the password grant is offered, and codes are the only response (RFC 9700 sections 2.1.2 and 2.4)."""
    offered = texts(server.openid, "grant_types_supported") or ["implicit"]  # what its absence means
    for grant in OBSOLETE_GRANTS:
        if grant in offered:
            yield error(f"grant_types_supported has {grant}, or is missing")
    yield from _unlike_member(server, "response_types_supported", ["code"])


@DISCOVERY.check("discovery.pkce", IMPOSTOR)
def pkce(server: Deployment) -> Iterator[Seen]:
    """PKCE is offered, by S256 alone (RFC 9700 section 2.1.1; RFC 7636 section 4.2)."""
    return _unlike_member(server, "code_challenge_methods_supported", ["S256"])


@DISCOVERY.check("discovery.iss_parameter", IMPOSTOR)
def iss_parameter(server: Deployment) -> Iterator[Seen]:
    """Authorization responses are announced to name the issuer (RFC 9207 section 3; RFC 9700 section 2.1)."""
    return _unlike_member(server, "authorization_response_iss_parameter_supported", True)


@DISCOVERY.check("discovery.algorithms", IMPOSTOR)
def algorithms(server: Deployment) -> Iterator[Seen]:
    """Tokens and assertions are signed by keys, not by shared secrets, and never unsigned (RFC 8725 section 3.2; RFC 9700 section 2.5)."""
    for name in server.openid:
        if name.endswith("_alg_values_supported"):
            yield from (error(f"{name} has {alg}") for alg in texts(server.openid, name) if alg in UNSAFE_ALGORITHMS)


@KEYS.check("jwks.place", "leave jwks_uri as the server writes it: common verifiers hard-code it, and AWS records it once")
def jwks_place(server: Deployment) -> Iterator[Seen]:
    """The keys are at /.well-known/jwks.json below the issuer, and jwks_uri says so (RFC 8414 section 2)."""
    return _unlike_member(server, "jwks_uri", server.issuer + JWKS)


@KEYS.check("jwks.reachable", "run authserver doctor where the server runs: its keys may not open; or ask the proxy's log")
def jwks_reachable(server: Deployment) -> Iterator[Seen]:
    """The keys can be fetched, and there is at least one (RFC 7517 section 5)."""
    try:
        if not server.keys:
            yield error(f"{server.issuer}{JWKS} is an empty set, with which no token can be verified")
    except Unusable as fault:
        yield error(str(fault))


@KEYS.check("jwks.members", "let nothing rewrite the document; authserver keys list shows what should be in it")
def jwks_members(server: Deployment) -> Iterator[Seen]:
    """Every key says its kid, use, alg and public members, and nothing private; no kid comes twice (RFC 7517 sections 4 and 9.2)."""
    kids = [key.get("kid") for key in server.keys]
    for key in server.keys:
        needed = ("kty", "kid", "alg", *MEMBERS.get(str(key.get("kty")), ()))
        if missing := [name for name in needed if not isinstance(key.get(name), str)]:
            yield error(f"{', '.join(missing)} missing", _name(key))
        if found := [name for name in PRIVATE if name in key]:
            yield error(f"the private members {', '.join(found)} are published", _name(key), "authserver keys rotate --revoke, at once")
        if key.get("use") != "sig":
            yield error(f"use is {show(key.get('use'))}, expected sig", _name(key))
        if kids.count(key.get("kid")) > 1:
            yield error("the kid comes twice", _name(key))


@KEYS.check("jwks.caching", "let proxy and CDN keep the Cache-Control that the server sends, and cache no longer than it says")
def jwks_caching(server: Deployment) -> Iterator[Seen]:
    """The keys may be cached, for an hour at most (RFC 9111 section 5.2.2; OpenID Connect Core 1.0 section 10.1.1)."""
    value, stored = (server.below(JWKS).header(name) for name in ("Cache-Control", "Age"))
    age = MAX_AGE.search(value)
    longest = int(age[1]) if age and "no-store" not in value and "private" not in value else 0
    if not 0 < longest <= LONGEST_CACHED_SECONDS:
        yield warning(f"Cache-Control is {value[:60]!r}, expected public with a max-age of at most {LONGEST_CACHED_SECONDS}")
    elif stored.isdecimal() and int(stored) > longest:
        yield warning(f"a cache answered with a copy of {stored} s, older than the {longest} s that it may be")


def _name(key: Document) -> str:
    """Return how findings speak of a key."""
    return str(key.get("kid", "a key without kid"))[:64]


def _unusable(server: Deployment, path: str) -> Iterator[Seen]:
    try:
        server.object_at(server.mount + path)
    except Unusable as fault:
        yield error(str(fault))


def _unlike_member(server: Deployment, name: str, expected: object) -> Iterator[Seen]:
    if (value := server.openid.get(name)) != expected:
        yield error(f"{name} is {show(value)}, expected {show(expected)}")
