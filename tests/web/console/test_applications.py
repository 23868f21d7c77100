"""Applications in the console, as an administrator without scripts uses them: the list, the tabs of one, and its end."""

import html
import re

import pytest

from authserver.admin.clients import create_client, get_client, update_client_metadata
from authserver.admin.operation import Operation
from authserver.store.base import transaction
from authserver.store.client import find_client
from tests.factories import API, make_client, make_resource_server, make_user
from tests.pages import follow, read
from tests.relying_party import RelyingParty

TABS = ("of", "credentials", "apis", "tokens", "people", "activity", "snippets", "test-drive", "danger")
URI = "https://app.example.org/callback"
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'"


def register(runtime, name="Shop", kind="web", owner="", **metadata):
    """Register an application as admin/ does it, so that it can be found."""
    values = {**({"redirect_uris": [URI]} if kind in ("spa", "web", "native") else {}), **metadata}
    with transaction(runtime.engine) as db:
        return create_client(Operation(db, runtime, owner=owner), kind, name, values).client


def stored(runtime, client):
    with transaction(runtime.engine) as db:
        return find_client(db, client.client_id)


def form_of(answer, path):
    """The form of a page that is sent there."""
    page = read(answer)
    return next(form for form in page.forms if form.method == "post" and path in form.action)


def settings_form(http, client):
    return form_of(http.get(f"/admin/applications/of/{client.client_id}"), "/admin/applications/of/")


def titles(answer):
    """The names of the rows of a list."""
    return [html.unescape(name) for name in re.findall(r'<td><a class="title" href="[^"]*">([^<]*)</a>', answer.text)]


def test_the_list_has_what_there_is_by_name_and_says_what_is_disabled_or_managed(console, runtime):
    register(runtime, "Zoo")
    client = register(runtime, "Acme", "spa", owner="clients.yaml")
    http = console()
    form_of(http.get(f"/admin/applications/danger/{client.client_id}"), "/disable/").submit(http)
    answer = http.get("/admin/applications")
    assert titles(answer) == ["Acme", "Administration", "Zoo"]
    row = answer.text.split(">Acme<")[1].split("</tr>")[0]
    assert "disabled" in row
    assert "managed by clients.yaml" in row


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=ac", ["Acme Photos"]),
        ("q=photos", ["Acme Photos"]),
        ("q=hotos", []),
        ("q=pictures.example", ["Acme Photos"]),
        ("kind=service", ["Billing"]),
        ("kind=web", ["Acme Photos"]),
        ("q=acme&kind=service", []),
        ("status=disabled", []),
    ],
)
def test_the_list_is_searched_and_filtered_by_its_address(console, runtime, query, found):
    register(runtime, "Acme Photos", redirect_uris=["https://pictures.example.net/cb"])
    register(runtime, "Billing", "service")
    answer = console().get(f"/admin/applications?{query}")
    assert answer.status == 200
    assert titles(answer) == found
    if not found:
        assert "Nothing was found" in read(answer).text


def test_the_list_turns_pages_and_keeps_its_filters(console, runtime):
    for number in range(120):
        make_client(runtime, "service", client_name=f"Job {number:03}")
    http, seen, address = console(), [], "/admin/applications?kind=service"
    for _ in range(3):
        answer = http.get(address)
        seen += titles(answer)
        address = html.unescape(re.findall(r'rel="next" href="([^"]*)"', answer.text)[0]) if 'rel="next"' in answer.text else ""
    assert seen == [f"Job {number:03}" for number in range(120)]
    assert address == ""


@pytest.mark.parametrize("query", ["page=nonsense", "kind=nonsense", "status=nonsense"])
def test_an_address_of_the_list_that_means_nothing_is_said_to(console, query):
    answer = console().get(f"/admin/applications?{query}")
    assert answer.status == 422
    assert "must be" in read(answer).text or "begin at its first page" in read(answer).text


def test_a_console_without_applications_says_how_to_begin(console):
    page = read(console().get("/admin/applications"))
    assert "No applications of yours yet" in page.text
    assert any(link.endswith("/admin/applications/new") for link in page.links)


