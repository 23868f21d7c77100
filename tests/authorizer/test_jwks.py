"""The keys: embedded or fetched over HTTP, fetched anew at an unknown name, kept while fetching fails."""

import http.server
import json
import ssl
import threading
import time

import pytest

from authserver.authorizer import fetch
from authserver.authorizer.refusal import SettingsError, Unauthorized, Undecided
from tests.authorizer import forge
from tests.authorizer.certificates import self_signed

NEW = "new-key"


def token_of(kid=NEW):
    return forge.sign(forge.header(kid=kid), forge.claims(exp=forge.NOW + 10**7), "RS256", kid)


def rotated():
    return forge.jwks(forge.jwk("RS256"), forge.jwk("RS256", NEW)).encode()


def long_lived():
    return forge.token(exp=forge.NOW + 10**7)


@pytest.fixture
def fetching(gate, key_server):
    return lambda **settings: gate(**{"jwks": None, "jwks_url": key_server.url, **settings})


@pytest.fixture
def embedded(gate, key_server):
    return lambda **settings: gate(**{"jwks_url": key_server.url, **settings})


def test_keys_are_fetched_once(fetching, key_server):
    checked = fetching()
    for alg in forge.ALGORITHMS * 3:
        assert checked.ask(forge.token(alg))
    assert key_server.requests == 1


def test_an_embedded_copy_needs_no_fetch(embedded, key_server):
    checked = embedded()
    assert checked.ask(forge.token())
    assert key_server.requests == 0


def test_an_embedded_copy_may_be_a_file(gate, key_server, tmp_path):
    file = tmp_path / "jwks.json"
    file.write_text(forge.jwks())
    assert gate(jwks=None, jwks_file=file, jwks_url=key_server.url).ask(forge.token())
    assert key_server.requests == 0


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"keys":[]}', '{"keys":[{"kty":"oct"}]}', json.dumps({"keys": [{}] * 101})])
def test_an_embedded_copy_without_a_usable_key_does_not_start(gate, text):
    with pytest.raises(SettingsError, match="AUTHORIZER_JWKS is not a JWK Set"):
        gate(jwks=text)


def test_a_new_key_is_found_at_once(embedded, key_server):
    key_server.body = rotated()
    checked = embedded()
    assert checked.ask(token_of())
    assert key_server.requests == 1


def test_unknown_names_cause_one_fetch_per_cool_down(embedded, key_server):
    checked = embedded()
    for number in range(20):
        with pytest.raises(Unauthorized):
            checked.ask(token_of(f"no-{number % 2}"))
    assert key_server.requests == 1
    key_server.body = rotated()
    checked.now.seconds += 29
    with pytest.raises(Unauthorized):
        checked.ask(token_of())
    checked.now.seconds += 1
    assert checked.ask(token_of())
    assert key_server.requests == 2


def test_a_key_that_was_withdrawn_is_dropped_when_the_copy_is_old(embedded, key_server):
    key_server.body = forge.jwks(forge.jwk("RS256", NEW)).encode()
    checked = embedded()
    checked.now.seconds += 899
    assert checked.ask(long_lived())
    checked.now.seconds += 1
    with pytest.raises(Unauthorized):
        checked.ask(long_lived())
    assert key_server.requests == 1


@pytest.mark.parametrize(
    "trouble",
    [
        {"status": 503},
        {"body": b"{}"},
        {"body": b"\xff"},
        {"body": forge.jwks().encode() + b" " * 65537},
        {"status": 302, "headers": {"Location": "/"}},
    ],
)
def test_the_copy_at_hand_is_used_while_fetching_fails_but_not_for_ever(embedded, key_server, trouble):
    good = dict(vars(key_server))
    vars(key_server).update(trouble)
    checked = embedded()
    for _ in range(3):
        checked.now.seconds += 1000
        assert checked.ask(long_lived())
        assert checked.ask(long_lived())
    assert key_server.requests == 3
    with pytest.raises(Unauthorized):
        checked.ask(token_of())
    checked.now.seconds = forge.NOW + 86400
    with pytest.raises(Undecided, match="the issuer's keys cannot be had"):
        checked.ask(long_lived())
    vars(key_server).update(good)
    checked.now.seconds += 30
    assert checked.ask(long_lived())


def test_without_any_copy_nothing_is_decided(fetching, key_server):
    key_server.status = 500
    checked = fetching()
    for _ in range(3):
        with pytest.raises(Undecided):
            checked.ask(forge.token())
    assert key_server.requests == 1
    key_server.status = 200
    checked.now.seconds += 30
    assert checked.ask(forge.token())


def test_nobody_listening_is_the_same(fetching):
    with pytest.raises(Undecided):
        fetching(jwks_url="http://127.0.0.1:1/").ask(forge.token())


def at_once(count, act):
    results = []

    def run():
        try:
            results.append(act())
        except (Unauthorized, Undecided) as error:
            results.append(error)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    return threads, results


def test_many_at_once_fetch_once(fetching, key_server):
    key_server.pause = threading.Event()
    checked = fetching()
    threads, results = at_once(8, lambda: checked.ask(forge.token())["principalId"])
    key_server.pause.set()
    for thread in threads:
        thread.join()
    assert results == ["248289761001"] * 8
    assert key_server.requests == 1


def test_who_has_a_copy_does_not_wait_for_the_one_who_fetches(embedded, key_server):
    key_server.pause = threading.Event()
    checked = embedded()
    checked.now.seconds += 1000
    threads, _ = at_once(1, lambda: checked.ask(long_lived()))
    while not key_server.requests:
        time.sleep(0.005)
    began = time.monotonic()
    assert checked.ask(long_lived())
    assert time.monotonic() - began < 1
    key_server.pause.set()
    threads[0].join()
    assert key_server.requests == 1


def test_a_slow_answer_is_given_up(key_server, monkeypatch):
    monkeypatch.setattr(fetch, "SECONDS", 0.05)
    key_server.pause = threading.Event()
    with pytest.raises(fetch.FetchFailed):
        fetch.get(key_server.url)
    key_server.pause.set()


def test_an_answer_that_drips_is_given_up(key_server, monkeypatch):
    monkeypatch.setattr(fetch, "SECONDS", 0.2)
    key_server.drips = True
    began = time.monotonic()
    with pytest.raises(fetch.FetchFailed):
        fetch.get(key_server.url)
    assert time.monotonic() - began < 2


def test_a_certificate_that_nobody_trusts_is_refused(tmp_path):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*self_signed(tmp_path))
    server = http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_: None
    thread = threading.Thread(target=server.handle_request)
    thread.start()
    with pytest.raises(fetch.FetchFailed):
        fetch.get(f"https://127.0.0.1:{server.server_port}/")
    thread.join()
    server.server_close()


def test_a_proxy_of_the_environment_is_not_asked(key_server, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert fetch.get(key_server.url) == key_server.body
