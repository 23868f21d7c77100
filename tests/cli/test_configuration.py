"""`authserver diff`, `apply`, `export`, `config schema`: exit codes, what is shown, and what never is."""

import base64
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml

PROGRAM = str(Path(sys.executable).parent / "authserver")
FILE = """name: shop
apis:
  https://orders.example.com:
    name: Orders
    scopes: {orders:read: See your orders}
clients:
  shop:
    kind: spa
    client_name: Shop
    redirect_uris: [https://shop.example.com/]
    apis: [https://orders.example.com]
  billing:
    kind: service
    client_name: Billing
    apis: [https://orders.example.com]
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "clients.yaml"
    path.write_text(FILE)
    return path


def test_a_difference_is_exit_code_6_and_none_is_0(cli, file):
    shown = cli("diff", "-f", str(file), code=6)
    assert shown.stdout.splitlines()[0] == "+ API https://orders.example.com"
    assert shown.stdout.splitlines()[-1] == "3 to create."
    applied = cli("apply", "-f", str(file))
    assert "3 to create." in applied.stdout
    assert "not shown again" in applied.stderr
    assert cli("diff", "-f", str(file)).stdout == "No difference.\n"
    assert cli("apply", "-f", str(file)).stdout == "No difference.\n"
    file.write_text(FILE.replace("client_name: Shop", "client_name: Webshop"))
    assert "client_name: Shop → Webshop" in cli("diff", "-f", str(file), code=6).stdout


def test_the_plan_is_a_document_and_secrets_are_shown_once_and_never_in_it(cli, file):
    plan = json.loads(cli("diff", "-f", str(file), "--json", code=6).stdout)
    assert (plan["name"], plan["differs"]) == ("shop", True)
    assert [(step["action"], step["what"], step["id"]) for step in plan["steps"]] == [
        ("create", "api", "https://orders.example.com"),
        ("create", "client", "shop"),
        ("create", "client", "billing"),
    ]
    applied = cli.json("apply", "-f", str(file))
    secret = applied["secrets"]["billing"]
    assert len(secret) == 43
    assert secret not in json.dumps(applied["steps"])
    assert cli.json("apply", "-f", str(file)) == {"name": "shop", "differs": False, "steps": [], "secrets": {}}
    assert cli.json("diff", "-f", str(file)) == {"name": "shop", "differs": False, "steps": []}
    assert secret not in "\n".join(cli.printed[2:])


def test_the_secret_that_is_shown_is_the_client_s(cli, file, runtime, http):
    secret = cli.json("apply", "-f", str(file))["secrets"]["billing"]
    basic = base64.b64encode(f"billing:{secret}".encode()).decode()
    answer = http.post("/oauth2/token", {"grant_type": "client_credentials"}, headers={"Authorization": f"Basic {basic}"})
    assert answer.status == 200


def test_a_file_comes_by_standard_input_if_it_says_whose_it_is(cli):
    assert "3 to create." in cli("apply", "-f", "-", stdin=FILE).stdout
    said = cli.error("apply", "-f", "-", stdin=FILE.replace("name: shop\n", "", 1), code=2)
    assert "stdin:1: name must be given" in said


def test_what_an_export_says_is_what_apply_reads(cli, file, tmp_path):
    cli("apply", "-f", str(file))
    exported = cli("export").stdout
    assert yaml.safe_load(exported)["clients"]["shop"]["redirect_uris"] == ["https://shop.example.com/"]
    assert cli("diff", "-f", "-", stdin=exported).stdout == "No difference.\n"
    assert cli.json("export") == yaml.safe_load(exported)
    assert cli("diff", "-f", "-", stdin=json.dumps(cli.json("export"))).exit_code == 0
    copy = tmp_path / "copy.yaml"
    cli("export", "-o", str(copy))
    assert copy.read_text() == exported
    assert "copy.yaml cannot be written: File exists" in cli.error("export", "-o", str(copy), code=1)


def test_several_owners_are_named(cli, file):
    cli("apply", "-f", str(file))
    cli("apply", "-f", "-", stdin="name: other\nclients: {acme: {kind: device, client_name: Acme}}")
    assert "name must say which, since several files own something: other, shop" in cli.error("export", code=2)
    assert set(yaml.safe_load(cli("export", "--name", "other").stdout)["clients"]) == {"acme"}


@pytest.mark.parametrize(
    ("content", "code", "says"),
    [
        ("clients: {shop: {kind: spa}}", 2, "clients.yaml:1: clients.shop.client_name is missing"),
        ("clients:\n  shop:\n    kind: no\n", 2, "clients.yaml:3: clients.shop.kind is false to YAML"),
        ("clients: [}", 2, "clients.yaml:1: is not YAML"),
        ("roles: {nobody@example.com: owner}", 3, "clients.yaml:1: there is no user"),
        ("clients: {taken: {kind: device, client_name: X}}", 5, "clients.yaml:1: client taken is managed by other"),
    ],
)
def test_what_is_wrong_has_its_exit_code_and_line(cli, tmp_path, content, code, says):
    cli("apply", "-f", "-", stdin="name: other\nclients: {taken: {kind: device, client_name: Taken}}")
    file = tmp_path / "clients.yaml"
    file.write_text(content)
    for command in ("diff", "apply"):
        said = cli.error(command, "-f", str(file), code=code)
        assert says in said
        assert "Traceback" not in said


def test_several_mistakes_are_shown_below_one_another(cli, tmp_path):
    file = tmp_path / "clients.yaml"
    file.write_text("clients:\n  a: {kind: spa}\n  b: {kind: robot, client_name: B}\n")
    said = cli.error("diff", "-f", str(file), code=2).splitlines()
    assert said == [
        f"Error: {file}:2: clients.a.client_name is missing",
        f"{file}:3: clients.b.kind must be one of {said[1].partition('one of ')[2]}",
    ]


def test_a_wrong_usage_is_said(cli, tmp_path):
    assert "Missing option '-f'" in cli.error("diff", code=2)
    assert "nowhere.yaml cannot be read: No such file" in cli.error("diff", "-f", "/nowhere.yaml", code=1)
    assert "cannot be read: Is a directory" in cli.error("diff", "-f", str(tmp_path), code=1)
    assert "choose one" in cli.error("apply", "-f", "x", "--prune", "--release", code=2)


def test_what_is_pruned_is_not_asked_for_without_a_terminal(cli, file):
    cli("apply", "-f", str(file))
    assert "no longer in the file; --prune deletes it" in cli("apply", "-f", "-", stdin="name: shop").stdout
    assert "deleted with all that belongs to it" in cli("apply", "-f", "-", "--prune", stdin="name: shop").stdout
    assert cli.json("clients", "list") == []


def test_what_is_released_can_be_changed_by_command_again(cli, file):
    cli("apply", "-f", str(file))
    assert "client shop is managed by shop: change it there" in cli.error("clients", "update", "shop", "--name", "X", code=5)
    cli("apply", "-f", "-", "--release", stdin="name: shop")
    assert cli.json("clients", "update", "shop", "--name", "X")["client_name"] == "X"


def on_a_terminal(cli, answer, *arguments):
    """Run a command at a terminal, type an answer, and return the exit code and what was shown."""
    parent, child = pty.openpty()
    process = subprocess.Popen([PROGRAM, *arguments], stdin=child, stdout=child, stderr=child, env={**os.environ, **cli.environment})
    os.close(child)
    os.write(parent, answer.encode())
    shown = b""
    while True:
        try:
            piece = os.read(parent, 4096)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    os.close(parent)
    return process.wait(30), shown.decode()


@pytest.mark.slow
def test_at_a_terminal_a_deletion_is_asked_for(cli, file, tmp_path):
    cli("apply", "-f", str(file))
    nothing = tmp_path / "nothing.yaml"
    nothing.write_text("name: shop\n")
    code, shown = on_a_terminal(cli, "n\n", "apply", "-f", str(nothing), "--prune")
    assert code == 1
    assert "client billing (deleted with all that belongs to it)" in shown
    assert "Go on?" in shown
    assert "nothing was changed" in shown
    assert len(cli.json("clients", "list")) == 2
    code, shown = on_a_terminal(cli, "", "apply", "-f", str(file), "--prune")
    assert (code, "Go on?" in shown) == (0, False), "nothing is deleted, so nothing is asked"
    code, shown = on_a_terminal(cli, "y\n", "apply", "-f", str(nothing), "--prune")
    assert code == 0
    assert cli.json("clients", "list") == []
    cli("apply", "-f", str(file))
    code, shown = on_a_terminal(cli, "", "apply", "-f", str(nothing), "--prune", "--yes")
    assert (code, "Go on?" in shown) == (0, False)


def test_the_schema_is_for_editors(cli, file):
    schema = json.loads(cli("config", "schema").stdout)
    jsonschema.Draft7Validator.check_schema(schema)
    jsonschema.Draft7Validator(schema).validate(yaml.safe_load(file.read_text()))


def test_nothing_in_a_plan_moves_a_terminal(cli):
    text = 'name: x\nclients: {tv: {kind: device, client_name: TV, attributes: {"\\e[31m": "\\a\\u202e"}}}'
    shown = cli("diff", "-f", "-", stdin=text, code=6).stdout
    assert shown.replace("\n", "").isprintable()
