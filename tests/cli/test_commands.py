"""All commands: help, JSON, exit codes, and what is never printed."""

import re
import resource
import subprocess
import sys
from pathlib import Path

import click
import pytest

from authserver.cli import COMMANDS, main
from authserver.cli.failure import explain
from authserver.cli.output import plain

ROOT = Path(__file__).parents[2]


def leaves(command=main, path=()):
    """Every command that does something, with its path."""
    if not isinstance(command, click.Group):
        yield path, command
        return
    for name in command.list_commands(click.Context(command)):
        yield from leaves(command.get_command(click.Context(command), name), (*path, name))


LEAVES = list(leaves())


def each_command():
    return pytest.mark.parametrize(("path", "command"), LEAVES, ids=[" ".join(path) for path, _ in LEAVES])


def test_the_commands_are_those_of_the_manual():
    assert {" ".join(path) for path, _ in LEAVES} == {
        *("dev", "init", "serve", "version", "janitor", "doctor", "token inspect", "db upgrade", "db check", "db restored"),
        *("diff", "apply", "export", "explain", "config show", "config schema", "audit list", "audit export"),
        *(f"clients {name}" for name in ("create", "list", "get", "update", "disable", "enable", "delete", "rotate-secret")),
        *(f"apis {name}" for name in ("create", "list", "get", "update", "delete")),
        *(f"users {name}" for name in ("create", "list", "get", "update", "disable", "enable", "set-password", "delete")),
        *(f"users {name}" for name in ("invite", "reset-link", "import", "migration")),
        *(f"admins {name}" for name in ("link", "list", "grant", "revoke")),
        *(f"{noun} {name}" for noun in ("sessions", "grants") for name in ("list", "revoke")),
        *(f"keys {name}" for name in ("list", "rotate", "reseal", "data-key")),
    }


@each_command()
def test_help_has_an_example_of_the_command(cli, path, command):
    shown = cli(*path, "--help").stdout
    assert re.search(r"Examples?( \(crontab\))?:", shown)
    assert f"authserver {' '.join(path)}" in shown
    assert max(map(len, shown.splitlines())) <= 120


@each_command()
def test_every_command_speaks_json_but_the_servers_and_what_writes_files(path, command):
    has_json = any("--json" in parameter.opts for parameter in command.params)
    assert has_json == (" ".join(path) not in ("dev", "serve", "config schema", "audit export"))


@each_command()
def test_no_secret_is_an_argument(path, command):
    for parameter in command.params:
        assert not any(word in name for name in parameter.opts for word in ("secret", "password", "token")) or parameter.is_flag


def test_the_top_s_list_says_what_the_commands_say():
    for name, entry in COMMANDS.items():
        command = main.get_command(click.Context(main), name)
        assert command.name == name
        assert command.get_short_help_str(200).startswith(entry.help.rstrip(".")[:12])


def test_help_takes_little_processor_time():
    command = [str(Path(sys.executable).parent / "authserver"), "--help"]

    def spent():
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, check=True, capture_output=True, env={"COLUMNS": "80"})
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(spent() for _ in range(4)) <= 0.15


def test_an_unknown_command_is_a_wrong_usage(cli):
    assert "No such command 'frob'" in cli.error("frob", code=2)
    assert "No such command 'frob'" in cli.error("clients", "frob", code=2)


NOBODY = "00000000-0000-4000-8000-000000000000"
FAILURES = [
    (3, "there is no client 'nobody'", ["clients", "get", "nobody"]),
    (3, "there is no client 'nobody'", ["clients", "update", "nobody", "--name", "X"]),
    (3, "there is no client 'nobody'", ["clients", "rotate-secret", "nobody"]),
    (3, "there is no API", ["apis", "get", "https://nobody.example"]),
    (3, "there is no user", ["users", "get", "nobody@example.com"]),
    (3, "there is no user", ["users", "delete", NOBODY]),
    (3, "there is no session", ["sessions", "revoke", NOBODY]),
    (3, "there is no user", ["sessions", "list", "--user", "nobody@example.com"]),
    (3, "there is no grant", ["grants", "revoke", NOBODY]),
    (3, "there is no client", ["grants", "list", "--client", "nobody"]),
    (3, "there is no user", ["users", "reset-link", "nobody@example.com"]),
    (3, "there is no user", ["admins", "revoke", "nobody@example.com"]),
    (3, "no refused request has the error id", ["explain", "nothing"]),
    (1, "cannot be read", ["diff", "-f", "/nowhere.yaml"]),
    (1, "cannot be read", ["apply", "-f", "/nowhere.yaml"]),
    (2, "redirect_uris must name at least one", ["clients", "create", "--kind", "spa", "--name", "X"]),
    (2, "email must be an address", ["users", "create", "--email", "nobody"]),
    (2, "did you mean require_pkce?", ["clients", "create", "--kind", "service", "--name", "X", "--set", "require_pke=false"]),
    (2, "key=value", ["clients", "create", "--kind", "service", "--name", "X", "--set", "require_pkce"]),
    (2, "given twice", ["users", "create", "--email", "a@b.example", "--set", "name=A", "--set", "name=B"]),
    (2, "Invalid value for '--kind'", ["clients", "create", "--kind", "robot", "--name", "X"]),
    (2, "no JSON file", ["clients", "create", "--kind", "service", "--name", "X", "--jwks", "/nowhere.json"]),
    (2, "Missing option '--name'", ["clients", "create", "--kind", "service"]),
    (2, "say what to change", ["clients", "update", "nobody"]),
    (2, "say what to change", ["apis", "update", "https://nobody.example"]),
    (2, "say what to change", ["users", "update", "nobody@example.com"]),
    (2, "a duration is written", ["clients", "rotate-secret", "nobody", "--overlap", "soon"]),
    (2, "name a session", ["sessions", "revoke"]),
    (2, "name a session", ["sessions", "revoke", NOBODY, "--user", "a@b.example"]),
    (2, "name a grant", ["grants", "revoke"]),
    (2, "name a grant", ["grants", "revoke", NOBODY, "--client", "x"]),
    (2, "leave --announce out", ["keys", "rotate", "--announce", "--revoke"]),
    (2, "Invalid value for '--alg'", ["keys", "rotate", "--alg", "HS256"]),
]


