"""The wizard: at most four questions per kind, the rest chosen, and at the end the secret once with code to paste."""

import re

import pytest

from authserver.store.base import transaction
from authserver.store.client import find_client
from tests.factories import API, Made, make_resource_server
from tests.pages import follow, read
from tests.relying_party import RelyingParty
from tests.web.console.test_applications import form_of
from tests.web.console.test_applications_credentials import shown_secret

QUESTIONS = {
    "spa": {"name", "redirect_uris", "apis", "scopes", "consent"},
    "native": {"name", "redirect_uris", "apis", "scopes", "consent"},
    "web": {"name", "redirect_uris", "apis", "scopes", "consent"},
    "service": {"name", "apis", "scopes"},
    "device": {"name", "apis", "scopes", "consent"},
}
URIS = {"spa": "https://app.example.org/", "native": "com.example.app:/callback", "web": "https://shop.example.org/callback"}


def wizard(http, kind):
    return form_of(http.get(f"/admin/applications/new/{kind}"), "/new/")


def created(runtime, answer):
    """The client that an answer of the wizard leads to."""
    assert answer.status == 303, read(answer).text
    with transaction(runtime.engine) as db:
        client = find_client(db, str(answer.location).rpartition("/")[2])
    assert client is not None
    return client


def test_the_kinds_are_offered_in_words(console):
    page = read(console().get("/admin/applications/new"))
    for kind in QUESTIONS:
        assert any(link.endswith(f"/new/{kind}") for link in page.links)


@pytest.mark.parametrize("kind", QUESTIONS)
def test_it_asks_at_most_four_things_and_registers_what_the_kind_needs(console, runtime, kind):
    make_resource_server(runtime)
    http = console()
    answer = http.get(f"/admin/applications/new/{kind}")
    asked = set(re.findall(r'<(?:input|textarea|select)[^>]* name="([^"]+)"', answer.text)) - {"csrf_token"}
    assert asked == QUESTIONS[kind]
    values = {"redirect_uris": URIS[kind]} if kind in URIS else {}
    client = created(runtime, wizard(http, kind).submit(http, name="Notes", apis=API, **values))
    assert (client.kind, client.client_name, client.apis) == (kind, "Notes", (API,))
    assert client.scope == ()
    assert client.is_public is (kind in ("spa", "native", "device"))
    assert client.metadata["consent"] == "remembered"
    after = {"spa": [URIS["spa"]], "native": [URIS["native"]], "web": ["https://shop.example.org/"]}
    assert client.metadata["post_logout_redirect_uris"] == after.get(kind, [])


@pytest.mark.parametrize("kind", ["web", "service"])
def test_the_secret_is_shown_once_and_works(console, runtime, http, kind):
    make_resource_server(runtime)
    browser = console()
    values = {"redirect_uris": URIS[kind]} if kind in URIS else {}
    answer = wizard(browser, kind).submit(browser, name="Notes", apis=API, **values)
    client, page = created(runtime, answer), follow(browser, answer)
    secret = shown_secret(page)
    assert secret
    assert secret not in browser.get(page.url).text
    assert "The secret was shown once" in read(browser.get(page.url)).text
    party = RelyingParty(http, Made(client, secret, None))
    assert (party.client_credentials() if kind == "service" else party.introspect("x")).status == 200


def test_the_last_page_has_code_to_paste_and_the_way_to_a_test_drive(console, runtime):
    http = console()
    page = follow(http, wizard(http, "spa").submit(http, name="Notes", redirect_uris=URIS["spa"]))
    text = read(page).text
    for title in ("Plain JavaScript", "oidc-client-ts", "React", "What was chosen for it", "No secret"):
        assert title in text
    assert any("/test-drive/" in link for link in read(page).links)
    assert "authserver clients create" in text


