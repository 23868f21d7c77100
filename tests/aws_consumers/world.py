"""The server under an https issuer, in this process and on loopback, with one token of each kind that it issues."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

from authserver.runtime import Runtime
from tests.authorizer import forge
from tests.aws_consumers.internet import Internet
from tests.clock import Clock
from tests.factories import ISSUER, Made, Person, make_client, make_resource_server, make_user
from tests.http_client import InProcess
from tests.relying_party import RelyingParty

ALGORITHMS = ("RS256", "PS256", "ES256", "Ed25519")
APIS = {alg: f"https://{alg.lower()}.example.com" for alg in ALGORITHMS}
OPAQUE_API = "https://opaque.example.com"
NONCE = "a-nonce-of-the-relying-party"


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def on_loopback(application: Any) -> Iterator[str]:
    """Serve an application for a block; the value is where it is."""
    server = make_server("127.0.0.1", 0, application, handler_class=Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class World:
    """The server, a person, and the Internet between it and AWS. Its clock is the test's."""

    runtime: Runtime
    clock: Clock
    place: str
    application: Any
    clients: dict[str, Made] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for alg, identifier in APIS.items():
            make_resource_server(self.runtime, identifier, signing_alg=alg, claims={"roles": "roles", "tier": "tier"})
        make_resource_server(self.runtime, OPAQUE_API, token_format="opaque")

    @cached_property
    def person(self) -> Person:
        return make_user(self.runtime, roles=["editor"], attributes={"tier": "gold"})

    def internet(self, **changes: Any) -> Internet:
        """What AWS reaches; with `added_keys`, keys of the tests' own are published beside the server's."""
        return Internet({ISSUER: self.place}, **changes)

    def client(self, kind: str = "web", **metadata: Any) -> Made:
        return make_client(self.runtime, kind, **metadata)

    def party(self, made: Made) -> RelyingParty:
        return RelyingParty(InProcess(self.application, ISSUER), made, clock=self.clock)

    def sign_in(self, url: str, person: Person | None = None) -> str:
        """Have a person sign in and allow; return where the browser is sent."""
        party = self.party(self.client())
        answer = party.go_on(party.http.get(url), person or self.person)
        assert answer.location is not None, answer.text
        return answer.location

    @cached_property
    def tokens(self) -> dict[str, str]:
        """One token of each kind, by the name that the table has."""
        found: dict[str, str] = {}
        for alg in ALGORITHMS:
            made = self.clients[alg] = self.client(apis=[APIS[alg], OPAQUE_API], id_token_signed_response_alg=alg, consent="skipped")
            party = self.party(made)
            signed_in = party.sign_in(self.person, scope="openid email read", nonce=NONCE)
            found |= {f"ID token, {alg}": signed_in["id_token"], f"a user's, {alg}": signed_in["access_token"]}
            found[f"a service's, {alg}"] = self._service_token(APIS[alg])
            if alg == "RS256":
                renewed = party.refresh(signed_in["refresh_token"]).json
                found |= {"refreshed ID token": renewed["id_token"], "refreshed, of a user": renewed["access_token"]}
                found["refresh token"] = signed_in["refresh_token"]
                found["a user's, without openid"] = party.sign_in(self.person, scope="read")["access_token"]
                found["a user's, opaque"] = party.sign_in(self.person, scope="read", resource=OPAQUE_API)["access_token"]
        found["a service's, opaque"] = self._service_token(OPAQUE_API)
        return found

    def _service_token(self, resource: str) -> str:
        service = self.party(self.client("service", apis=[*APIS.values(), OPAQUE_API]))
        answer = service.client_credentials(resource=resource, scope="read")
        assert answer.status == 200, answer.text
        return str(answer.json["access_token"])


FORGED = [forge.jwk(alg, f"forged-{alg}") for alg in ("RS256", "PS256", "ES256")]
