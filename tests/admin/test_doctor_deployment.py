"""Each check of a server at a URL: silent where all is well, and the only one to speak where that one thing is wrong."""

import base64
import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import quote

import pytest

from authserver.admin.doctor.aws_checks import AWS, AWS_OUTSIDE, public
from authserver.admin.doctor.catalogue import DEPLOYMENT, examine_deployment
from authserver.admin.doctor.deployment import Deployment, Visitor
from authserver.admin.doctor.finding import Report
from authserver.admin.errors import Invalid
from authserver.app import create_app
from authserver.crypto.digest import encode
from authserver.runtime import Runtime
from tests.admin.certificates import Authority
from tests.admin.doctored import ids, problems, skips
from tests.admin.liar import (
    AUTHORIZE,
    JWKS,
    OAUTH,
    OPENID,
    SIGN_IN,
    TOKEN,
    USERINFO,
    Liar,
    Told,
    answer,
    header,
    in_both,
    keys,
    member,
    replaced,
    served,
)
from tests.clock import Clock
from tests.factories import API, REDIRECT_URI, insert_keys, key_rows, make_client, make_resource_server, make_settings, make_test_runtime
from tests.migrated import migrate
from tests.servers import free_port

HOST, MOUNT = "login.example.com", "/auth"
ISSUER = f"https://{HOST}{MOUNT}"
UNSEEN = {"aws.public"}
"""What cannot be seen here: the addresses of a name beside --connect-to."""


@dataclass
class Site:
    """The real application behind two liars: by https below a path, and by http, which redirects to it."""

    liar: Liar
    plain: Liar
    port: int
    plain_port: int
    authority: Authority
    visitor: Visitor
    runtime: Runtime

    def deployment(self, url: str = ISSUER, **changes: Any) -> Deployment:
        given = {"visitor": self.visitor, "connect_to": f"127.0.0.1:{self.port}", "plain_port": self.plain_port, **changes}
        return Deployment(url, **given)

    def examine(self, url: str = ISSUER, **changes: Any) -> Report:
        return examine_deployment(self.deployment(url, **changes), aws=True)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    url = f"sqlite:///{folder / 'site.db'}"
    migrate(url)
    runtime = make_test_runtime(make_settings(issuer=ISSUER, database_url=url), Clock())
    insert_keys(runtime)
    make_resource_server(runtime)
    grants = ["authorization_code", "refresh_token", "client_credentials"]
    made = make_client(runtime, "web", client_id="lent", grant_types=grants, apis=[API], scope="openid read")
    authority, patch = Authority(folder), pytest.MonkeyPatch()
    patch.setenv("SSL_CERT_FILE", str(authority.file))
    liar, plain = Liar(create_app(runtime), MOUNT), Liar(to_https, MOUNT)
    with ExitStack() as stack:
        port = stack.enter_context(served(liar, authority.context(HOST)))
        plain_port = stack.enter_context(served(plain))
        visitor = Visitor(client_id="lent", client_secret=made.secret or "", redirect_uri=REDIRECT_URI)
        yield Site(liar, plain, port, plain_port, authority, visitor, runtime)
    patch.undo()
    runtime.engine.dispose()


