"""Registered clients and APIs, against RFC 9700: redirect URIs, PKCE, secrets, consent, rotation, and what nobody uses any more."""

from collections.abc import Iterator
from datetime import timedelta

from authserver.admin.authority import OWNER_OF_OUR_OWN
from authserver.admin.doctor.finding import Part, Seen, error, warning
from authserver.admin.doctor.inspection import Inspection
from authserver.admin.doctor.issuer_form import parts_of, show
from authserver.admin.doctor.settings_checks import LONGEST_ACCESS_TOKEN
from authserver.oauth.client_registration import Invalid, check_client
from authserver.runtime.settings import format_duration, is_loopback_host

CLIENTS = Part("Clients and APIs")
ENDS_SOON = timedelta(days=14)
UNUSED = timedelta(days=365)
SPA_REFRESH = timedelta(days=1)
UPDATE = "authserver clients update ID --set"


@CLIENTS.check("clients.registration", f"{UPDATE} FIELD=…, the field that the reason names")
def registration(found: Inspection) -> Iterator[Seen]:
    """Every client could be registered today: exact redirect URIs by https, PKCE for public ones (RFC 9700 sections 2.1 and 2.6)."""
    for client in found.clients:
        try:
            check_client(client.kind, client.metadata)
        except Invalid as refused:
            yield error(f"{refused.field} {refused.why}", client.client_id)


@CLIENTS.check("clients.redirect_loopback", f"{UPDATE} redirect_uris=…, and a client of its own for development")
def redirect_loopback(found: Inspection) -> Iterator[Seen]:
    """Clients that run on servers and in pages do not lead back to a developer's machine (RFC 8252 section 7.3; RFC 9700 section 4.1)."""
    for client in found.clients:
        local = [uri for uri in client.metadata.get("redirect_uris", ()) if is_loopback_host(parts_of(uri).hostname)]
        if local and client.kind in ("web", "spa") and not found.settings.is_loopback:
            yield warning(f"redirect_uris of a {client.kind} client has {show(local[0])}", client.client_id)


@CLIENTS.check("clients.pkce", f"{UPDATE} require_pkce=true, where the client can do it")
def pkce(found: Inspection) -> Iterator[Seen]:
    """PKCE is demanded of every client (RFC 9700 section 2.1.1)."""
    for client in found.clients:
        if client.has_grant_type("authorization_code") and not client.is_public and client.metadata.get("require_pkce") is False:
            yield warning("require_pkce is false: a code that is stolen can be used", client.client_id)


@CLIENTS.check("clients.secrets", "authserver clients rotate-secret ID")
def secrets(found: Inspection) -> Iterator[Seen]:
    """Every client that has secrets has one that does not end within two weeks (RFC 6749 section 2.3.1; OWASP ASVS 5.0 section 13.3.4)."""
    for client in found.clients:
        if not client.auth_method.startswith("client_secret"):
            continue
        ends = [secret.expires_at for secret in client.secrets if secret.is_live(found.now)]
        if not ends:
            yield error("has no secret that is still good, so that it cannot authenticate", client.client_id)
        elif None not in ends and (last := max(end for end in ends if end)) < found.now + ENDS_SOON:
            yield warning(f"its last secret ends on {last:%Y-%m-%d}", client.client_id)


@CLIENTS.check("clients.used", "authserver clients disable ID")
def used(found: Inspection) -> Iterator[Seen]:
    """Every client was used within a year (NIST SP 800-53 control AC-2(3))."""
    for client in found.clients:
        last = client.last_used_at or client.created_at
        if found.now - last > UNUSED and client.managed_by != OWNER_OF_OUR_OWN:
            what = "was last used on" if client.last_used_at else "was never used since"
            yield warning(f"{what} {last:%Y-%m-%d}", client.client_id)


@CLIENTS.check("clients.consent", f"{UPDATE} consent=remembered")
def consent(found: Inspection) -> Iterator[Seen]:
    """Native clients, as which any app can pose, do not skip consent (RFC 8252 section 8.6; OWASP ASVS 5.0 section 10.7.1)."""
    for client in found.clients:
        if client.kind == "native" and client.metadata.get("consent") == "skipped" and client.managed_by != OWNER_OF_OUR_OWN:
            yield warning("consent is skipped, though any app can pose as a native client", client.client_id)


@CLIENTS.check("clients.rotation", f"{UPDATE} refresh_token_rotation=auto")
def rotation(found: Inspection) -> Iterator[Seen]:
    """Refresh tokens of public clients are rotated (RFC 9700 sections 2.2.2 and 4.14.2)."""
    for client in found.clients:
        if client.is_public and client.has_grant_type("refresh_token") and client.metadata.get("refresh_token_rotation") == "never":
            yield error("refresh_token_rotation is never: a stolen refresh token is good until it ends", client.client_id)


@CLIENTS.check("clients.refresh_lifetime", f"{UPDATE} refresh_token_lifetime=null")
def refresh_lifetime(found: Inspection) -> Iterator[Seen]:
    """Refresh tokens in pages end within a day (RFC 10017; OWASP ASVS 5.0 section 10.4.8)."""
    for client in found.clients:
        lifetime = timedelta(seconds=client.metadata.get("refresh_token_lifetime", 0))
        if client.kind == "spa" and lifetime > SPA_REFRESH:
            yield warning(f"refresh_token_lifetime is {format_duration(lifetime)}, expected at most 1d", client.client_id)


@CLIENTS.check("clients.assertion_audience", f"{UPDATE} assertion_audience=issuer, once its library can do it")
def assertion_audience(found: Inspection) -> Iterator[Seen]:
    """Client assertions are addressed to the issuer (draft-ietf-oauth-rfc7523bis; RFC 7523 section 3)."""
    for client in found.clients:
        if client.auth_method == "private_key_jwt" and client.metadata.get("assertion_audience") == "token_endpoint":
            yield warning("assertions addressed to the token endpoint, which can be another server's, are taken as well", client.client_id)


@CLIENTS.check("apis.lifetime", "authserver apis update IDENTIFIER --lifetime 10m")
def api_lifetime(found: Inspection) -> Iterator[Seen]:
    """No API's tokens live for more than an hour, but for opaque ones (RFC 9700 section 4.10; RFC 9068 section 5)."""
    for api in found.apis:
        lifetime = api.lifetime(timedelta(0))
        if api.token_format == "jwt" and lifetime > LONGEST_ACCESS_TOKEN:
            yield warning(f"its tokens live for {format_duration(lifetime)}, and nobody can take them back", api.identifier)


@CLIENTS.check("apis.introspection", "authserver apis update IDENTIFIER --introspected-by CLIENT_ID")
def api_introspection(found: Inspection) -> Iterator[Seen]:
    """Opaque tokens can be read by the API that they are for (RFC 7662 section 2.1)."""
    for api in found.apis:
        if api.token_format == "opaque" and not api.introspected_by:
            yield warning("its tokens are opaque, and no client may introspect them", api.identifier)
