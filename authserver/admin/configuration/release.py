"""What a file owned, given back to nobody: it stays as it is, and can be changed everywhere again."""

from dataclasses import replace

from authserver.admin.clients import get_client
from authserver.admin.configuration.plan import Step
from authserver.admin.errors import Changed
from authserver.admin.operation import Operation
from authserver.admin.resource_servers import get_resource_server
from authserver.admin.users import get_user
from authserver.store.admin_role import find_role, set_role
from authserver.store.client import update_client
from authserver.store.resource_server import update_resource_server

NOBODY = {"managed_by": ""}


def release(operation: Operation, step: Step) -> None:
    """Give one thing up. Raises Changed."""
    before = {"managed_by": operation.owner}
    match step.what:
        case "client":
            client = get_client(operation, step.identifier)
            _insist(update_client(operation.db, client.client_id, client.version, NOBODY), step)
            operation.note("client.release", client_id=client.client_id, before=before, after=NOBODY)
        case "api":
            api = get_resource_server(operation, step.identifier)
            _insist(update_resource_server(operation.db, api.identifier, api.version, NOBODY), step)
            operation.note("api.release", details={"identifier": api.identifier}, before=before, after=NOBODY)
        case "role":
            user = get_user(operation, step.identifier)
            held = find_role(operation.db, user.id)
            if held is not None:
                set_role(operation.db, replace(held, managed_by=""))
                operation.note("user.release_role", subject=user.subject, before=before, after=NOBODY)


def _insist(was_changed: bool, step: Step) -> None:
    if not was_changed:
        raise Changed(f"{step.what} {step.identifier} was changed by somebody else meanwhile: try again")
