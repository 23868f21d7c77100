"""What the server registers for itself: the admin API, and the console as a client that signs administrators in."""

import logging

from sqlalchemy.exc import IntegrityError

from authserver.admin import schema
from authserver.admin.authority import CONSOLE_CLIENT, OWNER_OF_OUR_OWN, PERMISSIONS, Authority, admin_api
from authserver.admin.clients import create_client, update_client_metadata
from authserver.admin.errors import Changed
from authserver.admin.operation import Operation
from authserver.admin.resource_servers import change_resource_server, create_resource_server
from authserver.runtime import Runtime
from authserver.store.base import Database, transaction
from authserver.store.client import find_client
from authserver.store.resource_server import find_resource_server

log = logging.getLogger("authserver.admin")

API_NAME = "Administration of this server"
CONSOLE_NAME = "Administration"
CALLBACK = "/admin/callback"


def migrate(runtime: Runtime) -> None:
    """Bring the tables to this version's revision, and register both."""
    schema.upgrade(runtime.engine)
    try:
        with transaction(runtime.engine) as db:
            ensure_own(db, runtime)
    except (IntegrityError, Changed):  # another process registers them at the same time
        log.info("registered by another process")


def ensure_own(db: Database, runtime: Runtime) -> None:
    """Register both where they are missing, and bring them up to date, as after a change of the issuer."""
    operation = Operation(db, runtime, Authority(OWNER_OF_OUR_OWN), OWNER_OF_OUR_OWN)
    _ensure_api(operation, admin_api(runtime.settings.issuer))
    _ensure_console(operation, {"redirect_uris": [runtime.settings.issuer + CALLBACK]})


def _ensure_api(operation: Operation, identifier: str) -> None:
    api = find_resource_server(operation.db, identifier)
    if api is None:
        create_resource_server(operation, identifier, API_NAME, {"scopes": dict(PERMISSIONS)})
    elif api.scopes != PERMISSIONS or api.managed_by != OWNER_OF_OUR_OWN:
        change_resource_server(operation, identifier, {"scopes": dict(PERMISSIONS)})


def _ensure_console(operation: Operation, wanted: dict[str, list[str]]) -> None:
    client = find_client(operation.db, CONSOLE_CLIENT)
    if client is None:
        values = {**wanted, "grant_types": ["authorization_code"], "consent": "skipped", "scope": "openid email"}
        create_client(operation, "spa", CONSOLE_NAME, values, client_id=CONSOLE_CLIENT)
    elif client.metadata["redirect_uris"] != wanted["redirect_uris"] or client.managed_by != OWNER_OF_OUR_OWN:
        update_client_metadata(operation, CONSOLE_CLIENT, wanted)
