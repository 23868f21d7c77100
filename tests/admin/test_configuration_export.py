"""The database as a file: applying it changes nothing, whatever is registered; and on an empty server it makes the same again."""

from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from authserver.admin.clients import create_client, disable_client, every_client, get_client, update_client_metadata
from authserver.admin.configuration.fields import json_schema
from authserver.admin.errors import Conflict, Invalid
from authserver.admin.operation import Operation
from authserver.admin.own import ensure_own
from authserver.admin.resource_servers import change_resource_server, create_resource_server, every_resource_server
from authserver.admin.roles import give_role
from authserver.crypto.jose import ALGORITHMS
from authserver.runtime import Runtime
from authserver.store.admin_role import list_roles
from authserver.store.base import transaction
from tests.admin.configuration_files import API, FILE, Files
from tests.factories import jwks_of, make_key, make_settings, make_test_runtime, make_user
from tests.migrated import migrate

NOT_COMPARED = {"secrets", "version", "created_at", "updated_at", "last_used_on", "managed_by"}
KEYS = jwks_of(make_key())

name = st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=30)
name = name.filter(lambda text: text.isprintable() and bool(text.strip()))
odd_names = (
    "no",
    "010",
    "1:30",
    "~",
    "null",
    "2026-12-01",
    "- x",
    "a: b",
    "#x",
    "'",
    '"',
    "<<",
    "*a",
    "&a",
    "!x",
    "%",
    "@",
    "`",
    "=",
    "{}",
)
odd_name = st.sampled_from(odd_names)
a_name = name | odd_name
a_word = st.text(st.sampled_from("abcXYZ012:-._~/<>=!&*#%@'{}[],"), min_size=1, max_size=12)
a_value = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(allow_nan=False, allow_infinity=False) | a_name,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(a_name, inner, max_size=3),
    max_leaves=5,
)
an_api = st.fixed_dictionaries(
    {"name": a_name},
    optional={
        "scopes": st.dictionaries(a_word, a_name, max_size=3),
        "token_format": st.sampled_from(["jwt", "opaque"]),
        "signing_alg": st.sampled_from(ALGORITHMS),
        "token_lifetime_seconds": st.none() | st.integers(60, 86400),
        "claims": st.dictionaries(a_word.map(lambda word: f"x{word}"), a_name, max_size=2),
    },
)
some_metadata = st.fixed_dictionaries(
    {},
    optional={
        "consent": st.sampled_from(["required", "remembered", "skipped"]),
        "default_max_age": st.integers(0, 10**8),
        "attributes": st.dictionaries(a_name, a_value, max_size=3),
        "contacts": st.lists(a_name, max_size=2),
        "policy_uri": st.just("https://example.com/privacy"),
        "refresh_token_rotation": st.sampled_from(["auto", "always", "never"]),
        "scope": st.sampled_from(["", "openid", "openid email profile", "email openid"]),
        "id_token_signed_response_alg": st.sampled_from(ALGORITHMS),
    },
)
of_a_kind = st.one_of(
    st.tuples(st.just("spa"), st.just({"redirect_uris": ["https://a.example/", "https://b.example/cb"]})),
    st.tuples(st.just("native"), st.just({"redirect_uris": ["com.example.app:/cb"], "allowed_origins": ["https://a.example"]})),
    st.tuples(st.just("web"), st.just({"redirect_uris": ["https://a.example/?x=1"], "require_pkce": False})),
    st.tuples(st.just("service"), st.just({})),
    st.tuples(st.just("service"), st.just({"token_endpoint_auth_method": "private_key_jwt", "jwks": KEYS})),
    st.tuples(st.just("device"), st.just({"token_endpoint_auth_method": "client_secret_post"})),
)
a_client = st.tuples(of_a_kind, a_name, some_metadata, st.booleans(), st.booleans())
a_client_id = st.text(st.sampled_from("abcXYZ0129._~:/-+<>=*&!#%@'"), min_size=1, max_size=150)
a_client_id |= odd_name.filter(lambda text: " " not in text and '"' not in text)


def fill(operation: Operation, apis: dict[str, Any], clients: dict[str, Any]) -> None:
    """Register what was drawn; what the rules refuse is left out."""
    for identifier, values in apis.items():
        create_resource_server(operation, identifier, values["name"], {field: value for field, value in values.items() if field != "name"})
    for client_id, ((kind, needed), called, more, has_apis, is_disabled) in clients.items():
        values = {**more, **needed, **({"apis": list(apis)} if has_apis else {})}
        try:
            create_client(operation, kind, called, values, client_id=client_id)
        except (Invalid, Conflict):
            continue
        if is_disabled:
            disable_client(operation, client_id)


