"""Users in the console: found, invited, changed, given a role, disabled, deleted; and what each role may not do."""

from dataclasses import replace

import pytest

from authserver.admin.roles import give_role
from authserver.admin.users import change_user, get_user, invite_user
from authserver.runtime import Runtime
from authserver.store.user import find_user_by_email
from tests.clock import Clock
from tests.counts import Counts
from tests.factories import API, PASSWORD, Person, make_client, make_resource_server, make_user
from tests.http_client import InProcess
from tests.pages import read
from tests.web.console.people import MARKUP, events, flash, form_to, has_form_to, next_page, operating, sent, use


@pytest.fixture
def ida(runtime: Runtime) -> Person:
    claims = {"name": "Ida Rhodes", "email_verified": True, "locale": "de-AT", "nickname": "ida"}
    return make_user(runtime, "ida@example.net", claims=claims, roles=["editor"], groups=["staff"], attributes={"department": "sales"})


def stored(runtime: Runtime, person: Person):
    with operating(runtime) as operation:
        return get_user(operation, person.subject)


def test_the_list_finds_by_email_and_name_and_narrows_by_status_and_role(console, runtime):
    http = console()
    with operating(runtime) as operation:
        for email, name in (("grace@example.net", "Grace Hopper"), ("alan@example.net", "Alan Turing")):
            invite_user(operation, email, {"name": name})
        give_role(operation, get_user(operation, "alan@example.net"), "support")
    for query, found, missing in (
        ("q=gra", "grace@", "alan@"),
        ("q=turing", "alan@", "grace@"),
        ("role=support", "alan@", "grace@"),
        ("status=enabled", "grace@", "nobody"),
    ):
        text = read(http.get(f"/admin/users?{query}")).text
        assert found in text, query
        assert missing not in text, query
    for query in ("q=nobody", "status=disabled"):
        assert "Nobody is found" in read(http.get(f"/admin/users?{query}")).text


@pytest.mark.parametrize("query", ["status=broken", "page=x", "role=king"])
def test_a_filter_that_is_none_is_a_clear_error(console, query):
    page = read(console().get(f"/admin/users?{query}"))
    assert page.answer.status == 422
    assert query.partition("=")[0] in page.text.lower()


def test_a_long_list_goes_on_page_by_page_with_its_filters(console, runtime):
    http = console()
    with operating(runtime) as operation:
        for number in range(60):
            invite_user(operation, f"member{number:02}@example.net", {"name": "Person"})
    first = read(http.get("/admin/users?q=member&status=enabled"))
    following = next_page(first)
    assert "q=member" in following
    assert "status=enabled" in following
    second = read(http.get(following))
    seen = [page.text.count("@example.net") for page in (first, second)]
    assert sum(seen) >= 60
    assert any(link.endswith("q=member&status=enabled") for link in second.links)


def test_a_list_of_users_asks_the_database_little(console, runtime, counts: Counts):
    http = console()
    with operating(runtime) as operation:
        for number in range(60):
            invite_user(operation, f"member{number:02}@example.net", {"name": "Person"})
    for path in ("/admin/users", "/admin/users?q=member", "/admin/users?role=owner"):
        with counts.measure() as tally:
            assert http.get(path).status == 200
        assert len(tally.reads) < 10, path


def test_an_invitation_without_mail_shows_its_link_once(console, runtime):
    http = console()
    answer = sent(http, "/admin/users/invite", email=" New@Example.NET ", name="Newly Invited")
    page = read(http.get(str(answer.location)))
    link = next(word for word in page.text.split() if word.startswith("https://") and "/password?token=" in word)
    assert page.answer.headers["Cache-Control"] == "no-store"
    assert read(http.fresh().get(link)).asks_for_password
    assert "/password?token=" not in read(http.get(str(answer.location))).text
    with operating(runtime) as operation:
        assert get_user(operation, "new@example.net").claims["name"] == "Newly Invited"
    assert events(runtime, "user.invite")[0].actor.endswith("@example.net")


