"""Attacks on the admin area, each by what an attacker would send: forms that are slipped to an administrator, links that are
kept until they are worth more, documents that blind those who look, ids that lead elsewhere, and a reach that grows."""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from authserver.admin.authority import PERMISSIONS, Authority, admin_api
from authserver.admin.clients import create_client, update_client_metadata
from authserver.admin.configuration.document import read_document
from authserver.admin.configuration.source import BadFile, read_source
from authserver.admin.errors import Conflict, Forbidden, Invalid, NotFound
from authserver.admin.links import invite_link, open_link, show_reset
from authserver.admin.operation import Operation
from authserver.admin.own import ensure_own
from authserver.admin.resource_servers import create_resource_server
from authserver.admin.users import change_user, disable_user, set_role
from authserver.runtime import Runtime
from authserver.store.base import transaction
from authserver.store.client import find_client
from tests.administrators import sign_in_to_console
from tests.clock import Clock
from tests.factories import ISSUER, Person, make_client, make_user
from tests.http_client import InProcess
from tests.pages import follow, read
from tests.relying_party import RelyingParty

ROOT = "/admin/api/v1"
CROSS_SITE = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
OWN_SITE = {"Origin": ISSUER, "Sec-Fetch-Site": "same-origin"}
ADMIN = Authority("ada@example.com", frozenset({"clients:read", "clients:write", "apis:read", "apis:write"}), 3)

Console = Callable[..., InProcess]


@pytest.fixture(autouse=True)
def _own(runtime: Runtime) -> None:
    with transaction(runtime.engine) as db:
        ensure_own(db, runtime)


@pytest.fixture
def administrator(runtime: Runtime) -> Callable[[str], Person]:
    """Make a person of a role."""

    def make(role: str) -> Person:
        person = make_user(runtime)
        with transaction(runtime.engine) as db:
            set_role(Operation(db, runtime), person.subject, role)
        return person

    return make


@pytest.fixture
def console(app: Any, administrator: Callable[[str], Person]) -> Console:
    """A browser in which somebody of a role is signed in to the console."""

    def sign_in(role: str) -> InProcess:
        person, _owner = administrator(role), administrator("owner")
        http = InProcess(app, ISSUER)
        sign_in_to_console(http, person)
        return http

    return sign_in


@pytest.fixture
def token(http: InProcess, runtime: Runtime, clock: Clock) -> Callable[..., dict[str, str]]:
    """The headers of a service with some scopes of the admin API."""

    def make(*scopes: str) -> dict[str, str]:
        made = make_client(runtime, "service", apis=[admin_api(ISSUER)], scope=" ".join(scopes or PERMISSIONS))
        issued = RelyingParty(http.fresh(), made, clock=clock).client_credentials().json["access_token"]
        return {"Authorization": f"Bearer {issued}", "Content-Type": "application/json"}

    return make


def mark_of(http: InProcess, path: str) -> str:
    """The mark of a form on a page."""
    return str(next(form for form in read(http.get(path)).forms if form.method == "post").fields["csrf_token"])


def send(http: InProcess, path: str, page: str = "/admin/users/invite", **values: Any) -> Any:
    """Send a form as a page of ours does."""
    return http.post(path, {"csrf_token": mark_of(http, page), **values}, headers=OWN_SITE)


def token_in(link: str) -> str:
    return urlsplit(link).query.removeprefix("token=")


# Forms of other sites


def test_a_form_of_another_site_is_not_kept_on_the_page_that_asks_to_sign_in_again(console: Console, http: InProcess) -> None:
    """Such a page would send it on with a mark of ours: the administrator would only have to press its button."""
    console("owner")
    answer = http.post("/admin/users/invite", {"email": "mallory@evil.example"}, headers=CROSS_SITE)
    assert answer.status == 403
    assert "mallory" not in answer.text


