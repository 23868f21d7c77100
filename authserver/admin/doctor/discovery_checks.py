"""Both discovery documents: where they are, what they say of the issuer, and the rules of RFC 9700 (RFC 8414, OpenID Connect Discovery)."""

from collections.abc import Iterator
from typing import Any

from authserver.admin.doctor.deployment import OAUTH, OPENID, Deployment, Document, Unusable, texts
from authserver.admin.doctor.finding import NotSeen, Seen, check, error, warning
from authserver.admin.doctor.issuer_form import show, unlike

DOCUMENTS = (OPENID, OAUTH)
STRANGER = "https://doctor.invalid"
OBSOLETE_GRANTS = ("implicit", "password")
UNSAFE_ALGORITHMS = ("none", "HS256", "HS384", "HS512")


@check(
    "discovery.openid",
    holds="OpenID Connect's discovery document is below the issuer",
    section="OpenID Connect Discovery 1.0 section 4",
    fix="route every path below the issuer to the server, stage and base path included",
)
def discovery_openid(server: Deployment) -> Iterator[Seen]:
    """AWS and most libraries append the address to the issuer."""
    yield from _unusable(server, server.mount + OPENID)


@check(
    "discovery.oauth",
    holds="OAuth's metadata document is below the issuer",
    section="RFC 8414 section 3",
    fix="route every path below the issuer to the server, stage and base path included",
)
def discovery_oauth(server: Deployment) -> Iterator[Seen]:
    """Where the issuer has no path, this is the address of RFC 8414."""
    yield from _unusable(server, server.mount + OAUTH)


@check(
    "discovery.path_inserted",
    holds="OAuth's metadata document is where RFC 8414 puts it: the issuer's path behind the well-known one",
    section="RFC 8414 section 3.1",
    fix="route /.well-known/oauth-authorization-server/ of the host to the server as well, or use an issuer without a path",
)
def discovery_path_inserted(server: Deployment) -> Iterator[Seen]:
    """With a path in the issuer the address lies outside of it, where a base path or stage does not reach."""
    if not server.mount:
        return
    try:
        found = server.object_at(OAUTH + server.mount)
    except Unusable as fault:
        yield warning(f"{fault}; clients that follow RFC 8414 look there")
        return
    if difference := unlike(found.get("issuer"), server.issuer):
        yield error(f"the document there is of another issuer: {difference}")


@check(
    "discovery.issuer",
    holds="Both documents name the issuer byte for byte",
    section="RFC 8414 section 3.3; OpenID Connect Discovery 1.0 section 4.3",
    fix="set AUTHSERVER_ISSUER to the URL that clients and verifiers are given, to the byte",
)
def discovery_issuer(server: Deployment) -> Iterator[Seen]:
    """Whoever fetched them must compare."""
    for path, document in _documents(server):
        if fault := unlike(document.get("issuer"), server.issuer):
            yield error(f"the issuer of {path} differs from the URL: {fault}")


@check(
    "discovery.same",
    holds="Both documents say the same",
    section="RFC 8414 section 5",
    fix="let no cache and no second deployment answer for one of them",
)
def discovery_same(server: Deployment) -> Iterator[Seen]:
    """This server makes them of the same data."""
    one, other = server.openid, server.oauth
    names = sorted(name for name in {**one, **other} if one.get(name) != other.get(name) and name != "issuer")
    if names:
        yield error(f"the two documents differ in {', '.join(names[:5])}")


@check(
    "discovery.endpoints",
    holds="Every endpoint is below the issuer",
    section="RFC 8414 section 2",
    fix="set AUTHSERVER_ISSUER to the URL with its whole path, once; let the proxy rewrite no body",
)
def discovery_endpoints(server: Deployment) -> Iterator[Seen]:
    """Addresses that begin otherwise lead elsewhere, or into a base path that is doubled or lost."""
    for name, value in server.openid.items():
        if name.endswith("_endpoint") or name == "jwks_uri":
            where = value if isinstance(value, str) else ""
            doubled = bool(server.mount) and where.startswith(server.issuer + server.mount + "/")
            if doubled or not where.startswith(server.issuer + "/"):
                yield error(f"{name} is {show(value)}, expected an address below {server.issuer}" + (", its path once" if doubled else ""))


@check(
    "discovery.content_type",
    holds="The documents come as application/json",
    section="RFC 8414 section 3.2",
    fix="let the proxy pass Content-Type on; on Lambda use authserver.lambda_handler.handler",
)
def discovery_content_type(server: Deployment) -> Iterator[Seen]:
    """Some libraries read nothing else."""
    for path, _ in _documents(server):
        kind = server.below(path).header("Content-Type") or "nothing"
        if kind.partition(";")[0].strip().lower() != "application/json":
            yield warning(f"{path} came as {kind}, expected application/json")


