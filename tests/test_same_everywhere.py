"""The same client, API and role, made in any of the ways that there are: the same row, the same rules, the same errors."""

import json
from typing import Any

import pytest
import yaml

from authserver.admin.authority import PERMISSIONS, admin_api
from authserver.admin.operation import Operation
from authserver.admin.own import ensure_own
from authserver.admin.roles import give_role
from authserver.oauth.scope import OPENID_SCOPES
from authserver.runtime import Runtime
from authserver.store.base import transaction
from authserver.store.client import clients, find_client
from authserver.store.resource_server import find_resource_server, resource_servers
from tests.admin.configuration_files import Files
from tests.administrators import sign_in_to_console
from tests.command_line import CommandLine, on_database
from tests.factories import jwks_of, make_client, make_key, make_user
from tests.http_client import Answer, InProcess
from tests.pages import read
from tests.relying_party import RelyingParty

API = "https://orders.example.com"
KEYS = jwks_of(make_key())
OF_THE_WAY = {"created_at", "updated_at", "managed_by"}
"""Columns that say when, and by which file."""

APPLICATIONS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "spa": ("spa", "Shop & Söhne", {"redirect_uris": ["https://shop.example.com/"], "apis": [API], "scope": "openid orders:read"}),
    "native": (
        "native",
        "App",
        {"redirect_uris": ["com.example.app:/cb", "http://127.0.0.1/cb"], "allowed_origins": ["https://app.example.com"]},
    ),
    "web": (
        "web",
        "Wiki",
        {
            "redirect_uris": ["https://wiki.example.com/cb", "https://wiki.example.com/cb2"],
            "post_logout_redirect_uris": ["https://wiki.example.com/bye"],
            "token_endpoint_auth_method": "client_secret_post",
            "require_pkce": False,
            "default_max_age": 3600,
            "consent": "skipped",
            "contacts": ["ops@example.com", "no"],
            "attributes": {"tier": "gold", "levels": [1, 2.5, None, True], "010": "x"},
            "policy_uri": "https://wiki.example.com/privacy",
            "refresh_token_lifetime": 86400,
        },
    ),
    "keys": ("service", "Billing", {"token_endpoint_auth_method": "private_key_jwt", "jwks": KEYS, "apis": [API]}),
    "service": ("service", "2026-12-01", {"apis": [API], "scope": "orders:read"}),
    "device": ("device", "TV", {}),
}
MISTAKES: dict[str, tuple[str, str, dict[str, Any], str]] = {
    "http": ("spa", "Shop", {"redirect_uris": ["http://shop.example.com/"]}, "redirect_uris must start with https://"),
    "none": ("web", "Shop", {}, "redirect_uris must name at least one URI"),
    "scope": ("service", "Shop", {"scope": "orders:delete"}, "scope must name scopes of OpenID Connect or of the client's APIs"),
    "api": ("service", "Shop", {"apis": ["https://other.example"]}, "apis must name APIs that exist; there is no https://other.example"),
    "public": ("spa", "Shop", {"redirect_uris": ["https://shop.example.com/"], "require_pkce": False}, "require_pkce can only be false"),
    "password": (
        "web",
        "Shop",
        {"redirect_uris": ["https://shop.example.com/"], "grant_types": ["password"]},
        "grant_types cannot contain password",
    ),
    "name": ("service", " ", {}, "must be a text of 1 to 200 characters"),
    "kind": ("robot", "Shop", {}, "kind must be one of spa"),
    "unknown": ("service", "Shop", {"scop": "x"}, "did you mean scope?"),
}
BY_THE_DOCUMENT = {
    "password": "must be 'authorization_code', 'refresh_token'",
    "kind": "kind must be 'spa', 'native'",
    "unknown": "scop is not known here",
}
"""What the OpenAPI document forbids is refused by it, before the rules are asked."""
ORDERS: dict[str, Any] = {
    "name": "Orders",
    "scopes": {"orders:read": "See your orders", "orders:write": "Change your orders"},
    "format": "opaque",
    "alg": "ES256",
    "lifetime": 300,
    "claims": {"roles": "roles", "https://example.com/team": "team"},
}


