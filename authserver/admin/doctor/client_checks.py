"""Registered clients and APIs, against RFC 9700: redirect URIs, PKCE, secrets, consent, rotation, and what nobody uses any more."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from authserver.admin.authority import OWNER_OF_OUR_OWN
from authserver.admin.doctor.finding import Seen, check, error, warning
from authserver.admin.doctor.inspection import Inspection
from authserver.admin.doctor.issuer_form import parts_of, show
from authserver.runtime.settings import format_duration, is_loopback_host
from authserver.store.client import Client

ENDS_SOON = timedelta(days=14)
UNUSED = timedelta(days=365)
LONGEST_ACCESS_TOKEN = timedelta(hours=1)
SPA_SECONDS = 24 * 3600
LISTED = ("redirect_uris", "post_logout_redirect_uris", "allowed_origins")
UPDATE = "authserver clients update ID"


@check(
    "clients.redirect_https",
    holds="Redirect URIs and origins are https, loopback, or a native app's own scheme",
    section="RFC 9700 section 2.6; RFC 8252 section 8.3",
    fix=f"{UPDATE} --set redirect_uris=…",
)
def redirect_https(found: Inspection) -> Iterator[Seen]:
    """Codes would be readable on the way."""
    for client, field, uri in _uris(found):
        if uri.startswith("http://") and not is_loopback_host(_host(uri)):
            yield error(f"{field} has {show(uri)}, which is plain http", client.client_id)


@check(
    "clients.redirect_exact",
    holds="Redirect URIs have no wildcard: they match to the byte",
    section="RFC 9700 sections 2.1 and 4.1",
    fix=f"{UPDATE} --set redirect_uris=…, each URI by itself",
)
def redirect_exact(found: Inspection) -> Iterator[Seen]:
    """Such a URI was never registered by this server's rules."""
    for client, field, uri in _uris(found):
        if "*" in uri:
            yield error(f"{field} has {show(uri)}, a pattern", client.client_id)


@check(
    "clients.redirect_loopback",
    holds="Clients that run on servers and in pages do not lead back to a developer's machine",
    section="RFC 8252 section 7.3; RFC 9700 section 4.1",
    fix=f"{UPDATE} --set redirect_uris=…, and a client of its own for development",
)
def redirect_loopback(found: Inspection) -> Iterator[Seen]:
    """Whatever listens there gets the codes of whoever follows a link."""
    for client, field, uri in _uris(found):
        if client.kind in ("web", "spa") and not found.settings.is_loopback and is_loopback_host(_host(uri)):
            yield warning(f"{field} of a {client.kind} client has {show(uri)}", client.client_id)


@check(
    "clients.pkce",
    holds="PKCE is demanded of every client",
    section="RFC 9700 section 2.1.1",
    fix=f"{UPDATE} --set require_pkce=true, where the client can do it",
)
def pkce(found: Inspection) -> Iterator[Seen]:
    """A confidential client may be exempted, as AWS's load balancer must be."""
    for client in found.clients:
        if client.has_grant_type("authorization_code") and client.metadata.get("require_pkce") is False:
            say = error if client.is_public else warning
            yield say("require_pkce is false: a code that is stolen can be used", client.client_id)


@check(
    "clients.secrets",
    holds="Every client that has secrets has one that does not end within two weeks",
    section="RFC 6749 section 2.3.1; OWASP ASVS 5.0 section 13.3.4",
    fix="authserver clients rotate-secret ID",
)
def secrets(found: Inspection) -> Iterator[Seen]:
    """A second one is added before the first ends."""
    for client in found.clients:
        if not client.auth_method.startswith("client_secret"):
            continue
        ends = [secret.expires_at for secret in client.secrets if secret.is_live(found.now)]
        if not ends:
            yield error("has no secret that is still good, so that it cannot authenticate", client.client_id)
        elif None not in ends and (last := max(end for end in ends if end)) < found.now + ENDS_SOON:
            yield warning(f"its last secret ends on {last:%Y-%m-%d}", client.client_id)


@check(
    "clients.used",
    holds="Every client was used within a year",
    section="NIST SP 800-53 control AC-2(3)",
    fix="authserver clients disable ID",
)
def used(found: Inspection) -> Iterator[Seen]:
    """What nobody misses is only of use to a thief."""
    for client in found.clients:
        last: datetime = client.last_used_at or client.created_at
        if found.now - last > UNUSED and client.managed_by != OWNER_OF_OUR_OWN:
            what = "was last used on" if client.last_used_at else "was never used since"
            yield warning(f"{what} {last:%Y-%m-%d}", client.client_id)


