"""SPECS: the specifications that this server speaks, a line each; their order is the order of their checks.

Routes, the two discovery documents, client authentication and README's table come from looping over it.
"""

from authserver.oauth import access_token, introspection, metadata, pkce, resource_indicators, revocation
from authserver.oauth.authorization import response_mode
from authserver.oauth.core import ASSERTIONS, FRAMEWORK
from authserver.oauth.server import Registry, Server
from authserver.oauth.spec import Spec
from authserver.oidc import authentication_request, discovery, id_token, rp_initiated_logout, userinfo
from authserver.runtime import Runtime
from authserver.runtime.settings import Settings, SettingsError
from authserver.store.base import Database

SPECS: tuple[Spec, ...] = (
    metadata.SPEC,
    FRAMEWORK,
    ASSERTIONS,
    authentication_request.SPEC,
    pkce.SPEC,
    resource_indicators.SPEC,
    response_mode.ISSUER_SPEC,
    response_mode.FORM_POST_SPEC,
    access_token.SPEC,
    id_token.SPEC,
    userinfo.SPEC,
    introspection.SPEC,
    revocation.SPEC,
    rp_initiated_logout.SPEC,
    discovery.SPEC,
)


def specs_on(settings: Settings) -> tuple[Spec, ...]:
    """Return the specifications that the settings leave on. Raises SettingsError for a name that cannot be off."""
    off = {name.replace("-", " ").lower() for name in settings.specifications_off}
    optional = {spec.name.replace("-", " ").lower(): spec.name for spec in SPECS if not spec.required}
    if not off <= set(optional):
        names = " ".join(name.replace(" ", "-") for name in optional.values())
        raise SettingsError(f"AUTHSERVER_SPECIFICATIONS_OFF can name: {names}")
    return tuple(spec for spec in SPECS if spec.name.replace("-", " ").lower() not in off)


def build_registry(settings: Settings) -> Registry:
    """Add up the specifications that are on."""
    specs = specs_on(settings)
    return Registry(
        specs=specs,
        grants={grant.GRANT_TYPE: grant for spec in specs for grant in spec.grants},
        endpoints={path: endpoint for spec in specs for path, endpoint in spec.endpoints.items()},
        metadata=metadata.build_metadata(settings, specs),
        client_auth=tuple(method for spec in specs for method in spec.client_auth),
        request_checks=tuple(check for spec in specs for check in spec.request_checks),
        steps=tuple(step for spec in specs for step in spec.steps),
        token_extras=tuple(extra for spec in specs for extra in spec.token_extras),
        response_modes={mode: build for spec in specs for mode, build in spec.response_modes.items()},
    )


def registry(runtime: Runtime) -> Registry:
    """Return this process's registry."""
    known: Registry | None = runtime.caches.memo.get("registry")
    if known is None:
        known = runtime.caches.memo["registry"] = build_registry(runtime.settings)
    return known


def authorization_server(runtime: Runtime, db: Database) -> Server:
    """Return the authorization server for one request."""
    return Server(runtime, db, registry(runtime))
