"""What an operator does with people."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from authserver.admin.documents import user_document
from authserver.admin.errors import Conflict, Invalid, NotFound
from authserver.admin.user_claims import CLAIMS, TEXT_CLAIMS, check_email, sort_values
from authserver.admin.users import (
    change_user,
    create_user,
    delete_user,
    disable_user,
    enable_user,
    every_user,
    get_user,
    set_password,
)
from authserver.identity.sign_in import normalize_email
from authserver.store.credential import find_password_hash, passwords
from authserver.store.user import update_user
from tests.factories import PASSWORD, make_client, make_user
from tests.relying_party import RelyingParty

EMAIL = "ada@example.com"


def test_a_user_gets_a_random_password_that_signs_in(act, runtime, http):
    added = act(create_user, EMAIL, {"name": "Ada"})
    assert len(added.password) == 27
    assert added.user.claims == {"email_verified": False, "name": "Ada"}
    assert signs_in(runtime, http, added)


def test_a_given_password_is_not_shown(act, events, operating):
    added = act(create_user, EMAIL, {}, password="fifteen letters")
    assert added.password is None
    with operating() as operation:
        assert "fifteen" not in str(operation.db.execute(select(passwords)).all())
        assert find_password_hash(operation.db, added.user.id).startswith("$argon2id$")
    (event,) = events()
    assert (event.action, event.actor, event.subject) == ("user.create", "tester", added.user.subject)
    assert "fifteen" not in str(event)
    assert "argon2" not in str(user_document(added.user))


def signs_in(runtime, http, added):
    class Person:
        email, password = added.user.email, added.password

    made = make_client(runtime, "web")
    return "id_token" in RelyingParty(http.fresh(), made).sign_in(Person)


@pytest.mark.spec("NIST SP 800-63B-4", "3.1.1.2")
@pytest.mark.parametrize("password", ["a" * 15, "ä" * 15, "correct horse battery", " " * 15, "x" * 1024, "密码" * 8])
def test_a_password_needs_length_and_nothing_else(act, password):
    assert act(create_user, EMAIL, {}, password=password).user.email == EMAIL


@pytest.mark.parametrize(("password", "why"), [("a" * 14, "15 characters"), ("", "15 characters"), ("x" * 1025, "1024 bytes")])
def test_a_short_or_endless_password_is_refused(act, operating, password, why):
    with pytest.raises(Invalid, match=why) as refused:
        act(create_user, EMAIL, {}, password=password)
    assert refused.value.field == "password"
    with operating() as operation:
        assert list(every_user(operation)) == []


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("Ada@Example.COM", "ada@example.com"),
        ("  ada@example.com ", "ada@example.com"),
        ("ａｄａ@example.com", "ada@example.com"),
        ("STRASSE@EXAMPLE.COM", "strasse@example.com"),
        ("straße@example.com", "strasse@example.com"),
        ("ada@münchen.example", "ada@münchen.example"),
        ("a+b.c_d-e'f@example.co.uk", "a+b.c_d-e'f@example.co.uk"),
        ("ada@localhost", "ada@localhost"),
        ("ad\u200ba@example.com", "ada@example.com"),
    ],
)
def test_an_email_is_stored_in_one_form(written, stored):
    assert check_email(written) == stored
    assert check_email(stored) == stored
    assert normalize_email(written) == stored, "sign-in looks for the same form"


@pytest.mark.parametrize(
    "email",
    [
        *("", "ada", "@example.com", "ada@", "ada@@example.com", "ada@b@c.example", "a da@example.com", "ada@exam ple.com"),
        *("ada@.example.com", "ada@example..com", "ada@-example.com", "ada@example.com.", ".ada@example.com", "ada.@example.com"),
        *("<ada@example.com>", "ada@example.com,b@example.com", "ada@[192.0.2.1]", 'a"a@example.com', "a" * 65 + "@example.com"),
        *("a@" + "b" * 64 + ".com", "a@" + "b.c" * 100, None, 5, ["ada@example.com"]),
    ],
)
def test_what_is_no_address_is_refused(email):
    with pytest.raises(Invalid) as refused:
        check_email(email)
    assert refused.value.field == "email"


def test_an_email_is_one_user_s(act):
    act(create_user, EMAIL, {})
    with pytest.raises(Conflict):
        act(create_user, "ADA@example.com", {})


GOOD = {
    "name": "Ada Lovelace",
    "birthdate": "1815-12-10",
    "zoneinfo": "Europe/London",
    "locale": "en-GB",
    "phone_number": "+44 20 7946 0000",
    "phone_number_verified": True,
    "email_verified": True,
    "website": "https://example.com/ada",
    "picture": "https://example.com/ada.png",
    "address": {"street_address": "12 St James's Square\nLondon", "country": "GB"},
    "gender": "female",
}
BAD = [
    *(("name", value) for value in ("", " ", 5, True, [], {}, "a\x00", "x" * 1001)),
    *(("birthdate", value) for value in ("tomorrow", "1815-13-01", "1815-12-32", "15-12-10", 1815)),
    *(("zoneinfo", value) for value in ("Europe/London/x/y", "+01:00", "")),
    *(("locale", value) for value in ("e", "en-", "english language", None.__class__)),
    *(("phone_number", value) for value in ("020 7946", "+", "+44;ext=", 44)),
    *(("email_verified", value) for value in ("true", 1, 0, "yes")),
    *(("website", value) for value in ("javascript:alert(1)", "example.com", 5)),
    *(("address", value) for value in ("London", {}, {"planet": "Earth"}, {"country": 5})),
    *(("roles", value) for value in ("admin", {"a": 1}, [5], [""], ["a\nb"], ["x" * 201], ["r"] * 201)),
    *(("groups", value) for value in ("staff", [None])),
    *((name, "x") for name in ("sub", "updated_at", "id", "version", "password", "hash")),
    *((name, "x") for name in ("", "a b", "ä", "x" * 101, "-a", "a\n")),
    ("custom", "x" * 17000),
]


@pytest.mark.spec("OpenID Connect Core", "5.1")
@pytest.mark.parametrize(("name", "value"), GOOD.items())
def test_a_standard_claim_of_its_type_is_kept(act, name, value):
    assert act(create_user, EMAIL, {name: value}).user.claims[name] == value


@pytest.mark.spec("OpenID Connect Core", "5.1")
@pytest.mark.parametrize(("name", "value"), BAD)
def test_a_claim_of_another_type_is_refused_by_its_name(name, value):
    with pytest.raises(Invalid) as refused:
        sort_values({name: value})
    assert refused.value.field == name[:100]


@given(st.sampled_from([*CLAIMS, "roles", "groups"]), st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists))
def test_values_of_any_type_are_taken_or_refused_never_a_fault(name, value):
    with suppress(Invalid):
        json.dumps(sort_values({name: value}))


def test_every_text_claim_is_a_claim():
    assert not TEXT_CLAIMS - set(CLAIMS)


def test_roles_groups_and_own_attributes_are_kept_apart(act):
    user = act(create_user, EMAIL, {"roles": ["admin", "admin"], "groups": ["staff"], "department": "sales", "level": 3}).user
    assert (user.roles, user.groups, user.attributes) == (["admin"], ["staff"], {"department": "sales", "level": 3})


def test_values_change_and_go(act):
    act(create_user, EMAIL, {"name": "Ada", "nickname": "A", "roles": ["admin"], "department": "sales", "level": 3})
    user = act(change_user, EMAIL, {"nickname": None, "family_name": "Lovelace", "roles": None, "department": None, "level": 4})
    assert user.claims == {"email_verified": False, "name": "Ada", "family_name": "Lovelace"}
    assert (user.roles, user.attributes, user.version) == ([], {"level": 4}, 2)


def test_a_new_email_is_not_verified(act):
    act(create_user, EMAIL, {"email_verified": True})
    user = act(change_user, EMAIL, {"email": "Ada2@example.com"})
    assert (user.email, user.claims["email_verified"]) == ("ada2@example.com", False)
    user = act(change_user, user.subject, {"email": "ada3@example.com", "email_verified": True})
    assert user.claims["email_verified"] is True
    user = act(change_user, user.subject, {"email": "ADA3@example.com"})
    assert user.claims["email_verified"] is True, "it is the same address"


def test_a_new_email_must_be_free(act):
    act(create_user, EMAIL, {})
    act(create_user, "bob@example.com", {})
    with pytest.raises(Conflict):
        act(change_user, "bob@example.com", {"email": EMAIL})


def test_a_user_is_found_by_id_and_email(act):
    user = act(create_user, EMAIL, {}).user
    assert act(get_user, user.subject) == act(get_user, "ADA@EXAMPLE.COM") == user


@pytest.mark.parametrize("named", ["nobody@example.com", "nobody", "00000000-0000-4000-8000-000000000000", ""])
def test_who_is_not_there_is_not_found(act, named):
    for about in (get_user, disable_user, enable_user, delete_user, set_password):
        with pytest.raises(NotFound):
            act(about, named)


def test_all_users_are_listed_by_email(operating, runtime):
    for number in range(103):
        make_user(runtime, f"user{number:03}@example.com")
    with operating() as operation:
        assert [user.email for user in every_user(operation)] == [f"user{number:03}@example.com" for number in range(103)]


def test_two_changes_at_once_conflict(act, operating, monkeypatch):
    user = act(create_user, EMAIL, {}).user
    with operating() as operation:
        update_user(operation.db, user.id, user.version, {"email": "other@example.com"})
        monkeypatch.setattr("authserver.admin.users.get_user", lambda *_: user)
        for change in (disable_user, enable_user, lambda *about: change_user(*about, {"name": "X"})):
            with pytest.raises(Conflict, match="meanwhile"):
                change(operation, EMAIL)


@pytest.fixture
def signed_in(runtime, http, clock):
    """A person's browser, their client, and its tokens."""
    person, rp = make_user(runtime), RelyingParty(http, make_client(runtime, "web"), clock=clock)
    return person, rp, rp.sign_in(person, scope="openid offline_access")


