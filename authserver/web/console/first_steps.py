"""What to do first on a new server, and what of it is done."""

from dataclasses import dataclass

from flask import url_for

from authserver.admin.authority import CONSOLE_CLIENT, admin_api
from authserver.admin.clients import page_of_clients
from authserver.admin.operation import Operation
from authserver.admin.resource_servers import page_of_resource_servers
from authserver.admin.users import page_of_users


@dataclass(frozen=True, slots=True)
class Step:
    """A step: why it is there, where it is done, and whether it is. One of them is the next."""

    title: str
    text: str
    is_done: bool
    url: str
    label: str
    is_next: bool = False


def steps(operation: Operation, *, has_tokens: bool) -> list[Step]:
    """Return the first steps; none where the server has been in use."""
    if has_tokens:
        return []
    return _with_next([*_registrations(operation), _users(operation)])


def _registrations(operation: Operation) -> list[Step]:
    own_api = admin_api(operation.runtime.settings.issuer)
    clients = [client for client in page_of_clients(operation, page_size=2).rows if client.client_id != CONSOLE_CLIENT]
    apis = [api for api in page_of_resource_servers(operation, page_size=2).rows if api.identifier != own_api]
    may = operation.authority.may
    return [
        Step(
            "Register an application",
            "A single-page app, a mobile app, a web application or a service. At most four questions, then code to paste.",
            bool(clients),
            url_for("wizard.kinds") if may("clients:write") else "",
            "Register an application",
        ),
        Step(
            "Try it",
            "The page of each application has a test drive: it signs you in as a user would, and shows each request and answer.",
            False,
            url_for("clients.index") if clients else "",
            "Open the applications",
        ),
        Step(
            "Register an API, if you have one",
            "Its scopes are what applications ask for and users allow; its tokens are for it alone.",
            bool(apis),
            url_for("resource_servers.ask") if may("apis:write") else "",
            "Register an API",
        ),
    ]


def _users(operation: Operation) -> Step:
    is_done = len(page_of_users(operation, page_size=2).rows) > 1
    url = url_for("users.invite_page") if operation.authority.may("users:write") else ""
    return Step("Invite somebody", "People choose their own password by a link that opens once.", is_done, url, "Invite a user")


def _with_next(found: list[Step]) -> list[Step]:
    following = next((step for step in found if not step.is_done and step.url), None)
    return [
        Step(step.title, step.text, step.is_done, "" if step.is_done else step.url, step.label, is_next=step is following) for step in found
    ]
