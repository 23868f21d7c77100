"""The issuer alone says where the server is: paths, hosts and forwarded headers."""

from typing import Any

import pytest
from werkzeug.test import Client

from authserver.runtime import Runtime
from authserver.runtime.aws import Aws
from authserver.web.mount import OPENED, is_issuer_host, mounted
from tests.aws_server import FakeAws
from tests.clock import Clock
from tests.factories import ISSUER, make_client, make_settings, make_user
from tests.http_client import InProcess
from tests.pages import read
from tests.relying_party import RelyingParty


def seen_by_application(issuer: str, environ: dict[str, Any], proxies: int = 0, **settings: Any) -> dict[str, Any]:
    seen: dict[str, Any] = {}

    def application(given: dict[str, Any], _start: Any) -> list[bytes]:
        seen.update(given)
        return []

    list(mounted(application, make_settings(issuer=issuer, trusted_proxies=proxies, **settings))({"PATH_INFO": "/", **environ}, None))
    return seen


@pytest.mark.parametrize(
    ("path", "inner"),
    [("/auth/login", "/login"), ("/login", "/login"), ("/auth", "/"), ("/auth/", "/"), ("/authority", "/authority"), ("/", "/")],
)
def test_the_mount_is_accepted_stripped_or_not(path: str, inner: str) -> None:
    seen = seen_by_application("https://login.example.com/auth", {"PATH_INFO": path, "SCRIPT_NAME": "/stage"})
    assert (seen["SCRIPT_NAME"], seen["PATH_INFO"]) == ("/auth", inner)


def test_host_and_scheme_are_the_issuers_whatever_was_sent() -> None:
    seen = seen_by_application("https://login.example.com:8443", {"HTTP_HOST": "evil.example", "wsgi.url_scheme": "http"})
    assert (seen["HTTP_HOST"], seen["wsgi.url_scheme"], seen[OPENED]) == ("login.example.com:8443", "https", "evil.example")


FORWARDED = {"HTTP_X_FORWARDED_FOR": "198.51.100.1, 203.0.113.9", "HTTP_X_FORWARDED_HOST": "login.example.com", "REMOTE_ADDR": "10.0.0.1"}


@pytest.mark.spec("RFC 9700", "4.13")
@pytest.mark.parametrize(
    ("proxies", "address", "opened"), [(0, "10.0.0.1", ""), (1, "203.0.113.9", "login.example.com"), (2, "198.51.100.1", "")]
)
def test_forwarded_headers_are_believed_for_as_many_hops_as_are_set(proxies: int, address: str, opened: str) -> None:
    seen = seen_by_application(ISSUER, FORWARDED, proxies)
    assert (seen["REMOTE_ADDR"], seen[OPENED]) == (address, opened)


PROXY_SECRET = "s" * 32


@pytest.mark.spec("RFC 9700", "4.13")
@pytest.mark.parametrize("sent", [{}, {"HTTP_X_PROXY_SECRET": ""}, {"HTTP_X_PROXY_SECRET": "S" * 32}, {"HTTP_X_PROXY_SECRET": "\xff"}])
def test_what_comes_past_the_proxy_is_not_believed(sent: dict[str, str]) -> None:
    seen = seen_by_application(ISSUER, {**FORWARDED, **sent}, 1, proxy_secret=PROXY_SECRET)
    assert (seen["REMOTE_ADDR"], seen[OPENED]) == ("10.0.0.1", "")


def test_the_proxy_is_believed_by_its_secret_which_goes_no_further() -> None:
    seen = seen_by_application(ISSUER, {**FORWARDED, "HTTP_X_PROXY_SECRET": PROXY_SECRET}, 1, proxy_secret=PROXY_SECRET)
    assert (seen["REMOTE_ADDR"], seen[OPENED]) == ("203.0.113.9", "login.example.com")
    assert PROXY_SECRET not in map(str, seen.values())


def test_no_proxy_is_believed_while_the_secret_cannot_be_had() -> None:
    arn = "arn:aws:ssm:eu-central-1:123456789012:parameter/authserver/proxy"
    for sent in ("", arn):
        seen = seen_by_application(ISSUER, {**FORWARDED, "HTTP_X_PROXY_SECRET": sent}, 1, proxy_secret=arn)
        assert seen["REMOTE_ADDR"] == "10.0.0.1"


