"""Signing in to the console through our own authorization endpoint, and what a role opens."""

import pytest

from authserver.admin.operation import Operation
from authserver.admin.roles import give_role
from authserver.admin.users import disable_user
from authserver.store.base import transaction
from tests.administrators import sign_in_to_console
from tests.factories import make_user
from tests.pages import follow, read


def test_without_an_owner_the_console_says_how_to_get_one(http):
    answer = follow(http, http.get("/admin"))
    assert answer.status == 200
    assert "authserver admins link" in read(answer).text


def test_an_administrator_signs_in_with_code_and_pkce_and_comes_back_to_the_page_asked_for(http, administrator):
    person = administrator()
    first = http.get("/admin/keys?x=1")
    assert first.location.endswith("/admin/sign-in?next=/admin/keys?x%3D1") or "/admin/sign-in?next=" in first.location
    authorize = http.get(first.location)
    assert authorize.query["client_id"] == "authserver-console"
    assert authorize.query["code_challenge_method"] == "S256"
    answer = sign_in_to_console(http, person, "/admin/keys?x=1")
    assert (answer.status, answer.url) == (200, f"{http.issuer}/admin/keys?x=1")
    assert person.email in read(answer).text


def test_somebody_without_a_role_is_told_so(http, runtime, administrator):
    administrator()
    answer = sign_in_to_console(http, make_user(runtime))
    assert answer.status == 403
    assert "no role" in read(answer).text


@pytest.mark.parametrize("change", ["role", "user", "session", "time"])
def test_access_ends_at_once(runtime, clock, console, administrator, change):
    administrator()
    person = administrator("support")
    http = console(person=person)
    assert http.get("/admin").status == 200
    with transaction(runtime.engine) as db:
        operation = Operation(db, runtime)
        match change:
            case "role":
                give_role(operation, person.user, None)
            case "user":
                disable_user(operation, person.email)
            case "session":
                from authserver.admin.sessions import end_user_sessions

                end_user_sessions(operation, person.email)
    if change == "time":
        clock.advance(hours=12, seconds=1)
    answer = http.get("/admin")
    assert answer.status == (403 if change == "role" else 303)


def test_the_cookie_of_the_console_cannot_be_made_up(http, administrator, console):
    signed_in = console()
    name, value = next((name, value) for name, value in signed_in.cookies().items() if name.endswith("console"))
    session_id, since, mark = value.split(".", 2)
    for forged in (f"{session_id}.{int(since) + 1}.{mark}", f"{session_id}..{mark}", "x", "..", f"{session_id}.{since}.", "é.1.x"):
        http.client.set_cookie(name, forged, domain="login.example.com", secure=True)
        assert http.get("/admin").status == 303, forged


def test_the_answer_to_another_sign_in_is_refused(http, administrator):
    person = administrator()
    for query in ("", "?code=x", "?code=x&state=y", "?error=access_denied&state=y"):
        assert http.get(f"/admin/callback{query}").status == 400
    follow(http, http.get("/admin/sign-in"))
    assert http.get("/admin/callback?code=x&state=wrong&iss=" + http.issuer).status == 400
    assert sign_in_to_console(http, person).status == 200


@pytest.mark.parametrize(
    "target", ["https://evil.example", "//evil.example/admin", "/login", "/admin/../x", "\\evil", "/adminx", "javascript:alert(1)"]
)
def test_signing_in_leads_to_the_console_alone(http, administrator, target):
    from urllib.parse import quote

    answer = sign_in_to_console(http, administrator(), f"/admin/sign-in?next={quote(target, safe='')}")
    assert answer.url == f"{http.issuer}/admin"


def test_signing_out_ends_the_console_and_the_session(console):
    http = console()
    page = read(http.get("/admin"))
    form = next(form for form in page.forms if form.action.endswith("/admin/sign-out"))
    assert form.submit(http).status == 200
    assert http.get("/admin").status == 303
    assert "/login" in follow(http, http.get("/admin")).url


def test_a_form_of_another_site_signs_nobody_out(console):
    http = console()
    answer = http.post("/admin/sign-out", {}, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status == 403
    assert http.get("/admin").status == 200


FRESH = (
    ("GET", "/admin/keys/rotate"),
    ("POST", "/admin/keys/rotate"),
    ("POST", "/admin/applications/credentials/x"),
    ("POST", "/admin/applications/rotate-secret/x"),
    ("POST", "/admin/applications/drop-secret/x"),
    ("POST", "/admin/users/00000000-0000-4000-8000-000000000000/role"),
)


def test_keys_secrets_and_roles_ask_for_a_fresh_sign_in(console, clock):
    http = console()
    clock.advance(minutes=5, seconds=1)
    mark = next(form for form in read(http.get("/admin/keys")).forms if form.method == "post").fields["csrf_token"]
    for method, path in FRESH:
        data = {"overlap": "7", "csrf_token": mark} if method == "POST" else None
        answer = http.request(method, path, data=data, headers={"Sec-Fetch-Site": "same-origin"})
        if answer.status == 405:
            continue
        if method == "GET":
            assert "fresh=1" in answer.location, path
            assert http.get(answer.location).query["max_age"] == "290"
        else:
            assert (answer.status, "Confirm that it is you" in answer.text) == (403, True), path
            assert 'name="overlap" value="7"' in answer.text, "nothing is lost"
