"""Sessions and grants that an operator lists and ends; and what happens after a restore."""

import pytest

from authserver.admin.documents import grant_document, session_document
from authserver.admin.errors import Invalid, NotFound
from authserver.admin.grants import end_grant, end_grants, live_grants
from authserver.admin.restore import void_what_may_be_spent
from authserver.admin.sessions import end_session, end_user_sessions, live_sessions
from tests.factories import API, make_client, make_resource_server, make_user
from tests.relying_party import RelyingParty

NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def rp(runtime, http, clock):
    return RelyingParty(http, make_client(runtime, "web"), clock=clock)


def another(rp, runtime, **metadata):
    return RelyingParty(rp.http, make_client(runtime, "web", **metadata), clock=rp.clock)


def is_signed_in(rp):
    return rp.authorize(None, prompt="none").error is None


def test_a_session_is_listed_and_ended_with_what_is_tied_to_it(act, rp, runtime, events):
    person = make_user(runtime)
    tied, offline = rp.sign_in(person), another(rp, runtime)
    kept = offline.sign_in(person, scope="openid offline_access")
    (session,) = act(live_sessions)
    document = session_document(session)
    assert document["user_id"] == person.subject
    assert document["address_prefix"] == "192.0.2.0/24"
    assert act(live_sessions, person.email) == [session]
    assert act(end_session, session.sid) == 1
    assert act(end_session, session.sid) == 0
    assert act(live_sessions) == []
    assert not is_signed_in(rp)
    assert rp.userinfo(tied["access_token"]).status == 401
    assert offline.refresh(kept["refresh_token"]).status == 200
    assert events("session.revoke")[0].subject == person.subject


def test_all_sessions_of_a_user_end(act, rp, runtime, http):
    ada, bob = make_user(runtime), make_user(runtime)
    elsewhere = RelyingParty(http.fresh(), rp.made, clock=rp.clock)
    of_bob = RelyingParty(http.fresh(), rp.made, clock=rp.clock)
    for party, person in ((rp, ada), (elsewhere, ada), (of_bob, bob)):
        party.sign_in(person)
    assert act(end_user_sessions, ada.email) == 2
    assert [is_signed_in(party) for party in (rp, elsewhere, of_bob)] == [False, False, True]


def test_a_grant_is_listed_and_revoked(act, rp, runtime, events):
    person = make_user(runtime)
    tokens = rp.sign_in(person, scope="openid offline_access")
    (grant,) = act(live_grants)
    document = grant_document(grant)
    assert (document["client_id"], document["user_id"], document["offline"]) == (rp.made.client_id, person.subject, True)
    assert document["scope"] == "openid offline_access"
    assert act(live_grants, person.email, rp.made.client_id) == [grant]
    assert act(end_grant, grant.shown_id) == 1
    assert act(end_grant, grant.shown_id) == 0
    assert act(live_grants) == []
    assert rp.refresh(tokens["refresh_token"]).status == 400
    assert rp.userinfo(tokens["access_token"]).status == 401
    assert is_signed_in(rp), "the browser session goes on"
    assert events("grant.revoke")[0].client_id == rp.made.client_id


def test_an_expired_grant_is_not_listed(act, rp, runtime, clock):
    rp.sign_in(make_user(runtime), scope="openid offline_access")
    clock.advance(days=15)
    assert act(live_grants) == []


def test_grants_end_by_user_by_client_and_by_both_with_their_consents(act, rp, runtime):
    ada = make_user(runtime)
    other = another(rp, runtime)
    for ended, arguments in ((1, (ada.email, rp.made.client_id)), (2, (ada.email,)), (1, (None, rp.made.client_id))):
        mine, its = rp.sign_in(ada, scope="openid offline_access"), other.sign_in(ada, scope="openid offline_access")
        assert act(end_grants, *arguments) == ended
        assert rp.refresh(mine["refresh_token"]).status == 400
        assert rp.authorize(None, prompt="none").error == "consent_required"
        assert other.refresh(its["refresh_token"]).status == (400 if ended == 2 else 200)
        act(end_grants, ada.email)


def test_something_must_be_named(act):
    with pytest.raises(Invalid):
        act(end_grants)


@pytest.mark.parametrize("shown", ["", "x", NOBODY, NOBODY.upper()])
def test_what_is_not_there_is_not_found(act, shown):
    for about in (end_session, end_grant, end_user_sessions, end_grants, live_sessions):
        with pytest.raises(NotFound):
            act(about, shown)
    for about in (end_grants, live_grants):
        with pytest.raises(NotFound):
            act(about, None, shown or "nobody")


@pytest.mark.spec("RFC 9700", "4.14")
def test_after_a_restore_nothing_that_may_have_been_spent_is_good(act, rp, runtime, clock, events):
    make_resource_server(runtime, token_format="opaque")
    person, opaque = make_user(runtime), another(rp, runtime, apis=[API])
    tokens, callback = rp.sign_in(person, scope="openid offline_access"), rp.authorize(person)
    token = opaque.sign_in(person, resource=API)["access_token"]
    assert opaque.is_active(token)
    assert act(void_what_may_be_spent) == {"epoch": 1, "sessions_ended": 1}
    clock.advance(seconds=61)
    assert rp.refresh(tokens["refresh_token"]).json["error"] == "invalid_grant"
    assert rp.redeem(callback).json["error"] == "invalid_grant"
    assert not opaque.is_active(token)
    assert not is_signed_in(rp)
    again = rp.sign_in(person, scope="openid offline_access")
    assert rp.refresh(again["refresh_token"]).status == 200
    assert act(void_what_may_be_spent)["epoch"] == 2
    assert events("db.restored")[0].actor == "tester"
