"""Texts that no id of ours has, in every place of an address: nothing is found, on every database, and nothing breaks."""

from urllib.parse import quote

import pytest

ODD = ("é", "\0", "\u202e", "%", "'", '"><script>', "x" * 3000, "../x", "\U0001f600", " ")
PLACES = (
    "/admin/applications?q={}",
    "/admin/applications/of/{}",
    "/admin/apis?q={}",
    "/admin/apis/of/{}",
    "/admin/users?q={}",
    "/admin/users/{}",
    "/admin/sessions?user={}",
    "/admin/grants?client_id={}",
    "/admin/grants?user={}",
    "/admin/failures?client_id={}",
    "/admin/failures/{}",
    "/admin/audit?action={}",
    "/admin/audit?actor={}",
    "/admin/audit?request_id={}",
    "/admin/audit?since={}",
    "/admin/audit?page={}",
    "/admin/audit/export.csv?actor={}",
    "/admin/charts/{}.svg",
    "/admin?period={}",
)


@pytest.mark.databases
def test_an_odd_text_is_found_nowhere_and_breaks_nothing(console):
    http = console()
    for place in PLACES:
        for odd in ODD:
            answer = http.get(place.format(quote(odd, safe="")))
            assert answer.status < 500, (place, odd)
            assert "<script>" not in answer.text