def is_over(rp, tokens):
    """Neither token nor browser session is good any more."""
    assert rp.refresh(tokens["refresh_token"]).status == 400
    assert rp.userinfo(tokens["access_token"]).status == 401
    assert not rp.is_active(tokens["access_token"])
    silent = rp.authorize(None, prompt="none")
    assert silent.error == "login_required"


@pytest.mark.spec("RFC 9700", "4.14")
def test_disabling_a_user_ends_everything_at_once_and_enabling_revives_nothing(act, signed_in, events):
    person, rp, tokens = signed_in
    assert act(disable_user, person.email).disabled_at is not None
    is_over(rp, tokens)
    assert events("user.disable")[0].details == {"sessions": 1, "grants": 1}
    assert act(enable_user, person.email).disabled_at is None
    is_over(rp, tokens)
    assert "id_token" in rp.sign_in(person)


@pytest.mark.spec("ASVS 5.0", "7.4.3")
def test_a_new_password_ends_everything_at_once(act, signed_in, runtime, http, events):
    person, rp, tokens = signed_in
    added = act(set_password, person.email)
    assert len(added.password) == 27
    is_over(rp, tokens)
    assert events("user.set_password")[0].details == {"sessions": 1, "grants": 1}
    assert signs_in(runtime, http, added)
    assert act(set_password, person.email, "another good password").password is None
    with pytest.raises(Invalid):
        act(set_password, person.email, "short")


def test_deleting_a_user_ends_everything_at_once(act, signed_in, operating, runtime):
    person, rp, tokens = signed_in
    act(delete_user, person.email)
    is_over(rp, tokens)
    with operating() as operation:
        assert list(every_user(operation)) == []
    assert make_user(runtime, person.email, password=PASSWORD).subject != person.subject