@pytest.mark.parametrize("kind", ["spa", "native", "web", "service", "device"])
@pytest.mark.parametrize("tab", TABS)
def test_every_tab_says_the_same_as_a_command_or_a_call(console, runtime, kind, tab):
    make_resource_server(runtime)
    client = register(runtime, kind=kind, apis=[API])
    answer = console().get(f"/admin/applications/{tab}/{client.client_id}")
    assert answer.status == 200
    assert "authserver " in read(answer).text or "curl" in read(answer).text


def test_settings_are_stored_and_nothing_but_the_settings(console, runtime):
    client, http = register(runtime), console()
    answer = settings_form(http, client).submit(
        http,
        client_name="Shop and more",
        redirect_uris=f"{URI}\r\n\r\n  https://b.example.org/cb  ",
        consent="required",
        policy_uri="https://shop.example.org/privacy",
        attributes='{"tier": "gold"}',
        response_modes=["query"],
    )
    assert (answer.status, answer.location) == (303, f"{http.issuer}/admin/applications/of/{client.client_id}")
    assert "Saved." in read(follow(http, answer)).text
    now = stored(runtime, client)
    assert now.client_name == "Shop and more"
    assert now.metadata == {
        **client.metadata,
        "redirect_uris": [URI, "https://b.example.org/cb"],
        "consent": "required",
        "policy_uri": "https://shop.example.org/privacy",
        "attributes": {"tier": "gold"},
        "response_modes": ["query"],
    }


def test_a_form_that_is_sent_as_it_was_shown_changes_nothing(console, runtime):
    make_resource_server(runtime)
    http = console()
    for kind in ("spa", "native", "web", "service", "device"):
        client = register(runtime, kind=kind, apis=[API], scope="read")
        for tab in ("of", "apis", "tokens", *(("credentials",) if kind in ("web", "service") else ())):
            assert form_of(http.get(f"/admin/applications/{tab}/{client.client_id}"), f"/{tab}/").submit(http).status == 303
        now = stored(runtime, client)
        assert {**now.metadata, "scope": now.metadata["scope"].split()} == {**client.metadata, "scope": ["read"]}, kind


@pytest.mark.parametrize(
    ("tab", "changes", "field", "text"),
    [
        ("of", {"client_name": ""}, "client_name", "Name must be a text"),
        ("of", {"redirect_uris": "http://example.org/cb"}, "redirect_uris", "Redirect URIs must start with https://"),
        ("of", {"redirect_uris": ""}, "redirect_uris", "must name at least one URI"),
        ("of", {"redirect_uris": "https://[::1/"}, "redirect_uris", "Redirect URIs"),
        ("of", {"consent": "never"}, "consent", "Consent must be one of"),
        ("of", {"attributes": "{"}, "attributes", "Attributes must be JSON"),
        ("of", {"attributes": "[" * 5000}, "attributes", "Attributes must be"),
        ("of", {"attributes": "[1]"}, "attributes", "Attributes must be a JSON object"),
        ("apis", {"apis": ["https://nowhere.example.com"]}, "apis", "APIs must name APIs that exist"),
        ("apis", {"scope": ["nothing"]}, "scope", "Scopes must name scopes"),
        ("tokens", {"refresh_token_lifetime": "soon"}, "refresh_token_lifetime", "must be a time like 10m"),
        ("tokens", {"refresh_token_lifetime": "1s"}, "refresh_token_lifetime", "at least 60"),
        ("tokens", {"grant_types": ["password"]}, "grant_types", "that grant is unsafe"),
        ("tokens", {"grant_types": []}, "grant_types", "must name at least one grant"),
        ("tokens", {"id_token_signed_response_alg": "none"}, "id_token_signed_response_alg", "must be one of"),
        ("credentials", {"jwks": '{"keys": []}'}, "jwks", "must be a JSON Web Key Set"),
        ("credentials", {"token_endpoint_auth_method": "private_key_jwt"}, "jwks", "must be given"),
        ("credentials", {"token_endpoint_auth_method": "none"}, "token_endpoint_auth_method", "must be one of"),
    ],
)
def test_what_cannot_be_taken_is_said_at_its_field_and_the_form_stays_filled_in(console, runtime, tab, changes, field, text):
    client, http = register(runtime), console()
    typed = {"client_name": "A name that was typed"} if tab == "of" and "client_name" not in changes else {}
    answer = form_of(http.get(f"/admin/applications/{tab}/{client.client_id}"), f"/{tab}/").submit(http, **typed, **changes)
    assert answer.status == 422
    page = read(answer)
    assert text in page.text
    assert f'href="#{field}"' in answer.text
    assert f'id="{field}-fault"' in answer.text
    again = form_of(answer, f"/{tab}/")
    written = {name: value for name, value in changes.items() if again.types.get(name) in ("text", "textarea")}
    assert {**again.fields, **typed, **written} == again.fields
    assert stored(runtime, client) == client


