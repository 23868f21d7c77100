"""For every endpoint a request that succeeds, made ready on a database of its own: what a matrix over all endpoints needs."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import quote

from authserver.admin.client_secrets import MOST_OVERLAP, rotate_secret
from authserver.admin.clients import get_client
from authserver.admin.grants import live_grants
from authserver.admin.operation import Operation
from authserver.admin.sessions import live_sessions
from authserver.runtime import Runtime
from authserver.store.base import transaction
from authserver.web.api.resource import Endpoint
from authserver.web.api.routes import RESOURCES
from tests.factories import Person, make_client, make_resource_server, make_user
from tests.http_client import InProcess
from tests.relying_party import RelyingParty
from tests.web.api.conftest import Caller

_numbers = count(1)


def endpoints() -> Iterator[Endpoint]:
    return (endpoint for resource in RESOURCES for endpoint in resource.endpoints)


@dataclass(frozen=True)
class Example:
    """A request: its path below the root, its body and its query."""

    path: str
    body: Any = None
    query: Mapping[str, str] = field(default_factory=dict)

    def send(self, caller: Caller, method: str) -> Any:
        return caller.call(method, self.path, self.body, **self.query)


@dataclass(frozen=True)
class World:
    """What there is: a runtime, and a browser in which people sign in."""

    runtime: Runtime
    http: InProcess

    def client(self, kind: str = "web", **metadata: Any) -> str:
        return make_client(self.runtime, kind, **metadata).client_id

    def api(self) -> str:
        return make_resource_server(self.runtime, f"urn:example:api{next(_numbers)}").identifier

    def user(self) -> str:
        return make_user(self.runtime).subject

    def signed_in(self) -> tuple[RelyingParty, Person]:
        """Somebody who has a session and a grant."""
        person, made = make_user(self.runtime), make_client(self.runtime, "web")
        application = RelyingParty(self.http.fresh(), made)
        application.sign_in(person, scope="openid offline_access")
        return application, person

    def failure(self) -> str:
        """A refused request with a mend: its redirect URI is not registered."""
        made = make_client(self.runtime, "web")
        begun = RelyingParty(self.http.fresh(), made).begin(redirect_uri=f"{made.redirect_uri}/")
        return begun.answer.headers["X-Request-Id"]

    def two_secrets(self) -> tuple[str, str]:
        """A client and the newer one of its secrets."""
        client_id = self.client()
        with transaction(self.runtime.engine) as db:
            operation = Operation(db, self.runtime)
            rotate_secret(operation, get_client(operation, client_id), MOST_OVERLAP)
            return client_id, get_client(operation, client_id).secrets[-1].id

    def session_of(self, person: Person) -> str:
        with transaction(self.runtime.engine) as db:
            return live_sessions(Operation(db, self.runtime), person.subject)[0].sid

    def grant_of(self, person: Person) -> str:
        with transaction(self.runtime.engine) as db:
            return live_grants(Operation(db, self.runtime), person.subject)[0].shown_id


def quoted(identifier: str) -> str:
    return quote(identifier, safe="")


def _secret(world: World) -> Example:
    client_id, secret = world.two_secrets()
    return Example(f"/client-secrets/{secret}", query={"client_id": client_id})


EXAMPLES: Mapping[str, Callable[[World], Example]] = {
    "list_clients": lambda world: Example("/clients"),
    "create_client": lambda world: Example("/clients", {"kind": "service", "client_name": "Made"}),
    "get_client": lambda world: Example(f"/clients/{world.client()}"),
    "change_client": lambda world: Example(f"/clients/{world.client()}", {"client_name": "Changed"}),
    "delete_client": lambda world: Example(f"/clients/{world.client()}"),
    "rotate_client_secret": lambda world: Example("/client-secrets", {"client_id": world.client()}),
    "delete_client_secret": _secret,
    "list_apis": lambda world: Example("/apis"),
    "create_api": lambda world: Example("/apis", {"identifier": f"https://new{next(_numbers)}.example.com", "name": "Made"}),
    "get_api": lambda world: Example(f"/apis/{quoted(world.api())}"),
    "change_api": lambda world: Example(f"/apis/{quoted(world.api())}", {"name": "Changed"}),
    "delete_api": lambda world: Example(f"/apis/{quoted(world.api())}"),
    "list_users": lambda world: Example("/users"),
    "invite_user": lambda world: Example("/users", {"email": f"invited{next(_numbers)}@example.net"}),
    "get_user": lambda world: Example(f"/users/{world.user()}"),
    "change_user": lambda world: Example(f"/users/{world.user()}", {"claims": {"nickname": "Changed"}}),
    "delete_user": lambda world: Example(f"/users/{world.user()}"),
    "set_user_role": lambda world: Example(f"/users/{world.user()}/role", {"role": None}),
    "start_password_reset": lambda world: Example(f"/users/{world.user()}/password-reset"),
    "list_sessions": lambda world: Example("/sessions"),
    "end_user_sessions": lambda world: Example("/sessions", query={"user": world.user()}),
    "end_session": lambda world: Example(f"/sessions/{world.session_of(world.signed_in()[1])}"),
    "list_grants": lambda world: Example("/grants"),
    "end_grants": lambda world: Example("/grants", query={"client_id": world.client()}),
    "end_grant": lambda world: Example(f"/grants/{world.grant_of(world.signed_in()[1])}"),
    "list_keys": lambda world: Example("/keys"),
    "rotate_keys": lambda world: Example("/keys/rotations", {"algs": ["ES256"]}),
    "list_audit_events": lambda world: Example("/audit-events"),
    "list_failures": lambda world: Example("/failures"),
    "get_failure": lambda world: Example(f"/failures/{world.failure()}"),
    "mend_failure": lambda world: Example(f"/failures/{world.failure()}/mend"),
}
