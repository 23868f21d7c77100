"""The credentials of an application in the console: two secrets that rotate without an outage, or keys of its own."""

import json
import re

import pytest

from authserver.store.base import transaction
from authserver.store.client import find_client
from tests.factories import API, Made, jwks_of, make_client, make_key, make_resource_server
from tests.pages import follow, read
from tests.relying_party import RelyingParty
from tests.web.console.test_applications import form_of, stored


def page_of(http, made):
    return http.get(f"/admin/applications/credentials/{made.client_id}")


def shown_secret(answer):
    """The secret that a page shows."""
    found = re.search(r'aria-label="Client secret"[^>]*><code>([^<]+)</code>', answer.text)
    return found[1] if found else None


def fetches(http, made, secret):
    """Tell whether a secret gets a token."""
    return RelyingParty(http.fresh(), Made(made.client, secret, None)).client_credentials().status == 200


@pytest.fixture
def made(runtime):
    make_resource_server(runtime)
    return make_client(runtime, "service", apis=[API])


@pytest.mark.parametrize(("days", "works"), [("0", False), ("1", True), ("7", True), ("30", True)])
def test_a_secret_is_rotated_and_the_one_before_works_for_as_long_as_was_chosen(console, runtime, clock, http, made, days, works):
    browser = console()
    answer = form_of(page_of(browser, made), "/rotate-secret/").submit(browser, overlap=days)
    assert answer.status == 303
    page = follow(browser, answer)
    secret = shown_secret(page)
    runtime.caches.clients.clear()
    assert fetches(http, made, secret)
    assert fetches(http, made, made.secret) is works
    clock.advance(seconds=int(days) * 86400 - 1 if works else 0)
    runtime.caches.clients.clear()
    assert fetches(http, made, made.secret) is works
    clock.advance(seconds=1)
    runtime.caches.clients.clear()
    assert not fetches(http, made, made.secret)
    assert fetches(http, made, secret)


def test_a_secret_is_shown_once(console, made):
    http = console()
    page = follow(http, form_of(page_of(http, made), "/rotate-secret/").submit(http))
    secret = shown_secret(page)
    assert secret
    for again in (page_of(http, made), http.get(f"/admin/applications/created/{made.client_id}"), http.get("/admin/applications")):
        assert secret not in again.text


def test_another_applications_page_does_not_show_it(console, runtime, made):
    other, http = make_client(runtime, "service"), console()
    answer = form_of(page_of(http, made), "/rotate-secret/").submit(http)
    assert answer.status == 303
    assert shown_secret(page_of(http, other)) is None


def test_one_of_two_secrets_is_ended_but_never_the_last(console, runtime, http, made):
    browser = console()
    page = follow(browser, form_of(page_of(browser, made), "/rotate-secret/").submit(browser, overlap="7"))
    new = shown_secret(page)
    drops = [form for form in read(page).forms if "/drop-secret/" in form.action]
    assert len(drops) == 2
    oldest = min(drops, key=lambda form: form.fields["secret"])
    assert oldest.submit(browser).status == 303
    runtime.caches.clients.clear()
    assert not fetches(http, made, made.secret)
    assert fetches(http, made, new)
    assert not [form for form in read(page_of(browser, made)).forms if "/drop-secret/" in form.action]
    newest = max(drops, key=lambda form: form.fields["secret"])
    assert newest.submit(browser).status == 409
    assert newest.submit(browser, secret="nonsense").status == 404


@pytest.mark.parametrize("overlap", ["", "2", "-1", "x", "365"])
def test_an_overlap_that_was_not_offered_is_refused(console, runtime, made, overlap):
    http = console()
    assert form_of(page_of(http, made), "/rotate-secret/").submit(http, overlap=overlap).status == 422
    assert len(stored(runtime, made.client).secrets) == 1


def test_secrets_need_a_fresh_sign_in_and_the_form_is_kept_meanwhile(console, runtime, clock, made):
    http = console()
    form = form_of(page_of(http, made), "/rotate-secret/")
    clock.advance(seconds=301)
    answer = form.submit(http, overlap="30")
    assert answer.status == 403
    again = next(form for form in read(answer).forms if "/rotate-secret/" in form.action)
    assert again.fields["overlap"] == "30"
    assert len(stored(runtime, made.client).secrets) == 1


def test_the_last_use_of_each_secret_is_shown(console, runtime, http, made):
    with transaction(runtime.engine) as db:
        from authserver.crypto.digest import digest
        from authserver.store.client import note_secret_use

        note_secret_use(db, digest(made.secret), runtime.now())
    assert runtime.now().strftime("%Y-%m-%d") in page_of(console(), made).text.split("Works until")[1]


def test_an_application_gets_keys_of_its_own_and_a_secret_again(console, runtime, http, clock, made):
    browser, key = console(), make_key()
    form = form_of(page_of(browser, made), "/credentials/")
    answer = form.submit(browser, token_endpoint_auth_method="private_key_jwt", jwks=json.dumps(jwks_of(key)))
    assert answer.status == 303
    runtime.caches.clients.clear()
    client = stored(runtime, made.client)
    assert client.secrets == ()
    assert RelyingParty(http.fresh(), Made(client, None, key), clock=clock).client_credentials().status == 200
    page = page_of(browser, made)
    assert "Make a new secret" not in read(page).text
    answer = form_of(page, "/credentials/").submit(browser, token_endpoint_auth_method="client_secret_post", jwks="")
    secret = shown_secret(follow(browser, answer))
    runtime.caches.clients.clear()
    with transaction(runtime.engine) as db:
        client = find_client(db, made.client_id)
    assert fetches(http, Made(client, secret, None), secret)


@pytest.mark.parametrize("kind", ["spa", "native"])
def test_a_public_client_has_no_credentials_and_the_page_says_why(console, runtime, kind):
    made, http = make_client(runtime, kind), console()
    page = read(page_of(http, made))
    assert "No credentials, and none needed" in page.text
    assert not [form for form in page.forms if "/credentials/" in form.action or "secret" in form.action]


def test_what_a_file_manages_can_still_get_a_new_secret(console, runtime):
    from tests.web.console.test_applications import register

    client, http = register(runtime, "Job", "service", owner="clients.yaml"), console()
    answer = http.get(f"/admin/applications/credentials/{client.client_id}")
    assert form_of(answer, "/rotate-secret/").submit(http).status == 303