def test_a_form_without_a_mark_is_not_kept_either(console: Console, clock: Clock) -> None:
    http = console("owner")
    clock.advance(minutes=6)
    answer = http.post("/admin/keys/rotate", {"algs": "RS256", "how": "revoke", "confirmation": "revoke"}, headers={"Origin": "null"})
    assert "confirmation" not in answer.text


def test_a_form_of_ours_is_kept_while_its_sender_signs_in_again(console: Console, clock: Clock) -> None:
    http = console("owner")
    clock.advance(minutes=6)
    answer = send(http, "/admin/keys/rotate", algs="RS256", how="announce")
    assert answer.status == 403
    form = next(form for form in read(answer).forms if "how" in form.fields)
    assert (form.fields["algs"], form.fields["how"]) == ("RS256", "announce")


@pytest.mark.parametrize("role", ["owner", "admin", "support", "auditor"])
def test_no_form_of_another_site_is_taken(console: Console, role: str) -> None:
    http = console(role)
    mark = mark_of(http, "/admin")
    for path in ("/admin/users/invite", "/admin/apis/new", "/admin/applications/new/web", "/admin/sign-out", "/admin/sessions/end-all"):
        answer = http.post(path, {"csrf_token": mark, "email": "eve@example.com", "user": "eve@example.com"}, headers=CROSS_SITE)
        assert answer.status == 403, path


# Ways in


@pytest.mark.parametrize(
    "path",
    [
        *("//evil.example", "https://evil.example", "/\\evil.example", "/admin\\..\\..", "/adminx", "/admin/../oauth2/authorize"),
        *("/admin/%2e%2e/oidc/logout", "/admin/.%2E/oidc/logout", "//[", "/admin//[", "\t//evil.example", "/admin\r\nSet-Cookie: a=b"),
    ],
)
def test_signing_in_leads_to_the_console_alone(app: Any, administrator: Callable[[str], Person], path: str) -> None:
    person, http = administrator("owner"), InProcess(app, ISSUER)
    begun = http.get(f"/admin/sign-in?next={quote(path)}")
    assert begun.status == 303
    page = read(follow(http, begun))
    answer = page.form("password").submit(http, email=person.email, password=person.password)
    while "/admin/callback" not in (answer.location or ""):
        answer = http.get(answer.location or "")
    landed = http.get(answer.location or "").location or ""
    assert landed.startswith(f"{ISSUER}/admin")
    assert not {"..", "%2e", "evil"} & {part for part in ("..", "%2e", "evil") if part in landed.lower()}


def test_a_long_way_back_does_not_keep_anybody_out(app: Any, administrator: Callable[[str], Person]) -> None:
    person, http = administrator("owner"), InProcess(app, ISSUER)
    answer = sign_in_to_console(http, person, f"/admin/sign-in?next=/admin?{'x' * 5000}")
    assert answer.status == 200, answer.text


def test_a_console_cookie_opens_nothing_after_its_owner_signed_out(console: Console, app: Any) -> None:
    http = console("owner")
    stolen = http.cookies()
    assert send(http, "/admin/sign-out").status == 200
    answer = InProcess(app, ISSUER).get("/admin/users", headers={"Cookie": "; ".join(f"{name}={value}" for name, value in stolen.items())})
    assert answer.status == 303
    assert "/admin/sign-in" in (answer.location or "")


def test_signing_out_ends_the_browsers_session_where_the_consoles_own_is_over(console: Console, app: Any, clock: Clock) -> None:
    """Both cookies go: then neither may work any more, wherever a copy of it is."""
    http = console("owner")
    stolen = {name: value for name, value in http.cookies().items() if name.endswith("session")}
    name = next(name for name in http.cookies() if name.endswith("console"))
    mark = mark_of(http, "/admin")
    http.client.delete_cookie(name, domain=urlsplit(ISSUER).netloc)
    assert http.post("/admin/sign-out", {"csrf_token": mark}, headers=OWN_SITE).status == 200
    thief = InProcess(app, ISSUER)
    for key, value in stolen.items():
        thief.client.set_cookie(key, value, domain=urlsplit(ISSUER).netloc)
    assert read(follow(thief, thief.get("/admin"))).asks_for_password


