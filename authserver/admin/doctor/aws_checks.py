"""What AWS's own verifiers and relying parties demand (API Gateway, IAM and STS, Cognito, AppSync, Elastic Load Balancing guides)."""

from collections.abc import Iterator

from authserver.admin.doctor.deployment import JWKS, Deployment, texts
from authserver.admin.doctor.finding import NotSeen, Seen, check, error, skipped, warning
from authserver.admin.doctor.inspection import Inspection
from authserver.admin.doctor.issuer_form import parts_of, show
from authserver.admin.doctor.jwks_checks import rsa_kids
from authserver.admin.doctor.token_checks import access_token, text_of_token
from authserver.admin.doctor.wire import is_literal
from authserver.crypto import jose
from authserver.runtime.fetch import is_public
from authserver.runtime.settings import is_loopback_host

MOST_TOKEN_CHARACTERS = 20_000
MOST_ISSUER_CHARACTERS = 255
RELYING_PARTY = "/oauth2/idpresponse"
COGNITO_HOSTS = (".amazoncognito.com", ".amazoncognito.com.cn")
PRIVATE_SUFFIXES = (".local", ".internal", ".localhost", ".test", ".invalid", ".example")
HTTP_API = "API Gateway Developer Guide, JWT authorizers for HTTP APIs"
REST_API = "API Gateway Developer Guide, JWT authorizers for REST APIs"
IAM = "IAM User Guide, OIDC identity providers; STS AssumeRoleWithWebIdentity"
COGNITO = "Cognito Developer Guide, OIDC identity providers with a user pool"
APPSYNC = "AppSync Developer Guide, OPENID_CONNECT authorization"
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri")
BALANCER = "Elastic Load Balancing, authenticate users by an Application Load Balancer"


@check(
    "aws.issuer",
    holds="The issuer is one that IAM, STS and Cognito take: https on its usual port",
    section=IAM,
    fix="AUTHSERVER_ISSUER: an https URL without a port, at most 255 characters long",
)
def issuer(found: Inspection | Deployment) -> Iterator[Seen]:
    """Looked at in the settings, or as the URL that was given."""
    text = found.issuer if isinstance(found, Deployment) else found.settings.issuer
    parts = parts_of(text)
    if parts.scheme != "https":
        yield error(f"{show(text)} is not https, which every verifier of AWS demands")
    if parts.port not in (None, 443):
        yield error(f"{show(text)} names port {parts.port}, which IAM and Cognito refuse")
    if len(text) > MOST_ISSUER_CHARACTERS:
        yield error(f"the issuer has {len(text)} characters, IAM takes {MOST_ISSUER_CHARACTERS}")


@check(
    "aws.public",
    holds="AWS can reach the issuer from the Internet",
    section=f"{HTTP_API}; {REST_API}",
    fix="give the server a public name with a publicly trusted certificate; private APIs need that too",
)
def public(server: Deployment) -> Iterator[Seen]:
    """By its name, its addresses, and a certificate that is not of a private authority."""
    host = server.wire.host
    if server.wire.ca:
        yield warning(f"its certificate was verified by --ca {server.wire.ca} alone, and AWS trusts public authorities only")
    if is_loopback_host(host) or host.endswith(PRIVATE_SUFFIXES) or (is_literal(host) and not is_public(host)):
        yield error(f"{host} is a host that nobody on the Internet can reach")
    elif server.wire.is_elsewhere:
        yield skipped(f"the addresses of {host} are not looked up beside --connect-to")
    elif private := [address for address in server.wire.addresses() if not is_public(address)]:
        yield error(f"{host} has the address {private[0]}, which nobody on the Internet can reach")


@check(
    "aws.rs256",
    holds="An RSA key is published, and ID tokens can be signed by RS256",
    section=HTTP_API,
    fix="authserver keys rotate --alg RS256",
)
def rs256(server: Deployment) -> Iterator[Seen]:
    """HTTP API's JWT authorizer takes RSA alone."""
    if not rsa_kids(server):
        yield error(f"{JWKS} has no RSA key for RS256")
    if "RS256" not in texts(server.openid, "id_token_signing_alg_values_supported"):
        yield error("id_token_signing_alg_values_supported lacks RS256")


@check(
    "aws.cognito",
    holds="A Cognito user pool can be a client: it authenticates by client_secret_post",
    section=COGNITO,
    fix="nothing in this server turns it off: find what answers in its place",
)
def cognito(server: Deployment) -> Iterator[Seen]:
    """Cognito does not send client_secret_basic, whatever discovery says."""
    if "client_secret_post" not in texts(server.openid, "token_endpoint_auth_methods_supported"):
        yield error("token_endpoint_auth_methods_supported lacks client_secret_post, the only method of Cognito")