class ByCommand:
    """`authserver clients create`, `apis create`."""

    def __init__(self, cli: CommandLine) -> None:
        self.cli = cli

    def client(self, client_id: str, kind: str, name: str, metadata: dict[str, Any], code: int = 0) -> str:
        given = [f"--set={field}={value if isinstance(value, str) else json.dumps(value)}" for field, value in metadata.items()]
        result = self.cli("clients", "create", "--kind", kind, "--name", name, "--client-id", client_id, *given, code=code)
        return result.stderr

    def api(self, identifier: str, values: dict[str, Any]) -> None:
        options = [f"--scope={scope}={text}" for scope, text in values["scopes"].items()]
        options += [f"--claim={claim}={attribute}" for claim, attribute in values["claims"].items()]
        options += ["--name", values["name"], "--format", values["format"], "--alg", values["alg"], "--lifetime", str(values["lifetime"])]
        self.cli("apis", "create", "--identifier", identifier, *options)


class ByFile:
    """`authserver apply`."""

    def __init__(self, cli: CommandLine) -> None:
        self.cli = cli

    def client(self, client_id: str, kind: str, name: str, metadata: dict[str, Any], code: int = 0) -> str:
        file = {"name": "shop", "clients": {client_id: {"kind": kind, "client_name": name, **metadata}}}
        return self.cli("apply", "-f", "-", stdin=yaml.safe_dump(file, sort_keys=False), code=code).stderr

    def api(self, identifier: str, values: dict[str, Any]) -> None:
        self.cli("apply", "-f", "-", stdin=yaml.safe_dump({"name": "shop", "apis": {identifier: values}}, sort_keys=False))


class ByExport(ByFile):
    """`authserver apply` of what `authserver export` wrote, after everything was deleted."""

    def client(self, client_id: str, kind: str, name: str, metadata: dict[str, Any], code: int = 0) -> str:
        said = super().client(client_id, kind, name, metadata, code)
        if code == 0:
            written = self.cli("export", "--name", "shop").stdout
            self.cli("apply", "-f", "-", "--prune", stdin=yaml.safe_dump({"name": "shop", "apis": yaml.safe_load(written).get("apis")}))
            assert self.cli.error("clients", "get", client_id, code=3)
            self.cli("apply", "-f", "-", stdin=written)
        return said

    def api(self, identifier: str, values: dict[str, Any]) -> None:
        super().api(identifier, values)
        written = self.cli("export", "--name", "shop").stdout
        self.cli("apply", "-f", "-", "--prune", stdin="name: shop")
        self.cli("apply", "-f", "-", stdin=written)


class ByApi:
    """POST /admin/api/v1/clients and /apis, by a client that has every scope. The server chooses the client's id."""

    def __init__(self, http: InProcess, runtime: Runtime) -> None:
        with transaction(runtime.engine) as db:
            ensure_own(db, runtime)
        made = make_client(runtime, "service", apis=[admin_api(http.issuer)], scope=" ".join(PERMISSIONS))
        self.http, self.token = http, RelyingParty(http, made).token(grant_type="client_credentials").json["access_token"]

    def client(self, client_id: str, kind: str, name: str, metadata: dict[str, Any], code: int = 0) -> str:
        answer = self.post("/clients", {"kind": kind, "client_name": name, **metadata})
        assert answer.status == (201 if code == 0 else 422), answer.text
        self.made = answer.json.get("client_id", client_id)
        return " ".join(f"{error.get('pointer', '').rpartition('/')[2]} {error['detail']}" for error in answer.json.get("errors", ()))

    def api(self, identifier: str, values: dict[str, Any]) -> None:
        assert self.post("/apis", {"identifier": identifier, **values}).status == 201

    def post(self, path: str, body: dict[str, Any]) -> Answer:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        return self.http.post("/admin/api/v1" + path, json.dumps(body), headers=headers)


WAYS = {"command": ByCommand, "file": ByFile, "export": ByExport, "api": ByApi}


@pytest.fixture
def files(runtime, tmp_path):
    return Files(runtime, tmp_path)


@pytest.fixture(params=WAYS)
def way(request, database_url, runtime, http):
    """One of the ways to make a client and an API."""
    return ByApi(http, runtime) if request.param == "api" else WAYS[request.param](on_database(database_url))


