"""APIs in the console: the list, a new one, its settings, who may ask for it, code for it, and its end."""

import html
import re

import pytest

from authserver.admin.operation import Operation
from authserver.admin.resource_servers import change_resource_server
from authserver.store.base import transaction
from authserver.store.resource_server import find_resource_server
from tests.factories import API, make_client, make_resource_server
from tests.pages import follow, read
from tests.web.console.test_applications import HOSTILE, form_of, register, titles


def stored(runtime, identifier=API):
    with transaction(runtime.engine) as db:
        return find_resource_server(db, identifier)


def page_of(http, tab="of", identifier=API):
    return http.get(f"{http.issuer}/admin/apis/{tab}/{identifier}")


def edit(http, identifier=API):
    return form_of(page_of(http, "of", identifier), "/admin/apis/of/")


def new(http):
    return form_of(http.get("/admin/apis/new"), "/admin/apis/new")


def test_the_list_is_searched_by_the_beginning_of_the_identifier(console, runtime):
    for name in ("orders", "notes"):
        make_resource_server(runtime, f"https://{name}.example.com", name=name.capitalize())
    http = console()
    assert set(titles(http.get("/admin/apis"))) >= {"Orders", "Notes"}
    assert titles(http.get("/admin/apis?q=not")) == ["Notes"]
    assert titles(http.get("/admin/apis?q=https%3A%2F%2Forders")) == ["Orders"]
    assert "Nothing was found" in read(http.get("/admin/apis?q=zebra")).text


def test_the_list_turns_pages(console, runtime):
    for number in range(60):
        make_resource_server(runtime, f"https://n{number:03}.example.com", name=f"Number {number:03}")
    http = console()
    first = http.get("/admin/apis?q=n")
    following = html.unescape(re.findall(r'rel="next" href="([^"]*)"', first.text)[0])
    assert titles(first) + titles(http.get(following)) == [f"Number {number:03}" for number in range(60)]


def test_a_console_without_apis_says_how_to_begin(console):
    assert "No APIs of yours yet" in read(console().get("/admin/apis")).text


def test_an_api_is_registered(console, runtime):
    http = console()
    scopes = "notes:read = See your notes\r\n\r\nnotes:write=Change your notes, = signs and all"
    answer = new(http).submit(
        http, name="Notes", identifier="https://notes.example.com", scopes=scopes, token_format="opaque", signing_alg="ES256"
    )
    assert answer.status == 303
    assert "Notes is registered" in read(follow(http, answer)).text
    api = stored(runtime, "https://notes.example.com")
    assert api.scopes == {"notes:read": "See your notes", "notes:write": "Change your notes, = signs and all"}
    assert (api.name, api.token_format, api.signing_alg, api.managed_by) == ("Notes", "opaque", "ES256", "")


@pytest.mark.parametrize(
    ("values", "field", "text"),
    [
        ({"name": ""}, "name", "Name must be a text"),
        ({"identifier": "notes"}, "identifier", "must be an absolute URI"),
        ({"identifier": API}, "identifier", "there is an API"),
        ({"identifier": "https://login.example.com"}, "identifier", "must not be the issuer"),
        ({"scopes": "read"}, "scopes", "must be written as name = text"),
        ({"scopes": "read = a\nread = b"}, "scopes", "only once"),
        ({"scopes": "openid = Know you"}, "scopes", "is a scope of OpenID Connect"),
        ({"scopes": 'a"b = x'}, "scopes", "must be named by"),
        ({"token_format": "xml"}, "token_format", "must be one of"),
        ({"signing_alg": "HS256"}, "signing_alg", "must be one of"),
    ],
)
def test_what_cannot_be_taken_is_said_at_its_field(console, runtime, values, field, text):
    make_resource_server(runtime)
    http = console()
    answer = new(http).submit(http, **{"name": "Notes", "identifier": "https://notes.example.com", **values})
    assert answer.status == (409 if values.get("identifier") == API else 422)
    assert text in read(answer).text
    assert f'href="#{field}"' in answer.text
    again = form_of(answer, "/apis/new")
    assert {name: again.fields[name] for name in values if again.types.get(name) in ("text", "textarea")} == {
        name: value for name, value in values.items() if again.types.get(name) in ("text", "textarea")
    }


def test_settings_are_stored_and_a_form_sent_as_shown_changes_nothing(console, runtime):
    made = make_client(runtime, "service")
    make_resource_server(runtime, introspected_by=[made.client_id], claims={"roles": "roles"}, token_lifetime_seconds=300)
    http, before = console(), stored(runtime)
    assert edit(http).submit(http).status == 303
    after = stored(runtime)
    assert {
        name: getattr(after, name) for name in ("name", "scopes", "claims", "introspected_by", "token_lifetime_seconds", "signing_alg")
    } == {name: getattr(before, name) for name in ("name", "scopes", "claims", "introspected_by", "token_lifetime_seconds", "signing_alg")}
    changes = {
        "scopes": "read = See\nsend = Send",
        "token_lifetime_seconds": "1h",
        "claims": "",
        "introspected_by": "",
        "token_format": "opaque",
    }
    assert edit(http).submit(http, **changes).status == 303
    after = stored(runtime)
    assert after.scopes == {"read": "See", "send": "Send"}
    assert (after.token_lifetime_seconds, after.claims, after.introspected_by, after.token_format) == (3600, {}, [], "opaque")


