"""How far a client reaches into the admin API; nobody touches one that reaches further than they do themselves."""

from collections.abc import Mapping
from typing import Any

from authserver.admin.authority import EVERYTHING, admin_api
from authserver.admin.errors import Forbidden
from authserver.admin.operation import Operation


def reach(operation: Operation, metadata: Mapping[str, Any]) -> frozenset[str]:
    """Return the scopes of the admin API that a client of this metadata may ask for: without a scope of its own, all."""
    if admin_api(operation.runtime.settings.issuer) not in metadata.get("apis", ()):
        return frozenset()
    scope = str(metadata.get("scope", "")).split()
    return EVERYTHING & set(scope) if scope else EVERYTHING


def refuse_beyond_reach(operation: Operation, *metadata: Mapping[str, Any]) -> None:
    """Refuse to touch a client, as it is and as it is to be, that may do what the operator may not. Raises Forbidden."""
    beyond = frozenset[str]().union(*(reach(operation, each) for each in metadata)) - operation.authority.permissions
    if beyond:
        raise Forbidden(f"this client may use the admin API with {', '.join(sorted(beyond))}, which you may not")