def test_a_console_cookie_cannot_be_written_for_another_session_or_a_later_sign_in(console: Console, app: Any, clock: Clock) -> None:
    http = console("owner")
    name, value = next((name, value) for name, value in http.cookies().items() if name.endswith("console"))
    session, since, mark = value.split(".", 2)
    for forged in (f"{session}.{int(since) + 600}.{mark}", f"{session}..{mark}", f"{session}.{since}.", "..", f"{session}.{since}"):
        answer = InProcess(app, ISSUER).get("/admin/users", headers={"Cookie": f"{name}={forged}"})
        assert (answer.status, "/admin/sign-in" in (answer.location or "")) == (303, True)


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "DELETE", "TRACE", "POST"])
@pytest.mark.parametrize(
    "path", ["/admin/users", "/admin/keys/rotate", f"{ROOT}/users", f"{ROOT}/keys/rotations", "//admin/users", "/admin//users"]
)
def test_no_method_and_no_spelling_of_a_path_gets_past_the_guard(http: InProcess, method: str, path: str) -> None:
    http.client.get("/livez")
    answer = http.client.open(path, method=method, base_url=ISSUER)
    assert answer.status_code in (303, 308, 400, 401, 403, 404, 405) or (method == "OPTIONS" and not answer.get_data()), answer.status_code


# Links that are kept


def test_a_link_that_was_shown_ends_when_its_user_gets_a_role(runtime: Runtime) -> None:
    """Or who invited somebody, and may not give roles, sets the password of an owner."""
    person = make_user(runtime)
    with transaction(runtime.engine) as db:
        link = invite_link(Operation(db, runtime), person.user)
    with transaction(runtime.engine) as db:
        set_role(Operation(db, runtime), person.subject, "owner")
    with transaction(runtime.engine) as db, pytest.raises(NotFound):
        open_link(Operation(db, runtime), token_in(link or ""), "invite")


@pytest.mark.parametrize(
    "change",
    [
        lambda operation, person: change_user(operation, person.subject, {"email": "new@example.com"}),
        lambda operation, person: disable_user(operation, person.subject),
    ],
    ids=["another address", "disabled"],
)
def test_a_link_ends_with_the_address_and_the_account_it_was_made_for(
    runtime: Runtime, change: Callable[[Operation, Person], object]
) -> None:
    person = make_user(runtime)
    with transaction(runtime.engine) as db:
        link = show_reset(Operation(db, runtime), person.user)
    with transaction(runtime.engine) as db:
        change(Operation(db, runtime), person)
    with transaction(runtime.engine) as db, pytest.raises(NotFound):
        open_link(Operation(db, runtime), token_in(link), "reset")


# Documents that blind those who look

