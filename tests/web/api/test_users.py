"""Users over the admin API: invited, changed, disabled; nobody sets or sees a password."""

from collections.abc import Callable
from typing import Any

import pytest

from authserver.runtime import Runtime
from authserver.store.base import new_id, show_id
from tests.clock import Clock
from tests.factories import Person, make_client, make_user
from tests.http_client import InProcess
from tests.relying_party import RelyingParty
from tests.web.api.conftest import Caller, code_of


@pytest.fixture
def invited(api: Caller) -> dict[str, Any]:
    body = {"email": "Grace@Example.com", "claims": {"name": "Grace Hopper", "locale": "en"}, "roles": ["editor"]}
    return api.post("/users", {**body, "attributes": {"plan": {"size": "big", "seats": 3}}}).json


def path_of(user: dict[str, Any]) -> str:
    return f"/users/{user['id']}"


def test_an_invitation_gives_a_link_once_where_there_is_no_mail(api: Caller, invited: dict[str, Any]) -> None:
    assert invited["email"] == "grace@example.com"
    assert invited["claims"] == {"email_verified": False, "name": "Grace Hopper", "locale": "en"}
    assert invited["link"].startswith("https://login.example.com/password?token=")
    shown = api.get(path_of(invited))
    assert shown.json == {name: value for name, value in invited.items() if name != "link"}
    assert shown.headers["ETag"] == '"1"'
    assert invited["link"].partition("=")[2] not in api.get("/audit-events").text


def test_users_are_found_by_email_name_and_role(api: Caller, invited: dict[str, Any]) -> None:
    other = api.post("/users", {"email": "zoe@example.com"}).json["id"]
    api.put(f"/users/{other}/role", {"role": "support"})

    def found(**query: str) -> list[str]:
        return [user["id"] for user in api.get("/users", **query).json["items"]]

    assert found() == [invited["id"], other]
    assert found(q="grace") == found(q="hop") == [invited["id"]]
    assert found(role="support") == found(q="zoe") == [other]
    assert found(role="owner") == []
    api.patch(path_of(invited), {"enabled": False})
    assert found(status="disabled") == [invited["id"]]
    assert {user["id"]: user["role"] for user in api.get("/users").json["items"]} == {invited["id"]: None, other: "support"}


@pytest.mark.spec("RFC 7396", "2")
def test_a_patch_merges_claims_and_attributes(api: Caller, invited: dict[str, Any]) -> None:
    patch = {"claims": {"nickname": "Amazing", "locale": None}, "attributes": {"plan": {"seats": None, "years": 2}}, "groups": ["navy"]}
    changed = api.patch(path_of(invited), patch).json
    assert changed["claims"] == {"email_verified": False, "name": "Grace Hopper", "nickname": "Amazing"}
    assert changed["attributes"] == {"plan": {"size": "big", "years": 2}}
    assert (changed["roles"], changed["groups"], changed["version"]) == (["editor"], ["navy"], 2)
    assert api.patch(path_of(invited), {}).headers["ETag"] == '"2"'


def test_a_new_address_is_unverified(api: Caller, runtime: Runtime) -> None:
    user = make_user(runtime)
    changed = api.patch(f"/users/{user.subject}", {"email": "new@example.com"}).json
    assert (changed["email"], changed["claims"]["email_verified"]) == ("new@example.com", False)


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({"email": "nobody"}, ["#/email"]),
        ({"claims": {"locale": "?"}}, ["#/claims/locale"]),
        ({"claims": {"shoe_size": 43}}, ["#/claims/shoe_size"]),
        ({"claims": {"email": "x@example.com"}}, ["#/claims/email"]),
        ({"claims": {"roles": ["admin"]}}, ["#/claims/roles"]),
        ({"claims": {"sub": "x"}}, ["#/claims/sub"]),
        (
            {"attributes": {"name": "x", "email": "x@example.com", "roles": []}},
            ["#/attributes/name", "#/attributes/email", "#/attributes/roles"],
        ),
        ({"attributes": {"sub": "x"}}, ["#/attributes/sub"]),
        ({"attributes": {"a b": 1}}, ["#/attributes/a%20b"]),
        ({"attributes": {"password": "x"}}, ["#/attributes/password"]),
        ({"roles": [""]}, ["#/roles"]),
        ({"roles": None}, ["#/roles"]),
        ({"groups": [1]}, ["#/groups/0"]),
    ],
)
def test_a_value_that_cannot_be_taken_is_pointed_at(
    api: Caller, invited: dict[str, Any], body: dict[str, Any], pointers: list[str]
) -> None:
    for answer in (api.patch(path_of(invited), body), api.post("/users", {"email": "other@example.com", **body})):
        assert (answer.status, code_of(answer)) == (422, "invalid")
        assert [fault["pointer"] for fault in answer.json["errors"]] == pointers
    assert api.get(path_of(invited)).json["version"] == 1


