"""How a process proves itself to its database, and the database to it: RDS tokens and rotated passwords over verified TLS."""

from contextlib import contextmanager

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from authserver.runtime.aws import Aws
from authserver.runtime.database_access import check_access, is_proxied, read_password
from authserver.runtime.engine import make_engine
from authserver.runtime.settings import SettingsError
from authserver.store.base import transaction
from tests.aws_server import REGION, FakeAws
from tests.factories import make_settings
from tests.smtp_server import write_certificate
from tests.tls_front import MysqlThatAsksForClearText, TlsFront

ARN = f"arn:aws:secretsmanager:{REGION}:123456789012:secret:database-AbCdEf"
PROXY = "main.proxy-abcdefghijkl.eu-central-1.rds.amazonaws.com"
on_postgresql = pytest.mark.databases("postgresql")


@pytest.fixture
def aws(clock, fake):
    variables = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_REGION": REGION, "AWS_ENDPOINT_URL": fake.url}
    return Aws(variables, clock.now)


@pytest.fixture
def fake():
    with FakeAws() as server:
        yield server


@pytest.fixture
def certificate(tmp_path):
    return write_certificate(tmp_path, "127.0.0.1", PROXY)


@pytest.fixture
def front(certificate, database_server):
    with TlsFront(database_server.folder / "data" / ".s.PGSQL.5432", certificate) as listening:
        yield listening


@pytest.fixture
def role(database_server):
    """A role that signs in by a password, which the server has sent to it, as RDS has its tokens."""
    rules = database_server.folder / "data" / "pg_hba.conf"
    if "signer" not in rules.read_text():
        rules.write_text("local all signer password\n" + rules.read_text())
        database_server.run("CREATE ROLE signer LOGIN", "SELECT pg_reload_conf()")
        wait_for_rules(database_server)

    def set_password(password):
        database_server.run(f"ALTER ROLE signer PASSWORD '{password}'")

    return set_password


def wait_for_rules(server):
    for _ in range(100):
        engine = make_engine(make_settings(database_url=server.url("postgres").replace("postgres:@", "signer@")))
        try:
            ask(engine, "SELECT 1")
        except DBAPIError:
            return
        finally:
            engine.dispose()
    raise AssertionError("PostgreSQL does not read its rules anew")


def ask(engine, query):
    with transaction(engine) as db:
        return db.execute(text(query)).scalar()


@contextmanager
def engine_of(front, aws, *, host="127.0.0.1", query="", **settings):
    made = make_engine(make_settings(database_url=f"postgresql://signer@{host}:{front.port}/postgres{query}", **settings), aws)
    try:
        yield made
    finally:
        made.dispose()


@on_postgresql
def test_a_token_of_the_role_signs_in_over_verified_tls(aws, clock, certificate, front, role):
    role(aws.rds_token("127.0.0.1", front.port, "signer"))
    with engine_of(front, aws, database_iam=True, database_ca=str(certificate[0])) as engine:
        assert ask(engine, "SELECT current_user") == "signer"
        assert b"X-Amz-Signature" in front.said
        engine.dispose()
        clock.advance(minutes=1)
        with pytest.raises(DBAPIError, match="password authentication failed"):
            ask(engine, "SELECT 1")  # each connection has a token of its own time


@on_postgresql
@pytest.mark.parametrize("weakened", ["", "?sslmode=disable", "?sslmode=require"])
def test_no_token_is_sent_to_a_server_that_cannot_prove_itself(tmp_path, aws, certificate, front, database_server, weakened):
    (tmp_path / "other").mkdir()
    other, _ = write_certificate(tmp_path / "other", "127.0.0.1")
    for host, authorities in (("127.0.0.1", other), ("127.0.0.2", certificate[0])):
        with engine_of(front, aws, host=host, query=weakened, database_iam=True, database_ca=str(authorities)) as engine:
            with pytest.raises(DBAPIError, match="certificate"):
                ask(engine, "SELECT 1")
            assert front.said == b""
    with TlsFront(database_server.folder / "data" / ".s.PGSQL.5432", None) as plain:
        with (
            engine_of(plain, aws, query=weakened, database_iam=True, database_ca=str(certificate[0])) as engine,
            pytest.raises(DBAPIError, match="SSL"),
        ):
            ask(engine, "SELECT 1")
        assert plain.said == b""


@pytest.mark.databases("mariadb")
def test_mariadb_without_tls_is_told_nothing_either(aws, certificate, database_server):
    url = database_server.empty().replace("root@", "root:secret@")
    engine = make_engine(make_settings(database_url=url, database_ca=str(certificate[0])), aws)
    with pytest.raises(DBAPIError, match="SSL is required"):
        ask(engine, "SELECT 1")
    database_server.drop(url)