HOSTILE = {
    "half a character": '{"a": "\\ud800"}',
    "no number": '{"a": NaN}',
    "nothing": '{"a": "\\u0000"}',
    "deep": '{"a":' * 1500 + "1" + "}" * 1500,
    "deep lists": '{"a":' + "[" * 3000 + "]" * 3000 + "}",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_no_attribute_of_a_user_makes_their_page_or_the_audit_log_unreadable(console: Console, runtime: Runtime, text: str) -> None:
    person, http = make_user(runtime), console("support")
    path = f"/admin/users/{person.subject}"
    page = read(http.get(path))
    form = next(form for form in page.forms if "attributes" in form.fields)
    form.submit(http, attributes=text)
    for look in (path, "/admin/audit", "/admin/audit/export.ndjson", "/admin/audit/export.csv"):
        answer = http.get(look)
        assert answer.status == 200, look
        answer.body.decode()


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_no_attribute_of_a_client_makes_its_page_or_the_audit_log_unreadable(console: Console, runtime: Runtime, text: str) -> None:
    made, http = make_client(runtime, "service"), console("admin")
    path = f"/admin/applications/of/{made.client_id}"
    form = next(form for form in read(http.get(path)).forms if "attributes" in form.fields)
    form.submit(http, attributes=text)
    for look in (path, "/admin/audit", "/admin/audit/export.ndjson"):
        assert http.get(look).status == 200, look


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_no_key_of_a_client_makes_its_page_or_the_audit_log_unreadable(console: Console, runtime: Runtime, text: str) -> None:
    made, http = make_client(runtime, "service"), console("admin")
    path = f"/admin/applications/credentials/{made.client_id}"
    form = next(form for form in read(http.get(path)).forms if "jwks" in form.fields)
    key = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "kid": "1"}
    keys = json.dumps({"keys": [key]})[:-3] + f', "more": {text}' + "}]}"
    form.submit(http, jwks=keys, token_endpoint_auth_method="private_key_jwt")
    for look in (path, "/admin/audit", "/admin/audit/export.ndjson"):
        assert http.get(look).status == 200, look


@pytest.mark.parametrize("seen", ['{"email": "\\ud800"}', '{"name": {"a": 1}, "email": [1, "x"]}', "[" * 5000, '"x"', "{}"])
def test_what_a_form_says_it_has_seen_is_not_trusted(console: Console, runtime: Runtime, seen: str) -> None:
    person, http = make_user(runtime), console("support")
    form = next(form for form in read(http.get(f"/admin/users/{person.subject}")).forms if "seen" in form.fields)
    assert form.submit(http, name="Other", version="7", seen=seen).status == 409


def test_a_secret_of_another_page_is_no_link_of_an_invitation(console: Console, runtime: Runtime) -> None:
    person, made, http = make_user(runtime), make_client(runtime, "service"), console("owner")
    assert send(http, f"/admin/applications/rotate-secret/{made.client_id}", overlap="0").status == 303
    assert http.get(f"/admin/users/invited/{person.subject}").status == 303


# Ids that lead elsewhere


@pytest.mark.parametrize("identifier", ["https://a/../../../../users/x/disable", "x:/./y", "https://a/%2E%2e/b", "x:/.."])
def test_no_identifier_of_an_api_leads_a_browser_to_another_page(runtime: Runtime, identifier: str) -> None:
    """Browsers take dots out of a path: the form of such an API would be sent to whatever its maker chose."""
    with transaction(runtime.engine) as db, pytest.raises(Invalid):
        create_resource_server(Operation(db, runtime, ADMIN), identifier, "Orders", {})


@pytest.mark.parametrize("client_id", ["..", "../../users/x/disable", "a/./b", "%2e%2e", "a/.%2E/b"])
def test_no_client_id_leads_a_browser_to_another_page(runtime: Runtime, client_id: str) -> None:
    with transaction(runtime.engine) as db, pytest.raises(Invalid):
        create_client(Operation(db, runtime), "service", "Batch", {}, client_id=client_id)


@pytest.mark.parametrize("client_id", ["a..b", "com.example.app", "https://a.example/b.c", "..."])
def test_dots_that_are_no_segment_are_fine(runtime: Runtime, client_id: str) -> None:
    with transaction(runtime.engine) as db:
        assert create_client(Operation(db, runtime), "service", "Batch", {}, client_id=client_id).client.client_id == client_id


# A reach that grows


def refuse(http: InProcess, runtime: Runtime, **asked: str) -> str:
    """Be refused at the authorization endpoint; return the error id."""
    answer = http.get("/oauth2/authorize?" + "&".join(f"{name}={quote(value)}" for name, value in asked.items()))
    http.get("/livez")
    return answer.headers["X-Request-Id"]


