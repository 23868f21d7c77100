"""Recent failures: what was refused, why, compared with the registration, and the mend."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authserver.admin.errors import Conflict, NotFound
from authserver.admin.failures import apply_mend, explain, explanation_document, get_failure, page_of_failures
from authserver.admin.uri_difference import nearest_difference
from tests.factories import API, REDIRECT_URI, make_client, make_resource_server, make_user
from tests.relying_party import RelyingParty


@pytest.fixture
def latest(act):
    return lambda: act(lambda op: explain(op, page_of_failures(op).rows[0]))


@pytest.mark.parametrize(
    ("asked", "character", "what"),
    [
        (REDIRECT_URI + "/", len(REDIRECT_URI) + 1, "a slash at the end"),
        (REDIRECT_URI.replace("https", "http"), 5, "scheme http instead of https"),
        (REDIRECT_URI.replace("callback", "Callback"), 25, "upper and lower case"),
        (REDIRECT_URI.replace("app.", "ap."), 11, "host ap.example.org instead of app.example.org"),
        (REDIRECT_URI.replace(".org", ".org:8443"), 24, "port 8443 instead of none"),
        (REDIRECT_URI + "?x=1", len(REDIRECT_URI) + 1, "query x=1 instead of none"),
    ],
)
def test_a_redirect_uri_is_compared_with_the_nearest_one(asked, character, what):
    found = nearest_difference(asked, ["https://other.example.com/", REDIRECT_URI])
    assert (found.nearest, found.character, found.what) == (REDIRECT_URI, character, what)


@given(st.text(max_size=60), st.lists(st.text(max_size=60), max_size=4))
def test_any_two_texts_can_be_compared(asked, registered):
    found = nearest_difference(asked, registered)
    assert (found is None) == (not registered or asked in registered)
    if found:
        assert asked[: found.character - 1] == found.nearest[: found.character - 1]
        assert asked[found.character - 1 : found.character] != found.nearest[found.character - 1 : found.character]


def test_a_wrong_redirect_uri_is_explained_and_mended(http, runtime, latest, act):
    made = make_client(runtime)
    rp = RelyingParty(http, made)
    page = rp.begin(redirect_uri=REDIRECT_URI + "/").answer
    assert page.status == 400
    found = latest()
    assert found.refusal.error_id in page.text
    assert found.refusal.error_id == page.headers["X-Request-Id"]
    assert f"differs from {REDIRECT_URI} at character {len(REDIRECT_URI) + 1}: a slash at the end" in found.sentences[0]
    assert found.mend.label == "Add this URI"
    act(apply_mend, found.refusal.error_id)
    runtime.caches.clients.clear()
    assert rp.begin(redirect_uri=REDIRECT_URI + "/").answer.status == 303
    with pytest.raises(Conflict):
        act(apply_mend, found.refusal.error_id)


def test_a_redirect_uri_that_may_not_be_registered_is_not_offered(http, runtime, latest):
    RelyingParty(http, make_client(runtime)).begin(redirect_uri="http://evil.example/")
    assert latest().mend is None


@pytest.mark.parametrize(("asked", "is_foreign"), [("https://evil.example/callback", True), (REDIRECT_URI + "/", False)])
def test_a_foreign_host_is_pointed_out(http, runtime, latest, asked, is_foreign):
    RelyingParty(http, make_client(runtime)).begin(redirect_uri=asked)
    assert any("No registered URI has its host" in sentence for sentence in latest().sentences) == is_foreign


def test_a_client_that_is_not_there_is_named(http, latest):
    http.get("/oauth2/authorize?client_id=nobody")
    found = latest()
    assert (found.title, found.refusal.client_id) == ("Unknown client", "nobody")
    assert "nobody" in found.sentences[0]


@pytest.mark.parametrize(
    ("scope", "says", "mend"),
    [("write", "not allowed to ask for write", "Allow write"), ("delete", "No API of this client has the scope delete", None)],
)
def test_a_scope_is_explained(http, runtime, latest, act, scope, says, mend):
    make_resource_server(runtime)
    made = make_client(runtime, "service", apis=[API], scope="read")
    rp = RelyingParty(http, made)
    assert rp.client_credentials(scope=scope).error == "invalid_scope"
    found = latest()
    assert says in found.sentences[0]
    assert (found.mend.label if found.mend else None) == mend
    if mend:
        act(apply_mend, found.refusal.error_id)
        runtime.caches.clients.clear()
        assert rp.client_credentials(scope=scope).status == 200


def test_an_api_is_explained(http, runtime, latest, act, clock):
    make_resource_server(runtime)
    rp = RelyingParty(http, make_client(runtime, "service"))
    assert rp.client_credentials(resource=API).error == "invalid_target"
    found = latest()
    assert found.mend.label == f"Allow {API}"
    act(apply_mend, found.refusal.error_id)
    runtime.caches.clients.clear()
    assert rp.client_credentials(resource=API).status == 200
    clock.advance(seconds=1)
    rp.client_credentials(resource="https://nowhere.example.com")
    assert "No API has the identifier https://nowhere.example.com" in latest().sentences[0]
    assert latest().mend is None


def test_a_wrong_way_of_authenticating_is_explained(http, runtime, latest, act, clock):
    made = make_client(runtime, "service")
    asked = {"grant_type": "client_credentials", "client_id": made.client_id, "client_secret": made.secret}
    assert http.post("/oauth2/token", asked).error == "invalid_client"
    found = latest()
    assert "It used client_secret_post, and is registered for client_secret_basic" in found.sentences[0]
    act(apply_mend, found.refusal.error_id)
    runtime.caches.clients.clear()
    assert http.post("/oauth2/token", asked).status == 200
    clock.advance(seconds=1)
    http.post("/oauth2/token", {**asked, "client_secret": "wrong"})
    assert "1 of its secrets work now" in latest().sentences[0]


def test_no_secret_is_kept(http, runtime, act):
    made = make_client(runtime)
    secrets = ["s3cret-code", "s3cret-verifier", "s3cret-secret", "s3cret-state", "s3cret-nonce", "s3cret-token", "s3cret-assertion"]
    names = ["code", "code_verifier", "client_secret", "state", "nonce", "refresh_token", "client_assertion"]
    given_values = dict(zip(names, secrets, strict=True))
    http.post("/oauth2/token", {"grant_type": "authorization_code", "client_id": made.client_id, **given_values})
    RelyingParty(http, made).begin(redirect_uri="https://wrong.example.com/", **given_values)
    kept = str(act(lambda op: page_of_failures(op).rows))
    assert kept.count("Refusal(") == 2
    assert not [secret for secret in secrets if secret in kept]


def test_what_prompt_none_asks_is_no_failure(http, runtime, act):
    RelyingParty(http, make_client(runtime)).begin(prompt="none")
    assert act(page_of_failures).rows == []


def test_a_denied_consent_is_one(http, runtime, latest):
    RelyingParty(http, make_client(runtime)).authorize(make_user(runtime), consent="deny")
    assert latest().title == "The user said no"


def test_failures_are_kept_for_days_and_found_by_client_and_id(http, runtime, clock, act, latest):
    one, other = make_client(runtime), make_client(runtime)
    for made in (one, other, one):
        RelyingParty(http, made).begin(redirect_uri="https://wrong.example.com/")
        clock.advance(seconds=1)
    assert len(act(page_of_failures, client_id=one.client_id).rows) == 2
    error_id = latest().refusal.error_id
    assert act(get_failure, error_id).client_id == one.client_id
    clock.advance(days=7)
    http.get("/")
    http.get("/")
    with pytest.raises(NotFound, match="kept for 7 days"):
        act(get_failure, error_id)


def test_every_explanation_has_a_document(http, runtime, latest):
    http.get("/oauth2/authorize?client_id=nobody")
    document = explanation_document(latest())
    assert document["error"] == "unknown_client"
    assert document["mend"] is None