@pytest.mark.settings(smtp_url="smtp://localhost:1", mail_from="login@example.com")
def test_an_invitation_with_mail_shows_no_link(console):
    http = console()
    answer = sent(http, "/admin/users/invite", email="new@example.net")
    text = flash(http, answer)
    assert "An invitation was sent to new@example.net." in text
    assert "token=" not in text


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"email": "nonsense"}, "must be an address like"),
        ({"email": ""}, "must be an address like"),
        ({"email": "ida@example.net"}, "there is a user 'ida@example.net' already"),
        ({"email": "x@example.net", "name": "x" * 2000}, "1 to 1000 printable characters"),
    ],
)
def test_a_refused_invitation_comes_back_filled_in(console, ida, values, text):
    page = read(sent(console(), "/admin/users/invite", **values))
    assert page.answer.status == 422
    assert text in page.text
    assert 'role="alert"' in page.answer.text
    assert page.answer.text.count('aria-invalid="true"') == 1
    assert form_to(page, "/invite").fields["email"] == values["email"]


def test_a_profile_is_changed_and_what_the_form_does_not_show_stays(console, runtime, ida):
    http, path = console(), f"/admin/users/{ida.subject}"
    answer = sent(http, path, name="Ida R.", roles="editor\n billing \n", attributes='{"floor": 3}', given_name="Ida")
    assert "Saved." in flash(http, answer)
    user = stored(runtime, ida)
    assert user.claims == {"name": "Ida R.", "email_verified": True, "locale": "de-AT", "nickname": "ida", "given_name": "Ida"}
    assert (user.roles, user.groups, user.attributes) == (["editor", "billing"], ["staff"], {"floor": 3})
    noted = events(runtime, "user.update")[0]
    assert noted.details["before"]["attributes"] == {"department": "sales"}
    assert noted.details["after"]["attributes"] == {"floor": 3}


def test_a_new_address_is_not_taken_for_verified(console, runtime, ida):
    http = console()
    sent(http, f"/admin/users/{ida.subject}", email="other@example.net")
    assert stored(runtime, ida).claims["email_verified"] is False
    sent(http, f"/admin/users/{ida.subject}", email_verified="true")
    assert stored(runtime, ida).claims["email_verified"] is True


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("email", "nonsense", "must be an address"),
        ("email", "taken@example.net", "already"),
        ("locale", "Klingon!", "must be written like de-AT"),
        ("phone_number", "call me", "must be written like"),
        ("attributes", "{", "must be JSON"),
        ("attributes", "[1]", "must be a JSON object"),
        ("attributes", '{"email": "x"}', "must be a JSON object"),
        ("attributes", '{"sub": "x"}', "sub cannot be set"),
    ],
)
def test_a_refused_profile_comes_back_filled_in(console, runtime, ida, field, value, text):
    make_user(runtime, "taken@example.net")
    before = stored(runtime, ida)
    page = read(sent(console(), f"/admin/users/{ida.subject}", name="Not Stored", **{field: value}))
    assert page.answer.status in (409, 422)
    assert text in page.text
    assert f'href="#{field}"' in page.answer.text
    fields = form_to(page, ida.subject).fields
    assert (fields[field], fields["name"]) == (value, "Not Stored")
    assert stored(runtime, ida) == before


@pytest.mark.parametrize("name", ["id", "created_at", "password", "role", "disabled_at", "sub", "picture"])
def test_a_field_that_the_form_does_not_have_changes_nothing(console, runtime, ida, name):
    before = stored(runtime, ida)
    assert sent(console(), f"/admin/users/{ida.subject}", **{name: "owner"}).status == 303
    after = stored(runtime, ida)
    assert (after.id, after.created_at, after.disabled_at) == (before.id, before.created_at, before.disabled_at)
    assert (after.claims, after.attributes) == (before.claims, before.attributes)


