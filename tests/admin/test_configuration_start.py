"""AUTHSERVER_APPLY: a file that is applied at every start, by one process of many; a bad one stops the start."""

import json
import logging
import os
import subprocess
import sys

import pytest

from authserver import jobs
from authserver.admin.clients import get_client
from authserver.admin.configuration.source import BadFile
from authserver.admin.configuration.start import apply_at_start
from authserver.runtime.settings import SettingsError
from tests.admin.configuration_files import FILE
from tests.factories import ISSUER, SECRET_KEY, make_settings, make_test_runtime
from tests.servers import RealServer

SPA = "clients:\n  shop:\n    kind: spa\n    client_name: Shop\n    redirect_uris: [https://shop.example.com/]\n"


@pytest.fixture
def start(runtime, clock, tmp_path):
    """Start with a file."""
    made = []

    def begin(text):
        file = tmp_path / "clients.yaml"
        file.write_text(text)
        made.append(make_test_runtime(make_settings(database_url=runtime.settings.database_url, apply=str(file)), clock))
        apply_at_start(made[-1])

    yield begin
    for one in made:
        one.engine.dispose()


def test_without_the_setting_nothing_happens(runtime, counts):
    with counts.measure() as spent:
        apply_at_start(runtime)
    assert spent.statements == []


def test_it_is_applied_at_every_start_and_deletes_nothing(start, act, caplog):
    caplog.set_level(logging.INFO, "authserver.configuration")
    start(SPA)
    start(SPA.replace("client_name: Shop", "client_name: Webshop"))
    assert act(get_client, "shop").client_name == "Webshop"
    start("roles: {}\n")
    assert act(get_client, "shop").managed_by == "clients"
    outcomes = [record.outcome for record in caplog.records if record.message == "configuration applied"]
    assert outcomes == ["1 to create.", "1 to change.", "No difference. 1 no longer in the file."]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("clients: {shop: {}}", "clients.yaml:1: clients.shop.kind is missing"),
        (SPA.replace("https:", "http:"), "clients.yaml:5: clients.shop.redirect_uris must start with https://"),
        (FILE, "clients.billing.secret must be env:NAME or file:PATH in a file of AUTHSERVER_APPLY"),
    ],
)
def test_a_bad_file_stops_the_start(start, act, text, says):
    with pytest.raises(BadFile) as raised:
        start(text)
    assert says in raised.value.why


def test_a_secret_that_was_made_before_is_no_obstacle(start, files):
    files.apply(FILE)
    start(FILE)


def test_a_file_that_is_not_there_is_named(clock):
    with pytest.raises(SettingsError, match=r"/nowhere/clients.yaml cannot be read: No such file"):
        apply_at_start(make_test_runtime(make_settings(apply="/nowhere/clients.yaml"), clock))


def test_the_migration_job_applies_it_to_new_tables(database_server, tmp_path, monkeypatch, clock):
    handlers, level = logging.root.handlers[:], logging.root.level
    url, file = database_server.empty(), tmp_path / "clients.yaml"
    file.write_text(SPA)
    for name, value in {"ISSUER": ISSUER, "DATABASE_URL": url, "SECRET_KEY": SECRET_KEY, "APPLY": str(file)}.items():
        monkeypatch.setenv(f"AUTHSERVER_{name}", value)
    try:
        jobs.migrate({}, None)
        jobs.migrate({}, None)
    finally:
        logging.root.handlers[:] = handlers
        logging.root.setLevel(level)
    runtime = make_test_runtime(make_settings(database_url=url), clock)
    with runtime.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT client_name, version FROM clients WHERE client_id = 'shop'").all() == [("Shop", 1)]
    runtime.engine.dispose()
    database_server.drop(url)


@pytest.mark.slow
@pytest.mark.databases
def test_of_servers_that_start_together_one_applies_it_and_all_serve(serve, database_url, tmp_path, act):
    file = tmp_path / "clients.yaml"
    file.write_text(SPA + "".join(f"  c{number}:\n    kind: device\n    client_name: C{number}\n" for number in range(50)))
    together = [RealServer(database_url, tmp_path / f"together-{number}.log", apply=str(file)) for number in range(3)]
    try:
        for one in together:
            with one.log.open("ab") as log:
                one.process = subprocess.Popen(one.command(), env=one.environment(), stdout=log, stderr=log, start_new_session=True)
        for one in together:
            one.wait(40)
    finally:
        for one in together:
            one.stop()
    assert (act(get_client, "shop").version, act(get_client, "c49").version) == (1, 1)


@pytest.mark.slow
def test_serve_says_why_a_bad_file_stops_it_and_logs_what_a_good_one_did(database_url, runtime, tmp_path):
    file = tmp_path / "clients.yaml"
    file.write_text("clients:\n  shop: {kind: spa}\n")
    server = RealServer(database_url, tmp_path / "log", apply=str(file), log_level="INFO")
    program = [*server.command()[:2], "--port", str(server.port)]
    done = subprocess.run(program, env=server.environment(), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert f"{file}:2: clients.shop.client_name is missing" in done.stderr
    assert "Traceback" not in done.stderr
    file.write_text(SPA)
    try:
        server.start()
    finally:
        server.stop()
    lines = [json.loads(line) for line in server.log.read_text().splitlines()]
    (said,) = [line for line in lines if line["message"] == "configuration applied"]
    assert (said["owner"], said["outcome"]) == ("clients", "1 to create.")
    assert len([line for line in lines if line["message"].startswith("Starting granian")]) == 1, "no line is written twice"


def test_the_token_path_loads_none_of_it():
    code = "import authserver.wsgi, sys; print('yaml' in sys.modules, 'smtplib' in sys.modules, 'authserver.admin' in sys.modules)"
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AUTHSERVER_")}
    variables = {"AUTHSERVER_ISSUER": ISSUER, "AUTHSERVER_SECRET_KEY": SECRET_KEY, "AUTHSERVER_APPLY": "/nowhere.yaml"}
    done = subprocess.run([sys.executable, "-c", code], env=clean | variables, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == ["False", "False", "False"]