def to_https(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("301 Moved Permanently", [("Location", f"https://{HOST}{environ['PATH_INFO']}")])
    return [b""]


# The sound server


def test_a_sound_server_has_no_finding_that_is_a_problem_and_every_check_looked(site):
    report = site.examine()
    assert problems(report) == {}
    assert set(skips(report)) == UNSEEN
    assert sorted(finding.id for finding in report.findings) == ids(*DEPLOYMENT, AWS, AWS_OUTSIDE)


def test_nothing_is_written_by_an_examination(site):
    with site.liar.lying():
        site.examine()
        asked = site.liar.asked
    assert {path for method, path in asked if method == "POST"} == {TOKEN}
    assert {path for method, path in asked if path == AUTHORIZE and method != "OPTIONS"} == {AUTHORIZE}
    assert len(asked) < 40


def test_without_a_client_its_checks_say_what_to_give(site):
    skipped = skips(site.examine(visitor=Visitor()))
    lent = {"token.issued", "token.not_cached", "token.issuer", "token.header", "token.times", "token.audience", "aws.token"}
    assert set(skipped) == UNSEEN | lent | {"authorize.iss"}
    assert "--secret-stdin" in skipped["token.issued"]
    assert "--redirect-uri" in skipped["authorize.iss"]


# The broken ones


def expects(name: str, text: str, lie: Any = None, *, before: Any = None, more: set[str] | None = None) -> Any:
    """A lie, the finding that it must lead to, and a text of it."""
    return pytest.param(name, text, lie, before, more or set(), id=f"{name}-{text[:24]}")


def other_key(**changes: Any) -> Any:
    """Change the first RSA key that signs RS256."""

    def change(found: list[dict[str, Any]]) -> None:
        one = next(key for key in found if key["alg"] == "RS256")
        one.update(changes)
        for name in [name for name, value in changes.items() if value is ...]:
            del one[name]

    return keys(change)


def twice(found: list[dict[str, Any]]) -> None:
    found.append(dict(found[0]))


def without_rsa(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [key for key in found if key["kty"] != "RSA"]


def mirror_host(told: Told) -> None:
    """A proxy that rewrites bodies by the Host, or the X-Forwarded-Host, that it was asked by."""
    forged = told.asked.get("HTTP_X_FORWARDED_HOST") or told.asked["HTTP_HOST"]
    if told.path == OPENID:
        told.body = told.body.replace(HOST.encode(), forged.encode())


def believe_forwarded(environ: dict[str, Any]) -> None:
    environ["HTTP_HOST"] = environ.get("HTTP_X_FORWARDED_HOST", environ["HTTP_HOST"])


def wrong_host(environ: dict[str, Any]) -> None:
    environ["HTTP_HOST"] = "10.0.0.7:8000"


def cookie(change: Any) -> Any:
    def lie(told: Told) -> None:
        if told.path == SIGN_IN:
            told.headers["Set-Cookie"] = change(told.headers["Set-Cookie"])

    return lie


def lenient_cors(told: Told) -> None:
    """A function URL whose own CORS answers everybody."""
    if told.asked["REQUEST_METHOD"] == "OPTIONS" and told.path == TOKEN:
        told.headers["Access-Control-Allow-Origin"] = "*"


def two_origins(told: Told) -> None:
    if told.path == JWKS:
        told.headers.add("Access-Control-Allow-Origin", "*")


def renamed(told: Told) -> None:
    if "WWW-Authenticate" in told.headers:
        told.headers["x-amzn-Remapped-WWW-Authenticate"] = told.headers.pop("WWW-Authenticate")


def other_location(told: Told) -> None:
    if told.path == AUTHORIZE and "Location" in told.headers:
        told.headers["Location"] = told.headers["Location"].replace("iss=https%3A%2F%2F", "iss=http%3A%2F%2F")


def not_found_inserted(told: Told) -> None:
    if told.path == OAUTH + MOUNT:
        told.status, told.body = 403, b'{"message":"Missing Authentication Token"}'


def foreign_inserted(told: Told) -> None:
    if told.path == OAUTH + MOUNT:
        told.json = {**told.json, "issuer": f"https://{HOST}"}


BROKEN = (
    expects("discovery.openid", "answered 302, not 200 (a redirect to /elsewhere)", answer(OPENID, 302, Location="/elsewhere"), more={"*"}),
    expects("discovery.openid", "is not JSON: it begins with '<html>'", answer(OPENID, 200, b"<html>"), more={"*"}),
    expects("discovery.openid", "not an object", answer(OPENID, 200, b"[]"), more={"*"}),
    expects("discovery.oauth", "answered 404", answer(OAUTH, 404), more={"discovery.cors"}),
    expects("discovery.path_inserted", "answered 403", not_found_inserted),
    expects("discovery.path_inserted", "of another issuer", foreign_inserted),
    expects("discovery.issuer", "a slash at the end", in_both(issuer=f"{ISSUER}/")),
    expects("discovery.issuer", "scheme http instead of https", in_both(issuer=f"http://{HOST}{MOUNT}")),
    expects("discovery.issuer", "upper and lower case", in_both(issuer=f"https://Login.example.com{MOUNT}")),
    expects("discovery.issuer", "path /auth/auth instead of /auth", in_both(issuer=f"https://{HOST}{MOUNT}{MOUNT}")),
    expects("discovery.issuer", "'https://[::1' is not", in_both(issuer="https://[::1")),
    expects("discovery.issuer", "None is not", in_both(issuer=...)),
    expects("discovery.endpoints", "its path once", in_both(token_endpoint=f"{ISSUER}{MOUNT}/oauth2/token")),
    expects("discovery.endpoints", "expected an address below", in_both(token_endpoint=f"https://{HOST}/oauth2/token")),
    expects("discovery.content_type", "came as text/html", header(OPENID, "Content-Type", "text/html")),
    expects("discovery.cors", "*, *", two_origins),
    expects("discovery.cors", "missing", header(OAUTH, "Access-Control-Allow-Origin", None)),
    expects("cors.strangers", "/oauth2/token allowed", lenient_cors),
    expects("discovery.grants", "has implicit", in_both(grant_types_supported=["authorization_code", "implicit"])),
    expects("discovery.grants", "has password", in_both(grant_types_supported=["authorization_code", "password"])),
    expects("discovery.grants", "or is missing", in_both(grant_types_supported=...)),
    expects("discovery.grants", "expected ['code']", in_both(response_types_supported=["code", "token"])),
    expects("discovery.pkce", "expected ['S256']", in_both(code_challenge_methods_supported=["S256", "plain"])),
    expects("discovery.iss_parameter", "expected True", in_both(authorization_response_iss_parameter_supported=...)),
    expects("discovery.algorithms", "has HS256", in_both(id_token_signing_alg_values_supported=["RS256", "HS256"])),
    expects("jwks.place", "expected 'https://login.example.com/auth/.well-known/jwks.json'", in_both(jwks_uri=f"{ISSUER}/oauth2/jwks")),
    expects("jwks.reachable", "is an empty set", keys(lambda _: []), more={"aws.rs256", "token.header"}),
    expects("jwks.reachable", "answered 500", answer(JWKS, 500), more={"*"}),
    expects("jwks.reachable", "has no list of keys", member(JWKS, keys="none")),
    expects("jwks.members", "private members d are published", other_key(d="AQAB")),
    expects("jwks.members", "e missing", other_key(e=...)),
    expects("jwks.members", "use is 'enc'", other_key(use="enc")),
    expects("jwks.members", "the kid comes twice", keys(twice)),
    expects("jwks.caching", "expected public with a max-age", header(JWKS, "Cache-Control", "no-store")),
    expects("jwks.caching", "max-age=86400', expected", header(JWKS, "Cache-Control", "public, max-age=86400")),
    expects("jwks.caching", "a copy of 900 s", header(JWKS, "Age", "900")),
    expects("discovery.content_type", "jwks.json came as text/plain", header(JWKS, "Content-Type", "text/plain")),
    expects("http.hsts", "Strict-Transport-Security is ''", header(OPENID, "Strict-Transport-Security", None)),
    expects("http.hsts", "expected a max-age of at least", header(OPENID, "Strict-Transport-Security", "max-age=60")),
    expects("clock.skew", "error:", header(OPENID, "Date", "Tue, 01 Dec 2020 12:00:00 GMT")),
    expects("proxy.issuer", "a forged X-Forwarded-Host", mirror_host),
    expects("proxy.forwarded_host", "it is believed", before=believe_forwarded),
    expects("challenge.header", "renamed WWW-Authenticate", renamed),
    expects("challenge.header", "answered 200 with WWW-Authenticate ''", answer(USERINFO, 200)),
    expects("server.ready", "tables: at 0001", answer("/readyz", 503, b'{"checks":{"database":"ok","tables":"at 0001"}}')),
    expects("pages.open", "opened under a wrong address", before=wrong_host, more={"authorize.iss"}),
    expects("pages.open", "answered 502", answer(SIGN_IN, 502)),
    expects("pages.links", "expected an address below", replaced(SIGN_IN, f'"{MOUNT}/static', '"/static')),
    expects("pages.links", "its path once", replaced(SIGN_IN, f'"{MOUNT}/static', f'"{MOUNT}{MOUNT}/static')),
    expects("pages.links", "answered 404", answer("/static/style.css", 404)),
    expects("cookies.flags", "lacks Secure", cookie(lambda value: value.replace("Secure; ", ""))),
    expects("cookies.flags", "SameSite=Lax", cookie(lambda value: value.replace("SameSite=Lax", "SameSite=None"))),
    expects("cookies.flags", "prefix __Host-", cookie(lambda value: value.removeprefix("__Host-"))),
    expects("cookies.flags", "a Domain that is left out", cookie(lambda value: value + "; Domain=example.com")),
    expects("cookies.flags", "set no cookie", header(SIGN_IN, "Set-Cookie", None)),
    expects("pages.not_cached", "expected no-store", header(SIGN_IN, "Cache-Control", "public, max-age=60")),
    expects("pages.not_cached", "out of a CDN's cache", header(SIGN_IN, "X-Cache", "Hit from cloudfront")),
    expects("pages.framed", "frame-ancestors", header(SIGN_IN, "Content-Security-Policy", None)),
    expects("pages.no_demo", "known passwords", answer("/demo", 200)),
    expects("token.issued", "answered 503", answer(TOKEN, 503), more={"token.not_cached"}),
    expects("token.issued", "without an access_token", member(TOKEN, access_token=...)),
    expects("token.not_cached", "expected no-store", header(TOKEN, "Cache-Control", None)),
    expects("authorize.iss", "scheme http instead of https", other_location),
    expects("authorize.iss", "is it registered to the byte?", answer(AUTHORIZE, 400)),
    expects("aws.rs256", "no RSA key for RS256", keys(without_rsa), more={"token.header"}),
    expects("aws.rs256", "lacks RS256", in_both(id_token_signing_alg_values_supported=["ES256"])),
    expects("aws.cognito", "lacks client_secret_post", in_both(token_endpoint_auth_methods_supported=["client_secret_basic"])),
    expects("discovery.endpoints", "userinfo_endpoint is None", in_both(userinfo_endpoint=...)),
    expects("discovery.endpoints", "userinfo_endpoint is 'https://[", in_both(userinfo_endpoint="https://[::1")),
)


@pytest.mark.parametrize(("name", "text", "lie", "before", "more"), BROKEN)
def test_what_is_wrong_is_found_and_nothing_else(site, name, text, lie, before, more):
    with site.liar.lying(lie, before):
        found = problems(site.examine())
    assert text in found[name]
    assert set(found) == {name} | more or more == {"*"}


def test_every_check_has_a_broken_server():
    seen_elsewhere = {"url.form", "server.answers", "tls.certificate", "http.redirect", "aws.issuer", "aws.public"}
    of_tokens = {"token.issuer", "token.header", "token.times", "token.audience", "aws.token"}
    assert set(ids(*DEPLOYMENT, AWS, AWS_OUTSIDE)) == {param.values[0] for param in BROKEN} | seen_elsewhere | of_tokens


# The URL


@pytest.mark.parametrize(
    ("url", "name", "text"),
    [
        (f"{ISSUER}/", "url.form", "ends with a slash: AWS (API Gateway, IAM and STS)"),
        (f"https://Login.example.com{MOUNT}", "url.form", "capital letters"),
        (f"https://{HOST}:443{MOUNT}", "url.form", "names the default port"),
    ],
)
def test_a_url_that_compares_unequal_is_refused_with_the_reason(site, url, name, text):
    assert text in problems(site.examine(url))[name]


def test_an_issuer_under_a_stage_of_api_gateway_is_warned_of(site):
    found = problems(site.examine("https://abc123.execute-api.eu-west-1.amazonaws.com/dev"))
    assert "warning: " in found["url.form"]
    assert "outside of the stage" in found["url.form"]


@pytest.mark.parametrize(
    "url", ["ftp://x", "login.example.com", "https://", "https://[::1", "https://x:99999", "https://x y", "", "https://ü.example"]
)
def test_what_is_no_url_of_an_issuer_is_refused(url):
    with pytest.raises(Invalid, match="must be the issuer of the server"):
        Deployment(url)


@pytest.mark.parametrize("url", ["https://me:secret@x.example", "https://x.example?a=b", "https://x.example#a"])
def test_a_url_with_more_than_an_issuer_has_is_refused(url):
    with pytest.raises(Invalid, match="without a user, a query or a fragment"):
        Deployment(url)


def test_a_server_that_is_not_there_is_one_error_and_all_else_is_left_out(site):
    report = site.examine(connect_to=f"127.0.0.1:{free_port()}")
    assert set(problems(report)) == {"server.answers"}
    assert "Connection refused" in problems(report)["server.answers"]
    left = {finding.id for finding in report.findings if finding.outcome == "ok"}
    assert left == {"url.form", "http.redirect", "aws.issuer"}


def test_a_place_to_connect_to_must_be_one(site):
    with pytest.raises(Invalid, match="must be a host, or a host and a port"):
        site.deployment(connect_to="127.0.0.1:port")


# TLS


def test_a_certificate_for_another_host_and_one_of_an_unknown_authority_are_refused(site, monkeypatch):
    with served(site.liar, site.authority.context("other.example.com")) as port:
        found = problems(site.examine(connect_to=f"127.0.0.1:{port}"))
    assert set(found) == {"tls.certificate"}
    assert "Hostname mismatch" in found["tls.certificate"]
    monkeypatch.delenv("SSL_CERT_FILE")
    found = problems(site.examine())
    assert set(found) == {"tls.certificate"}
    assert "unable to get local issuer certificate" in found["tls.certificate"]


def test_a_private_authority_is_given_by_a_file_and_aws_does_not_trust_it(site, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE")
    found = problems(site.examine(ca=str(site.authority.file)))
    assert set(found) == {"aws.public"}
    assert "AWS trusts public authorities only" in found["aws.public"]


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_file_without_authorities_is_refused(site, tmp_path, content):
    if content:
        (tmp_path / "ca.pem").write_text(content)
    with pytest.raises(Invalid, match="must name a PEM file"):
        site.deployment(ca=str(tmp_path / "ca.pem"))


def test_a_certificate_that_ends_soon_is_warned_of_and_one_that_has_ended_is_an_error(site):
    with served(site.liar, site.authority.context(HOST, lasts=timedelta(days=3))) as port:
        found = problems(site.examine(connect_to=f"127.0.0.1:{port}"))
    assert set(found) == {"tls.certificate"}
    assert "warning:  the certificate ends in 2 days" in found["tls.certificate"]
    with served(site.liar, site.authority.context(HOST, lasts=timedelta(days=-1))) as port:
        found = problems(site.examine(connect_to=f"127.0.0.1:{port}"))
    assert set(found) == {"tls.certificate"}
    assert "expired" in found["tls.certificate"]


def test_a_server_that_speaks_no_tls_is_an_error(site):
    found = problems(site.examine(connect_to=f"127.0.0.1:{site.plain_port}"))
    assert set(found) == {"tls.certificate"}
    assert "did not agree on TLS" in found["tls.certificate"]


@pytest.mark.parametrize(
    ("lie", "text"),
    [
        (answer(OPENID, 200, b"{}"), "plain http on login.example.com answered 200"),
        (answer(OPENID, 301, Location="http://www.example.com/"), "redirected to http://www.example.com/, not to https"),
        (answer(OPENID, 302), "redirected to nowhere"),
    ],
)
def test_plain_http_that_does_not_lead_to_https_is_an_error(site, lie, text):
    with site.plain.lying(lie):
        found = problems(site.examine())
    assert set(found) == {"http.redirect"}
    assert text in found["http.redirect"]


def test_plain_http_that_is_closed_or_refused_is_well(site):
    assert problems(site.examine(plain_port=free_port())) == {}
    with site.plain.lying(answer(OPENID, 404)):
        assert problems(site.examine()) == {}


# Tokens


def tokens(change: Any) -> Any:
    """Change header and claims of the access token; the signature is not looked at."""

    def lie(told: Told) -> None:
        if told.path == TOKEN and told.status == 200:
            document = told.json
            parts = [json.loads(decode(part)) for part in document["access_token"].split(".")[:2]]
            change(*parts)
            told.json = {**document, "access_token": ".".join([*(encode(json.dumps(part).encode()) for part in parts), "AAAA"])}

    return lie


def kid_of(alg: str) -> str:
    return next(row["kid"] for row in key_rows() if row["alg"] == alg)


def decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "==")


@pytest.mark.parametrize(
    ("name", "text", "change", "more"),
    [
        ("token.issuer", "a slash at the end", lambda _, claims: claims.update(iss=f"{ISSUER}/"), set()),
        ("token.header", "typ is 'JWT'", lambda head, _: head.update(typ="JWT"), set()),
        ("token.header", "no key 'gone' is published", lambda head, _: head.update(kid="gone"), set()),
        ("token.header", "published for RS256", lambda head, _: head.update(alg="PS256"), {"aws.token"}),
        ("token.header", "no key None", lambda head, _: head.pop("kid"), set()),
        ("token.times", "iat is 1.5", lambda _, claims: claims.update(iat=1.5), set()),
        ("token.times", "exp is None", lambda _, claims: claims.pop("exp"), set()),
        ("token.times", "lives for 7200 s", lambda _, claims: claims.update(exp=claims["iat"] + 7200), set()),
        ("token.audience", "aud is 'lent'", lambda _, claims: claims.update(aud="lent"), set()),
        ("token.audience", "aud is the issuer alone", lambda _, claims: claims.update(aud=ISSUER), set()),
        ("token.audience", "aud is None", lambda _, claims: claims.pop("aud"), set()),
        ("aws.token", "has no scope", lambda _, claims: claims.pop("scope"), set()),
        ("aws.token", "signed by 'ES256'", lambda head, _: head.update(alg="ES256", kid=kid_of("ES256")), set()),
    ],
)
def test_what_is_wrong_with_a_token_is_found(site, name, text, change, more):
    with site.liar.lying(tokens(change)):
        found = problems(site.examine())
    assert text in found[name]
    assert set(found) == {name} | more


@pytest.mark.parametrize(("token", "text"), [("opaque", "is opaque"), (f"a.{'b' * 20_000}.c", "has 20004 characters")])
def test_a_token_that_aws_cannot_read_is_an_error_for_aws_alone(site, token, text):
    with site.liar.lying(member(TOKEN, access_token=token)):
        report = site.examine()
    assert set(problems(report)) == {"aws.token"}
    assert text in problems(report)["aws.token"]
    assert {"token.issuer", "token.header", "token.times", "token.audience"} <= set(skips(report))


def test_a_client_that_authenticates_by_post_is_tried_so(site):
    made = make_client(site.runtime, "service", apis=[API], scope="read", token_endpoint_auth_method="client_secret_post")
    report = site.examine(visitor=Visitor(client_id=made.client_id, client_secret=made.secret or ""))
    assert problems(report) == {}
    wrong = problems(site.examine(visitor=Visitor(client_id=made.client_id, client_secret="wrong")))
    assert set(wrong) == {"token.issued"}
    assert "answered 401" in wrong["token.issued"]


def test_a_secret_is_never_shown_and_never_sent_by_plain_http(site):
    visitor = Visitor(client_id="lent", client_secret="canary-of-a-secret")
    assert "canary" not in repr(visitor)
    report = examine_deployment(Deployment(f"http://{HOST}{MOUNT}", visitor=visitor, connect_to=f"127.0.0.1:{site.plain_port}"))
    assert skips(report)["token.issued"] == "no secret is sent by plain http"
    assert "is not https" in problems(report)["url.form"]
    assert ("POST", TOKEN) not in site.plain.asked
    assert "canary" not in str(report)


# AWS


@pytest.mark.parametrize(
    ("url", "name", "text"),
    [
        ("http://127.0.0.1:9", "aws.issuer", "is not https"),
        (f"https://{HOST}:8443{MOUNT}", "aws.issuer", "names port 8443"),
        (f"https://{HOST}/{'a' * 250}", "aws.issuer", "IAM takes 255"),
    ],
)
def test_an_issuer_that_aws_cannot_use_is_an_error(site, url, name, text):
    assert text in problems(site.examine(url, connect_to=f"127.0.0.1:{free_port()}"))[name]


@pytest.mark.parametrize("host", ["127.1", "localhost", "10.1.2.3", "no-such-host.invalid"])
def test_a_host_that_is_not_on_the_internet_is_an_error(host):
    (found,) = public(Deployment(f"https://{host}"))
    assert found.outcome == "error"
    assert found.reason.startswith(f"nobody on the Internet can reach {host}: host ")


# On this machine


def test_a_server_on_loopback_is_sound_without_tls(site, tmp_path):
    port = free_port()
    settings = make_settings(issuer=f"http://127.0.0.1:{port}", database_url=site.runtime.settings.database_url)
    runtime = make_test_runtime(settings, Clock())
    with served(Liar(create_app(runtime)), port=port):
        report = examine_deployment(Deployment(settings.issuer))
    runtime.engine.dispose()
    assert problems(report) == {}
    assert {"tls.certificate", "http.hsts", "pages.no_demo"} <= set(skips(report))
    assert "cookies.flags" not in skips(report)


def test_a_clock_is_compared_where_the_answer_says_the_time(site):
    with site.liar.lying(header(OPENID, "Date", "")):
        assert skips(site.examine())["clock.skew"] == "the answer had no Date"
    behind = format_datetime(datetime.now(UTC) - timedelta(seconds=30), usegmt=True)
    with site.liar.lying(header(OPENID, "Date", behind)):
        assert "warning: " in problems(site.examine())["clock.skew"]


# Whatever comes


def test_answers_without_end_are_cut_off_and_a_connection_that_breaks_is_said(site):
    with site.liar.lying(answer(OPENID, 200, b" " * 2_000_000)):
        assert "is not JSON" in problems(site.examine())["discovery.openid"]
    with site.liar.lying(header(JWKS, "Content-Encoding", "gzip")):
        assert "no answer from 127.0.0.1" in problems(site.examine())["jwks.reachable"]


NASTY: tuple[Any, ...] = (
    *(None, True, 0, -1, 1.5, 10**30, "", "code", "https://[::1", "https://x:y", "\u00e9\u202e", "a.b.c", "<&\n\x1b"),
    *([], [[]], [None], [5, "RS256"], ["code", {}], [{}], [{"kty": "RSA", "n": "\u00e9", "kid": 5}], [{"kty": []}, {"kid": {}}]),
    *({}, {"checks": {"a": None}}, {"checks": []}, {"access_token": 5}, {"access_token": "a.b.c"}, {"access_token": "e30.e30.AA"}),
)


@pytest.mark.parametrize("junk", NASTY, ids=range(len(NASTY)))
def test_no_document_makes_the_doctor_fall_over(site, junk):
    def lie(told: Told) -> None:
        if told.path in (OPENID, OAUTH):
            told.json = dict.fromkeys([*told.json, "grant_types_supported"], junk)
        elif told.path == JWKS:
            told.json = {"keys": junk}
        elif told.path in (TOKEN, "/readyz"):
            told.json = junk
        elif told.path == AUTHORIZE:
            told.headers["Location"] = f"{REDIRECT_URI}?iss={quote(str(junk))}"
        elif told.path == SIGN_IN:
            told.body = f'<link href="{junk}/style.css"><form action="{junk}">'.encode()

    with site.liar.lying(lie):
        report = site.examine()
    assert {"discovery.issuer", "discovery.endpoints", "jwks.place"} <= set(problems(report))