def test_two_who_change_one_user_lose_nothing(console, runtime, ida):
    http, path = console(), f"/admin/users/{ida.subject}"
    form = form_to(read(http.get(path)), ida.subject)
    with operating(runtime) as operation:
        change_user(operation, ida.subject, {"groups": ["theirs"], "name": "Their Name"})
    answer = form.submit(http, name="My Name")
    page = read(answer)
    assert answer.status == 409
    assert "Somebody else changed this user meanwhile" in page.text
    for part in ("Their Name", "My Name", "theirs"):
        assert part in page.text
    again = form_to(page, ida.subject)
    assert (again.fields["name"], again.fields["groups"]) == ("My Name", "theirs")
    assert again.submit(http).status == 303
    user = stored(runtime, ida)
    assert (user.claims["name"], user.groups) == ("My Name", ["theirs"])


def test_disabling_signs_out_and_enabling_lets_in_again(console, runtime, ida):
    http, path = console(), f"/admin/users/{ida.subject}/danger"
    use(http, make_client(runtime, "spa", consent="skipped"), ida, scope="openid offline_access")
    assert "is disabled, and signed out everywhere" in flash(http, form_to(read(http.get(path)), "/disable").submit(http))
    assert not stored(runtime, ida).is_enabled
    page = read(http.get(path))
    assert not has_form_to(page, "/disable")
    assert read(http.get(f"{path[:-7]}/sessions")).text.count("Signed in nowhere") == 1
    assert form_to(page, "/enable").submit(http).status == 303
    assert stored(runtime, ida).is_enabled


@pytest.mark.parametrize("typed", ["", "other@example.net", "ida@example.ne"])
def test_deleting_asks_for_the_address(console, runtime, ida, typed):
    page = read(sent(console(), f"/admin/users/{ida.subject}/danger", "/delete", email=typed))
    assert page.answer.status == 422
    assert "must be ida@example.net" in page.text
    assert stored(runtime, ida)


def test_who_typed_the_address_deletes(console, runtime, ida):
    http = console()
    answer = sent(http, f"/admin/users/{ida.subject}/danger", "/delete", email=" IDA@example.net ")
    assert "ida@example.net was deleted." in flash(http, answer)
    with operating(runtime) as operation:
        assert find_user_by_email(operation.db, "ida@example.net") is None
    assert http.get(f"/admin/users/{ida.subject}").status == 404
    assert [event.subject for event in events(runtime, "user.delete")] == [ida.subject]


def test_an_account_that_changed_meanwhile_is_looked_at_again_before_it_goes(console, runtime, ida):
    http = console()
    form = form_to(read(http.get(f"/admin/users/{ida.subject}/danger")), "/delete")
    with operating(runtime) as operation:
        change_user(operation, ida.subject, {"name": "Changed"})
    assert form.submit(http, email="ida@example.net").status == 409
    assert stored(runtime, ida).claims["name"] == "Changed"


def test_sessions_consents_and_grants_of_a_user_are_shown_and_ended(console, runtime, ida):
    make_resource_server(runtime)
    http, made = console(), make_client(runtime, "spa", client_name="Acme Photos", apis=[API])
    use(http, made, ida, scope="openid offline_access read")
    base = f"/admin/users/{ida.subject}"
    assert "Firefox on Linux 192.0.2.0/24" in read(http.get(f"{base}/sessions")).text
    access = read(http.get(f"{base}/access"))
    assert access.text.count("Acme Photos") == 2
    assert access.text.count("offline_access openid read") == 1
    answer = form_to(access, "/grants/end-all").submit(http, client_id=made.client_id)
    assert "1 grant has ended." in flash(http, answer)
    assert str(answer.location).endswith(f"{base}/access")
    after = read(http.get(f"{base}/access")).text
    assert "Nothing was allowed" in after
    assert "No connections" in after
    answer = form_to(read(http.get(f"{base}/sessions")), "/end-all").submit(http)
    assert str(answer.location).endswith(f"{base}/sessions")
    assert "Signed in nowhere" in flash(http, answer)


