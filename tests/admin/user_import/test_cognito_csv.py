"""Cognito's CSV: what its columns become, and what is refused, with the line."""

from io import StringIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authserver.admin.errors import Invalid
from authserver.admin.user_import.check import Checked, check_entry
from authserver.admin.user_import.cognito_csv import read_csv
from authserver.admin.user_import.entry import Entry, Refusal

COGNITOS = (
    "cognito:username,name,given_name,family_name,middle_name,nickname,preferred_username,profile,picture,website,email,"
    "email_verified,gender,birthdate,zoneinfo,locale,phone_number,phone_number_verified,address,updated_at,cognito:mfa_enabled"
)
SUB = "5b0e5a0e-1111-4222-8333-444455556666"


def read(*lines: str) -> list[Entry | Refusal]:
    return list(read_csv(StringIO("\n".join(lines), newline="")))


def check(*lines: str) -> list[Checked | Refusal]:
    return [check_entry(each) if isinstance(each, Entry) else each for each in read(*lines)]


def only(*lines: str) -> Any:
    (found,) = read(*lines)
    return found


def test_every_column_of_cognitos_header_has_its_place() -> None:
    row = f"{SUB},Ada Lovelace,Ada,Lovelace,,,countess,,https://example.com/a.png,,ada@example.net,TRUE,f,1815-12-10,Europe/London,en-GB,"
    entry = only(f"{COGNITOS},custom:team", row + "+442012345,false,12 St James's Square\\, London,1700000000,true,engine")
    assert (entry.line, entry.email, entry.subject, entry.is_enabled) == (2, "ada@example.net", SUB, True)
    assert entry.values == {
        "cognito:username": SUB,
        "name": "Ada Lovelace",
        "given_name": "Ada",
        "family_name": "Lovelace",
        "preferred_username": "countess",
        "picture": "https://example.com/a.png",
        "email_verified": True,
        "gender": "f",
        "birthdate": "1815-12-10",
        "zoneinfo": "Europe/London",
        "locale": "en-GB",
        "phone_number": "+442012345",
        "phone_number_verified": False,
        "address": {"formatted": "12 St James's Square, London"},
        "custom:team": "engine",
        "groups": [],
    }
    assert isinstance(check_entry(entry), Checked)


@pytest.mark.parametrize(
    ("header", "row", "subject"),
    [
        ("email,sub", f"a@example.net,{SUB}", SUB),
        ("email,sub,cognito:username", f"a@example.net,{SUB},ada", SUB),
        ("email,cognito:username", f"a@example.net,{SUB}", SUB),
        ("email,cognito:username", "a@example.net,ada", None),
        ("email", "a@example.net", None),
        ("email,sub", "a@example.net,not-a-uuid", "not-a-uuid"),
    ],
)
def test_the_sub_is_kept_where_the_file_has_one(header: str, row: str, subject: str | None) -> None:
    assert only(header, row).subject == subject


@pytest.mark.parametrize(
    ("cell", "groups"),
    [
        ("", []),
        ("staff", ["staff"]),
        ('"staff,admins"', ["staff", "admins"]),
        ('"[""a,b"", ""c""]"', ["a,b", "c"]),
        ("staff\\, admins", ["staff", "admins"]),
    ],
)
def test_groups_are_a_list_with_commas_or_in_json(cell: str, groups: list[str]) -> None:
    assert only("email,cognito:groups", f"a@example.net,{cell}").values["groups"] == groups


@pytest.mark.parametrize(
    ("header", "row", "why"),
    [
        ("email", "", None),
        ("email,name", "a@example.net", "has 1 columns, and the header has 2"),
        ("email", "a@example.net,more", "has 2 columns, and the header has 1"),
        ("email", "nobody", "email must be an address"),
        ("email,name", ",Ada", "email must be an address"),
        ("email,email_verified", "a@example.net,perhaps", "email_verified must be true or false"),
        ("email,enabled", "a@example.net,0", "enabled must be true or false"),
        ("email,sub", "a@example.net,not-a-uuid", "sub must be a UUID"),
        ("email,sub", f"a@example.net,{SUB.upper()}", "sub must be a UUID"),
        ("email,sub", "a@example.net,00000000-0000-0000-0000-000000000000", "sub must be a UUID"),
        ("email,website", "a@example.net,javascript:x", "website must"),
        ("email,birthdate", "a@example.net,yesterday", "birthdate must be written like"),
        ("email,cognito:groups", 'a@example.net,"[1]"', "cognito:groups must be written like"),
        ("email,cognito:groups", "a@example.net,[", "cognito:groups must be written like"),
        ("email,custom:team", "a@example.net,\udcff", "is not UTF-8"),
        ("email,name", "a@example.net," + "x" * 1001, "name must be a text"),
    ],
)
def test_what_is_wrong_with_a_row_is_said_with_its_line(header: str, row: str, why: str | None) -> None:
    first, *rest = check(header, row, *(["b@example.net" + ",".join("" for _ in header.split(","))]))
    if why is None:
        assert isinstance(first, Checked)
        return
    assert isinstance(first, Refusal)
    assert first.line == 2
    assert first.why.startswith(why)
    assert [type(each) for each in rest] == [Checked]


@pytest.mark.parametrize(
    ("header", "why"),
    [
        ("", "one of them email"),
        ("name", "one of them email"),
        ("email,shoe_size", "'shoe_size', which Cognito does not know"),
        ("email,password", "'password', which Cognito does not know"),
        ("email,name,name", "the column 'name' twice"),
    ],
)
def test_a_header_that_is_not_cognitos_is_refused(header: str, why: str) -> None:
    with pytest.raises(Invalid) as refused:
        read(header, "a@example.net,x,y")
    assert why in refused.value.why


def test_lines_are_counted_across_values_of_several_lines_and_what_cannot_be_read() -> None:
    found = read(
        "email,address", 'a@example.net,"one\ntwo\nthree"', "", "b@example.net,", f'c@example.net,"{"x" * 140_000}"', "d@example.net,"
    )
    assert [each.line for each in found if isinstance(each, Entry)] == [2, 6, 8]
    (broken,) = (each for each in found if isinstance(each, Refusal))
    assert (broken.line, broken.why[:14]) == (7, "cannot be read")


@given(st.text(max_size=120))
def test_any_row_is_read_or_refused_never_a_fault(row: str) -> None:
    for each in check("email,name,sub,email_verified,cognito:groups,custom:x", f"a@example.net,{row}", row):
        assert each.line >= 2