@check(
    "clients.consent",
    holds="Consent is skipped only for clients of this site",
    section="RFC 6749 section 10.2; RFC 8252 section 8.6; OWASP ASVS 5.0 section 10.7.1",
    fix=f"{UPDATE} --set consent=remembered",
)
def consent(found: Inspection) -> Iterator[Seen]:
    """A client is of this site where its redirect URIs and the issuer share a domain; a native one can be impersonated."""
    own = _site(found.settings.issuer)
    for client in found.clients:
        if client.metadata.get("consent") != "skipped" or client.managed_by == OWNER_OF_OUR_OWN:
            continue
        foreign = [uri for uri in client.metadata.get("redirect_uris", ()) if _site(uri) != own]
        if client.kind == "native" and foreign:
            yield warning("consent is skipped for a native client, as which any app can pose", client.client_id)
        elif foreign:
            yield warning(f"consent is skipped, though {show(foreign[0])} is not of this server's domain", client.client_id)


@check(
    "clients.rotation",
    holds="Refresh tokens of public clients are rotated",
    section="RFC 9700 sections 2.2.2 and 4.14.2",
    fix=f"{UPDATE} --set refresh_token_rotation=auto",
)
def rotation(found: Inspection) -> Iterator[Seen]:
    """They are not bound to a key either."""
    for client in found.clients:
        if client.is_public and client.has_grant_type("refresh_token") and client.metadata.get("refresh_token_rotation") == "never":
            yield error("refresh_token_rotation is never: a stolen refresh token is good until it ends", client.client_id)


@check(
    "clients.refresh_lifetime",
    holds="Refresh tokens in pages end within a day",
    section="RFC 10017; OWASP ASVS 5.0 section 10.4.8",
    fix=f"{UPDATE} --set refresh_token_lifetime=null",
)
def refresh_lifetime(found: Inspection) -> Iterator[Seen]:
    """A script that got into the page takes them along."""
    for client in found.clients:
        seconds = client.metadata.get("refresh_token_lifetime")
        if client.kind == "spa" and isinstance(seconds, int) and seconds > SPA_SECONDS:
            yield warning(f"refresh_token_lifetime is {format_duration(timedelta(seconds=seconds))}, expected at most 1d", client.client_id)


@check(
    "clients.assertion_audience",
    holds="Client assertions are addressed to the issuer",
    section="draft-ietf-oauth-rfc7523bis; RFC 7523 section 3",
    fix=f"{UPDATE} --set assertion_audience=issuer, once its library can do it",
)
def assertion_audience(found: Inspection) -> Iterator[Seen]:
    """A token endpoint's URL can be another server's, by a trick."""
    for client in found.clients:
        if client.auth_method == "private_key_jwt" and client.metadata.get("assertion_audience") == "token_endpoint":
            yield warning("assertions addressed to the token endpoint are taken as well", client.client_id)


@check(
    "apis.lifetime",
    holds="No API's tokens live for more than an hour",
    section="RFC 9700 section 4.10; RFC 9068 section 5",
    fix="authserver apis update IDENTIFIER --lifetime 10m",
)
def api_lifetime(found: Inspection) -> Iterator[Seen]:
    """Opaque ones can be taken back, and so may live longer."""
    for api in found.apis:
        lifetime = api.lifetime(timedelta(0))
        if api.token_format == "jwt" and lifetime > LONGEST_ACCESS_TOKEN:
            yield warning(f"its tokens live for {format_duration(lifetime)}, and nobody can take them back", api.identifier)


@check(
    "apis.introspection",
    holds="Opaque tokens can be read by the API that they are for",
    section="RFC 7662 section 2.1",
    fix="authserver apis update IDENTIFIER --introspected-by CLIENT_ID",
)
def api_introspection(found: Inspection) -> Iterator[Seen]:
    """By introspection alone, which a client must be allowed."""
    for api in found.apis:
        if api.token_format == "opaque" and not api.introspected_by:
            yield warning("its tokens are opaque, and no client may introspect them", api.identifier)


def _uris(found: Inspection) -> Iterator[tuple[Client, str, str]]:
    """Yield every URI that a client leads back to or calls from, with the field that has it."""
    for client in found.clients:
        for field in LISTED:
            for uri in client.metadata.get(field, ()):
                yield client, field, uri


def _host(uri: str) -> str:
    return parts_of(uri).hostname or ""


def _site(uri: str) -> str:
    """Return the last two labels of the host, which stand in for the registrable domain."""
    host = _host(uri)
    return host if is_loopback_host(host) else ".".join(host.split(".")[-2:])


CHECKS = (
    *(redirect_https, redirect_exact, redirect_loopback, pkce, secrets, used, consent, rotation, refresh_lifetime, assertion_audience),
    *(api_lifetime, api_introspection),
)