def test_nobody_is_offered_to_mend_what_opens_the_admin_api(console: Console, http: InProcess, runtime: Runtime) -> None:
    """Anybody may send such a request, and its mend is one click."""
    made, browser = make_client(runtime, "spa"), console("owner")
    asked = {"client_id": made.client_id, "redirect_uri": made.redirect_uri, "response_type": "code", "scope": "openid"}
    pkce = {"code_challenge": "x" * 43, "code_challenge_method": "S256"}
    error_id = refuse(http, runtime, **asked, **pkce, resource=admin_api(ISSUER))
    browser.get("/admin")
    page = browser.get(f"/admin/failures/{error_id}")
    assert page.status == 200, page.text
    assert not [form for form in read(page).forms if form.action.endswith("/mend")]
    answer = send(browser, f"/admin/failures/{error_id}/mend")
    assert answer.status == 409
    with transaction(runtime.engine) as db:
        client = find_client(db, made.client_id)
    assert client is not None
    assert client.apis == ()


@pytest.mark.parametrize(
    ("apis", "scope"),
    [(("own", "admin"), ""), (("admin",), "clients:read users:write"), (("admin", "own"), "roles:write"), (("admin",), "keys:write")],
)
def test_nobody_makes_a_client_that_reaches_further_than_they_do(runtime: Runtime, apis: tuple[str, ...], scope: str) -> None:
    named = {"own": "https://mine.example", "admin": admin_api(ISSUER)}
    with suppress(Forbidden), transaction(runtime.engine) as db:
        operation = Operation(db, runtime, ADMIN)
        create_resource_server(operation, named["own"], "Mine", {"scopes": {"roles:write": "Look"}})
        create_client(operation, "service", "Batch", {"apis": [named[name] for name in apis], "scope": scope})
        pytest.fail("it was made")


def test_a_scope_of_an_api_of_ones_own_is_none_of_the_admin_api(runtime: Runtime) -> None:
    with transaction(runtime.engine) as db:
        operation = Operation(db, runtime, ADMIN)
        create_resource_server(operation, "https://mine.example", "Mine", {"scopes": {"roles:write": "Look"}})
        made = create_client(operation, "service", "Batch", {"apis": ["https://mine.example"], "scope": "roles:write"}).client
        with pytest.raises(Forbidden):
            update_client_metadata(operation, made.client_id, {"apis": ["https://mine.example", admin_api(ISSUER)]})


@pytest.mark.parametrize("change", [{"redirect_uris": ["https://evil.example/cb"]}, {"consent": "required"}, {"scope": ""}])
def test_nobody_changes_the_consoles_own_client(http: InProcess, token: Callable[..., dict[str, str]], change: dict[str, Any]) -> None:
    headers = {**token(), "Content-Type": "application/merge-patch+json"}
    for method, path, body in (
        ("PATCH", "/clients/authserver-console", change),
        ("PATCH", "/clients/authserver-console", {"enabled": False}),
        ("DELETE", "/clients/authserver-console", None),
        ("PATCH", f"/apis/{quote(admin_api(ISSUER), safe='')}", {"scopes": {"clients:read": "x"}}),
        ("DELETE", f"/apis/{quote(admin_api(ISSUER), safe='')}", None),
    ):
        answer = http.request(method, ROOT + path, data=None if body is None else json.dumps(body), headers=headers)
        assert answer.status == 409, (method, path, answer.text)


# Answers and lists of others


def test_an_idempotency_key_of_another_caller_gives_nothing_away(http: InProcess, token: Callable[..., dict[str, str]]) -> None:
    body = json.dumps({"kind": "service", "client_name": "Batch"})
    one, other = token("clients:write"), token("clients:write")
    made = http.request("POST", f"{ROOT}/clients", data=body, headers={**one, "Idempotency-Key": "k"})
    again = http.request("POST", f"{ROOT}/clients", data=body, headers={**other, "Idempotency-Key": "k"})
    assert (made.status, again.status) == (201, 201)
    assert made.json["client_id"] != again.json["client_id"]
    repeated = http.request("POST", f"{ROOT}/clients", data=body, headers={**one, "Idempotency-Key": "k"})
    assert repeated.json["client_id"] == made.json["client_id"]
    assert "client_secret" not in repeated.json