def test_ticked_scopes_limit_the_application_and_tick_their_api(console, runtime):
    make_resource_server(runtime)
    make_resource_server(runtime, "https://b.example.com", scopes={"b:read": "See", "b:write": "Write"})
    http = console()
    client = created(runtime, wizard(http, "service").submit(http, name="Job", apis=["https://b.example.com"], scopes=["read"]))
    assert set(client.apis) == {API, "https://b.example.com"}
    assert set(client.scope) == {"read", "b:read", "b:write"}
    client = created(runtime, wizard(http, "spa").submit(http, name="App", redirect_uris=URIS["spa"], scopes=["read"]))
    assert client.apis == (API,)
    assert {"openid", "profile", "email", "offline_access", "read"} <= set(client.scope)
    assert "write" not in client.scope


@pytest.mark.parametrize(
    ("kind", "values", "field", "text"),
    [
        ("spa", {"name": "", "redirect_uris": URIS["spa"]}, "name", "Name must be a text"),
        ("spa", {"name": "x" * 201, "redirect_uris": URIS["spa"]}, "name", "Name must be a text of 1 to 200"),
        ("spa", {"name": "Notes", "redirect_uris": ""}, "redirect_uris", "must name at least one URI"),
        ("spa", {"name": "Notes", "redirect_uris": "com.example.app:/cb"}, "redirect_uris", "must start with https://"),
        ("web", {"name": "Notes", "redirect_uris": "https://["}, "redirect_uris", "Redirect URIs"),
        ("web", {"name": "Notes", "redirect_uris": "nonsense"}, "redirect_uris", "Redirect URIs"),
        ("native", {"name": "Notes", "redirect_uris": "myapp:/cb"}, "redirect_uris", "with a dot"),
        ("service", {"name": "Notes", "apis": "https://nowhere.example.com"}, "apis", "must name APIs that exist"),
        ("device", {"name": "Notes", "consent": "never"}, "consent", "must be one of"),
    ],
)
def test_an_answer_that_cannot_be_taken_is_said_at_its_question(console, runtime, kind, values, field, text):
    http = console()
    answer = wizard(http, kind).submit(http, **values)
    assert answer.status == 422
    assert text in read(answer).text
    assert f'href="#{field}"' in answer.text
    assert f'id="{field}"' in answer.text or field in ("apis", "consent")
    again = form_of(answer, "/new/")
    assert again.fields["name"] == values["name"]
    if "redirect_uris" in values:
        assert again.fields["redirect_uris"] == values["redirect_uris"]
    assert [client for client in clients(runtime) if client.client_name == values["name"]] == []


def clients(runtime):
    from authserver.admin.clients import every_client
    from authserver.admin.operation import Operation

    with transaction(runtime.engine) as db:
        return list(every_client(Operation(db, runtime)))


def test_other_fields_than_those_asked_are_not_taken(console, runtime):
    http = console()
    extra = {
        "client_id": "mine",
        "managed_by": "me",
        "grant_types": "client_credentials",
        "redirect_uris": "https://x.example.com",
        "scope": "openid",
    }
    client = created(runtime, wizard(http, "service").submit(http, name="Job", **extra))
    assert client.client_id != "mine"
    assert (client.managed_by, client.metadata["redirect_uris"], client.metadata["scope"]) == ("", [], "")


def test_only_a_service_is_offered_the_admin_api_and_nobody_more_than_they_may(console, runtime):
    api = f"{runtime.settings.issuer}/admin/api/v1"
    http = console("admin")
    assert f'value="{api}"' not in http.get("/admin/applications/new/spa").text
    assert f'value="{api}"' in http.get("/admin/applications/new/service").text
    answer = wizard(http, "service").submit(http, name="Robot", scopes=["keys:write"])
    assert answer.status == 403
    assert "keys:write" in read(answer).text
    assert wizard(http, "service").submit(http, name="Robot", scopes=["clients:read"]).status == 303


def test_an_unknown_kind_is_not_found(console):
    http = console()
    mark = wizard(http, "spa").fields
    assert http.get("/admin/applications/new/toaster").status == 404
    assert http.post("/admin/applications/new/toaster", mark, headers={"Sec-Fetch-Site": "same-origin"}).status == 404