@pytest.mark.parametrize(
    ("values", "field", "text"),
    [
        ({"token_lifetime_seconds": "1s"}, "token_lifetime_seconds", "between 60 seconds and 24 hours"),
        ({"claims": "iss = x"}, "claims", "which has a meaning of its own"),
        ({"introspected_by": "nobody"}, "introspected_by", "must name clients that exist"),
        ({"scopes": "other = Other"}, "scopes", "still has the scope read"),
    ],
)
def test_a_change_that_cannot_be_made_is_said_at_its_field(console, runtime, values, field, text):
    make_resource_server(runtime)
    register(runtime, "Job", "service", apis=[API], scope="read")
    http = console()
    answer = edit(http).submit(http, **values)
    assert answer.status in (409, 422)
    assert text in read(answer).text
    assert f'id="{field}-fault"' in answer.text
    assert form_of(answer, "/apis/of/").fields[field] == values[field]


def test_a_change_in_between_is_shown_and_nothing_is_lost(console, runtime):
    make_resource_server(runtime)
    http = console()
    mine = edit(http)
    with transaction(runtime.engine) as db:
        change_resource_server(Operation(db, runtime), API, {"name": "Theirs", "token_lifetime_seconds": 120})
    answer = mine.submit(http, name="Mine")
    assert answer.status == 409
    assert "Somebody else changed this API meanwhile" in read(answer).text
    again = form_of(answer, "/apis/of/")
    assert (again.fields["name"], again.fields["token_lifetime_seconds"]) == ("Mine", "2m")
    assert again.submit(http).status == 303
    assert (stored(runtime).name, stored(runtime).token_lifetime_seconds) == ("Mine", 120)


def test_fields_that_are_not_in_the_form_change_nothing(console, runtime):
    make_resource_server(runtime)
    http = console()
    assert edit(http).submit(http, identifier="https://evil.example", managed_by="me").status == 303
    assert stored(runtime).managed_by == ""
    assert stored(runtime, "https://evil.example") is None


def test_the_applications_that_may_ask_for_it_are_listed(console, runtime):
    make_resource_server(runtime)
    register(runtime, "Job", "service", apis=[API], scope="read")
    register(runtime, "Other", "service")
    http = console()
    assert titles(page_of(http, "clients")) == ["Job"]


@pytest.mark.parametrize("token_format", ["jwt", "opaque"])
def test_there_is_code_that_checks_its_tokens(console, runtime, token_format):
    make_resource_server(runtime, token_format=token_format)
    text = read(page_of(console(), "snippets")).text
    assert ("jwks.json" in text) is (token_format == "jwt")
    assert ("/oauth2/introspect" in text) is (token_format == "opaque")


def test_an_api_is_deleted_by_typing_its_name_when_nobody_may_ask_for_it(console, runtime):
    make_resource_server(runtime)
    http = console()
    danger = form_of(page_of(http, "danger"), "/danger/")
    assert danger.submit(http, name="example api").status == 422
    client = register(runtime, "Job", "service", apis=[API])
    answer = danger.submit(http, name="Example API")
    assert answer.status == 409
    assert client.client_id in read(answer).text
    form_of(http.get(f"/admin/applications/apis/{client.client_id}"), "/apis/").submit(http, apis=[], default_api="")
    assert form_of(answer, "/danger/").submit(http, name="Example API").status == 303
    assert stored(runtime) is None


def test_what_is_managed_elsewhere_is_read_only(console, runtime):
    http = console()
    own = f"{runtime.settings.issuer}/admin/api/v1"
    page = page_of(http, "of", own)
    assert "Managed by authserver" in read(page).text
    assert not [form for form in read(page).forms if any(button.text == "Save" for button in form.buttons)]
    answer = edit(http, own).submit(http, name="Mine")
    assert answer.status == 409
    assert form_or_none(page_of(http, "danger", own)) is None


def form_or_none(answer):
    return next((form for form in read(answer).forms if "/danger/" in form.action), None)


@pytest.mark.parametrize("role", ["auditor", "support"])
def test_who_may_only_look_is_refused(console, runtime, role):
    make_resource_server(runtime)
    form, http = edit(console()), console(role)
    assert page_of(http).status == 200
    assert page_of(http, "danger").status == 403
    for path in (f"{http.issuer}/admin/apis/of/{API}", f"{http.issuer}/admin/apis/danger/{API}", "/admin/apis/new"):
        assert http.post(path, form.fields, headers={"Sec-Fetch-Site": "same-origin"}).status == 403
    assert stored(runtime).version == 1


def test_no_text_of_an_api_becomes_markup(console, runtime):
    make_resource_server(runtime, name=HOSTILE, scopes={"read": HOSTILE}, claims={"c": HOSTILE})
    http = console()
    for tab in ("of", "clients", "snippets", "danger"):
        answer = page_of(http, tab)
        assert answer.status == 200
        assert "<script>" not in answer.text
        assert "<img src=x" not in answer.text


def test_an_api_that_is_not_there_is_not_found(console):
    http = console()
    for tab in ("of", "clients", "snippets", "danger"):
        assert page_of(http, tab, "https://nowhere.example.com").status == 404
