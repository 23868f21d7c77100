"""`authserver init`: settings that are asked for or given, written so that only their owner reads them, and checked."""

import os
import re
import stat
import subprocess
import time

import pytest

from authserver.runtime.settings import read_settings
from tests.cli.test_configuration import PROGRAM, on_a_terminal
from tests.factories import SECRET_KEY
from tests.http_client import OverNetwork
from tests.servers import free_port

CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("AUTHSERVER_")}
ISSUER = "https://login.example.com"


@pytest.fixture
def init(cli, tmp_path):
    """Run it in a folder of its own, without any setting around it."""
    cli.environment = {}

    def run(*arguments, **rest):
        return cli("init", "--issuer", ISSUER, "--folder", str(tmp_path / "etc"), *arguments, **rest)

    run.folder = tmp_path / "etc"
    return run


def settings_of(folder):
    """The settings as a shell reads them."""
    script = f"set -a; . {folder / 'authserver.env'}; env -0"
    done = subprocess.run(["sh", "-c", script], env=CLEAN, capture_output=True, text=True, timeout=10, check=True)
    return dict(line.split("=", 1) for line in done.stdout.split("\0") if line.startswith("AUTHSERVER_"))


def test_it_writes_settings_and_a_key_that_only_their_owner_reads(init):
    shown = init().stdout
    for name in ("authserver.env", "authserver.key"):
        assert stat.S_IMODE((init.folder / name).stat().st_mode) == 0o600
    settings = read_settings(settings_of(init.folder))
    assert (settings.issuer, settings.trusted_proxies) == (ISSUER, 1)
    assert settings.database_url == f"sqlite:///{init.folder}/authserver.db"
    assert settings.secret_key[0] == (init.folder / "authserver.key").read_text().strip()
    assert settings.secret_key[0] not in shown
    assert re.search(r"^  https://login\.example\.com/admin/setup\?token=[\w-]{43}$", shown, re.MULTILINE)
    assert "within 15 minutes, once" in shown
    assert max(map(len, shown.splitlines())) <= 160


def test_the_key_may_stand_among_the_settings(init):
    init("--keys", "env")
    assert not (init.folder / "authserver.key").exists()
    assert len(read_settings(settings_of(init.folder)).secret_key[0]) == 44
    assert "SECRET_KEY_FILE" not in (init.folder / "authserver.env").read_text()


def test_it_makes_the_tables_of_an_empty_database_and_takes_migrated_ones(init, database_server, cli):
    empty, migrated = database_server.empty(), database_server.new()
    for number, url in enumerate((empty, migrated)):
        document = cli.json("init", "--issuer", ISSUER, "--database-url", url, "--folder", str(init.folder / str(number)))
        assert document["link"].startswith(f"{ISSUER}/admin/setup?token=")
        cli.environment = settings_of(init.folder / str(number))
        assert cli.json("db", "check")["differences"] == []
        assert {key["state"] for key in cli.json("keys", "list")} == {"signing"}
        cli.environment = {}


def test_it_overwrites_nothing_and_a_key_that_is_there_is_used(init, cli):
    init()
    key = (init.folder / "authserver.key").read_text()
    assert "authserver.env is there already" in init(code=1).stderr
    (init.folder / "authserver.env").unlink()
    init()
    assert (init.folder / "authserver.key").read_text() == key
    (init.folder / "authserver.env").unlink()
    (init.folder / "authserver.key").unlink()
    said = init(code=1).stderr
    assert "has sealed keys already: put the key that opens them into" in said
    assert not (init.folder / "authserver.key").exists()
    (init.folder / "authserver.key").write_text("B" * 43)
    assert "not in AUTHSERVER_SECRET_KEY" in init(code=1).stderr


