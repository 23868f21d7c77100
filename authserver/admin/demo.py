"""What `authserver dev` puts into a new database: a user, a client of three kinds, and an API."""

from dataclasses import dataclass

from authserver.admin.clients import create_client, get_client, update_client_metadata
from authserver.admin.operation import Operation
from authserver.admin.resource_servers import create_resource_server
from authserver.admin.users import create_user
from authserver.store.client import find_client

EMAIL = "alice@example.com"
API = "https://notes.example.com"
SCOPES = {"notes:read": "Read your notes", "notes:write": "Add and change your notes"}
WEB_REDIRECT = "http://localhost:3000/callback"


@dataclass(frozen=True, slots=True)
class Demo:
    """What was made, with its secrets, to be shown once."""

    password: str
    web_secret: str
    service_secret: str


def ensure_demo(operation: Operation) -> Demo | None:
    """Make what is missing; None where it was made before, and then only the demo page's address is brought up to date."""
    page = f"{operation.runtime.settings.issuer}/demo"
    if find_client(operation.db, "demo-spa") is not None:
        _move_page(operation, page)
        return None
    claims = {"name": "Alice Example", "given_name": "Alice", "family_name": "Example", "email_verified": True, "locale": "en"}
    user = create_user(operation, EMAIL, {**claims, "roles": ["editor"], "groups": ["demo"]})
    create_resource_server(operation, API, "Demo notes", {"scopes": SCOPES, "claims": {"roles": "roles"}})
    spa = {"redirect_uris": [page], "post_logout_redirect_uris": [page], "apis": [API]}
    create_client(operation, "spa", "Demo page", spa, client_id="demo-spa")
    web = create_client(operation, "web", "Demo web application", {"redirect_uris": [WEB_REDIRECT], "apis": [API]}, client_id="demo-web")
    service = create_client(operation, "service", "Demo service", {"apis": [API]}, client_id="demo-service")
    return Demo(user.password or "", web.secret or "", service.secret or "")


def _move_page(operation: Operation, page: str) -> None:
    client = get_client(operation, "demo-spa")
    if client.metadata["redirect_uris"] != [page] and not client.managed_by:
        update_client_metadata(operation, "demo-spa", {"redirect_uris": [page], "post_logout_redirect_uris": [page]})
