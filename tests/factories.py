"""What tests begin with: settings, a runtime on a moved clock, its keys, clients, APIs, people."""

import itertools
import json
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey
from sqlalchemy import insert, select

from authserver.crypto.digest import digest
from authserver.crypto.key_ring import REFRESH
from authserver.crypto.password_hash import PasswordHash
from authserver.oauth.client_registration import check_client, origins_of
from authserver.oauth.signing_keys import ensure_keys
from authserver.runtime import Runtime, Settings, make_runtime
from authserver.store.base import new_id, transaction
from authserver.store.client import Client, find_client, insert_client, insert_secret
from authserver.store.credential import set_password_hash
from authserver.store.resource_server import ResourceServer, find_resource_server, insert_resource_server
from authserver.store.signing_key import signing_keys
from authserver.store.user import User, find_user, insert_user
from tests.clock import START, Clock
from tests.migrated import migrate

ISSUER = "https://login.example.com"
REDIRECT_URI = "https://app.example.org/callback"
API = "https://api.example.com"
PASSWORD = "correct horse battery staple"
SECRET_KEY = "A" * 43
ALGORITHMS = ("RS256", "PS256", "ES256", "Ed25519", REFRESH)

_numbers = itertools.count(1)


def make_settings(**changes: Any) -> Settings:
    """Settings with cheap passwords; `changes` are fields of Settings."""
    cheap = {"password_hash_memory_bytes": 64 * 1024, "password_hash_iterations": 1}
    return Settings(**{"issuer": ISSUER, "secret_key": (SECRET_KEY,), **cheap, **changes})


def make_test_runtime(settings: Settings, clock: Clock, **changes: Any) -> Runtime:
    return make_runtime(settings, now=clock.now, **changes)


@cache
def key_rows() -> tuple[dict[str, Any], ...]:
    """One signing key of each algorithm, made once: an RSA key takes a tenth of a second."""
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'keys.db'}"
        migrate(url)
        runtime = make_test_runtime(make_settings(database_url=url), Clock(START))
        with transaction(runtime.engine) as db:
            ensure_keys(runtime, db, ALGORITHMS, START)
            rows = tuple(dict(row) for row in db.execute(select(signing_keys)).mappings())
        runtime.engine.dispose()
    return rows


def insert_keys(runtime: Runtime) -> None:
    """Give a server keys that sign since the clock's start."""
    with transaction(runtime.engine) as db:
        for row in key_rows():
            db.execute(insert(signing_keys).values(**row))


@dataclass(frozen=True)
class Made:
    """A client, and what it proves itself with."""

    client: Client
    secret: str | None = None
    key: Any = None

    @property
    def client_id(self) -> str:
        return self.client.client_id

    @property
    def redirect_uri(self) -> str:
        return str(self.client.metadata["redirect_uris"][0])


def make_client(runtime: Runtime, kind: str = "web", *, key: Any = None, secret: str | None = None, **metadata: Any) -> Made:
    """Register a client; with a `key` it authenticates by private_key_jwt."""
    number = next(_numbers)
    client_id = metadata.pop("client_id", f"{kind}-{number}")
    name = metadata.pop("client_name", f"{kind.capitalize()} {number}")
    values = {**({"redirect_uris": [REDIRECT_URI]} if kind in ("spa", "native", "web") else {}), **metadata}
    if key is not None:
        values |= {"token_endpoint_auth_method": "private_key_jwt", "jwks": jwks_of(key)}
    checked = check_client(kind, values)
    with transaction(runtime.engine) as db:
        now = runtime.now()
        row = {"client_id": client_id, "kind": kind, "client_name": name, "metadata": checked, "version": 1}
        insert_client(db, {**row, "created_at": now, "updated_at": now, "disabled_at": None}, origins_of(kind, checked))
        if checked["token_endpoint_auth_method"].startswith("client_secret"):
            secret = secret or f"s{runtime.new_secret(32).hex()}"
            insert_secret(db, digest(secret), client_id, now)
        client = find_client(db, client_id)
    assert client is not None
    runtime.caches.clients.clear()
    runtime.caches.origins.clear()
    return Made(client, secret, key)


def make_resource_server(runtime: Runtime, identifier: str = API, **changes: Any) -> ResourceServer:
    """Register an API with the scopes read and write."""
    now = runtime.now()
    values = {
        "identifier": identifier,
        "name": "Example API",
        "scopes": {"read": "Read your things", "write": "Change your things"},
        "token_format": "jwt",
        "signing_alg": "RS256",
        "token_lifetime_seconds": None,
        "claims": {},
        "introspected_by": [],
        "version": 1,
        "created_at": now,
        "updated_at": now,
        **changes,
    }
    with transaction(runtime.engine) as db:
        insert_resource_server(db, values)
        found = find_resource_server(db, identifier)
    assert found is not None
    runtime.caches.resource_servers.clear()
    return found


@dataclass(frozen=True)
class Person:
    """A user, and how they sign in."""

    user: User
    email: str
    password: str = field(repr=False)

    @property
    def subject(self) -> str:
        return self.user.subject


def make_user(runtime: Runtime, email: str | None = None, *, password: str = PASSWORD, **changes: Any) -> Person:
    """Add a person who can sign in."""
    email = email or f"person{next(_numbers)}@example.net"
    now, identifier = runtime.now(), new_id(runtime.new_secret(16))
    values = {"claims": {"name": "Ada Example", "email_verified": True}, "roles": [], "groups": [], "attributes": {}, **changes}
    with transaction(runtime.engine) as db:
        insert_user(
            db, {"id": identifier, "email": email, **values, "version": 1, "created_at": now, "updated_at": now, "disabled_at": None}
        )
        set_password_hash(db, identifier, PasswordHash(runtime.settings).hash(password), now)
        user = find_user(db, identifier)
    assert user is not None
    return Person(user, email, password)


def make_key(alg: str = "ES256", kid: str = "client-key") -> Any:
    """A private key of a client's."""
    match alg:
        case "ES256":
            return ECKey.generate_key("P-256", {"kid": kid, "alg": alg, "use": "sig"})
        case "Ed25519":
            return OKPKey.generate_key("Ed25519", {"kid": kid, "alg": alg, "use": "sig"})
    return RSAKey.generate_key(2048, {"kid": kid, "alg": alg, "use": "sig"})


def jwks_of(*keys: Any) -> dict[str, Any]:
    """The public JWK Set of some keys."""
    document: dict[str, Any] = json.loads(json.dumps(KeySet(list(keys)).as_dict(private=False)))
    return document
