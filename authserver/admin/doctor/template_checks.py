"""What a template says of this server, against the server (API Gateway, IAM and Elastic Load Balancing guides)."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from authserver.admin.doctor.aws_checks import APPSYNC, BALANCER, HTTP_API, IAM
from authserver.admin.doctor.finding import NotSeen, Seen, check, error, skipped, warning
from authserver.admin.doctor.inspection import Inspection
from authserver.admin.doctor.issuer_form import show, unlike
from authserver.admin.doctor.template import Authorizer, Template, is_known
from authserver.store.resource_server import ResourceServer

WELL_KNOWN = "/.well-known/"
ENDPOINTS = {"AuthorizationEndpoint": "/oauth2/authorize", "TokenEndpoint": "/oauth2/token", "UserInfoEndpoint": "/oidc/userinfo"}
PATTERN = re.compile(r"[|*^$()\[\]+?\\]")
"""AppSync takes a regular expression for a client id."""
MOST_CLIENT_IDS, MOST_CLIENT_ID_CHARACTERS = 100, 255


@dataclass(frozen=True)
class Named:
    """A template beside the server that it should name; `inspection` is None where only its URL is known."""

    template: Template
    issuer: str
    inspection: Inspection | None

    def ours(self) -> list[Authorizer]:
        """Return the places that mean this server, however they write it."""
        return [one for one in self.template.authorizers() if is_known(one.issuer) and _plain(one.issuer) == _plain(self.issuer)]

    def apis(self) -> Mapping[str, ResourceServer]:
        """Return the registered APIs. Raises NotSeen."""
        if self.inspection is None:
            raise NotSeen("APIs are known to the database alone: run it without --url where the settings are")
        return {api.identifier: api for api in self.inspection.apis}

    def client_ids(self) -> set[str]:
        """Return the ids of the registered clients, as far as they are known."""
        return {client.client_id for client in self.inspection.clients} if self.inspection else set()


@check(
    "template.issuer",
    holds="The template names the issuer byte for byte",
    section=f"{HTTP_API}; RFC 8414 section 3.3",
    fix="write the issuer as AUTHSERVER_ISSUER has it, without a slash at the end",
)
def template_issuer(named: Named) -> Iterator[Seen]:
    """API Gateway, IAM and STS compare it with `iss` as it is written."""
    found = named.template.authorizers()
    for one in found:
        if isinstance(one.issuer, str) and not is_known(one.issuer):
            yield from _unresolved(one, named.template.name)
        elif not isinstance(one.issuer, str):
            yield skipped(f"{one.shown} is known to CloudFormation alone", named.template.name)
    for one in named.ours():
        if fault := unlike(one.issuer, named.issuer):
            yield error(f"{one.shown}: {fault}; it is compared with iss byte by byte, and every token refused", named.template.name)
    if not named.ours() and all(is_known(one.issuer) for one in found):
        yield warning(f"nothing in it names {named.issuer}", named.template.name)


@check(
    "template.audience",
    holds="Every audience in the template is the identifier of a registered API",
    section=f"{HTTP_API}; RFC 9068 section 4",
    fix="authserver apis list shows the identifiers; authserver apis create --identifier URL registers one",
)
def template_audience(named: Named) -> Iterator[Seen]:
    """`aud` is what the client asked for by `resource`, or its default API: never a client id."""
    known, clients = named.apis(), named.client_ids()
    for one, audience in _audiences(named):
        near = next((api for api in known if api.rstrip("/") == audience.rstrip("/")), None)
        if audience not in known and audience != named.issuer:
            hint = f"; did you mean {near}?" if near else "; it is a client id, which aud never is" if audience in clients else ""
            yield error(f"{one.shown}: no API is registered by the audience {show(audience)}{hint}", named.template.name)


@check(
    "template.algorithm",
    holds="API Gateway's JWT authorizer takes the tokens of every API that the template names",
    section=HTTP_API,
    fix="authserver apis update IDENTIFIER --alg RS256 --format jwt; or use the Lambda authorizer of docs/authorizers.md",
)
def template_algorithm(named: Named) -> Iterator[Seen]:
    """RSA alone; the Lambda authorizer takes all."""
    known = named.apis()
    for one, audience in _audiences(named):
        api = known.get(audience)
        if api and one.is_jwt and (api.token_format != "jwt" or api.signing_alg != "RS256"):
            what = f"signed by {api.signing_alg}" if api.token_format == "jwt" else "opaque"
            yield error(f"{one.shown}: the tokens of {audience} are {what}, which it refuses", named.template.name)


@check(
    "template.scopes",
    holds="Every route behind a JWT authorizer demands a scope",
    section=HTTP_API,
    fix="AuthorizationScopes (serverless.yml: authorizer.scopes) on each route",
)
def template_scopes(named: Named) -> Iterator[Seen]:
    """API Gateway cannot tell an access token from an ID token, which has no scope."""
    names = _jwt_authorizers(named.template)
    for place, node in named.template.nodes():
        if _is_open_route(node, names):
            yield warning(f"{'.'.join(map(str, place))} demands no scope, so that any token for the audience passes", named.template.name)


@check(
    "template.client_ids",
    holds="Every client id that an identity provider in the template lists is registered",
    section=f"{IAM}; {APPSYNC}; {BALANCER}",
    fix="authserver clients list shows the ids",
)
def template_client_ids(named: Named) -> Iterator[Seen]:
    """The audience of ID tokens; IAM takes 100 of them, of 255 characters."""
    listed = [(one, one.client_ids) for one in named.ours() if one.client_ids]
    for one, client_ids in listed:
        if len(client_ids) > MOST_CLIENT_IDS or any(len(str(client_id)) > MOST_CLIENT_ID_CHARACTERS for client_id in client_ids):
            yield error(
                f"{one.shown}: IAM takes {MOST_CLIENT_IDS} client ids of {MOST_CLIENT_ID_CHARACTERS} characters", named.template.name
            )
    if named.inspection is None or not listed:
        return
    known = named.client_ids()
    for one, client_ids in listed:
        for client_id in client_ids:
            if is_known(client_id) and not PATTERN.search(client_id) and client_id not in known:
                yield error(f"{one.shown}: no client {show(client_id)} is registered and enabled", named.template.name)


@check(
    "template.endpoints",
    holds="A load balancer's action names the endpoints of this server",
    section=BALANCER,
    fix="take them from the discovery document",
)
def template_endpoints(named: Named) -> Iterator[Seen]:
    """It does not discover them."""
    for place, node in named.template.nodes():
        issuer: Any = node.get("Issuer")
        if "TokenEndpoint" not in node or not is_known(issuer) or _plain(issuer) != _plain(named.issuer):
            continue
        for name, path in ENDPOINTS.items():
            value = node.get(name)
            if value != named.issuer + path and (value is None or is_known(value)):
                shown = ".".join(map(str, place))
                yield error(f"{shown}.{name} is {show(value)}, expected {named.issuer}{path}", named.template.name)


def _audiences(named: Named) -> Iterator[tuple[Authorizer, str]]:
    for one in named.ours():
        for audience in one.audiences:
            if is_known(audience):
                yield one, audience


def _unresolved(one: Authorizer, name: str) -> Iterator[Seen]:
    if one.issuer.endswith("/"):
        yield error(f"{one.shown} is {show(one.issuer)}, and ends with a slash, which no issuer of this server has", name)
    else:
        yield skipped(f"{one.shown} is {show(one.issuer)}, which is known only when it is deployed", name)


def _jwt_authorizers(template: Template) -> set[str]:
    """Return the names by which routes of serverless.yml and SAM choose a JWT authorizer."""
    return {str([name for name in one.place if name != "JwtConfiguration"][-1]) for one in template.authorizers() if one.is_jwt}


def _is_open_route(node: Mapping[Any, Any], names: set[str]) -> bool:
    """Tell whether a mapping is a route with a JWT authorizer and without scopes: of CloudFormation, SAM or serverless.yml."""
    if node.get("AuthorizationType") == "JWT" or str(node.get("Authorizer")) in names:
        return not node.get("AuthorizationScopes")
    event = node.get("httpApi")
    chosen = event.get("authorizer") if isinstance(event, dict) else None
    if isinstance(chosen, dict):
        return str(chosen.get("name")) in names and not chosen.get("scopes")
    return str(chosen) in names


def _plain(issuer: str) -> str:
    """Return what is left of an issuer when everything is taken away by which people write it differently."""
    text = issuer.lower().partition(WELL_KNOWN)[0].removeprefix("https://").removeprefix("http://").rstrip("/")
    host, slash, path = text.partition("/")
    return host.removesuffix(":443") + slash + path


CHECKS = (template_issuer, template_audience, template_algorithm, template_scopes, template_client_ids, template_endpoints)