def test_a_cursor_of_one_list_opens_no_other(http: InProcess, token: Callable[..., dict[str, str]], runtime: Runtime) -> None:
    headers = token()
    for _ in range(3):
        make_user(runtime)
    cursor = http.get(f"{ROOT}/users?page_size=1", headers=headers).json["next_page_token"]
    for address in ("users?status=enabled&", "clients?", "sessions?", "audit-events?", "users?q=a&"):
        assert http.get(f"{ROOT}/{address}page_token={cursor}", headers=headers).status == 422
    assert http.get(f"{ROOT}/users?page_token={cursor[:-4]}AAAA", headers=headers).status == 422


def test_reading_the_whole_audit_log_slowly_holds_no_connection(
    app: Any, http: InProcess, runtime: Runtime, token: Callable[..., dict[str, str]]
) -> None:
    """Or somebody who may only read takes them all, and nobody gets a token."""
    headers = {**token("audit:read"), "Accept": "application/x-ndjson"}
    for _ in range(3):
        make_user(runtime)
        with transaction(runtime.engine) as db:
            set_role(Operation(db, runtime), make_user(runtime).subject, "auditor")
    answer = http.client.get(f"{ROOT}/audit-events", base_url=ISSUER, headers=headers, buffered=False)
    lines = answer.iter_encoded()
    assert next(lines)
    assert runtime.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    answer.close()


@pytest.mark.parametrize("scopes", [("users:write",), ("users:read", "users:write", "sessions:write")])
def test_a_client_acts_on_no_administrator_without_a_role_of_its_own(
    http: InProcess, token: Callable[..., dict[str, str]], administrator: Callable[[str], Person], scopes: tuple[str, ...]
) -> None:
    headers, auditor = token(*scopes), administrator("auditor")
    patch = {**headers, "Content-Type": "application/merge-patch+json"}
    answer = http.request("PATCH", f"{ROOT}/users/{auditor.subject}", data=json.dumps({"email": "m@evil.example"}), headers=patch)
    assert answer.status == 403
    assert http.request("DELETE", f"{ROOT}/users/{auditor.subject}", headers=headers).status == 403


def test_two_owners_cannot_take_each_others_role_away(console: Console, administrator: Callable[[str], Person]) -> None:
    http, other = console("owner"), administrator("owner")
    assert send(http, f"/admin/users/{other.subject}/role", role="").status == 403
    assert send(http, f"/admin/users/{other.subject}/disable").status == 403


def test_no_file_is_called_like_what_the_server_owns(runtime: Runtime) -> None:
    for name in ("authserver", "test-drive"):
        with pytest.raises(BadFile):
            read_document(read_source(b"clients: {}", f"{name}.yaml"), name)
    with transaction(runtime.engine) as db:
        operation = Operation(db, runtime, owner="Authserver")
        with pytest.raises(Conflict):
            update_client_metadata(operation, "authserver-console", {"client_name": "Mine"})


@pytest.mark.parametrize("path", ["/admin", "/admin/audit", "/admin/sign-in", "/admin/setup?token=x", f"{ROOT}/clients"])
def test_without_a_database_nothing_is_let_in_and_nothing_told(
    console: Console, token: Callable[..., dict[str, str]], runtime: Runtime, path: str
) -> None:
    http, headers = console("owner"), token()

    def fail(*_: Any) -> None:
        raise OperationalError("SELECT secret", {}, Exception("password=hunter2"))

    event.listen(runtime.engine, "before_cursor_execute", fail)
    answer = http.get(path, headers={"Authorization": headers["Authorization"]})
    event.remove(runtime.engine, "before_cursor_execute", fail)
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    assert "hunter2" not in answer.text
    assert "SELECT" not in answer.text