def test_where_somebody_is_owner_it_makes_no_link(init, cli):
    init()
    cli.environment = settings_of(init.folder)
    cli("users", "create", "--email", "ada@example.com")
    cli("admins", "grant", "ada@example.com", "owner")
    cli.environment = {}
    (init.folder / "authserver.env").unlink()
    shown = init().stdout
    assert "token=" not in shown
    assert "Somebody is owner already" in shown


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--issuer", "http://login.example.com"], 1, "AUTHSERVER_ISSUER must start with https://"),
        (["--issuer", "login.example.com"], 1, "AUTHSERVER_ISSUER must be a URL"),
        (["--database-url", "oracle://x"], 1, "AUTHSERVER_DATABASE_URL must start with"),
        (["--database-url", "postgresql://nobody@127.0.0.1:1/x"], 1, "AUTHSERVER_DATABASE_URL cannot be used"),
        (["--keys", "cloud"], 2, "Invalid value for '--keys'"),
    ],
)
def test_what_cannot_work_is_said_before_anything_is_written(init, arguments, code, says):
    assert says in init(*arguments, code=code).stderr
    assert not (init.folder / "authserver.env").exists()
    assert not (init.folder / "authserver.key").exists()


def test_without_a_terminal_nothing_is_asked(cli, tmp_path):
    cli.environment = {}
    assert "say --issuer" in cli.error("init", "--folder", str(tmp_path), code=2)
    cli("init", "--folder", str(tmp_path), AUTHSERVER_ISSUER=ISSUER)
    assert settings_of(tmp_path)["AUTHSERVER_ISSUER"] == ISSUER


def test_a_folder_that_cannot_be_written_is_named(cli, tmp_path):
    (tmp_path / "file").write_text("")
    said = cli.error("init", "--issuer", ISSUER, "--folder", str(tmp_path / "file" / "x"), code=1)
    assert "cannot be made: Not a directory" in said


@pytest.mark.slow
def test_at_a_terminal_it_asks_for_what_is_missing(cli, tmp_path):
    cli.environment = {}
    answers = f"{ISSUER}/\n\nenv\n"
    code, shown = on_a_terminal(cli, answers, "init", "--folder", str(tmp_path / "asked"))
    assert code == 0, shown
    assert "The public URL of this server" in shown
    assert f"Its database [sqlite:///{tmp_path}/asked/authserver.db]" in shown
    settings = read_settings(settings_of(tmp_path / "asked"))
    assert (settings.issuer, len(settings.secret_key)) == (ISSUER, 1)


def test_a_value_with_signs_of_the_shell_survives_it(init, database_server, cli, tmp_path):
    odd = tmp_path / "a b'$HOME&;#"
    cli("init", "--issuer", ISSUER, "--folder", str(odd))
    path = odd / "authserver.env"
    script = 'set -a; . "$1"; printf %s "$AUTHSERVER_DATABASE_URL"'
    done = subprocess.run(["sh", "-c", script, "sh", str(path)], env=CLEAN, capture_output=True, text=True, timeout=10, check=True)
    assert done.stdout == f"sqlite:///{odd}/authserver.db"


@pytest.mark.slow
def test_what_it_wrote_serves(cli, tmp_path):
    cli.environment = {}
    port = free_port()
    issuer = f"http://localhost:{port}"
    link = cli.json("init", "--issuer", issuer, "--folder", str(tmp_path))["link"]
    script = f"set -a; . {tmp_path / 'authserver.env'}; set +a; exec {PROGRAM} serve --port {port}"
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(["sh", "-c", script], env=CLEAN | {"AUTHSERVER_DRAIN_DELAY": "0"}, stdout=log, stderr=log)
    try:
        for _ in range(400):
            try:
                if OverNetwork(issuer).get("/readyz").status == 200:
                    break
            except OSError:
                pass
            assert process.poll() is None, (tmp_path / "log").read_text()
            time.sleep(0.05)
        assert OverNetwork(issuer).get(link.removeprefix(issuer)).status == 200
    finally:
        process.terminate()
        process.wait(20)
    assert SECRET_KEY not in (tmp_path / "log").read_text()
