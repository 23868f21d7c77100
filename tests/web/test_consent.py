"""Consent: what the page says, and that the answer counts for nothing else."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from authserver.runtime import Runtime
from authserver.store.audit import list_events
from authserver.store.base import transaction
from authserver.store.client import clients
from authserver.store.consent import find_consent
from authserver.store.resource_server import resource_servers
from authserver.web.consent import duration
from tests.clock import Clock
from tests.factories import API, ISSUER, Made, Person, make_client, make_resource_server, make_user
from tests.http_client import Answer, InProcess
from tests.pages import Form, Page, follow, read
from tests.relying_party import Begun, RelyingParty

SCOPE = "openid profile email address phone offline_access read write"


@pytest.fixture
def made(runtime: Runtime) -> Made:
    make_resource_server(runtime)
    return make_client(
        runtime,
        client_name="Acme Photos",
        apis=[API],
        grant_types=["authorization_code", "refresh_token"],
        policy_uri="https://app.example.org/privacy",
        tos_uri="https://app.example.org/terms",
    )


@pytest.fixture
def person(runtime: Runtime) -> Person:
    return make_user(runtime, "ada@example.net")


@pytest.fixture
def party(http: InProcess, made: Made, clock: Clock) -> RelyingParty:
    return RelyingParty(http, made, clock=clock)


def arrive(party: RelyingParty, person: Person, **changes: Any) -> tuple[Begun, Page]:
    """Begin, sign in where asked, and stop at the consent page."""
    begun = party.begin(**{"scope": SCOPE, **changes})
    page = read(follow(party.http, begun.answer))
    if page.asks_for_password:
        page = read(follow(party.http, party.fill(page, person, "")))
    return begun, page


def decide(party: RelyingParty, form: Form, decision: str, **changes: str) -> Answer:
    return follow(party.http, form.submit(party.http, decision, **changes))


@pytest.mark.spec("ASVS 5.0", "10.7.2")
def test_the_page_says_who_asks_what_of_whom_and_for_how_long(party: RelyingParty, person: Person) -> None:
    _, page = arrive(party, person)
    for text in (
        "Allow Acme Photos to use your account?",
        "The answer goes to app.example.org",
        "You are signed in as ada@example.net",
        "See your email address",
        "See your postal address",
        "See your phone number",
        "At Example API, for you: Read your things Change your things",
        "Access lasts for up to 90 days, also after you sign out here.",
        "Your permission is remembered",
        "Privacy policy of Acme Photos",
    ):
        assert text in page.text
    assert "https://app.example.org/terms" in page.links
    assert any("/login?" in link and "other=1" in link for link in page.links)


def test_without_offline_access_it_ends_with_the_session(party: RelyingParty, person: Person) -> None:
    page = arrive(party, person, scope="openid")[1]
    assert "Access lasts until you sign out here, for at most 24 hours." in page.text
    assert "Read your things" not in page.text


def test_an_api_without_scopes_is_named_all_the_same(party: RelyingParty, person: Person) -> None:
    assert "At Example API, for you: Act in your name" in arrive(party, person, scope="openid", resource=API)[1].text


def test_a_client_without_refresh_tokens_gets_minutes(http: InProcess, runtime: Runtime, person: Person) -> None:
    party = RelyingParty(http, make_client(runtime, grant_types=["authorization_code"]))
    assert "for at most 10 minutes" in arrive(party, person, scope="openid")[1].text


def test_a_lifetime_of_the_clients_own_is_told(http: InProcess, runtime: Runtime, person: Person) -> None:
    spa = RelyingParty(http, make_client(runtime, "spa"))
    assert "up to 24 hours" in arrive(spa, person, scope="openid offline_access")[1].text
    longer = RelyingParty(http, make_client(runtime, "spa", refresh_token_lifetime=7 * 86400))
    assert "up to 7 days" in arrive(longer, person, scope="openid offline_access")[1].text


def test_denying_is_as_easy_as_allowing(party: RelyingParty, person: Person) -> None:
    page = arrive(party, person)[1]
    [form] = page.forms
    assert [(button.value, button.text) for button in form.buttons] == [("deny", "Deny"), ("allow", "Allow")]
    assert "autofocus" not in page.answer.text
    buttons = [tag.split(">")[0] for tag in page.answer.text.split("<button")[1:]]
    assert buttons[0].replace("deny", "") == buttons[1].replace("allow", "")


def test_what_a_client_writes_is_text(http: InProcess, runtime: Runtime, person: Person) -> None:
    make_resource_server(runtime, name="<i>API</i>", scopes={"read": "<img src=x onerror=alert(1)>"})
    party = RelyingParty(http, make_client(runtime, client_name='"><script>alert(1)</script>', apis=[API]))
    page = arrive(party, person, scope="openid read")[1]
    assert "<script>alert" not in page.answer.text
    assert "<img src=x" not in page.answer.text
    assert "<i>API</i>" in page.text


@pytest.mark.parametrize("redirect_uri", ["com.example.app:/callback", "http://127.0.0.1/callback"])
@pytest.mark.spec("RFC 8252", "8.6")
def test_an_application_on_the_device_is_named_as_one(http: InProcess, runtime: Runtime, person: Person, redirect_uri: str) -> None:
    party = RelyingParty(http, make_client(runtime, "native", redirect_uris=[redirect_uri]))
    begun, page = arrive(party, person, scope="openid")
    assert "an application on your device" in page.text
    assert "Only allow it if you have just opened it yourself." in page.text
    assert "Your permission is remembered" not in page.text
    answer = decide(party, page.forms[0], "allow")
    assert "code" in party.callback(begun, answer).parameters
    assert arrive(party, person, scope="openid")[1].forms[0].buttons[1].value == "allow"


def test_allowing_is_remembered_and_audited(party: RelyingParty, person: Person, runtime: Runtime) -> None:
    begun, page = arrive(party, person)
    assert "code" in party.callback(begun, decide(party, page.forms[0], "allow")).parameters
    with transaction(runtime.engine) as db:
        consent = find_consent(db, person.user.id, party.made.client_id)
        [event] = [event for event in list_events(db) if event.action == "consent"]
    assert consent is not None
    assert set(consent.scope) == set(SCOPE.split())
    assert consent.resources == (API,)
    assert (event.outcome, event.subject, event.client_id, event.details["resources"]) == (
        "ok",
        person.subject,
        party.made.client_id,
        [API],
    )
    assert "code" in party.authorize(None, scope=SCOPE).parameters


def test_denying_reaches_the_client_and_nothing_is_remembered(party: RelyingParty, person: Person, runtime: Runtime) -> None:
    begun, page = arrive(party, person)
    assert party.callback(begun, decide(party, page.forms[0], "deny")).error == "access_denied"
    with transaction(runtime.engine) as db:
        assert find_consent(db, person.user.id, party.made.client_id) is None
        assert [event.outcome for event in list_events(db) if event.action == "consent"] == ["denied"]


@pytest.mark.parametrize(
    ("change", "asked"), [("name", "Acme Photos & Friends"), ("scope text", "Delete everything"), ("api", "Another name")]
)
def test_an_answer_to_something_else_is_not_taken(party: RelyingParty, person: Person, runtime: Runtime, change: str, asked: str) -> None:
    begun, page = arrive(party, person)
    with transaction(runtime.engine) as db:
        match change:
            case "name":
                db.execute(update(clients).values(client_name=asked))
            case "scope text":
                db.execute(update(resource_servers).values(scopes={"read": asked, "write": "Change your things"}))
            case "api":
                db.execute(update(resource_servers).values(name=asked))
    runtime.caches.clients.clear()
    runtime.caches.resource_servers.clear()
    answer = page.forms[0].submit(party.http, "allow")
    assert answer.status == 409
    again = read(answer)
    assert "has changed" in again.text
    assert asked in again.text
    assert "code" in party.callback(begun, decide(party, again.forms[0], "allow")).parameters


@pytest.mark.parametrize("changes", [{"shown": ""}, {"shown": "x" * 43}, {"shown": "x" * 500}, {"decision": "maybe"}, {"decision": ""}])
def test_a_changed_answer_is_not_taken(party: RelyingParty, person: Person, changes: dict[str, str]) -> None:
    page = arrive(party, person)[1]
    assert page.forms[0].submit(party.http, "allow", **changes).status == 409


def test_consent_of_one_person_is_not_taken_from_another(party: RelyingParty, person: Person, runtime: Runtime) -> None:
    page = arrive(party, person)[1]
    other = make_user(runtime)
    form = read(party.http.get("/login?other=1")).form("password")
    form.submit(party.http, email=other.email, password=other.password)
    answer = page.forms[0].submit(party.http, "allow")
    assert answer.status == 409
    assert other.email in read(answer).text


def test_without_a_session_the_page_goes_back_to_the_dispatcher(party: RelyingParty, person: Person) -> None:
    page = arrive(party, person)[1]
    http: Any = party.http
    http.client.delete_cookie("__Host-as-session", domain="login.example.com")
    for answer in (http.get(page.answer.url), page.forms[0].submit(http, "allow")):
        assert str(answer.location).startswith(f"{ISSUER}/oauth2/authorize?resume=")


def test_a_double_submit_of_consent_ends_well(party: RelyingParty, person: Person) -> None:
    begun, page = arrive(party, person)
    answers = [page.forms[0].submit(party.http, "allow") for _ in range(2)]
    assert [answer.status for answer in answers] == [303, 303]
    assert "code" in party.callback(begun, follow(party.http, answers[0])).parameters
    late = page.forms[0].submit(party.http, "allow")
    assert "This sign-in is over" in read(late).text


def test_an_expired_request_cannot_be_allowed(party: RelyingParty, person: Person, clock: Clock) -> None:
    page = arrive(party, person)[1]
    clock.advance(minutes=31)
    assert "This sign-in is over" in read(page.forms[0].submit(party.http, "allow")).text


def test_a_new_scope_asks_again(party: RelyingParty, person: Person) -> None:
    party.authorize(person, scope="openid")
    begun, page = arrive(party, person, scope="openid read")
    assert "Read your things" in page.text
    assert "code" in party.callback(begun, decide(party, page.forms[0], "allow")).parameters


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (timedelta(days=90), "90 days"),
        (timedelta(hours=48), "2 days"),
        (timedelta(hours=24), "24 hours"),
        (timedelta(minutes=90), "90 minutes"),
        (timedelta(seconds=90), "2 minutes"),
        (timedelta(seconds=60), "1 minute"),
        (timedelta(seconds=1), "1 minute"),
    ],
)
def test_a_duration_is_written_as_people_say_it(app: Any, span: timedelta, text: str) -> None:
    with app.test_request_context("/", base_url=ISSUER):
        assert duration(span) == text
