"""What a template says of this server, against the server (API Gateway, IAM and Elastic Load Balancing guides)."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from authserver.admin.doctor.aws_checks import OTHER_ALGORITHM
from authserver.admin.doctor.finding import NotSeen, Part, Seen, error, skipped, warning
from authserver.admin.doctor.inspection import Inspection
from authserver.admin.doctor.issuer_form import show, unlike
from authserver.admin.doctor.template import Authorizer, Template, dotted, is_known
from authserver.store.resource_server import ResourceServer

TEMPLATES = Part("Templates")
PATTERN = re.compile(r"[|*^$()\[\]+?\\]")
"""AppSync takes a regular expression for a client id."""


@dataclass(frozen=True)
class Named:
    """A template beside the server that it should name; `inspection` is None where only its URL is known."""

    template: Template
    issuer: str
    inspection: Inspection | None

    @property
    def file(self) -> str:
        """The template's name."""
        return self.template.name

    def ours(self) -> list[Authorizer]:
        """Return the places that mean this server, however they write it."""
        return [one for one in self.template.authorizers() if is_known(one.issuer) and _plain(one.issuer) == _plain(self.issuer)]

    def audiences(self) -> list[tuple[Authorizer, str]]:
        """Return the audiences that stand beside this server."""
        return [(one, audience) for one in self.ours() for audience in one.audiences if is_known(audience)]

    def apis(self) -> Mapping[str, ResourceServer]:
        """Return the registered APIs. Raises NotSeen."""
        if self.inspection is None:
            raise NotSeen("APIs are known to the database alone: run it without --url where the settings are")
        return {api.identifier: api for api in self.inspection.apis}

    def client_ids(self) -> set[str]:
        """Return the ids of the registered clients, as far as they are known."""
        return {client.client_id for client in self.inspection.clients} if self.inspection else set()


@TEMPLATES.check("template.issuer", "write the issuer as AUTHSERVER_ISSUER has it, without a slash at the end")
def issuer(named: Named) -> Iterator[Seen]:
    """The template names the issuer byte for byte (API Gateway guide, JWT authorizers; RFC 8414 section 3.3)."""
    unknown = [one for one in named.template.authorizers() if not is_known(one.issuer)]
    for one in unknown:
        if not isinstance(one.issuer, str):
            yield skipped(f"{one.shown} is known to CloudFormation alone", named.file)
        elif one.issuer.endswith("/"):
            yield error(f"{one.shown} is {show(one.issuer)}, and ends with a slash, which no issuer of this server has", named.file)
        else:
            yield skipped(f"{one.shown} is {show(one.issuer)}, which is known only when it is deployed", named.file)
    for one in named.ours():
        if fault := unlike(one.issuer, named.issuer):
            yield error(f"{one.shown}: {fault}; it is compared with iss byte by byte, and every token refused", named.file)
    if not named.ours() and not unknown:
        others = sorted({show(one.issuer) for one in named.template.authorizers()})
        yield warning(f"nothing in it names {named.issuer}{', but it names ' if others else ''}{', '.join(others[:3])}", named.file)


@TEMPLATES.check("template.audience", "authserver apis list shows the identifiers; authserver apis create --identifier URL registers one")
def audience(named: Named) -> Iterator[Seen]:
    """Every audience in the template is the identifier of a registered API (API Gateway guide, JWT authorizers; RFC 9068 section 4)."""
    known, clients = named.apis(), named.client_ids()
    for one, text in named.audiences():
        near = next((api for api in known if api.rstrip("/") == text.rstrip("/")), None)
        if text not in known and text != named.issuer:
            hint = f"; did you mean {near}?" if near else "; it is a client id, which aud never is" if text in clients else ""
            yield error(f"{one.shown}: no API is registered by the audience {show(text)}{hint}", named.file)


@TEMPLATES.check("template.algorithm", OTHER_ALGORITHM)
def algorithm(named: Named) -> Iterator[Seen]:
    """API Gateway's JWT authorizer takes the tokens of every API that the template names (API Gateway guide, JWT authorizers)."""
    known = named.apis()
    for one, text in named.audiences():
        api = known.get(text)
        if api and one.is_jwt and (api.token_format != "jwt" or api.signing_alg != "RS256"):
            what = f"signed by {api.signing_alg}" if api.token_format == "jwt" else "opaque"
            yield error(f"{one.shown}: the tokens of {text} are {what}, which it refuses", named.file)


@TEMPLATES.check("template.scopes", "AuthorizationScopes (serverless.yml: authorizer.scopes) on each route")
def scopes(named: Named) -> Iterator[Seen]:
    """Every route behind a JWT authorizer demands a scope (API Gateway guide, JWT authorizers)."""
    # API Gateway cannot tell an access token from an ID token, which has no scope
    authorizers = {one.name for one in named.template.authorizers() if one.is_jwt}
    for place, node in named.template.nodes():
        if _is_open_route(node, authorizers):
            yield warning(f"{dotted(place)} demands no scope, so that any token for the audience passes", named.file)


@TEMPLATES.check("template.client_ids", "authserver clients list shows the ids")
def client_ids(named: Named) -> Iterator[Seen]:
    """Every client id that an identity provider in the template lists is registered (IAM, AppSync and Elastic Load Balancing guides)."""
    known = named.client_ids()
    for one in named.ours():
        for client_id in one.client_ids if named.inspection else ():
            if is_known(client_id) and not PATTERN.search(client_id) and client_id not in known:
                yield error(f"{one.shown}: no client {show(client_id)} is registered and enabled", named.file)


def _is_open_route(node: Mapping[Any, Any], authorizers: set[str]) -> bool:
    """Tell whether a mapping is a route with a JWT authorizer and without scopes: of CloudFormation, SAM or serverless.yml."""
    if node.get("AuthorizationType") == "JWT" or str(node.get("Authorizer")) in authorizers:
        return not node.get("AuthorizationScopes")
    event = node.get("httpApi")
    chosen = event.get("authorizer") if isinstance(event, dict) else None
    if isinstance(chosen, dict):
        return str(chosen.get("name")) in authorizers and not chosen.get("scopes")
    return str(chosen) in authorizers


def _plain(issuer: str) -> str:
    """Return what is left of an issuer when everything is taken away by which people write it differently."""
    text = issuer.lower().partition("/.well-known/")[0].removeprefix("https://").removeprefix("http://").rstrip("/")
    host, slash, path = text.partition("/")
    return host.removesuffix(":443") + slash + path