def arguments_of(url, aws, **settings):
    """What the driver would be given for a connection."""
    from sqlalchemy import event

    engine, given = make_engine(make_settings(database_url=url, **settings), aws), {}

    class Enough(Exception):
        """The arguments are known."""

    def look(*_arguments, **named):
        given.update(named)
        raise Enough

    engine.dialect.connect = look
    event.listen(engine, "do_connect", lambda dialect, _record, positional, named: dialect.connect(*positional, **named))
    with pytest.raises(Enough):
        engine.connect()
    return given


def test_mysql_has_its_token_inside_verified_tls(aws, certificate):
    import ssl

    url = "mysql://signer@db.abc.us-west-2.rds.amazonaws.com/x"
    given = arguments_of(url, aws, database_iam=True, database_ca=str(certificate[0]))
    assert given["password"] == aws.rds_token("db.abc.us-west-2.rds.amazonaws.com", 3306, "signer", "us-west-2")
    assert given["ssl"].verify_mode == ssl.CERT_REQUIRED
    assert given["ssl"].check_hostname
    assert len(given["ssl"].get_ca_certs()) == 1


def test_mysql_gives_its_token_as_clear_text_inside_that_tls(aws, certificate):
    with MysqlThatAsksForClearText(certificate) as server:
        url = f"mysql://signer@127.0.0.1:{server.port}/x"
        engine = make_engine(make_settings(database_url=url, database_iam=True, database_ca=str(certificate[0])), aws)
        with pytest.raises(DBAPIError, match="Access denied"):
            ask(engine, "SELECT 1")
    assert server.password.decode() == aws.rds_token("127.0.0.1", server.port, "signer")


@pytest.mark.parametrize(
    ("url", "is_verified"),
    [
        ("postgresql://u:p@db.example.com/x", True),
        ("postgresql://u:p@/x?host=db.example.com", True),
        ("postgresql://u:p@db.example.com/x?sslmode=require", False),
        ("postgresql://u:p@127.0.0.1/x", False),
        ("postgresql://u:p@/x?host=/var/run", False),
        ("mysql://u:p@db.example.com/x", True),
        ("mysql://u:p@localhost/x", False),
    ],
)
def test_on_lambda_tls_is_verified_unless_the_url_says_how_it_is_to_be(aws, url, is_verified):
    given = arguments_of(url, aws, on_lambda=True)
    assert (given.get("sslmode") == "verify-full" or "ssl" in given) == is_verified
    given = arguments_of(url, aws)
    assert given.get("sslmode") != "verify-full"
    assert "ssl" not in given


def test_on_lambda_the_authorities_of_rds_are_the_runtime_s_but_a_proxy_s_are_public(aws, certificate, monkeypatch):
    monkeypatch.setattr("authserver.runtime.database_access.RDS_CA", certificate[0])
    monkeypatch.setenv("SSL_CERT_FILE", "/etc/os-release")

    def authorities(host, **settings):
        return arguments_of(f"postgresql://u:p@{host}/x", aws, **settings)["sslrootcert"]

    assert authorities("db.abc.eu-central-1.rds.amazonaws.com", on_lambda=True) == str(certificate[0])
    assert authorities(PROXY, on_lambda=True) == "/etc/os-release"
    assert authorities("db.example.com", on_lambda=True, database_ca="/etc/hostname") == "/etc/hostname"
    monkeypatch.setattr("authserver.runtime.database_access.RDS_CA", certificate[0].parent / "none")
    monkeypatch.setenv("SSL_CERT_FILE", "/no/such/file")
    monkeypatch.setattr("authserver.runtime.database_access.PUBLIC_CAS", ("/no/such/file", "/etc/hostname"))
    assert authorities(PROXY, on_lambda=True) == "/etc/hostname"
    monkeypatch.setattr("authserver.runtime.database_access.PUBLIC_CAS", ())
    assert authorities("db.abc.eu-central-1.rds.amazonaws.com", on_lambda=True) == "system"


@on_postgresql
def test_a_password_that_was_rotated_is_fetched_anew(aws, clock, fake, certificate, front, role):
    role("one")
    fake.says(200, b'{"SecretString":"{\\"username\\":\\"signer\\",\\"password\\":\\"one\\"}"}')
    with engine_of(front, aws, database_password=ARN, database_ca=str(certificate[0])) as engine:
        assert ask(engine, "SELECT current_user") == "signer"
        engine.dispose()
        assert ask(engine, "SELECT current_user") == "signer"
        assert len(fake.requests) == 1
        role("two")
        clock.advance(minutes=1)
        engine.dispose()
        fake.says(200, b'{"SecretString":"two"}')
        assert ask(engine, "SELECT current_user") == "signer"
        role("three")
        clock.advance(minutes=1)
        engine.dispose()
        fake.says(200, b'{"SecretString":"two"}')
        with pytest.raises(DBAPIError, match="password authentication failed"):
            ask(engine, "SELECT 1")
        assert len(fake.requests) == 3