def test_a_proxys_new_secret_is_fetched_when_it_comes_and_none_is_for_who_sends_none(clock: Clock) -> None:
    arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:proxy-AbCdEf"
    seen: list[str] = []
    with FakeAws() as fake:
        aws = Aws({"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_ENDPOINT_URL": fake.url}, clock.now)
        settings = make_settings(trusted_proxies=1, proxy_secret=arn)
        front = mounted(lambda environ, _start: seen.append(environ["REMOTE_ADDR"]) or [], settings, aws)  # type: ignore[func-returns-value]

        def send(secret: str) -> str:
            list(front({"PATH_INFO": "/", **FORWARDED, "HTTP_X_PROXY_SECRET": secret}, None))
            return seen.pop()

        assert (send(""), fake.requests) == ("10.0.0.1", [])
        fake.says(200, b'{"SecretString":"the first secret"}')
        assert send("the first secret") == "203.0.113.9"
        clock.advance(minutes=1)
        fake.says(200, b'{"SecretString":"the second secret"}')
        assert send("the second secret") == "203.0.113.9"
        assert send("the first secret") == "10.0.0.1", "which is over"
        assert len(fake.requests) == 2


@pytest.mark.parametrize(
    ("issuer", "opened", "is_it"),
    [
        (ISSUER, "login.example.com", True),
        (ISSUER, "LOGIN.example.com:443", True),
        (ISSUER, "", True),
        (ISSUER, "login.example.com:8443", False),
        (ISSUER, "login.example.com.evil.example", False),
        ("http://localhost:9000", "localhost:9000", True),
        ("http://localhost:9000", "127.0.0.1:9000", False),
        ("http://localhost", "localhost:80", True),
        ("https://login.example.com:444", "login.example.com:444", True),
    ],
)
def test_a_host_is_the_issuers_or_not(issuer: str, opened: str, is_it: bool) -> None:
    assert is_issuer_host(make_settings(issuer=issuer), opened) is is_it


def test_a_page_under_another_host_names_the_fix(app: Any) -> None:
    answer = Client(app).get("/login", base_url="https://10.1.2.3:8443")
    assert answer.status_code == 400
    assert "Location" not in answer.headers
    assert all(text in answer.text for text in ("10.1.2.3:8443", f'href="{ISSUER}/"', "AUTHSERVER_ISSUER", "AUTHSERVER_TRUSTED_PROXIES"))


def test_a_hostile_host_is_shown_as_text(app: Any) -> None:
    answer = Client(app).get("/", headers={"Host": "<script>alert(1)</script>"})
    assert answer.status_code == 400
    assert "<script>" not in answer.text


@pytest.mark.parametrize("path", ["/livez", "/.well-known/openid-configuration", "/.well-known/jwks.json", "/static/style.css"])
def test_machines_may_come_by_any_host(app: Any, path: str) -> None:
    answer = Client(app).get(path, base_url="http://10.1.2.3:8000")
    assert answer.status_code == 200
    assert "10.1.2.3" not in answer.text


@pytest.mark.settings(issuer="https://login.example.com/auth")
def test_a_whole_sign_in_works_under_a_path(http: InProcess, runtime: Runtime) -> None:
    party = RelyingParty(http, make_client(runtime))
    begun = party.begin()
    assert begun.answer.location is not None
    assert begun.answer.location.startswith("https://login.example.com/auth/login?")
    page = read(http.get(begun.answer.location))
    assert page.forms[0].action == "https://login.example.com/auth/login"
    assert 'href="/auth/static/style.css?v=' in page.answer.text
    tokens = party.sign_in(make_user(runtime))
    assert party.verify(tokens["id_token"], party.made.client_id)["iss"] == "https://login.example.com/auth"


@pytest.mark.settings(issuer="https://login.example.com/auth")
def test_links_have_the_mount_although_a_proxy_strips_it(app: Any) -> None:
    answer = Client(app).get("/logout", base_url="https://login.example.com")
    assert 'href="/auth/static/style.css?v=' in answer.text
