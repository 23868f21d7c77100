"""What no linter can hold: who commits, how modules introduce themselves, what a command or a token needs to import."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = sorted((ROOT / "authserver").rglob("*.py"))
COMMITS_IN = {
    "authserver/store/base.py",  # transaction(), for work that owns its connection
    "authserver/web/context.py",  # one request
}
CITATION = re.compile(r"RFC \d{3,5}|OpenID Connect|OpenID |OAuth 2\.0 |ASVS|NIST SP|draft-ietf")
PROTOCOL_ROOMS = ("authserver/oauth/", "authserver/oidc/")
BANNED_WORDS = ("util", "helper", "common", "manager", "misc", "stuff")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def each_module(paths=MODULES):
    return pytest.mark.parametrize("path", paths, ids=name_of)


@each_module()
def test_only_the_owner_of_a_unit_of_work_commits(path):
    found = {node.func.attr for node in ast.walk(ast.parse(path.read_text())) if is_commit(node)}
    assert not found or name_of(path) in COMMITS_IN


def is_commit(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("commit", "begin_nested", "savepoint")


@each_module()
def test_a_module_says_what_it_is_in_its_first_line(path):
    docstring = ast.get_docstring(ast.parse(path.read_text())) or ""
    assert len(docstring.partition("\n")[0]) > 15


@each_module([path for path in MODULES if name_of(path).startswith(PROTOCOL_ROOMS) and path.name != "__init__.py"])
def test_a_protocol_module_cites_its_specification(path):
    docstring = ast.get_docstring(ast.parse(path.read_text())) or ""
    exempt = {"authserver/oauth/server.py", "authserver/oauth/spec.py", "authserver/oauth/authorization/draft.py"}
    assert CITATION.search(docstring) or name_of(path) in exempt


@each_module()
def test_nothing_is_named_after_nothing(path):
    names = [part.removesuffix(".py") for part in path.relative_to(ROOT).parts]
    assert not [name for name in names for word in BANNED_WORDS if word in name.lower()]


@each_module()
def test_a_file_stays_readable(path):
    assert len(path.read_text().splitlines()) <= 300


def test_functions_are_short():
    lengths = sorted(
        node.end_lineno - node.lineno + 1
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef)
    )
    assert lengths[len(lengths) // 2] <= 8


def test_importing_the_package_imports_nothing_else():
    assert not loaded_after("import authserver") & {"flask", "sqlalchemy", "authlib", "joserfc", "cryptography", "authserver.runtime"}


def test_help_starts_neither_flask_nor_sqlalchemy_nor_authlib():
    code = "import sys; sys.argv = ['authserver', '--help']\nfrom authserver.cli import main\ntry: main()\nexcept SystemExit: pass"
    loaded = loaded_after(code)
    assert "click" in loaded
    assert not loaded & {"flask", "sqlalchemy", "authlib", "joserfc", "cryptography", "alembic", "granian", "rich", "jinja2"}


def test_the_token_path_imports_nothing_that_it_does_not_need(tmp_path):
    environment = {
        "AUTHSERVER_ISSUER": "http://127.0.0.1:9000",
        "AUTHSERVER_DATABASE_URL": f"sqlite:///{tmp_path / 'none.db'}",
        "AUTHSERVER_SECRET_KEY": "A" * 43,
    }
    loaded = loaded_after("import authserver.wsgi", environment)
    unwanted = {"alembic", "boto3", "pydantic", "spectree", "pygal", "yaml", "webauthn", "wtforms", "limits", "rich", "granian", "smtplib"}
    rooms = {"authserver.admin", "authserver.cli", "authserver.jobs", "authserver.web.administration", "authserver.web.console"}
    assert loaded & (unwanted | rooms | {"authserver.web.api", "authlib.jose", "urllib3", "requests"}) == set()


def test_a_whole_sign_in_and_a_token_leave_the_admin_rooms_alone():
    code = "import pytest; pytest.main(['-q', '-p', 'no:cacheprovider', '-p', 'no:xdist', '-p', 'no:schemathesis', %r])"
    test = "tests/oidc/test_openid_connect.py::test_an_id_token_says_who_signed_in_when_and_how"
    loaded = loaded_after(code % test)
    assert "authserver.web.consent" in loaded
    rooms = {"authserver.web.administration", "authserver.web.console", "authserver.web.api", "pydantic", "spectree", "pygal"}
    assert loaded & rooms == set()


def loaded_after(code: str, environment: dict[str, str] | None = None) -> set[str]:
    """Return the modules that a fresh interpreter has loaded after running `code`."""
    quiet = f"import contextlib, io\nwith contextlib.redirect_stdout(io.StringIO()):\n{indented(code)}\n"
    script = quiet + "import json, sys\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, env=environment or {}, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


def indented(code: str) -> str:
    return "\n".join("    " + line for line in code.splitlines())


def test_generated_tables_are_up_to_date():
    from tests import generated

    for document in generated.DOCUMENTS:
        assert document.read_text() == generated.rewritten(document), "run: make docs"


def test_the_readme_has_the_table_of_specifications_and_the_settings():
    text = (ROOT / "README.md").read_text()
    assert "<!-- specifications -->" in text
    assert "<!-- settings -->" in text


def test_the_readme_shows_every_room():
    layout = (ROOT / "README.md").read_text().partition("## How the code is laid out")[2].partition("```\n\n")[0]
    rooms = [path.parent.name for path in (ROOT / "authserver").glob("*/__init__.py")]
    assert len(rooms) >= 10
    assert [room for room in rooms if f" {room}/ " not in layout] == []