def contents(runtime: Runtime) -> dict[str, Any]:
    """What is registered, but for secrets and instants."""
    from authserver.admin.documents import client_document, resource_server_document

    with transaction(runtime.engine) as db:
        operation = Operation(db, runtime)
        clients = [client_document(client) for client in every_client(operation)]
        apis = [resource_server_document(api) for api in every_resource_server(operation)]
        roles = [{"user": row.user_id.hex(), "role": row.role} for row in list_roles(db)]
    return {
        part: [{field: value for field, value in one.items() if field not in NOT_COMPARED} for one in found]
        for part, found in (("clients", clients), ("apis", apis), ("roles", roles))
    }


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    """Fresh, empty servers of this module's own."""
    from tests.clock import Clock

    folder, made = tmp_path_factory.mktemp("export"), []
    template = folder / "template.db"
    migrate(f"sqlite:///{template}")

    def new() -> Files:
        file = folder / f"{len(made)}.db"
        file.write_bytes(template.read_bytes())
        made.append(make_test_runtime(make_settings(database_url=f"sqlite:///{file}"), Clock()))
        return Files(made[-1], folder)

    yield new
    for runtime in made:
        runtime.engine.dispose()


@given(
    apis=st.dictionaries(st.sampled_from([API, "https://b.example", "urn:x:no"]), an_api, max_size=3),
    clients=st.dictionaries(a_client_id, a_client, max_size=4),
)
def test_an_export_applied_changes_nothing_and_makes_the_same_elsewhere(servers, apis, clients):
    here, there = servers(), servers()
    with transaction(here.runtime.engine) as db:
        fill(Operation(db, here.runtime), apis, clients)
    text, before = here.export(), contents(here.runtime)
    jsonschema.Draft7Validator(json_schema()).validate(yaml.safe_load(text))
    assert not here.diff(text).has_difference
    here.apply(text)
    assert contents(here.runtime) == before
    assert here.export() == text
    assert here.diff(text, "delete").steps == here.apply(text, "delete").plan.steps == (), "the second time there is nothing to do at all"
    there.apply(text)
    assert contents(there.runtime) == before
    assert there.export() == text


@pytest.mark.databases
def test_an_export_of_a_full_server_reads_well(files, act, runtime):
    ada = make_user(runtime, "ada@example.com").user
    act(give_role, ada, "owner")
    files.apply(FILE)
    act(disable_client, "gateway")
    with transaction(runtime.engine) as db:
        ensure_own(db, runtime)
    text = files.export()
    assert text.splitlines()[0] == "# yaml-language-server: $schema=clients.schema.json"
    assert yaml.safe_load(text) == {
        "name": "shop",
        "apis": {
            API: {
                "name": "Orders",
                "scopes": {"orders:read": "See your orders", "orders:write": "Change your orders"},
                "introspected_by": ["gateway"],
            }
        },
        "clients": {
            "billing": {"kind": "service", "client_name": "Billing", "scope": "orders:read", "apis": [API]},
            "gateway": {"kind": "service", "client_name": "Gateway", "enabled": False},
            "shop": {"kind": "spa", "client_name": "Shop", "redirect_uris": ["https://shop.example.com/"], "apis": [API]},
        },
        "roles": {"ada@example.com": "owner"},
    }
    assert not files.diff(text).has_difference


def test_an_empty_server_has_an_empty_file(files):
    assert yaml.safe_load(files.export()) == {"name": "clients"}
    assert files.diff(files.export()).steps == ()


def test_of_several_files_one_is_named_and_the_others_rows_are_left_out(files, act):
    files.apply(FILE)
    files.apply("name: other\nclients:\n  acme:\n    kind: service\n    client_name: Acme\n")
    act(create_client, "service", "Free", {}, client_id="free")
    with pytest.raises(Invalid, match="several files own something: other, shop"):
        files.export()
    assert set(yaml.safe_load(files.export("other"))["clients"]) == {"acme", "free"}
    assert set(yaml.safe_load(files.export("shop"))["clients"]) == {"shop", "billing", "gateway", "free"}
    assert not files.diff(files.export("other")).has_difference


def test_no_secret_is_in_it(files):
    secrets = files.apply(FILE).secrets
    assert not [secret for secret in secrets.values() if secret in files.export()]


@given(changes=st.lists(st.tuples(some_metadata, a_name), min_size=1, max_size=3))
def test_a_file_undoes_whatever_was_changed_since(servers, changes):
    files = servers()
    files.apply("name: shop\nclients:\n  app:\n    kind: native\n    client_name: App\n    redirect_uris: [com.example.app:/cb]\n")
    text, before = files.export(), contents(files.runtime)
    for metadata, called in changes:
        with transaction(files.runtime.engine) as db:
            update_client_metadata(Operation(db, files.runtime, owner="shop"), "app", {**metadata, "client_name": called})
    files.apply(text)
    assert contents(files.runtime) == before


def test_a_change_of_what_the_export_says_is_a_difference(files, act):
    files.apply(FILE)
    text = files.export()
    with transaction(files.runtime.engine) as db:
        change_resource_server(Operation(db, files.runtime, owner="shop"), API, {"name": "Sales"})
    assert files.diff(text).has_difference
    assert act(get_client, "shop").managed_by == "shop"
