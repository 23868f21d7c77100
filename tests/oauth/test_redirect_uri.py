"""Which redirect URIs may be registered, and which match (security.md U1 to U4)."""

import string
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authserver.oauth.redirect_uri import check_redirect_uri, matches, origin_of

GOOD = [
    "https://app.example.com",
    "https://app.example.com/callback",
    "https://app.example.com:8443/a/b?tenant=1&x=%20",
    "https://192.0.2.1/cb",
    "https://[2001:db8::1]:8443/cb",
    "http://localhost/cb",
    "http://localhost:3000/cb",
    "http://127.0.0.1:3000",
    "http://[::1]/cb",
    "https://app.example.com/a..b/.well-known",
    "https://xn--mnchen-3ya.example/cb",
]
PRIVATE = ["com.example.app:/callback", "com.example.app://callback", "com.example.app:/a/b?x=1"]
BAD = {
    "https://app.example.com/cb#fragment": "fragment",
    "https://app.example.com/cb#": "fragment",
    "https://user@app.example.com/cb": "user name",
    "https://user:pass@app.example.com/cb": "user name",
    "https://*.example.com/cb": "wildcard",
    "https://app.example.com/*": "wildcard",
    "https://app.example.com\\@evil.example/cb": "backslash",
    "https://app.example.com/a b": "ASCII",
    "https://app.example.com/\n": "ASCII",
    "https://app.example.com/\x00": "ASCII",
    " https://app.example.com/": "ASCII",
    "https://münchen.example/cb": "ASCII",
    "https://app.example.com/a/../b": "segments",
    "https://app.example.com/..": "segments",
    "https://app.example.com/a/%2e%2E/b": "segments",
    "https://app.example.com/./b": "segments",
    "javascript:alert(1)": "javascript",
    "data:text/html,x": "data",
    "vbscript:x": "vbscript",
    "file:///etc/passwd": "file",
    "blob:https://app.example.com/1": "blob",
    "http://app.example.com/cb": "https://",
    "http://localhost.evil.example/cb": "https://",
    "http://127.0.0.1.evil.example/cb": "https://",
    "http://127.0.0.2/cb": "https://",
    "HTTPS://app.example.com/cb": "absolute",
    "app.example.com/cb": "absolute",
    "//app.example.com/cb": "absolute",
    "/cb": "absolute",
    "": "absolute",
    "https:app.example.com/cb": "slash",
    "https:/app.example.com/cb": "host",
    "https:///cb": "host",
    "https://app.example.com:0/cb": "host",
    "https://app.example.com:65536/cb": "host",
    "https://app.example.com:080/cb": "host",
    "https://app.example.com:/cb": "host",
    "https://[::1/cb": "host",
    "https://[1::2::3]/cb": "host",
    "https://app.example.com/%zz": "percent",
    "https://app.example.com/%": "percent",
    'https://app.example.com/"': "character",
    "https://app.example.com/<": "character",
    "https://app.example.com/" + "a" * 2000: "at most",
}
BAD_PRIVATE = {
    "myapp:/callback": "dot",
    "com.example.app:callback": "slash",
    "com.example.app:": "slash",
    "com.example.app:/a/../b": "segments",
    "com.example.app://user@callback": "user name",
    "javascript:/alert(1)": "javascript",
}


@pytest.mark.spec("RFC 9700", "2.1")
@pytest.mark.parametrize("uri", GOOD)
def test_a_plain_uri_may_be_registered(uri):
    assert check_redirect_uri(uri) == uri
    assert check_redirect_uri(uri, private_schemes=True) == uri


@pytest.mark.spec("RFC 8252", "7.1")
@pytest.mark.parametrize("uri", PRIVATE)
def test_a_private_scheme_with_a_dot_is_for_native_clients_alone(uri):
    assert check_redirect_uri(uri, private_schemes=True) == uri
    with pytest.raises(ValueError, match="native"):
        check_redirect_uri(uri)


@pytest.mark.spec("RFC 9700", "4.1")
@pytest.mark.parametrize(("uri", "why"), BAD.items())
@pytest.mark.parametrize("private_schemes", [False, True])
def test_a_dangerous_uri_is_refused(uri, why, private_schemes):
    with pytest.raises(ValueError, match=why):
        check_redirect_uri(uri, private_schemes=private_schemes)


@pytest.mark.spec("RFC 8252", "8.4")
@pytest.mark.parametrize(("uri", "why"), BAD_PRIVATE.items())
def test_a_private_scheme_without_a_dot_or_with_tricks_is_refused(uri, why):
    with pytest.raises(ValueError, match=why):
        check_redirect_uri(uri, private_schemes=True)