def test_the_security_log_has_what_they_did_and_what_was_done_to_them(console, runtime, ida):
    http = console()
    use(http, make_client(runtime, "spa", client_name="Acme Photos"), ida)
    sent(http, f"/admin/users/{ida.subject}", name="Ida R.")
    text = read(http.get(f"/admin/users/{ida.subject}/log")).text
    for part in ("sign_in", "consent", "Acme Photos", "user.update", "Ida Rhodes", "Ida R."):
        assert part in text


@pytest.mark.settings(smtp_url="smtp://localhost:1", mail_from="login@example.com")
def test_a_reset_is_mailed_and_neither_shown_nor_set(console, runtime, ida):
    http = console("support")
    page = read(http.get(f"/admin/users/{ida.subject}"))
    assert not page.asks_for_password
    text = flash(http, form_to(page, "/reset-password").submit(http))
    assert "A link to choose a new password was sent to ida@example.net." in text
    assert "token=" not in text
    other = http.fresh()
    assert read(other.get("/login")).form("password").submit(other, email=ida.email, password=PASSWORD).status == 303
    assert events(runtime, "user.start_password_reset")


def test_without_mail_a_reset_says_what_to_do(console, ida):
    http = console()
    page = read(http.get(f"/admin/users/{ida.subject}"))
    assert "authserver users reset-link ida@example.net" in page.text
    assert not has_form_to(page, "/reset-password")
    fields = {"csrf_token": form_to(page, ida.subject).fields["csrf_token"]}
    answer = http.post(f"/admin/users/{ida.subject}/reset-password", fields, headers={"Sec-Fetch-Site": "same-origin"})
    assert "AUTHSERVER_SMTP_URL" in flash(http, answer)


def test_an_owner_gives_a_role_and_takes_it_away(console, runtime, ida):
    http, path = console(), f"/admin/users/{ida.subject}"
    assert f"{ida.email} is support now." in flash(http, sent(http, path, "/role", role="support"))
    page = read(http.get(path))
    assert form_to(page, "/role").fields["role"] == "support"
    assert f"{ida.email} has no role any more." in flash(http, form_to(page, "/role").submit(http, role=""))
    noted = [event.details for event in events(runtime, "user.set_role") if event.subject == ida.subject]
    assert sorted((str(each["before"]["role"]), str(each["after"]["role"])) for each in noted) == [("None", "support"), ("support", "None")]


def test_a_role_needs_a_fresh_sign_in_and_the_choice_is_kept(console, clock: Clock, ida):
    http, path = console(), f"/admin/users/{ida.subject}"
    clock.advance(minutes=6)
    page = read(sent(http, path, "/role", role="admin"))
    assert page.answer.status == 403
    assert "Confirm that it is you" in page.text
    assert form_to(page, "/role").fields["role"] == "admin"


@pytest.mark.parametrize("role", ["king", "<script>"])
def test_a_role_that_is_none_is_a_clear_error(console, ida, role):
    answer = sent(console(), f"/admin/users/{ida.subject}", "/role", role=role)
    assert answer.status == 422
    assert "must be one of auditor, support, admin, owner" in read(answer).text


def test_a_role_that_a_file_gives_is_changed_there(console, runtime, ida):
    http = console()
    with operating(runtime) as operation:
        give_role(replace(operation, owner="clients.yaml"), ida.user, "support")
    page = read(http.get(f"/admin/users/{ida.subject}"))
    assert "managed by clients.yaml" in page.text
    answer = form_to(page, "/role").submit(http, role="admin")
    assert "The role stays: the role of ida@example.net is managed by clients.yaml: change it there." in flash(http, answer)