@on_postgresql
def test_a_password_that_cannot_be_had_is_an_unavailable_database(aws, fake, certificate, front, caplog):
    fake.says(400, b'{"__type":"AccessDeniedException","message":"secret-value"}')
    with (
        engine_of(front, aws, database_password=ARN, database_ca=str(certificate[0])) as engine,
        pytest.raises(DBAPIError, match="there is no password for it: secretsmanager GetSecretValue: AccessDeniedException"),
    ):
        ask(engine, "SELECT 1")
    (record,) = [record for record in caplog.records if record.name == "authserver.runtime"]
    assert "needs secretsmanager:GetSecretValue" in record.because
    assert "secret-value" not in record.because


@on_postgresql
def test_a_password_of_its_own_setting_signs_in(aws, certificate, front, role):
    role("apart")
    with engine_of(front, aws, database_password="apart", database_ca=str(certificate[0])) as engine:
        assert ask(engine, "SELECT current_user") == "signer"


@on_postgresql
def test_a_session_of_rds_proxy_sets_nothing_that_would_pin_it(aws, certificate, front, role):
    role("apart")
    through = {"query": "?hostaddr=127.0.0.1", "database_password": "apart", "database_ca": str(certificate[0])}
    for host, timeout in ((PROXY, "0"), ("127.0.0.1", "5s")):
        with engine_of(front, aws, host=host, **through) as engine:
            assert ask(engine, "SHOW statement_timeout") == timeout
        assert (b"set_config" in front.said) == (host != PROXY)
        assert b"SET " not in front.said.upper()


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        (PROXY, True),
        ("reads.endpoint.proxy-abcdefghijkl.cn-north-1.rds.amazonaws.com.cn", True),
        ("db.abcdefghijkl.eu-central-1.rds.amazonaws.com", False),
        ("db.proxy-abc.example.com", False),
        ("", False),
    ],
)
def test_a_proxy_is_known_by_its_name(host, expected):
    assert is_proxied(make_url(f"postgresql://u@{host}/x")) == expected


@pytest.mark.parametrize(
    ("held", "password"),
    [
        ("plain", "plain"),
        ('{"username":"u","password":"inside"}', "inside"),
        ('{"secret":"x"}', '{"secret":"x"}'),
        ("[1]", "[1]"),
        ('{"password":1}', '{"password":1}'),
        ("12345", "12345"),
    ],
)
def test_a_secret_is_the_password_or_has_it(held, password):
    assert read_password(held) == password


SERVER = "postgresql://u@db.example.com/x"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"on_lambda": True}, "AUTHSERVER_DATABASE_URL must name a PostgreSQL or MySQL database on AWS Lambda"),
        ({"on_lambda": True, "database_url": "sqlite:////tmp/a.db"}, "AUTHSERVER_DATABASE_URL must name"),
        ({"database_password": "x"}, "leave them out for SQLite"),
        ({"database_iam": True}, "leave them out for SQLite"),
        ({"database_ca": "/x"}, "leave them out for SQLite"),
        ({"database_url": SERVER, "database_password": "x", "database_iam": True}, "AUTHSERVER_DATABASE_PASSWORD is one password too many"),
        ({"database_url": "mysql://u:p@h/x", "database_password": "x"}, "one password too many"),
        ({"database_url": "mysql://u:p@h/x", "database_iam": True}, "AUTHSERVER_DATABASE_IAM needs a user and a host"),
        ({"database_url": "mysql://h/x", "database_iam": True}, "needs a user"),
        ({"database_url": "postgresql://u@/x", "database_iam": True}, "needs a user"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(changes, why):
    with pytest.raises(SettingsError, match=why) as refused:
        make_settings(**changes)
    assert "u:p" not in str(refused.value)


def test_a_url_that_is_none_is_left_to_whoever_reads_it():
    check_access("postgresql://[", password="", iam=False, ca="", on_lambda=False)


def test_a_file_of_authorities_must_be_there(aws):
    with pytest.raises(ValueError, match="AUTHSERVER_DATABASE_CA: there is no file /no/such"):
        make_engine(make_settings(database_url=SERVER, database_ca="/no/such"), aws)