def test_a_change_in_between_is_shown_and_nothing_of_either_is_lost(console, runtime):
    client, http = register(runtime), console()
    mine = settings_form(http, client)
    with transaction(runtime.engine) as db:
        update_client_metadata(
            Operation(db, runtime), client.client_id, {"client_name": "Theirs", "policy_uri": "https://theirs.example.org/"}
        )
    answer = mine.submit(http, client_name="Mine", tos_uri="https://mine.example.org/terms")
    assert answer.status == 409
    page = read(answer)
    assert "Somebody else changed this application meanwhile" in page.text
    for text in ("Shop", "Theirs", "Mine", "https://theirs.example.org/", "https://mine.example.org/terms"):
        assert text in page.text
    assert stored(runtime, client).client_name == "Theirs"
    again = form_of(answer, "/of/")
    assert again.fields["client_name"] == "Mine"
    assert again.fields["policy_uri"] == "https://theirs.example.org/"
    assert again.submit(http).status == 303
    now = stored(runtime, client)
    assert (now.client_name, now.metadata["policy_uri"], now.metadata["tos_uri"]) == (
        "Mine",
        "https://theirs.example.org/",
        "https://mine.example.org/terms",
    )


@pytest.mark.parametrize(
    "forged", [{"version": "x"}, {"version": "99999999999999"}, {"version": ""}, {"seen": "["}, {"seen": "[1]"}, {"seen": ""}]
)
def test_a_form_whose_hidden_parts_are_broken_is_no_error_of_the_server(console, runtime, forged):
    client, http = register(runtime), console()
    answer = settings_form(http, client).submit(http, client_name="Mine", **forged)
    assert answer.status == (409 if "version" in forged else 303)


def test_fields_that_are_not_in_the_form_change_nothing(console, runtime):
    client, http = register(runtime), console()
    extra = {
        "client_id": "other",
        "kind": "service",
        "managed_by": "me",
        "created_at": "0",
        "grant_types": ["client_credentials"],
        "token_endpoint_auth_method": "none",
        "apis": ["x"],
        "metadata": "{}",
        "disabled_at": "1",
    }
    assert settings_form(http, client).submit(http, **extra).status == 303
    now = stored(runtime, client)
    assert (now.kind, now.managed_by, now.metadata, now.disabled_at) == (client.kind, "", client.metadata, None)


@pytest.mark.parametrize("seen", [None, "[", "[1]", "{}"])
def test_flags_and_lists_that_changed_in_between_are_shown_in_words(console, runtime, seen):
    client, http = register(runtime), console()
    mine = settings_form(http, client)
    with transaction(runtime.engine) as db:
        update_client_metadata(Operation(db, runtime), client.client_id, {"require_pkce": False, "response_modes": ["form_post"]})
    answer = mine.submit(http, client_name="Mine", **({} if seen is None else {"seen": seen}))
    assert answer.status == 409
    text = read(answer).text
    assert "Demand PKCE yes no" in text if seen is None else "Demand PKCE" in text
    assert "By a form" in text
    fields = form_of(answer, "/of/").fields
    assert fields["client_name"] == "Mine"
    if seen is None:
        assert "require_pkce" not in fields
        assert fields["response_modes"] == "form_post"


def test_apis_and_scopes_are_given_with_the_default_one_first(console, runtime):
    for identifier in (API, "https://b.example.com"):
        make_resource_server(runtime, identifier)
    client, http = register(runtime, apis=[API]), console()
    form = form_of(http.get(f"/admin/applications/apis/{client.client_id}"), "/apis/")
    assert form.fields["apis"] == API
    assert (
        form.submit(http, apis=[API, "https://b.example.com"], default_api="https://b.example.com", scope=["openid", "read"]).status == 303
    )
    now = stored(runtime, client)
    assert now.apis == ("https://b.example.com", API)
    assert now.scope == ("openid", "read")


