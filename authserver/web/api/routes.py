"""The routes of the admin API: every endpoint of every resource, asked for its permission before anything is read."""

from collections.abc import Callable

from flask import Blueprint, Response

from authserver.web.api import (
    audit,
    client_secrets,
    clients,
    failures,
    faults,
    grants,
    keys,
    resource_servers,
    sessions,
    users,
)
from authserver.web.api.answers import ROOT, send
from authserver.web.api.idempotency import once
from authserver.web.api.reading import check_acceptable, check_path, read_arguments
from authserver.web.api.resource import Endpoint, Resource
from authserver.web.operators import operation, permit

RESOURCES: tuple[Resource, ...] = (
    clients.clients,
    client_secrets.client_secrets,
    resource_servers.resource_servers,
    users.users,
    sessions.sessions,
    grants.grants,
    keys.keys,
    audit.audit_events,
    failures.failures,
)


def blueprint() -> Blueprint:
    """Build the routes."""
    routes = Blueprint("api", __name__, url_prefix=ROOT)
    for resource in RESOURCES:
        for endpoint in resource.endpoints:
            routes.add_url_rule(endpoint.path, endpoint.name, view(endpoint), methods=[endpoint.method])
    faults.register(routes)
    return routes


def view(endpoint: Endpoint) -> Callable[..., Response]:
    """Return the view of an endpoint."""

    @permit(endpoint.permission, fresh=endpoint.fresh, skin="api")
    def answer(**path: str) -> Response:
        check_path(path)
        check_acceptable(endpoint)
        return send(once(operation().actor, lambda: endpoint.act(**path, **read_arguments(endpoint))))

    return answer
