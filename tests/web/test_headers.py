"""Answer headers: what every page has, and who may call what from where."""

from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from authserver.runtime import Runtime
from authserver.web.headers import content_policy, kind_of
from tests.factories import make_client
from tests.http_client import InProcess

KNOWN = "https://app.example.org"
PAGES = ["/", "/login", "/logout", "/no/such/page", "/oauth2/authorize"]
OPEN_TO_PAGES = ["/oauth2/token", "/oauth2/revoke", "/oidc/userinfo"]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/oauth2/token", "api"),
        ("/oauth2/introspect", "machine"),
        ("/oauth2/authorize", "page"),
        ("/oidc/userinfo", "api"),
        ("/oidc/logout", "page"),
        ("/.well-known/jwks.json", "public"),
        ("/.well-known/oauth-authorization-server/auth", "public"),
        ("/livez", "machine"),
        ("/static/style.css", "static"),
        ("/login", "page"),
        ("/anything", "page"),
    ],
)
def test_every_path_is_of_one_kind(path: str, kind: str) -> None:
    assert kind_of(path) == kind


@pytest.mark.spec("RFC 9700", "4.16")
@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_hardened(http: InProcess, path: str) -> None:
    headers = http.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'")
    assert "unsafe" not in policy
    assert headers["Strict-Transport-Security"] == "max-age=31536000"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Vary"] == "Cookie"
    assert len(headers["X-Request-Id"]) == 18
    assert all(len(headers.getlist(name)) == 1 for name in headers.keys())  # noqa: SIM118


def test_a_policy_allows_only_what_the_page_has() -> None:
    assert content_policy().endswith("; form-action 'self'")
    assert "form-action" not in content_policy(leads_back=True)
    assert "script-src" not in content_policy()
    assert "; script-src 'self'" in content_policy(script=True)
    assert "; connect-src 'self'" in content_policy(connect=True)


@pytest.mark.settings(issuer="http://localhost:9000")
def test_an_http_issuer_sends_no_hsts(http: InProcess) -> None:
    assert "Strict-Transport-Security" not in http.get("/").headers


def test_no_page_has_inline_code(http: InProcess) -> None:
    for path in PAGES:
        text = http.get(path).text
        assert not any(sign in text for sign in ("<style", "style=", "onclick", "onload", "javascript:"))


@pytest.mark.parametrize("path", OPEN_TO_PAGES)
@pytest.mark.parametrize("origin", [KNOWN, "https://shell.example.org"])
def test_pages_of_registered_origins_may_call(http: InProcess, runtime: Runtime, path: str, origin: str) -> None:
    make_client(runtime, "spa", allowed_origins=["https://shell.example.org"])
    for method in ("OPTIONS", "POST"):
        headers = http.request(method, path, headers={"Origin": origin}).headers
        assert headers["Access-Control-Allow-Origin"] == origin
        assert headers["Vary"] == "Origin"
        assert "WWW-Authenticate" in headers["Access-Control-Expose-Headers"]
        assert "Access-Control-Allow-Credentials" not in headers
    preflight = http.request("OPTIONS", path, headers={"Origin": origin, "Access-Control-Request-Method": "POST"})
    assert preflight.status == 200
    assert preflight.headers["Access-Control-Allow-Methods"] == "GET, POST"
    assert "Authorization" in preflight.headers["Access-Control-Allow-Headers"]
    assert preflight.headers["Access-Control-Max-Age"] == "600"


@pytest.mark.spec("RFC 9700", "2.6")
@pytest.mark.parametrize(
    "origin", [None, "null", "https://evil.example", "https://app.example.org.evil.example", "http://app.example.org", "*"]
)
@pytest.mark.parametrize("path", OPEN_TO_PAGES)
def test_nobody_else_may_call(http: InProcess, runtime: Runtime, path: str, origin: str | None) -> None:
    make_client(runtime, "spa")
    for method in ("OPTIONS", "POST"):
        headers = http.request(method, path, headers={"Origin": origin} if origin else {}).headers
        assert not [name for name in headers.keys() if name.startswith("Access-Control")]  # noqa: SIM118
        assert headers["Vary"] == "Origin"


@pytest.mark.parametrize("path", ["/oauth2/authorize", "/oauth2/introspect", "/login", "/oidc/logout", "/livez"])
def test_other_paths_answer_no_origin(http: InProcess, runtime: Runtime, path: str) -> None:
    make_client(runtime, "spa")
    for method in ("OPTIONS", "GET"):
        headers = http.request(method, path, headers={"Origin": KNOWN}).headers
        assert "Access-Control-Allow-Origin" not in headers


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/.well-known/jwks.json"])
def test_discovery_and_keys_answer_any_origin(http: InProcess, path: str) -> None:
    assert http.get(path, headers={"Origin": "https://anyone.example"}).headers["Access-Control-Allow-Origin"] == "*"


def test_the_origins_are_asked_once_in_a_few_seconds(http: InProcess, runtime: Runtime, clock: Any, counts: Any) -> None:
    make_client(runtime, "spa")
    http.request("OPTIONS", "/oauth2/token", headers={"Origin": KNOWN})
    with counts.measure() as tally:
        http.request("OPTIONS", "/oauth2/token", headers={"Origin": KNOWN})
    assert tally.statements == []
    clock.advance(seconds=6)
    with counts.measure() as tally:
        http.request("OPTIONS", "/oauth2/token", headers={"Origin": KNOWN})
    assert len(tally.reads) == 1


def test_with_the_database_down_a_known_origin_stays_known(
    http: InProcess, runtime: Runtime, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_client(runtime, "spa")
    http.request("OPTIONS", "/oauth2/token", headers={"Origin": KNOWN})
    clock.advance(minutes=1)

    def down(*_: object) -> Any:
        raise OperationalError("SELECT", {}, Exception("down"))

    monkeypatch.setattr(runtime.engine, "connect", down)
    assert http.request("OPTIONS", "/oauth2/token", headers={"Origin": KNOWN}).headers["Access-Control-Allow-Origin"] == KNOWN
    assert "Access-Control-Allow-Origin" not in http.request("OPTIONS", "/oauth2/token", headers={"Origin": "https://new.example"}).headers


def test_static_files_are_cached_for_good_under_their_digest(http: InProcess) -> None:
    page = http.get("/").text
    url = page.split('rel="stylesheet" href="')[1].split('"')[0]
    assert http.get(url).headers["Cache-Control"] == "public, max-age=31536000, immutable"
    plain = http.get("/static/style.css")
    assert plain.headers["Cache-Control"] == "no-cache"
    assert http.get("/static/style.css", headers={"If-None-Match": plain.headers["ETag"]}).status == 304


def test_the_stylesheet_stays_small() -> None:
    import gzip

    from authserver.web.pages import STATIC

    assert len(gzip.compress((STATIC / "style.css").read_bytes())) <= 12 * 1024