@pytest.mark.parametrize("member", ["id", "role", "version", "created_at", "updated_at", "password", "link", "managed_by", "disabled_at"])
def test_what_the_server_decides_cannot_be_sent(api: Caller, invited: dict[str, Any], member: str) -> None:
    value = "owner" if member == "role" else invited.get(member, "mine")
    for answer in (api.patch(path_of(invited), {member: value}), api.post("/users", {"email": "other@example.com", member: value})):
        assert (answer.status, code_of(answer)) == (422, "invalid")
        assert answer.json["errors"] == [{"detail": "is not known here, or cannot be set", "pointer": f"#/{member}"}]
    assert api.get(path_of(invited)).json["role"] is None


def test_an_address_is_taken_once(api: Caller, invited: dict[str, Any], runtime: Runtime) -> None:
    make_user(runtime, "taken@example.com")
    for answer in (api.post("/users", {"email": "GRACE@example.com"}), api.patch(path_of(invited), {"email": "taken@example.com"})):
        assert (answer.status, code_of(answer)) == (409, "conflict")


def test_disabling_somebody_ends_their_access(api: Caller, http: InProcess, runtime: Runtime) -> None:
    someone = make_user(runtime)
    application = RelyingParty(http.fresh(), make_client(runtime, "web"))
    tokens = application.sign_in(someone, scope="openid offline_access")
    assert api.patch(f"/users/{someone.subject}", {"enabled": False}).json["enabled"] is False
    assert application.token(grant_type="refresh_token", refresh_token=tokens["refresh_token"]).status == 400
    assert api.get("/sessions", user=someone.subject).json["items"] == []
    assert api.patch(f"/users/{someone.subject}", {"enabled": True}).json["enabled"] is True


def test_a_deleted_user_is_gone(api: Caller, invited: dict[str, Any]) -> None:
    assert api.delete(path_of(invited)).status == 204
    for answer in (api.get(path_of(invited)), api.patch(path_of(invited), {}), api.delete(path_of(invited))):
        assert (answer.status, code_of(answer)) == (404, "not-found")


@pytest.mark.parametrize("guess", ["grace@example.com", "1", "0" * 36, show_id(new_id(b"\0" * 16)), "me", "%00", "..%2Fclients", "é"])
def test_an_id_that_is_guessed_leads_nowhere(api: Caller, invited: dict[str, Any], guess: str) -> None:
    for answer in (api.get(f"/users/{guess}"), api.patch(f"/users/{guess}", {"enabled": False}), api.delete(f"/users/{guess}")):
        assert (answer.status, code_of(answer)) == (404, "not-found")
    assert api.get(path_of(invited)).json["enabled"] is True


# Roles and passwords


def test_an_owner_gives_a_role_and_takes_it_away(person: Callable[..., Caller], runtime: Runtime) -> None:
    owner, path = person("owner"), f"/users/{make_user(runtime).subject}"
    assert owner.put(f"{path}/role", {"role": "support"}).json["role"] == "support"
    assert owner.get(path).json["role"] == "support"
    assert owner.put(f"{path}/role", {"role": None}).json["role"] is None


@pytest.mark.parametrize("body", [{}, {"role": "king"}, {"role": ""}, {"role": ["owner"]}, {"role": "owner", "user_id": "x"}])
def test_a_role_that_does_not_exist_is_refused(api: Caller, invited: dict[str, Any], body: dict[str, Any]) -> None:
    answer = api.put(f"{path_of(invited)}/role", body)
    assert (answer.status, code_of(answer)) == (422, "invalid")


def test_nobody_acts_on_an_equal_or_higher_role(person: Callable[..., Caller], runtime: Runtime, give_role: Callable[..., Person]) -> None:
    support = person("support")
    for role in ("support", "admin", "owner"):
        path = f"/users/{give_role(make_user(runtime), role).subject}"
        tries = [support.patch(path, {"enabled": False}), support.delete(path), support.post(f"{path}/password-reset")]
        assert {(answer.status, code_of(answer)) for answer in tries} == {(403, "forbidden")}
    below = f"/users/{give_role(make_user(runtime), 'auditor').subject}"
    assert support.patch(below, {"claims": {"nickname": "Aud"}}).status == 200


def test_a_reset_needs_mail_and_gives_no_link(api: Caller, invited: dict[str, Any]) -> None:
    answer = api.post(f"{path_of(invited)}/password-reset")
    assert (answer.status, code_of(answer)) == (409, "conflict")
    assert "AUTHSERVER_SMTP_URL" in answer.json["detail"]
    assert "token=" not in answer.text


@pytest.mark.settings(smtp_url="smtp://127.0.0.1:9", mail_from="login@example.com")
def test_with_mail_the_link_goes_to_the_user_alone(api: Caller, clock: Clock) -> None:
    invited = api.post("/users", {"email": "grace@example.com"})
    assert invited.status == 201
    assert "link" not in invited.json
    reset = api.post(f"{path_of(invited.json)}/password-reset")
    assert (reset.status, reset.body) == (202, b"")