def test_what_a_file_manages_is_shown_but_not_changed(console, runtime):
    client, http = register(runtime, owner="clients.yaml"), console()
    answer = http.get(f"/admin/applications/of/{client.client_id}")
    assert "Managed by clients.yaml" in read(answer).text
    assert not [form for form in read(answer).forms if any(button.text == "Save" for button in form.buttons)]
    form = settings_form(http, client)
    answer = form.submit(http, client_name="Mine")
    assert answer.status == 409
    assert "managed by clients.yaml" in read(answer).text
    assert stored(runtime, client) == client


@pytest.mark.parametrize("role", ["auditor", "support"])
def test_who_may_only_look_sees_no_buttons_and_is_refused(console, runtime, role):
    client, http = register(runtime), console(role)
    owner = console()
    form = settings_form(owner, client)
    answer = http.get(f"/admin/applications/of/{client.client_id}")
    assert answer.status == 200
    assert "Danger zone" not in read(answer).text
    mark = next(form.fields["csrf_token"] for form in read(answer).forms if "csrf_token" in form.fields)
    for path in ("of", "apis", "tokens", "credentials", "rotate-secret", "drop-secret", "disable", "enable", "delete", "test-drive"):
        answer = http.post(
            f"/admin/applications/{path}/{client.client_id}", {**form.fields, "csrf_token": mark}, headers={"Sec-Fetch-Site": "same-origin"}
        )
        assert answer.status == 403, path
    for path in ("danger", "test-drive"):
        assert http.get(f"/admin/applications/{path}/{client.client_id}").status == 403
    assert http.get("/admin/applications/new").status == 403
    assert stored(runtime, client) == client


def test_a_form_of_another_site_or_browser_changes_nothing(console, runtime):
    client, http = register(runtime), console()
    form = settings_form(http, client)
    for headers, fields in (
        ({"Sec-Fetch-Site": "cross-site"}, form.fields),
        ({"Origin": "https://evil.example"}, form.fields),
        ({"Sec-Fetch-Site": "same-origin"}, {**form.fields, "csrf_token": settings_form(console(), client).fields["csrf_token"]}),
        ({"Sec-Fetch-Site": "same-origin"}, {name: value for name, value in form.fields.items() if name != "csrf_token"}),
    ):
        assert http.post(form.action, {**fields, "client_name": "Evil"}, headers=headers).status in (400, 403)
    assert stored(runtime, client) == client


def test_no_text_of_a_client_becomes_markup(console, runtime):
    make_resource_server(runtime, name=HOSTILE, scopes={"read": HOSTILE})
    values = {"contacts": [HOSTILE], "attributes": {HOSTILE: HOSTILE}, "apis": [API]}
    client = register(runtime, HOSTILE, **values)
    http = console()
    paths = ["/admin/applications", "/admin/applications?q=%3Cscript%3E", "/admin/applications/new/web", "/admin/apis"]
    paths += [f"/admin/applications/{tab}/{client.client_id}" for tab in (*TABS, "created")]
    paths += [f"{http.issuer}/admin/apis/{tab}/{API}" for tab in ("of", "clients", "snippets", "danger")]
    for path in paths:
        answer = http.get(path)
        assert answer.status == 200, path
        assert "<script>" not in answer.text, path
        assert "<img src=x" not in answer.text, path
    answer = settings_form(http, client).submit(http, client_name=HOSTILE * 10, redirect_uris=HOSTILE)
    assert answer.status == 422
    assert "<script>" not in answer.text


def test_pages_cannot_be_framed_and_run_no_script_but_ours(console, runtime):
    client = register(runtime)
    headers = console().get(f"/admin/applications/of/{client.client_id}").headers
    policy = headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy
    assert "script-src 'self'" in policy
    assert "form-action 'self'" in policy
    assert "unsafe" not in policy
    assert headers["Cache-Control"] == "no-store"


