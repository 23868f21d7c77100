"""One-time links: the setup of the first owner, invitations, new passwords."""

from urllib.parse import parse_qs, urlsplit

import pytest

from authserver.admin.errors import Invalid, NotFound
from authserver.admin.links import open_link, setup_link
from authserver.admin.roles import role_of
from authserver.admin.sessions import live_sessions
from authserver.admin.users import get_user, invite_user, reset_link
from authserver.admin.welcome import finish_password, finish_setup
from authserver.store.link import find_link
from tests.factories import ISSUER, make_client, make_user
from tests.relying_party import RelyingParty

GOOD = "a long enough password"


def token_of(link):
    return parse_qs(urlsplit(link).query)["token"][0]


def test_a_setup_link_makes_an_owner_once(act, events):
    link = act(setup_link)
    assert link.startswith(f"{ISSUER}/admin/setup?token=")
    user = act(finish_setup, token_of(link), "Owner@Example.com", GOOD)
    assert user.email == "owner@example.com"
    assert act(lambda op: role_of(op, user.id)) == "owner"
    assert [event.actor for event in events("user.create")] == ["one-time link"]
    with pytest.raises(NotFound):
        act(finish_setup, token_of(link), "second@example.com", GOOD)
    with pytest.raises(NotFound):
        act(get_user, "second@example.com")


def test_a_setup_link_lasts_15_minutes_and_a_new_one_ends_the_one_before(act, clock):
    first = act(setup_link)
    second = act(setup_link)
    with pytest.raises(NotFound):
        act(finish_setup, token_of(first), "a@example.com", GOOD)
    clock.advance(minutes=15)
    with pytest.raises(NotFound):
        act(finish_setup, token_of(second), "a@example.com", GOOD)


@pytest.mark.parametrize(("email", "password", "field"), [("nobody", GOOD, "email"), ("a@example.com", "short", "password")])
def test_a_mistake_does_not_use_the_link_up(act, email, password, field):
    link = act(setup_link)
    with pytest.raises(Invalid) as refused:
        act(finish_setup, token_of(link), email, password)
    assert refused.value.field == field
    assert act(finish_setup, token_of(link), "a@example.com", GOOD)


def test_a_setup_link_takes_over_no_account_that_is_there(act, runtime):
    person = make_user(runtime)
    with pytest.raises(Invalid, match="authserver admins grant"):
        act(finish_setup, token_of(act(setup_link)), person.email, GOOD)


def test_links_are_stored_as_digests(act, operating):
    token = token_of(act(setup_link))
    with operating() as operation:
        assert token not in str(find_link(operation.db, token))


def test_an_invited_person_sets_their_password_and_signs_in(act, http, runtime):
    invitation = act(invite_user, "new@example.com", {"name": "New"})
    assert invitation.link is not None
    assert invitation.link.startswith(f"{ISSUER}/password?token=")
    user = act(finish_password, token_of(invitation.link), GOOD)
    assert not user.claims["email_verified"], "the link was shown to somebody else"
    from tests.factories import Person

    rp = RelyingParty(http, make_client(runtime))
    assert rp.authorize(Person(user, user.email, GOOD)).code
    with pytest.raises(NotFound):
        act(finish_password, token_of(invitation.link), GOOD)


def test_before_that_no_password_opens_the_account(act, http, runtime):
    from tests.factories import Person

    user = act(invite_user, "new@example.com", {}).user
    rp = RelyingParty(http, make_client(runtime))
    answer = rp.go_on(rp.begin().answer, None)
    for password in ("", "x" * 20):
        assert rp.fill(__import__("tests.pages", fromlist=["read"]).read(answer), Person(user, user.email, password), "allow").status == 422


def test_a_new_password_ends_all_access_and_all_other_links(act, http, runtime):
    person = make_user(runtime)
    RelyingParty(http, make_client(runtime)).authorize(person)
    assert act(live_sessions, person.email)
    first, second = token_of(act(reset_link, person.email)), token_of(act(reset_link, person.email))
    with pytest.raises(NotFound):
        act(finish_password, first, GOOD)
    act(finish_password, second, GOOD)
    assert not act(live_sessions, person.email)


def test_a_link_is_good_for_its_purpose_alone(act, runtime):
    token = token_of(act(reset_link, make_user(runtime).email))
    with pytest.raises(NotFound):
        act(open_link, token, "setup")
    with pytest.raises(NotFound):
        act(finish_setup, token, "a@example.com", GOOD)
