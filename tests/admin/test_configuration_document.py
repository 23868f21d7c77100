"""What a configuration file may say: every mistake is named with its line, several at once, by the rules of all skins."""

import jsonschema
import pytest
import yaml

from authserver.admin.configuration.document import read_document
from authserver.admin.configuration.fields import API, CLIENT, COLUMNS, METADATA, json_schema
from authserver.admin.configuration.source import BadFile, read_source
from authserver.admin.resource_servers import CHECKS
from authserver.oauth.client_metadata import FIELDS

GOOD = """
name: shop
apis:
  https://orders.example.com:
    name: Orders
    scopes:
      orders:read: See your orders
    lifetime: 300
    claims: {roles: roles}
clients:
  shop:
    kind: spa
    client_name: Shop
    redirect_uris: [https://shop.example.com/]
    apis: [https://orders.example.com]
  billing:
    kind: service
    client_name: Billing
    secret: env:BILLING_SECRET
    apis: [https://orders.example.com]
    scope: orders:read
roles:
  Ada@Example.com: admin
"""


def read(text, name="clients"):
    return read_document(read_source(text.encode(), "clients.yaml"), name)


def problems(text, name="clients"):
    with pytest.raises(BadFile) as raised:
        read(text, name)
    return raised.value.why.splitlines()


def test_a_good_file_is_taken_whole():
    wanted = read(GOOD)
    assert wanted.name == "shop"
    assert wanted.apis["https://orders.example.com"].columns["token_lifetime_seconds"] == 300
    assert wanted.clients["shop"].metadata["grant_types"] == ["authorization_code", "refresh_token"]
    assert wanted.clients["shop"].enabled is None
    assert wanted.clients["billing"].secret.text == "env:BILLING_SECRET"
    assert wanted.roles == {"ada@example.com": "admin"}
    assert wanted.place("role", "ada@example.com") == "clients.yaml:23"


def test_a_file_is_called_after_itself_unless_it_says_otherwise():
    assert read("clients: {}", "billing").name == "billing"
    assert read("", "billing").name == "billing"


MISTAKES = [
    ("client: {}", "clients.yaml:1: client is not part of this; did you mean clients?"),
    ("clients: [a]", "clients.yaml:1: clients must have names with values below it, not a list or a text"),
    ("- a", "clients.yaml:1: the file must have names with values below it"),
    ("name: authserver", "clients.yaml:1: name must not be authserver"),
    ("name: test-drive", "clients.yaml:1: name must not be test-drive"),
    ("name: ''", "clients.yaml:1: name must be given"),
    ("name: 5", "clients.yaml:1: name must be a text: put it in quotes"),
    ("clients:\n  a: x", "clients.yaml:2: clients.a must have names with values below it, such as kind, client_name"),
    ("clients:\n  a:\n    kind: spa", "clients.yaml:2: clients.a.client_name is missing"),
    ("clients:\n  a:\n    kind: robot\n    client_name: A", "clients.yaml:3: clients.a.kind must be one of spa"),
    ("clients:\n  a:\n    kind: service\n    client_name: 7", "clients.yaml:4: clients.a.client_name must be a text: put it in quotes"),
    (
        "clients:\n  a:\n    kind: service\n    client_name: A\n    scop: x",
        "clients.yaml:5: clients.a.scop is not part of this; did you mean scope?",
    ),
    ("clients:\n  a:\n    kind: service\n    client_name: A\n    enabled: 1", "clients.yaml:5: clients.a.enabled must be true or false"),
    ("clients:\n  a:\n    kind: spa\n    client_name: A", "clients.yaml:2: clients.a.redirect_uris must name at least one URI"),
    (
        "clients:\n  a:\n    kind: spa\n    client_name: A\n    redirect_uris:\n      - http://a.example/",
        "clients.yaml:5: clients.a.redirect_uris must start with https://",
    ),
    (
        "clients:\n  a:\n    kind: web\n    client_name: A\n    redirect_uris: https://a.example/",
        "clients.yaml:5: clients.a.redirect_uris must be a list",
    ),
    (
        "clients:\n  a:\n    kind: spa\n    client_name: A\n    redirect_uris: [https://a.example/]\n    secret: generate",
        "clients.yaml:6: clients.a.secret is of no use to a client that authenticates by none",
    ),
    ("apis:\n  orders:\n    name: O", "clients.yaml:2: apis.orders is no identifier of an API: it must be an absolute URI"),
    ("apis:\n  https://a.example: {}", "clients.yaml:2: apis.https://a.example.name is missing"),
    ("apis:\n  https://a.example:\n    name: A\n    lifetime: 1", "clients.yaml:4: apis.https://a.example.lifetime must be between"),
    ("apis:\n  https://a.example:\n    name: A\n    alg: HS256", "clients.yaml:4: apis.https://a.example.alg must be one of"),
    ("apis:\n  https://a.example:\n    name: A\n    scopes: [a]", "clients.yaml:4: apis.https://a.example.scopes must be texts by scope"),
    ("apis:\n  https://a.example:\n    name: A\n    scopes: {openid: x}", "must not contain openid"),
    ("apis:\n  https://a.example:\n    name: A\n    claims: {iss: x}", "must not contain iss"),
    ("apis:\n  https://a.example:\n    name: A\n    introspected_by: x", "introspected_by must be a list of client ids"),
    ("roles:\n  ada@example.com: boss", "clients.yaml:2: roles.ada@example.com must be one of auditor, support, admin, owner"),
    ("roles:\n  ada: owner", "clients.yaml:2: roles.ada is no user: it must be an address"),
    ("roles:\n  ada@example.com: owner\n  ADA@example.com: admin", "clients.yaml:3: roles.ADA@example.com is given twice"),
]