@check(
    "aws.endpoints",
    holds="Cognito, AppSync and load balancers can reach every endpoint that they use: https on port 443",
    section=f"{COGNITO}; {BALANCER}; {APPSYNC}",
    fix="AUTHSERVER_ISSUER without a port",
)
def endpoints(server: Deployment) -> Iterator[Seen]:
    """A load balancer asks userinfo for every claim."""
    if not _is_plain_https(server.issuer):
        raise NotSeen("the issuer is none that AWS takes")
    for name in ENDPOINTS:
        value = server.openid.get(name)
        if not isinstance(value, str) or not _is_plain_https(value):
            yield error(f"{name} is {show(value)}, expected an https URL on port 443")


@check(
    "aws.token",
    holds="API Gateway takes the access token: RSA, with kid and scope, whole numbers, at most 20,000 characters",
    section=f"{HTTP_API}; {IAM}",
    fix="authserver apis update IDENTIFIER --alg RS256 --format jwt; allow the client a scope of the API",
)
def token(server: Deployment) -> Iterator[Seen]:
    """With the client that was lent."""
    text = text_of_token(server)
    if len(text) > MOST_TOKEN_CHARACTERS:
        yield error(f"the access token has {len(text)} characters, IAM and STS take {MOST_TOKEN_CHARACTERS}")
        return
    if text.count(".") != 2:
        yield error("the access token is opaque, which only a Lambda authorizer that introspects can check")
        return
    header, claims, _ = access_token(server)
    if not str(header.get("alg")).startswith("RS"):
        yield error(f"the access token is signed by {show(header.get('alg'))}, HTTP API's JWT authorizer takes RSA alone")
    if not isinstance(header.get("kid"), str):
        yield error("the access token has no kid")
    for name in ("iat", "exp"):
        if not jose.is_integer(claims.get(name)):
            yield error(f"{name} is {show(claims.get(name))}, STS takes whole numbers alone")
    if not isinstance(claims.get("scope"), str) or not claims["scope"]:
        yield warning("the access token has no scope, so that a route that demands one, as it should, refuses it")


@check(
    "aws.apis",
    holds="HTTP API's JWT authorizer takes the tokens of every API: JWTs signed by RS256",
    section=f"{HTTP_API}; {REST_API}",
    fix="authserver apis update IDENTIFIER --alg RS256 --format jwt; or use the Lambda authorizer of docs/authorizers.md",
)
def apis(found: Inspection) -> Iterator[Seen]:
    """REST API's takes ES256 too."""
    for api in found.apis:
        if api.token_format != "jwt":
            yield warning("its tokens are opaque, which neither HTTP API's nor REST API's JWT authorizer can read", api.identifier)
        elif api.signing_alg == "ES256":
            yield warning("its tokens are signed by ES256: REST API's JWT authorizer takes them, HTTP API's refuses them", api.identifier)
        elif api.signing_alg != "RS256":
            yield warning(
                f"its tokens are signed by {api.signing_alg}, which HTTP API's and REST API's JWT authorizers refuse", api.identifier
            )


@check(
    "aws.relying_parties",
    holds="Clients whose redirect URI is of a load balancer or of Cognito are registered as those can sign in",
    section=f"{BALANCER}; {COGNITO}",
    fix="authserver clients update ID --set require_pkce=false; for Cognito also token_endpoint_auth_method=client_secret_post",
)
def relying_parties(found: Inspection) -> Iterator[Seen]:
    """Told by the path that both use: /oauth2/idpresponse."""
    for client in found.clients:
        uris = [parts_of(uri) for uri in client.metadata.get("redirect_uris", ()) if uri.endswith(RELYING_PARTY)]
        is_cognito = any((uri.hostname or "").endswith(COGNITO_HOSTS) for uri in uris)
        if uris and client.metadata.get("require_pkce"):
            who = "Cognito" if is_cognito else "a load balancer"
            yield (warning if is_cognito else error)(f"require_pkce is true, and {who} sends no code_challenge", client.client_id)
        if is_cognito and client.auth_method != "client_secret_post":
            yield error(f"it authenticates by {client.auth_method}, Cognito by client_secret_post alone", client.client_id)
        if uris and client.metadata.get("id_token_signed_response_alg") not in ("RS256", "ES256"):
            alg = client.metadata.get("id_token_signed_response_alg")
            yield error(f"its ID tokens are signed by {alg}, which AWS does not verify", client.client_id)


def _is_plain_https(url: str) -> bool:
    parts = parts_of(url)
    return parts.scheme == "https" and parts.port in (None, 443)


OF_A_CONFIGURATION = (issuer, apis, relying_parties)
OF_A_DEPLOYMENT = (issuer, public, rs256, cognito, endpoints, token)