@pytest.fixture
def expected(runtime, files):
    """The row that the admin room makes, then deleted: what each of the ways has to make."""
    from authserver.admin.clients import create_client, delete_client
    from authserver.admin.resource_servers import create_resource_server, delete_resource_server

    def client(client_id, kind, name, metadata):
        with transaction(runtime.engine) as db:
            create_client(Operation(db, runtime), kind, name, metadata, client_id=client_id)
            row, secrets = row_of(db, clients.c.client_id == client_id, clients), find_client(db, client_id).secrets
            delete_client(Operation(db, runtime), client_id)
        return row, len(secrets)

    def api(identifier, values):
        columns = {"token_format": values["format"], "signing_alg": values["alg"], "token_lifetime_seconds": values["lifetime"]}
        columns |= {"scopes": values["scopes"], "claims": values["claims"]}
        with transaction(runtime.engine) as db:
            create_resource_server(Operation(db, runtime), identifier, values["name"], columns)
            row = row_of(db, resource_servers.c.identifier == identifier, resource_servers)
            delete_resource_server(Operation(db, runtime), identifier)
        return row

    client.api = api
    return client


def row_of(db, condition, table):
    found = db.execute(table.select().where(condition)).mappings().one()
    return {name: value for name, value in found.items() if name not in OF_THE_WAY}


@pytest.fixture
def orders(files):
    """The API that the clients ask for; no file of a test owns it."""
    files.apply(yaml.safe_dump({"name": "base", "apis": {API: ORDERS}}))


@pytest.mark.parametrize("application", APPLICATIONS)
def test_a_client_made_in_any_way_is_the_same_row(way, orders, expected, runtime, application):
    kind, name, metadata = APPLICATIONS[application]
    row, secrets = expected("it", kind, name, metadata)
    way.client("it", kind, name, metadata)
    made = getattr(way, "made", "it")
    with transaction(runtime.engine) as db:
        assert {**row_of(db, clients.c.client_id == made, clients), "client_id": "it"} == row
        assert len(find_client(db, made).secrets) == secrets


def test_an_api_made_in_any_way_is_the_same_row(way, expected, runtime):
    row = expected.api(API, ORDERS)
    way.api(API, ORDERS)
    with transaction(runtime.engine) as db:
        assert row_of(db, resource_servers.c.identifier == API, resource_servers) == row
        assert list(find_resource_server(db, API).scopes) == list(ORDERS["scopes"])


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_refused_in_the_same_words_in_any_way(way, orders, runtime, mistake):
    kind, name, metadata, says = MISTAKES[mistake]
    if kind == "robot" and isinstance(way, ByCommand):
        says = "'robot' is not one of 'spa'"  # click knows the choices
    if isinstance(way, ByApi):
        says = BY_THE_DOCUMENT.get(mistake, says)
    assert says in way.client("it", kind, name, metadata, code=2)
    with transaction(runtime.engine) as db:
        assert find_client(db, "it") is None


def test_the_wizard_of_the_console_makes_the_same_row(http, runtime, orders, expected):
    kind, name, metadata = APPLICATIONS["spa"]
    chosen = {"post_logout_redirect_uris": metadata["redirect_uris"], "scope": " ".join([*OPENID_SCOPES, "orders:read"])}
    row, secrets = expected("it", kind, name, {**metadata, **chosen})
    owner = make_user(runtime)
    with transaction(runtime.engine) as db:
        give_role(Operation(db, runtime), owner.user, "owner")
    sign_in_to_console(http, owner)
    form = next(form for form in read(http.get("/admin/applications/new/spa")).forms if form.action.endswith("/new/spa"))
    answers = [("name", name), ("redirect_uris", "\r\n".join(metadata["redirect_uris"])), ("apis", API), ("consent", "remembered")]
    fields = [("csrf_token", form.fields["csrf_token"]), *answers, ("scopes", "orders:read")]
    created = http.post(form.action, fields, headers={"Sec-Fetch-Site": "same-origin"})
    assert created.status == 303, read(created).text
    client_id = created.location.rpartition("/")[2]
    with transaction(runtime.engine) as db:
        made = row_of(db, clients.c.client_id == client_id, clients)
        assert {**made, "client_id": "it"} == row
        assert len(find_client(db, client_id).secrets) == secrets