@pytest.mark.parametrize(("code", "says", "arguments"), FAILURES, ids=[" ".join(arguments)[:60] for _, _, arguments in FAILURES])
def test_what_goes_wrong_has_its_exit_code_and_one_plain_line(cli, code, says, arguments):
    said = cli.error(*arguments, code=code)
    assert says in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"AUTHSERVER_ISSUER": "http://login.example.com"}, "AUTHSERVER_ISSUER must start with https://"),
        ({"AUTHSERVER_ISSUE": "x"}, "AUTHSERVER_ISSUE is not a setting; did you mean AUTHSERVER_ISSUER?"),
        ({"AUTHSERVER_DATABASE_URL": "oracle://db"}, "AUTHSERVER_DATABASE_URL must start with"),
        ({"AUTHSERVER_DATABASE_URL": "not a url"}, "AUTHSERVER_DATABASE_URL must be like"),
        ({"AUTHSERVER_DATABASE_URL": "sqlite:////nowhere/at/all.db"}, "AUTHSERVER_DATABASE_URL cannot be used"),
        ({"AUTHSERVER_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/x"}, "AUTHSERVER_DATABASE_URL cannot be used"),
        ({"AUTHSERVER_DATABASE_URL": "mysql://nobody@127.0.0.1:1/x"}, "AUTHSERVER_DATABASE_URL cannot be used"),
        ({"AUTHSERVER_SECRET_KEY": "short"}, "AUTHSERVER_SECRET_KEY: each secret key must be 32 bytes"),
        ({"AUTHSERVER_SECRET_KEY_FILE": "/nowhere", "AUTHSERVER_SECRET_KEY": None}, "AUTHSERVER_SECRET_KEY_FILE: cannot read"),
        ({"AUTHSERVER_DRAIN_DELAY": "soon"}, "AUTHSERVER_DRAIN_DELAY: a duration is written"),
    ],
)
def test_a_wrong_setting_is_named(cli, variables, says):
    assert says in cli.error("users", "list", code=1, **variables)


@pytest.mark.databases
def test_without_migrations_the_tables_are_asked_for(cli, database_server):
    url = database_server.empty()
    assert "run authserver db upgrade" in cli.error("clients", "list", code=1, AUTHSERVER_DATABASE_URL=url)
    database_server.drop(url)


def test_keys_of_another_secret_key_do_not_open(cli):
    cli("janitor")
    assert "not in AUTHSERVER_SECRET_KEY" in cli.error("keys", "list", code=1, AUTHSERVER_SECRET_KEY="B" * 43)


def test_without_a_secret_key_no_key_is_made(cli):
    assert "set AUTHSERVER_SECRET_KEY" in cli.error("janitor", code=1, AUTHSERVER_SECRET_KEY=None)


def test_a_fault_of_ours_keeps_its_traceback():
    fault = KeyError("x")
    assert explain(fault) is fault


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "-"),
        ("", "-"),
        (True, "yes"),
        (False, "no"),
        ([], "-"),
        (["a", "b"], "a, b"),
        ({"a": 1}, '{"a": 1}'),
        ("\x1b[31mred\n", "?[31mred?"),
    ],
)
def test_what_is_shown_moves_no_terminal(value, shown):
    assert plain(value) == shown


def test_no_hash_and_no_old_secret_is_ever_printed(cli):
    created = [
        cli.json("users", "create", "--email", "ada@example.com"),
        cli.json("clients", "create", "--kind", "service", "--name", "Billing", "--client-id", "billing"),
        cli.json("clients", "rotate-secret", "billing"),
    ]
    shown_once = [created[0]["password"], created[1]["client_secret"], created[2]["client_secret"]]
    given = "fifteen letters and more"
    cli("users", "set-password", "ada@example.com", "--password-stdin", stdin=given)
    cli("clients", "create", "--kind", "service", "--name", "Old", "--client-id", "old", "--secret-stdin", stdin=given)
    cli("clients", "rotate-secret", "old", "--secret-stdin", stdin=given + "!")
    del cli.printed[:3]
    for command in (
        *(("users", "list"), ("users", "get", "ada@example.com"), ("users", "update", "ada@example.com", "--name", "Ada")),
        *(("users", "disable", "ada@example.com"), ("users", "enable", "ada@example.com")),
        *(("clients", "list"), ("clients", "get", "billing"), ("clients", "update", "billing", "--name", "B")),
        *(("clients", "disable", "old"), ("clients", "enable", "old"), ("keys", "list"), ("config", "show"), ("db", "check")),
    ):
        cli(*command)
        cli(*command, "--json")
    printed = "\n".join(cli.printed)
    for secret in (*shown_once, given, "A" * 43):
        assert secret not in printed
    assert "$argon2" not in printed
    assert not re.search(r"\b[0-9a-f]{64}\b", printed)
