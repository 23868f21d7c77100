"""Authorization server metadata (RFC 8414 section 2), merged from what SPECS say; nothing is typed beside its code."""

from collections.abc import Iterable, Mapping
from typing import Any

from authserver.crypto import jose
from authserver.oauth.spec import Spec
from authserver.runtime.settings import Settings

SPEC = Spec(
    name="RFC 8414",
    title="OAuth 2.0 Authorization Server Metadata",
    url="https://www.rfc-editor.org/rfc/rfc8414",
    metadata=lambda settings: {"issuer": settings.issuer, "jwks_uri": f"{settings.issuer}/.well-known/jwks.json"},
    required=True,
)


def build_metadata(settings: Settings, specs: Iterable[Spec]) -> dict[str, Any]:
    """Merge the members that each specification gives; lists are joined."""
    specs = tuple(specs)
    merged: dict[str, Any] = {}
    for spec in specs:
        _merge(merged, spec.metadata(settings))
    _merge(merged, _derived(specs))
    _merge(merged, _client_auth(specs, merged))
    return merged


def _derived(specs: Iterable[Spec]) -> dict[str, Any]:
    grants = [grant.GRANT_TYPE for spec in specs for grant in spec.grants]
    modes = [mode for spec in specs for mode in spec.response_modes if mode != "fragment"]
    return {"grant_types_supported": grants, "response_types_supported": ["code"], "response_modes_supported": modes}


def _client_auth(specs: Iterable[Spec], merged: Mapping[str, Any]) -> dict[str, Any]:
    methods = [method for spec in specs for method in spec.client_auth]
    members: dict[str, Any] = {}
    for endpoint in ("token", "introspection", "revocation"):
        if f"{endpoint}_endpoint" in merged:
            names = [method.name for method in methods if method.proves or endpoint != "introspection"]
            members[f"{endpoint}_endpoint_auth_methods_supported"] = names
            if "private_key_jwt" in names:
                members[f"{endpoint}_endpoint_auth_signing_alg_values_supported"] = list(jose.ALGORITHMS)
    return members


def _merge(merged: dict[str, Any], members: Mapping[str, Any]) -> None:
    for name, value in members.items():
        known = merged.get(name)
        merged[name] = list(dict.fromkeys([*known, *value])) if isinstance(known, list) else value
