"""Lists page by page: nothing twice, nothing left out; sealed cursors; search by the beginning of a word."""

from datetime import timedelta

import pytest

from authserver.admin.audit import every_event, page_of_events
from authserver.admin.clients import create_client, disable_client, page_of_clients, update_client_metadata
from authserver.admin.errors import Invalid
from authserver.admin.grants import page_of_grants
from authserver.admin.resource_servers import page_of_resource_servers
from authserver.admin.sessions import page_of_sessions
from authserver.admin.users import change_user, create_user, delete_user, page_of_users
from tests.factories import make_client, make_resource_server, make_user
from tests.relying_party import RelyingParty


def pages(act, page_of, size=2, **filters):
    """Every row of a list, page by page."""
    found, token = [], ""
    while True:
        page = act(page_of, page_token=token, page_size=size, **filters)
        assert len(page.rows) <= size
        found += page.rows
        if page.next is None:
            return found
        token = page.next


@pytest.mark.databases
def test_clients_are_listed_by_name(act):
    names = ["b", "a", "c", "a", "ä", "B", "z"]
    for name in names:
        act(create_client, "service", name, {})
    found = pages(act, page_of_clients)
    assert sorted(client.client_name for client in found) == sorted(names)
    assert len({client.client_id for client in found}) == len(names)


@pytest.mark.databases
@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ("shop", {"shop"}),
        ("SHO", {"shop"}),
        ("front", {"shop"}),
        ("pay.ex", {"billing"}),
        ("bill", {"billing"}),
        ("op", set()),
        ("%", set()),
        ("_", set()),
        ("\U0010ffff", set()),
    ],
)
def test_clients_are_found_by_the_beginning_of_a_word(act, q, expected):
    act(create_client, "web", "Shop Front", {"redirect_uris": ["https://shop.example.com/cb"]}, client_id="shop")
    act(create_client, "web", "Pay", {"redirect_uris": ["https://pay.example.com/cb"]}, client_id="billing")
    assert {client.client_id for client in pages(act, page_of_clients, q=q)} == expected


def test_search_follows_what_changes(act):
    client_id = act(create_client, "web", "Shop", {"redirect_uris": ["https://shop.example.com/cb"]}).client.client_id
    act(update_client_metadata, client_id, {"client_name": "Store", "redirect_uris": ["https://store.example.com/cb"]})
    assert [len(pages(act, page_of_clients, q=q)) for q in ("shop", "store")] == [0, 1]
    user = act(create_user, "a@example.com", {"name": "Ada Lovelace"}).user
    act(change_user, user.email, {"email": "b@example.com", "name": "Grace Hopper"})
    assert [len(pages(act, page_of_users, q=q)) for q in ("a@", "lov", "b@", "hop")] == [0, 0, 1, 1]
    act(delete_user, user.subject)
    assert not pages(act, page_of_users, q="hop")


def test_lists_are_filtered(act, runtime):
    for kind in ("service", "service", "device"):
        act(create_client, kind, f"Shop {kind}", {})
    disabled = pages(act, page_of_clients)[0].client_id
    act(disable_client, disabled)
    assert len(pages(act, page_of_clients, kind="service")) == 2
    assert [client.client_id for client in pages(act, page_of_clients, status="disabled")] == [disabled]
    assert len(pages(act, page_of_clients, status="enabled", q="shop")) == 2
    assert len(pages(act, page_of_clients, kind="device", q="shop")) == 1
    for filters in ({"kind": "x"}, {"status": "x"}):
        with pytest.raises(Invalid):
            act(page_of_clients, **filters)


@pytest.mark.databases
def test_users_sessions_grants_apis_and_events_come_page_by_page(act, http, runtime, clock):
    people = [make_user(runtime) for _ in range(5)]
    made = make_client(runtime)
    for number, person in enumerate(people):
        RelyingParty(http.fresh(), made).authorize(person)
        make_resource_server(runtime, f"https://api{number}.example.com")
        clock.advance(seconds=number % 2)
    emails = sorted(person.email for person in people)
    assert [user.email for user in pages(act, page_of_users)] == emails
    assert len({session.id for session in pages(act, page_of_sessions)}) == 5
    assert len(pages(act, page_of_sessions, user=people[0].email)) == 1
    assert len(pages(act, page_of_resource_servers)) == 5
    assert len(pages(act, page_of_resource_servers, q="api3")) == 1
    events = pages(act, page_of_events)
    assert [event.id for event in events] == [event.id for event in act(lambda op: list(every_event(op)))]
    assert [event.at for event in events] == sorted((event.at for event in events), reverse=True)
    assert len(pages(act, page_of_events, action="sign_in", subject=people[0].subject)) == 1
    assert pages(act, page_of_events, since=clock.now() + timedelta(seconds=1)) == []
    assert len(pages(act, page_of_grants)) == 0


def test_a_cursor_is_good_for_its_list_alone(act):
    for name in "abc":
        act(create_client, "service", name, {})
    token = act(page_of_clients, page_size=1).next
    for bad in (token[:-2] + "AA", "x", "é", token + "A" * 3000, ""[:0] + "AAAA"):
        with pytest.raises(Invalid) as refused:
            act(page_of_clients, page_token=bad, page_size=1)
        assert refused.value.field == "page_token"
    with pytest.raises(Invalid):
        act(page_of_clients, page_token=token, kind="service")
    with pytest.raises(Invalid):
        act(page_of_resource_servers, page_token=token)


@pytest.mark.parametrize("size", [0, -1, 201, True])
def test_a_page_has_1_to_200_rows(act, size):
    with pytest.raises(Invalid) as refused:
        act(page_of_clients, page_size=size)
    assert refused.value.field == "page_size"


def test_a_filter_that_is_none_is_a_bug(act):
    with pytest.raises(TypeError):
        act(page_of_events, colour="red")
