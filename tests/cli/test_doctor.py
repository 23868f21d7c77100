"""`authserver doctor`: what it prints, its exit codes, and the settings and servers that it looks at."""

import json
from collections.abc import Iterator

import pytest

from authserver.app import create_app
from authserver.runtime import Runtime
from tests.admin.liar import OPENID, Liar, header, in_both, served
from tests.clock import Clock
from tests.factories import insert_keys, make_client, make_settings, make_test_runtime
from tests.servers import free_port


@pytest.fixture
def liar(database_url) -> Iterator[Liar]:
    """A server on loopback that can be made to lie; `issuer` is its URL."""
    port = free_port()
    runtime: Runtime = make_test_runtime(make_settings(issuer=f"http://127.0.0.1:{port}", database_url=database_url), Clock())
    insert_keys(runtime)
    liar = Liar(create_app(runtime))
    liar.issuer, liar.runtime = runtime.settings.issuer, runtime
    with served(liar, port=port):
        yield liar
    runtime.engine.dispose()


# A configuration


def test_a_sound_configuration_is_said_in_one_line_and_is_no_failure(cli):
    (shown,) = cli("doctor").stdout.splitlines()
    assert shown.endswith(" checks of http://localhost:9000: 0 errors, 0 warnings; 0 skipped.")


def test_problems_come_first_with_what_to_change_and_where_that_is_demanded(cli):
    shown = cli("doctor", code=1, AUTHSERVER_LOG_LEVEL="DEBUG", AUTHSERVER_AUTHORIZATION_CODE_LIFETIME="15m").stdout.splitlines()
    assert shown[:5] == [
        "error    settings.code_lifetime",
        "         AUTHSERVER_AUTHORIZATION_CODE_LIFETIME is 15m, expected at most 1m",
        "         Change: AUTHSERVER_AUTHORIZATION_CODE_LIFETIME=60",
        "         See:    RFC 6749 section 4.1.2; FAPI 2.0 Security Profile section 5.3.2.1",
        "",
    ]
    assert shown[5] == "warning  settings.log_level"
    assert "1 error, 1 warning; 0 skipped." in shown[-1]


def register(cli, client_id):
    """A client whose refresh tokens are never rotated, though they should be."""
    given = ("--client-id", client_id, "--redirect-uri", "https://app.example.org/", "--set", "refresh_token_rotation=never")
    cli("clients", "create", "--kind", "spa", "--name", "App", *given)


def test_findings_of_one_check_are_gathered(cli):
    for name in ("first", "second"):
        register(cli, name)
    shown = cli("doctor", code=1).stdout
    assert shown.count("clients.rotation") == 1
    assert "         first: refresh_token_rotation is never" in shown
    assert "         second: refresh_token_rotation is never" in shown
    assert shown.count("Change: ") == 1


def test_warnings_fail_only_with_strict(cli):
    cli("doctor", AUTHSERVER_LOG_LEVEL="DEBUG")
    cli("doctor", "--strict", code=1, AUTHSERVER_LOG_LEVEL="DEBUG")


def test_the_document_is_the_same_for_programs(cli):
    document = json.loads(cli("doctor", "--aws", "--json", code=1).stdout)
    assert document["version"] == 1
    assert document["counts"]["error"] == len([one for one in document["findings"] if one["outcome"] == "error"])
    assert {"id", "outcome", "about", "reason", "section", "fix"} == set(document["findings"][0])
    assert "aws.issuer" in {one["id"] for one in document["findings"]}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"AUTHSERVER_ISSUER": "https://login.example.com/"}, "without a slash at the end"),
        ({"AUTHSERVER_ISSUERS": "x"}, "AUTHSERVER_ISSUERS is not a setting; did you mean AUTHSERVER_ISSUER?"),
        ({"AUTHSERVER_SECRET_KEY": "short"}, "must be 32 bytes in base64"),
        ({"AUTHSERVER_SPECIFICATIONS_OFF": "RFC-9207"}, "AUTHSERVER_SPECIFICATIONS_OFF can name: "),
        ({"AUTHSERVER_DATABASE_URL": "oracle://x"}, "must start with sqlite:, postgresql: or mysql:"),
    ],
)
def test_settings_that_cannot_be_read_are_a_finding_too(cli, changes, expected):
    shown = cli("doctor", code=1, **changes).stdout
    assert "error    settings.valid" in shown
    assert expected in shown
    assert "1 check of the settings: 1 error, 0 warnings; 0 skipped." in shown
    document = json.loads(cli("doctor", "--json", code=1, **changes).stdout)
    assert document["target"] == ""


# A server


def test_a_server_is_looked_at_without_settings_and_database(cli, liar):
    shown = cli("doctor", "--url", liar.issuer, AUTHSERVER_DATABASE_URL="sqlite:////nowhere.db").stdout
    assert "0 errors, 0 warnings" in shown
    assert "tls.certificate, http.hsts: the URL is http" in shown


def test_a_slash_at_the_end_of_the_url_is_refused_with_the_reason(cli, liar):
    shown = cli("doctor", "--url", f"{liar.issuer}/", code=1).stdout
    assert "error    url.form" in shown
    assert "ends with a slash: AWS (API Gateway, IAM and STS) and most libraries compare issuers byte by byte" in shown


def test_a_server_of_another_issuer_is_a_failure(cli, liar):
    with liar.lying(in_both(issuer="https://login.example.com/")):
        assert "discovery.issuer" in cli("doctor", "--url", liar.issuer, code=1).stdout
    with liar.lying(header(OPENID, "Content-Type", "text/html")):
        cli("doctor", "--url", liar.issuer)
        cli("doctor", "--url", liar.issuer, "--strict", code=1)


def test_a_client_is_lent_by_option_and_standard_input_or_by_the_environment(cli, liar):
    made = make_client(liar.runtime, "service", client_id="ci")
    for options, stdin, variables in (
        (("--client-id", "ci", "--secret-stdin"), f"{made.secret}\n", {}),
        ((), None, {"DOCTOR_CLIENT_ID": "ci", "DOCTOR_CLIENT_SECRET": made.secret}),
    ):
        document = json.loads(cli("doctor", "--url", liar.issuer, *options, "--json", stdin=stdin, **variables).stdout)
        outcomes = {one["id"]: one["outcome"] for one in document["findings"]}
        assert outcomes["token.issuer"] == "ok"
        assert made.secret not in str(document)


def test_a_template_is_compared_with_either(cli, liar, tmp_path):
    template = tmp_path / "serverless.yml"
    template.write_text(f"authorizers: {{mine: {{issuerUrl: '{liar.issuer}/', audience: [https://api.example.com]}}}}")
    expected = "authorizers.mine.issuerUrl: "
    assert expected in cli("doctor", "--url", liar.issuer, "--template", str(template), code=1).stdout
    assert expected in cli("doctor", "--template", str(template), code=1, AUTHSERVER_ISSUER=liar.issuer).stdout


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--url", "login.example.com"), "--url must be the issuer of the server"),
        (("--client-id", "ci"), "--client-id is of use beside --url alone"),
        (("--connect-to", "127.0.0.1"), "--connect-to is of use beside --url alone"),
        (("--url", "https://x.example", "--ca", "/nowhere.pem"), "--ca must name a PEM file of certificates"),
        (("--template", "/nowhere.yml"), "--template cannot be read: /nowhere.yml"),
    ],
)
def test_a_wrong_usage_is_said_with_what_to_give(cli, options, expected):
    assert expected in cli.error("doctor", *options, code=2)