@pytest.mark.parametrize("value", [None, 1, True, 1.5, [], {}, b"https://app.example.com"])
def test_what_is_no_text_is_refused(value):
    with pytest.raises(ValueError, match="text"):
        check_redirect_uri(value)


@given(st.text() | st.text(alphabet=string.printable) | st.builds("https://{}".format, st.text(alphabet=string.printable)))
def test_any_text_is_taken_as_it_is_or_refused_with_a_reason(text):
    for private_schemes in (False, True):
        with suppress(ValueError):
            assert check_redirect_uri(text, private_schemes=private_schemes) == text


@pytest.mark.spec("RFC 6749", "3.1.2.3")
@given(st.sampled_from(GOOD), st.data())
def test_a_web_client_s_uri_matches_byte_for_byte(registered, data):
    at = data.draw(st.integers(0, len(registered)))
    changed = data.draw(
        st.sampled_from(
            [
                registered[:at] + data.draw(st.characters(codec="utf-8")) + registered[at:],
                registered[:at] + registered[at + 1 :],
                registered.upper(),
                registered + "/",
                registered + "?",
                registered + "#",
                registered.replace("/", "//"),
                registered.replace("%20", " "),
            ]
        )
    )
    for kind in ("spa", "web", "native"):
        assert matches(kind, [registered], registered)
    for kind in ("spa", "web"):
        assert matches(kind, [registered], changed) == (changed == registered)


@pytest.mark.spec("RFC 8252", "7.3")
@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost"])
@given(port=st.integers(1, 65535), registered_port=st.sampled_from(["", ":8080"]))
def test_a_native_client_s_loopback_uri_matches_with_any_port(host, port, registered_port):
    registered = [f"http://{host}{registered_port}/cb?x=1"]
    assert matches("native", registered, f"http://{host}:{port}/cb?x=1")
    assert matches("native", registered, f"http://{host}/cb?x=1")
    for kind in ("spa", "web"):
        assert not matches(kind, [f"http://{host}/cb?x=1"], f"http://{host}:{port}/cb?x=1")


@pytest.mark.spec("RFC 8252", "7.3")
@pytest.mark.parametrize(
    "presented",
    [
        "http://127.0.0.1:8080/other",
        "http://127.0.0.1:8080/cb/",
        "http://127.0.0.1:8080/cb?x=1",
        "http://127.0.0.1:8080/CB",
        "http://127.0.0.1:8080@evil.example/cb",
        "http://127.0.0.1:80.evil.example/cb",
        "http://127.0.0.1.evil.example/cb",
        "http://localhost:8080/cb",
        "http://[::1]:8080/cb",
        "https://127.0.0.1:8080/cb",
        "http://127.0.0.1:0/cb",
        "http://127.0.0.1:08/cb",
        "http://127.0.0.1:65536/cb",
        "http://127.0.0.1:99999/cb",
        "http://127.0.0.1:/cb",
        "http://127.0.0.1:8080/cb\n",
        "http://127.0.0.1:٣/cb",
        "http://127.1:8080/cb",
        "HTTP://127.0.0.1:8080/cb",
    ],
)
def test_only_the_port_of_a_loopback_uri_may_differ(presented):
    assert not matches("native", ["http://127.0.0.1/cb", "com.example.app:/cb", "https://app.example.com/cb"], presented)


def test_a_native_client_s_other_uris_match_byte_for_byte():
    registered = ["com.example.app:/cb", "https://app.example.com/cb"]
    assert all(matches("native", registered, uri) for uri in registered)
    assert not matches("native", registered, "https://app.example.com:443/cb")
    assert not matches("native", registered, "com.example.app:/cb/")


@pytest.mark.parametrize(
    ("uri", "origin"),
    [
        ("https://App.Example.com/cb", "https://app.example.com"),
        ("https://app.example.com:443/cb", "https://app.example.com"),
        ("https://app.example.com:8443", "https://app.example.com:8443"),
        ("http://localhost:80/cb", "http://localhost"),
        ("http://[::1]:3000/cb", "http://[::1]:3000"),
        ("com.example.app:/cb", None),
        ("com.example.app://cb", None),
        ("https://app.example.com:99999/", None),
    ],
)
def test_the_origin_is_written_as_browsers_write_it(uri, origin):
    assert origin_of(uri) == origin
