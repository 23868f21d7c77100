"""Where Authlib meets us: its framework-free authorization server, with our requests, clients, answers and errors.

One `Server` serves one request; what it can do is a `Registry`, built once per process from SPECS.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from authlib.oauth2.rfc6749 import AuthorizationServer

from authserver.crypto.key_ring import KeyRing, RingKey
from authserver.oauth.errors import InvalidRequestError, OAuth2Error, UnsupportedGrantTypeError, because, refuse
from authserver.oauth.request import AsRequest, Message, body_request
from authserver.oauth.signing_keys import find_key, key_ring, signing_key
from authserver.oauth.spec import Spec
from authserver.runtime import Runtime
from authserver.runtime.settings import Settings
from authserver.store.audit import Happening, log_happening
from authserver.store.base import Database
from authserver.store.client import Client, find_client
from authserver.store.refusal import note_refusal
from authserver.store.resource_server import ResourceServer, find_resource_server

CLIENT_ID = re.compile(r"[\x20-\x7e]{1,255}")
NO_STORE = (("Cache-Control", "no-store"), ("Pragma", "no-cache"))


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer without its framework; `body` is written as JSON unless it is text or bytes."""

    status: int
    body: Any
    headers: tuple[tuple[str, str], ...] = ()
    content_type: str = "application/json"


@dataclass(frozen=True)
class Registry:
    """What SPECS add up to."""

    specs: tuple[Spec, ...]
    grants: Mapping[str, Any]
    endpoints: Mapping[str, Any]
    metadata: Mapping[str, Any]
    client_auth: tuple[Any, ...] = ()
    request_checks: tuple[Any, ...] = ()
    steps: tuple[Any, ...] = ()
    token_extras: tuple[Any, ...] = ()
    response_modes: Mapping[str, Any] = field(default_factory=dict)


class Server(AuthorizationServer):
    """The authorization server for one request: its runtime, its database, and the time at which it came."""

    def __init__(self, runtime: Runtime, db: Database, registry: Registry) -> None:
        """Serve one request; Authlib's own registries stay empty."""
        self.runtime = runtime
        self.db = db
        self.registry = registry
        self.now = runtime.now()

    @property
    def settings(self) -> Settings:
        """The settings."""
        return self.runtime.settings

    @property
    def issuer(self) -> str:
        """The issuer, the same text everywhere."""
        return self.runtime.settings.issuer

    def query_client(self, client_id: str) -> Client | None:
        """Return an enabled client, a few seconds old at most; what is no client id (RFC 6749 appendix A.1) is not looked up."""
        if not CLIENT_ID.fullmatch(client_id):
            return None
        client: Client | None = self.runtime.caches.clients.get(client_id, lambda: find_client(self.db, client_id))
        return client if client is not None and client.disabled_at is None else None

    def reload_client(self, client: Client) -> Client | None:
        """Return a client as it is now, if that is not what it was: a new secret or key of it may be seconds old."""
        found = find_client(self.db, client.client_id)
        self.runtime.caches.clients.put(client.client_id, found)
        return found if found is not None and found.disabled_at is None and found != client else None

    def query_resource_server(self, identifier: str) -> ResourceServer | None:
        """Return an API, a few seconds old at most."""
        found: ResourceServer | None = self.runtime.caches.resource_servers.get(
            identifier, lambda: find_resource_server(self.db, identifier)
        )
        return found

    def authenticate_client(self, request: AsRequest, methods: object = None, endpoint: str = "token") -> Client:
        """Authenticate the client by its one registered method, at every endpoint. Raises InvalidClientError."""
        from authserver.oauth.client_auth import authenticate

        return authenticate(self, request)

    def create_oauth2_request(self, request: Message) -> AsRequest:
        """Read a request whose parameters come in its body."""
        return body_request(request)

    def get_token_grant(self, request: AsRequest) -> Any:
        """Find the grant that is asked for. Raises InvalidRequestError or UnsupportedGrantTypeError."""
        grant_type = request.payload.grant_type
        if not grant_type:
            refuse(InvalidRequestError("The parameter grant_type is missing."), because="no grant_type")
        if grant_type not in self.registry.grants:
            refuse(UnsupportedGrantTypeError(), because=f"grant type {grant_type[:64]!r}")
        return self.registry.grants[grant_type](request, self)

    def create_token_response(self, request: Message | None = None) -> Answer:
        """Answer a token request."""
        return self._answer("token", request, lambda read: self._token(read))

    def create_endpoint_response(self, name: str, request: Message | None = None) -> Answer:
        """Answer a request to another endpoint."""
        return self._answer(name, request, self.registry.endpoints[name](self))

    def handle_response(self, status: int, body: Any, headers: Any) -> Answer:
        """Make an answer; nothing from these endpoints is ever stored by a cache."""
        return Answer(status, body, (*NO_STORE, *headers))

    def handle_error_response(self, request: object, error: OAuth2Error) -> Answer:
        """Make the answer to a refusal and log its private reason."""
        status, body, headers = error(None)
        kept = [pair for pair in headers if pair[0] not in ("Content-Type", "Cache-Control", "Pragma")]
        return self.handle_response(status, body, kept)

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """Take no part in Authlib's signals."""

    def ring(self) -> KeyRing:
        """The keys, a minute old at most."""
        return key_ring(self.runtime, self.db)

    def find_key(self, kid: object) -> RingKey | None:
        """A key of ours by its id, which may be anything."""
        return find_key(self.runtime, self.db, kid, self.now) if isinstance(kid, str) else None

    def signing_key(self, alg: str) -> RingKey:
        """The key that signs with `alg` now."""
        return signing_key(self.runtime, self.db, alg, self.now)

    def _token(self, request: AsRequest) -> tuple[int, Any, Any]:
        grant = self.get_token_grant(request)
        grant.validate_token_request()
        answer: tuple[int, Any, Any] = grant.create_token_response()
        return answer

    def _answer(self, name: str, message: Any, act: Any) -> Answer:
        request: AsRequest | None = None
        try:
            request = self.create_oauth2_request(message)
            return self.handle_response(*act(request))
        except OAuth2Error as error:
            self._note(name, message, request, error)
            return self.handle_error_response(request, error)

    def _note(self, name: str, message: Any, request: AsRequest | None, error: OAuth2Error) -> None:
        """Log a refusal; keep those of the token endpoint for who has to find out why."""
        client, reason = getattr(request, "client", None), because(error)
        details = {"error": error.error}
        client_id = client.client_id if client else ""
        log_happening(Happening(action=f"{name}.refuse", outcome="refused", client_id=client_id, because=reason, details=details))
        if name == "token":
            claimed, asked = request.claimed_client if request else "", message.form or ()
            who = client_id or claimed
            known = client is not None
            note_refusal(self.runtime, endpoint=name, error=error.error, because=reason, client_id=who, known=known, asked=asked)