@check(
    "discovery.cors",
    holds="Pages of any origin may read discovery and keys",
    section="OpenID Connect Discovery 1.0 section 4; Fetch standard, CORS protocol",
    fix="let the server alone answer CORS: turn CORS off at the proxy, gateway or function URL",
)
def discovery_cors(server: Deployment) -> Iterator[Seen]:
    """Exactly one `*`: a gateway that adds its own makes two, which browsers refuse."""
    for path in (*DOCUMENTS, "/.well-known/jwks.json"):
        allowed = server.below(path, Origin=STRANGER).each("Access-Control-Allow-Origin")
        if allowed != ["*"]:
            yield warning(f"{path} came with Access-Control-Allow-Origin {', '.join(allowed) or 'missing'}, expected one *")


@check(
    "cors.strangers",
    holds="Pages of origins that no client registered may not call the token endpoint, and none the authorization endpoint",
    section="RFC 9700 section 2.6",
    fix='turn CORS off at the gateway (a function URL: "cors": {}): the server answers the origins of registered clients itself',
)
def cors_strangers(server: Deployment) -> Iterator[Seen]:
    """A preflight from an origin that cannot exist."""
    for path in ("/oauth2/token", "/oauth2/authorize"):
        preflight = server.below(path, "OPTIONS", Origin=STRANGER, Access_Control_Request_Method="POST")
        if allowed := preflight.header("Access-Control-Allow-Origin"):
            yield error(f"{path} allowed {STRANGER} to call it: Access-Control-Allow-Origin is {allowed[:60]}")


@check(
    "discovery.grants",
    holds="Neither the implicit nor the password grant is offered, and codes are the only response",
    section="RFC 9700 sections 2.1.2 and 2.4",
    fix="nothing in this server offers them: find what answers in its place",
)
def discovery_grants(server: Deployment) -> Iterator[Seen]:
    """Absent, grant_types_supported means that implicit is there."""
    grants = texts(server.openid, "grant_types_supported") or ["implicit"]
    for grant in OBSOLETE_GRANTS:
        if grant in grants:
            yield error(f"grant_types_supported has {grant}, or is missing")
    responses = texts(server.openid, "response_types_supported")
    if responses != ["code"]:
        yield error(f"response_types_supported is {show(responses)}, expected code alone")


@check(
    "discovery.pkce",
    holds="PKCE is offered, by S256 alone",
    section="RFC 9700 section 2.1.1; RFC 7636 section 4.2",
    fix="nothing in this server offers plain: find what answers in its place",
)
def discovery_pkce(server: Deployment) -> Iterator[Seen]:
    """`plain` shows the verifier to whoever sees the request."""
    methods = texts(server.openid, "code_challenge_methods_supported")
    if methods != ["S256"]:
        yield error(f"code_challenge_methods_supported is {show(methods)}, expected S256 alone")


@check(
    "discovery.iss_parameter",
    holds="Authorization responses are announced to name the issuer",
    section="RFC 9207 section 3; RFC 9700 section 2.1",
    fix="nothing in this server turns it off: find what answers in its place",
)
def discovery_iss_parameter(server: Deployment) -> Iterator[Seen]:
    """Against mix-up attacks."""
    value = server.openid.get("authorization_response_iss_parameter_supported")
    if value is not True:
        yield error(f"authorization_response_iss_parameter_supported is {show(value)}, expected true")


@check(
    "discovery.algorithms",
    holds="Tokens and client assertions are signed by keys, not by shared secrets, and never unsigned",
    section="RFC 8725 sections 3.1 and 3.2; RFC 9700 section 2.5",
    fix="nothing in this server offers them: find what answers in its place",
)
def discovery_algorithms(server: Deployment) -> Iterator[Seen]:
    """`none` and HMAC appear in no list."""
    for name in server.openid:
        if name.endswith("_alg_values_supported"):
            for alg in UNSAFE_ALGORITHMS:
                if alg in texts(server.openid, name):
                    yield error(f"{name} has {alg}")


def _unusable(server: Deployment, path: str) -> Iterator[Seen]:
    try:
        server.object_at(path)
    except Unusable as fault:
        yield error(str(fault))


def _documents(server: Deployment) -> list[tuple[str, Document]]:
    """Return the documents that can be read."""
    found: list[tuple[str, dict[str, Any]]] = []
    for path in DOCUMENTS:
        try:
            found.append((path, server.object_at(server.mount + path)))
        except Unusable:
            continue
    if not found:
        raise NotSeen("neither document can be read")
    return found


CHECKS = (
    *(discovery_openid, discovery_oauth, discovery_path_inserted, discovery_issuer, discovery_same, discovery_endpoints),
    *(discovery_content_type, discovery_cors, cors_strangers),
    *(discovery_grants, discovery_pkce, discovery_iss_parameter, discovery_algorithms),
)