def test_people_with_access_are_listed_and_what_they_gave_is_ended(console, runtime, http):
    made = make_client(runtime, "web")
    person = make_user(runtime, "ada@example.net")
    party = RelyingParty(http, made)
    tokens = party.sign_in(person, scope="openid offline_access")
    browser = console()
    answer = browser.get(f"/admin/applications/people/{made.client_id}")
    assert "ada@example.net" in read(answer).text
    assert form_of(answer, "/people/").submit(browser).status == 303
    assert party.refresh(tokens["refresh_token"]).error == "invalid_grant"
    assert "Nobody has given it access" in read(browser.get(f"/admin/applications/people/{made.client_id}")).text


def test_activity_says_who_changed_what(console, runtime, administrator):
    client = register(runtime)
    person = administrator("owner", email="boss@example.net")
    http = console(person=person)
    settings_form(http, client).submit(http, client_name="Renamed")
    page = read(http.get(f"/admin/applications/activity/{client.client_id}"))
    for text in ("client.update", "boss@example.net", "Shop", "Renamed", "client.create"):
        assert text in page.text


def test_an_application_is_disabled_enabled_and_deleted_by_typing_its_name(console, runtime):
    client, http = register(runtime), console()
    danger = f"/admin/applications/danger/{client.client_id}"
    assert form_of(http.get(danger), "/disable/").submit(http).status == 303
    assert stored(runtime, client).disabled_at is not None
    assert form_of(http.get(danger), "/enable/").submit(http).status == 303
    assert stored(runtime, client).disabled_at is None
    answer = form_of(http.get(danger), "/delete/").submit(http, name="shop")
    assert answer.status == 422
    assert "must be Shop" in read(answer).text
    answer = form_of(answer, "/delete/").submit(http, name="Shop")
    assert (answer.status, answer.location) == (303, f"{http.issuer}/admin/applications")
    assert stored(runtime, client) is None
    assert http.get(f"/admin/applications/of/{client.client_id}").status == 404


def test_deleting_what_changed_meanwhile_asks_again(console, runtime):
    client, http = register(runtime), console()
    form = form_of(http.get(f"/admin/applications/danger/{client.client_id}"), "/delete/")
    with transaction(runtime.engine) as db:
        update_client_metadata(Operation(db, runtime), client.client_id, {"consent": "required"})
    answer = form.submit(http, name="Shop")
    assert answer.status == 409
    assert stored(runtime, client) is not None
    assert form_of(answer, "/delete/").submit(http, name="Shop").status == 303


@pytest.mark.parametrize("client_id", ["https://app.example.com/client.json", "a/b", "it's&<odd>", "%2F", "a?b#c", "é"])
def test_ids_may_hold_what_addresses_must_not(console, runtime, client_id):
    http = console()
    if client_id == "é":
        assert http.get(f"{http.issuer}/admin/applications/of/é").status == 404
        return
    make_client(runtime, client_id=client_id, client_name="Odd")
    answer = http.get("/admin/applications")
    address = next(link for link in read(answer).links if "/of/" in link and "console" not in link)
    answer = http.get(address)
    assert answer.status == 200
    assert form_of(answer, "/of/").submit(http, client_name="Odd and renamed").status == 303
    with transaction(runtime.engine) as db:
        assert get_client(Operation(db, runtime), client_id).client_name == "Odd and renamed"


def test_an_administrator_does_not_touch_an_application_that_may_do_more_than_they_do(console, runtime):
    api = f"{runtime.settings.issuer}/admin/api/v1"
    client = register(runtime, "Robot", "service", apis=[api], scope="keys:write")
    http = console("admin")
    assert "You can look, but not change" in read(http.get(f"/admin/applications/of/{client.client_id}")).text
    answer = settings_form(http, client).submit(http, client_name="Mine")
    assert answer.status == 403
    assert "keys:write" in read(answer).text
    assert stored(runtime, client) == client


def test_a_list_costs_few_statements_however_many_there_are(console, runtime, counts):
    for number in range(60):
        make_client(runtime, "service", client_name=f"Job {number:03}")
    http = console()
    with counts.measure() as tally:
        http.get("/admin/applications")
    assert len(tally.statements) < 10


def test_a_day_later_the_administrator_signs_in_again(console, runtime, clock):
    client, http = register(runtime), console()
    form = settings_form(http, client)
    clock.advance(days=1)
    answer = form.submit(http, client_name="Mine")
    assert answer.status == 403
    assert "what you entered is kept" in read(answer).text
    assert "Mine" in answer.text
