"""Cookies: their names on every kind of issuer, and their flags."""

import pytest

from authserver.runtime import Runtime
from authserver.web.cookies import cookie_name
from tests.factories import make_client, make_settings, make_user
from tests.http_client import InProcess
from tests.relying_party import RelyingParty


@pytest.mark.parametrize(
    ("issuer", "name"),
    [
        ("https://login.example.com", "__Host-as-session"),
        ("https://login.example.com/auth", "__Host-as.auth-session"),
        ("https://login.example.com/a/b", "__Host-as.a.b-session"),
        ("https://login.example.com/a.b", "__Host-as.a..b-session"),
        ("http://localhost:9000", "as-9000-session"),
        ("http://localhost", "as-80-session"),
        ("http://127.0.0.1:9000/auth", "as-9000.auth-session"),
    ],
)
def test_two_servers_never_share_a_cookie(issuer: str, name: str) -> None:
    assert cookie_name(make_settings(issuer=issuer), "session") == name


def cookies_of_a_sign_in(http: InProcess, runtime: Runtime) -> dict[str, str]:
    """Sign in, and collect every Set-Cookie header by the cookie's role."""
    party, person = RelyingParty(http, make_client(runtime)), make_user(runtime)
    seen: dict[str, str] = {}
    request = http.request

    def note(method: str, url: str, **rest):
        answer = request(method, url, **rest)
        seen.update({header.split("=")[0].rsplit("-", 1)[1]: header for header in answer.headers.getlist("Set-Cookie")})
        return answer

    http.request = note  # type: ignore[method-assign]
    party.authorize(person)
    return seen


@pytest.mark.spec("ASVS 5.0", "3.3.1")
def test_cookies_are_host_only_secure_http_only_and_lax(http: InProcess, runtime: Runtime) -> None:
    seen = cookies_of_a_sign_in(http, runtime)
    assert set(seen) == {"browser", "session", "device"}
    for header in seen.values():
        assert header.startswith("__Host-as-")
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(header.split("; "))
        assert "Domain" not in header
    assert "Max-Age" not in seen["session"]


@pytest.mark.settings(issuer="http://localhost:9000")
def test_on_an_http_loopback_issuer_cookies_are_plain(http: InProcess, runtime: Runtime) -> None:
    for header in cookies_of_a_sign_in(http, runtime).values():
        assert header.startswith("as-9000-")
        assert "Secure" not in header
        assert {"HttpOnly", "Path=/", "SameSite=Lax"} <= set(header.split("; "))


@pytest.mark.settings(issuer="https://login.example.com/auth")
def test_under_a_path_the_mount_is_in_the_name(http: InProcess, runtime: Runtime) -> None:
    assert all(header.startswith("__Host-as.auth-") for header in cookies_of_a_sign_in(http, runtime).values())