ACTIONS = ("", "/role", "/reset-password", "/disable", "/enable", "/delete")


@pytest.mark.parametrize(("role", "sees", "acts"), [("auditor", True, False), ("admin", True, False), ("support", True, True)])
def test_who_may_not_change_users_sees_no_form_and_is_refused(console, runtime, ida, role, sees, acts):
    http = console(role)
    page = read(http.get(f"/admin/users/{ida.subject}"))
    assert (page.answer.status == 200) == sees
    assert ("Save" in page.text) == acts
    assert ("Invite a user" in read(http.get("/admin/users")).text) == acts
    assert ("Danger zone" in page.text) == acts
    if not acts:
        for path in (*ACTIONS, "/danger"):
            method = http.get if path == "/danger" else http.post
            assert method(f"/admin/users/{ida.subject}{path}").status == 403, path
        assert http.get("/admin/users/invite").status == 403
    assert not has_form_to(page, "/role")


@pytest.mark.parametrize(("mine", "theirs"), [("support", "support"), ("support", "admin"), ("support", "owner"), ("owner", "owner")])
@pytest.mark.parametrize("path", ACTIONS)
def test_nobody_acts_on_an_equal_or_higher_role(console, runtime, administrator, mine, theirs, path):
    http, target = console(mine), administrator(theirs)
    page = read(http.get(f"/admin/users/{target.subject}"))
    assert f"This user is {theirs}" in page.text
    assert not has_form_to(page, "/role")
    assert "Save" not in page.text
    before = stored(runtime, target)
    mark = next(form.fields["csrf_token"] for form in page.forms if "csrf_token" in form.fields)
    data = {"csrf_token": mark, "version": str(before.version), "seen": "{}", "email": target.email, "role": "", "name": "Mallory"}
    answer = http.post(f"/admin/users/{target.subject}{path}", data, headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status == 403, read(answer).text
    assert stored(runtime, target) == before


def test_stored_markup_is_text_everywhere(console, runtime):
    odd = make_user(runtime, "odd@example.net", claims={"name": MARKUP}, roles=[MARKUP], groups=[MARKUP], attributes={"a": MARKUP})
    http, made = console(), make_client(runtime, "spa", client_name=MARKUP)
    use(http, made, odd, user_agent=MARKUP)
    base = f"/admin/users/{odd.subject}"
    for path in ("/admin/users", base, f"{base}/sessions", f"{base}/access", f"{base}/log", f"{base}/danger"):
        text = http.get(path).text
        assert "<script>alert" not in text, path
        assert "<img src=x" not in text, path
        assert "&lt;script&gt;alert(1)" in text or path.endswith("danger") or path == base, path


@pytest.mark.parametrize("user_id", ["none", "ida@example.net", "00000000-0000-4000-8000-000000000000", "%2e%2e", "A" * 300])
def test_nobody_else_has_a_page(console, ida, user_id):
    http: InProcess = console()
    for path in ("", "/sessions", "/access", "/log", "/danger"):
        assert http.get(f"/admin/users/{user_id}{path}").status == 404


def test_a_form_of_another_site_changes_nothing(console, runtime, ida):
    http, before = console(), stored(runtime, ida)
    form = form_to(read(http.get(f"/admin/users/{ida.subject}")), ida.subject)
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        assert http.post(form.action, {**form.fields, "name": "Mallory"}, headers=headers).status == 403
    assert http.post(form.action, {**form.fields, "csrf_token": "x.y"}, headers={"Sec-Fetch-Site": "same-origin"}).status == 400
    assert stored(runtime, ida) == before


@pytest.mark.parametrize("path", ["", "/sessions", "/access", "/log", "/danger"])
def test_every_page_says_the_same_as_a_call(console, ida, path):
    text = read(console().get(f"/admin/users/{ida.subject}{path}")).text
    assert "As an API call" in text
    assert "https://login.example.com/admin/api/v1/" in text
