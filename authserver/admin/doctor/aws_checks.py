"""What AWS's own verifiers and relying parties demand (API Gateway, IAM and STS, Cognito, AppSync, Elastic Load Balancing guides)."""

from collections.abc import Iterator

from authserver.admin.doctor.deployment import Deployment, texts
from authserver.admin.doctor.finding import Part, Seen, error, skipped, warning
from authserver.admin.doctor.inspection import Inspection
from authserver.admin.doctor.issuer_form import parts_of, show
from authserver.admin.doctor.token_checks import access_token, token_text
from authserver.runtime.fetch import FetchRefused, public_address

AWS, AWS_INSIDE, AWS_OUTSIDE = Part("Either"), Part("A configuration"), Part("A server at a URL")
MOST_TOKEN_CHARACTERS = 20_000
MOST_ISSUER_CHARACTERS = 255
RELYING_PARTY = "/oauth2/idpresponse"
"""The path that load balancers and Cognito both use."""
COGNITO_HOSTS = (".amazoncognito.com", ".amazoncognito.com.cn")
OTHER_ALGORITHM = "authserver apis update IDENTIFIER --alg RS256 --format jwt; or use the Lambda authorizer of docs/authorizers.md"


@AWS.check("aws.issuer", "AUTHSERVER_ISSUER: an https URL without a port, at most 255 characters long")
def issuer(found: Inspection | Deployment) -> Iterator[Seen]:
    """The issuer is one that AWS takes: https on its usual port (IAM User Guide, OIDC identity providers)."""
    text = found.issuer
    parts = parts_of(text)
    if parts.scheme != "https":
        yield error(f"{show(text)} is not https, which every verifier of AWS demands")
    if parts.port not in (None, 443):
        yield error(f"{show(text)} names port {parts.port}, which IAM and Cognito refuse")
    if len(text) > MOST_ISSUER_CHARACTERS:
        yield error(f"the issuer has {len(text)} characters, IAM takes {MOST_ISSUER_CHARACTERS}")


@AWS_INSIDE.check("database.shared", "AUTHSERVER_DATABASE_URL=postgresql://… or mysql://…")
def database_shared(found: Inspection) -> Iterator[Seen]:
    """All containers use one database (Lambda Developer Guide, execution environment)."""
    if found.runtime.engine.dialect.name == "sqlite":
        yield warning("it is SQLite: enough for one machine, but on Lambda codes, sessions and keys would be lost with each container")


@AWS_INSIDE.check("aws.apis", OTHER_ALGORITHM)
def apis(found: Inspection) -> Iterator[Seen]:
    """HTTP API's JWT authorizer takes the tokens of every API: JWTs signed by RS256 (API Gateway guide, JWT authorizers)."""
    for api in found.apis:
        if api.token_format != "jwt":
            yield warning("its tokens are opaque, which neither HTTP API's nor REST API's JWT authorizer can read", api.identifier)
        elif api.signing_alg != "RS256":
            who = "HTTP API's JWT authorizer refuses" if api.signing_alg == "ES256" else "HTTP API's and REST API's JWT authorizers refuse"
            yield warning(f"its tokens are signed by {api.signing_alg}, which {who}", api.identifier)


@AWS_INSIDE.check(
    "aws.relying_parties", "authserver clients update ID --set require_pkce=false; Cognito: token_endpoint_auth_method=client_secret_post"
)
def relying_parties(found: Inspection) -> Iterator[Seen]:
    """Load balancers and Cognito are registered as they can sign in (Elastic Load Balancing guide, authenticate users; Cognito guide)."""
    for client in found.clients:
        uris = [parts_of(uri) for uri in client.metadata.get("redirect_uris", ()) if uri.endswith(RELYING_PARTY)]
        is_cognito = any((uri.hostname or "").endswith(COGNITO_HOSTS) for uri in uris)
        alg = client.metadata.get("id_token_signed_response_alg")
        if uris and client.metadata.get("require_pkce"):
            say, who = (warning, "Cognito") if is_cognito else (error, "a load balancer")
            yield say(f"require_pkce is true, and {who} sends no code_challenge", client.client_id)
        if is_cognito and client.auth_method != "client_secret_post":
            yield error(f"it authenticates by {client.auth_method}, Cognito by client_secret_post alone", client.client_id)
        if uris and alg not in ("RS256", "ES256"):
            yield error(f"its ID tokens are signed by {alg}, which AWS does not verify", client.client_id)


@AWS_OUTSIDE.check("aws.public", "give the server a public name with a publicly trusted certificate; private APIs need that too")
def public(server: Deployment) -> Iterator[Seen]:
    """AWS can reach the issuer from the Internet (API Gateway guide, JWT authorizers)."""
    host = server.wire.host
    if server.wire.ca:
        yield warning(f"its certificate was verified by --ca {server.wire.ca} alone, and AWS trusts public authorities only")
    if server.wire.is_elsewhere:
        yield skipped(f"the addresses of {host} are not looked up beside --connect-to")
        return
    try:
        public_address(host, server.wire.port)
    except FetchRefused as refused:
        yield error(f"nobody on the Internet can reach {host}: {refused}")


@AWS_OUTSIDE.check("aws.rs256", "authserver keys rotate --alg RS256")
def rs256(server: Deployment) -> Iterator[Seen]:
    """An RSA key is published, and ID tokens can be signed by RS256 (API Gateway guide, JWT authorizers for HTTP APIs)."""
    if not any(key.get("kty") == "RSA" and key.get("alg") == "RS256" for key in server.keys):
        yield error("no RSA key for RS256 is published")
    yield from _lacks(server, "id_token_signing_alg_values_supported", "RS256")


@AWS_OUTSIDE.check("aws.cognito", "nothing in this server turns it off: find what answers in its place")
def cognito(server: Deployment) -> Iterator[Seen]:
    """A Cognito user pool can be a client, by client_secret_post alone (Cognito guide, OIDC identity providers with a user pool)."""
    return _lacks(server, "token_endpoint_auth_methods_supported", "client_secret_post")


@AWS_OUTSIDE.check("aws.token", f"{OTHER_ALGORITHM}; allow the client a scope of the API")
def token(server: Deployment) -> Iterator[Seen]:
    """API Gateway takes the access token: RSA, with a scope, at most 20,000 characters (API Gateway guide, JWT authorizers)."""
    text = token_text(server)
    if len(text) > MOST_TOKEN_CHARACTERS:
        yield error(f"the access token has {len(text)} characters, IAM and STS take {MOST_TOKEN_CHARACTERS}")
    elif text.count(".") != 2:
        yield error("the access token is opaque, which only a Lambda authorizer that introspects can check")
    else:
        header, claims, _ = access_token(server)
        if not str(header.get("alg")).startswith("RS"):
            yield error(f"the access token is signed by {show(header.get('alg'))}, HTTP API's JWT authorizer takes RSA alone")
        if not isinstance(claims.get("scope"), str) or not claims["scope"]:
            yield warning("the access token has no scope, so that a route that demands one, as it should, refuses it")


def _lacks(server: Deployment, name: str, needed: str) -> Iterator[Seen]:
    if needed not in texts(server.openid, name):
        yield error(f"{name} lacks {needed}")