@pytest.mark.parametrize(("text", "says"), MISTAKES, ids=[says[:70] for _, says in MISTAKES])
def test_a_mistake_is_named_with_its_line(text, says):
    assert says in "\n".join(problems(text))


def test_all_mistakes_are_named_at_once_but_not_without_end():
    assert len(problems("clients:\n  a: {kind: spa}\n  b: {client_name: B}\nroles: {x: y}")) == 3
    many = problems("clients:\n" + "".join(f"  c{number}: {{kind: spa}}\n" for number in range(50)))
    assert len(many) == 21
    assert many[-1] == "… and 30 more"


@pytest.mark.parametrize("secret", ["hunter2hunter2hunter2", "env:", "file:", "Generate", "env:A B", ["x"], {"env": "X"}])
def test_a_secret_is_only_ever_a_reference_and_what_stands_there_instead_is_not_repeated(secret):
    client = {"kind": "service", "client_name": "A", "secret": secret}
    (said,) = problems(yaml.safe_dump({"clients": {"a": client}}))
    assert "must be env:NAME, file:PATH or generate" in said
    assert "hunter2" not in said


def test_a_file_from_standard_input_must_say_whose_it_is():
    assert problems("clients: {}", "") == ["clients.yaml:1: name must be given where the file comes by standard input"]


# The schema


def test_the_schema_has_every_field_of_the_rules_and_no_other():
    assert METADATA.keys() == FIELDS.keys()
    assert {COLUMNS.get(field, field) for field in API} == CHECKS.keys()
    assert CLIENT.keys() == METADATA.keys() | {"kind", "client_name", "enabled", "secret"}


def test_the_schema_is_one_and_takes_a_good_file():
    schema = json_schema()
    jsonschema.Draft7Validator.check_schema(schema)
    jsonschema.Draft7Validator(schema).validate(yaml.safe_load(GOOD))


@pytest.mark.parametrize(
    "text",
    [text for text, says in MISTAKES if any(word in says for word in ("did you mean", "is missing", "must be one of", "put it in quotes"))],
)
def test_an_editor_that_knows_the_schema_sees_the_same_mistake(text):
    assert list(jsonschema.Draft7Validator(json_schema()).iter_errors(yaml.safe_load(text)))


def test_every_field_has_a_sentence_for_the_editor():
    for field in (*CLIENT.values(), *API.values(), *json_schema()["properties"].values()):
        assert field["description"].endswith(".")
