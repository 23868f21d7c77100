"""People in JSON: the shapes that are read, and what is refused, with the line."""

import json
import tracemalloc
from io import StringIO, TextIOBase
from typing import Any

import bcrypt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from authserver.admin.user_import.entry import Entry, Refusal
from authserver.admin.user_import.json_file import read_json
from authserver.crypto.foreign_hash import matches
from tests.crypto.test_foreign_hash import SALT, SIGNER_KEY, django

SUB = "5b0e5a0e-1111-4222-8333-444455556666"
BCRYPT = bcrypt.hashpw(b"password", SALT).decode()
CONFIG = {"algorithm": "SCRYPT", "base64_signer_key": SIGNER_KEY, "base64_salt_separator": "Bw==", "rounds": 8, "mem_cost": 14}
FIREBASE = {
    "hash": "lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==",
    "salt": "42xEC+ixf3L2lw==",
}
PEOPLE = [{"email": f"person{number}@example.net", "name": '{[Ada]}, \\ " é'} for number in range(3)]


def read(text: str) -> list[Entry | Refusal]:
    return list(read_json(StringIO(text)))


def emails(text: str) -> list[Any]:
    return [each.email if isinstance(each, Entry) else f"line {each.line} {each.why}" for each in read(text)]


def one(person: Any, **around: Any) -> Any:
    (found,) = read(json.dumps({**around, "users": [person]}))
    return found


WANTED = [person["email"] for person in PEOPLE]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(PEOPLE),
        json.dumps(PEOPLE, indent=2),
        "\n".join(map(json.dumps, PEOPLE)),
        "\r\n".join(map(json.dumps, PEOPLE)) + "\r\n\r\n",
        "".join(map(json.dumps, PEOPLE)),
        json.dumps({"users": PEOPLE}),
        json.dumps({"hash_config": CONFIG, "users": PEOPLE, "more": {"users": []}}, indent=1),
        json.dumps({"Users": PEOPLE, "PaginationToken": None}),
        json.dumps({"Users": PEOPLE[:1]}) + json.dumps({"Users": PEOPLE[1:]}),
        json.dumps({"hash_config": CONFIG}) + "\n" + "\n".join(map(json.dumps, PEOPLE)),
    ],
    ids=["list", "indented", "lines", "windows lines", "behind one another", "users", "header", "Users", "two documents", "header line"],
)
def test_a_list_lines_and_the_member_users_are_read(text: str) -> None:
    assert emails(text) == WANTED


@pytest.mark.parametrize("text", ["", " \n ", "[]", '{"users": []}', '{"Users": []}\n'])
def test_nobody_is_nobody(text: str) -> None:
    assert read(text) == []


def test_a_line_that_is_broken_does_not_keep_the_others_out() -> None:
    lines = [
        json.dumps(PEOPLE[0]),
        '{"email": "x@example.net", ',
        json.dumps(PEOPLE[1]),
        "nonsense",
        "NaN",
        '"text"',
        json.dumps(PEOPLE[2]),
    ]
    assert emails("\n".join(lines)) == [
        WANTED[0],
        "line 2 is no JSON, or too long",
        WANTED[1],
        "line 4 is no JSON, or too long",
        "line 5 is no JSON, or too long",
        "line 6 must be an object",
        WANTED[2],
    ]


@pytest.mark.parametrize(
    "text",
    [
        '[{"email": "a@example.net"},\n{"email": ',
        '[{"email": "a@example.net"},\n oops, {"email": "b@example.net"}]',
        '[{"email": "a@example.net"}\n',
        '{"users": [{"email": "a@example.net"}\n',
        '{"users": [{"email": "a@example.net"}],\n oops}',
        '{"users": [{"email": "a@example.net"}],\n "next" oops}',
    ],
)
def test_a_list_that_breaks_off_says_where(text: str) -> None:
    first, last = emails(text)
    assert first == "a@example.net"
    assert last.startswith("line 2 is where the JSON is broken")


def test_behind_a_header_that_is_broken_nothing_is_read() -> None:
    assert emails('{"hash_config": oops}\n{"email": "a@example.net"}') == [
        "line 1 is where the JSON is broken: nothing behind this was read"
    ]


def test_what_cognito_lists_is_read() -> None:
    attributes = {"sub": SUB, "email": "ada@example.net", "email_verified": "true", "custom:team": "engine", "identities": "[]"}
    listed = [{"Name": name, "Value": value} for name, value in attributes.items()]
    entry = one({"Username": "ada", "Attributes": listed, "Enabled": False, "UserStatus": "CONFIRMED", "Groups": ["staff"]})
    assert (entry.email, entry.subject, entry.is_enabled) == ("ada@example.net", SUB, False)
    assert entry.values == {"cognito:username": "ada", "email_verified": True, "custom:team": "engine", "groups": ["staff"]}


def test_a_list_that_goes_on_elsewhere_is_not_taken_for_the_whole() -> None:
    assert emails(json.dumps({"Users": [], "PaginationToken": "x"})) == [
        "line 1 has a PaginationToken: this is not the whole list; fetch the rest as well"
    ]


@pytest.mark.parametrize(
    ("hashed", "password", "config"),
    [
        (BCRYPT, b"password", {}),
        (django("sha512"), "pässword of some length".encode(), {}),
        (FIREBASE, b"user1password", CONFIG),
        ({**FIREBASE, "algorithm": "firebase-scrypt"}, b"user1password", {**CONFIG, "algorithm": "x"}),
        (
            {"algorithm": "pbkdf2-sha1", "iterations": 4096, "salt": "c2FsdA==", "hash": "SwB5AbdlSJq+rUnZJvch0GWkKcE="},
            b"password",
            {},
        ),
        ({"salt": "c2FsdA==", "hash": "SwB5AbdlSJq-rUnZJvch0GWkKcE"}, b"password", {"algorithm": "PBKDF2_SHA1", "iterations": 4096}),
    ],
)
def test_a_hash_is_a_text_or_has_its_parameters_beside_it_or_in_the_header(hashed: Any, password: bytes, config: Any) -> None:
    entry = one({"email": "a@example.net", "password_hash": hashed}, hash_config=config)
    assert matches(entry.password_hash, password)
    assert "password_hash" not in entry.values
    assert str(entry.password_hash) not in repr(entry)


@pytest.mark.parametrize(
    ("person", "config", "why"),
    [
        ({"password_hash": 7}, {}, "password_hash must be a text"),
        ({"password_hash": "secret"}, {}, "password_hash must be a hash of"),
        ({"password_hash": FIREBASE}, {}, "password_hash must have an algorithm"),
        ({"password_hash": FIREBASE}, {"algorithm": "md5"}, "password_hash must have an algorithm"),
        ({"password_hash": {"hash": "AA"}}, CONFIG, "password_hash needs salt"),
        ({"password_hash": {**FIREBASE, "salt": "!"}}, CONFIG, "password_hash must be base64"),
        ({"password_hash": FIREBASE}, {**CONFIG, "rounds": "8"}, "password_hash needs rounds"),
        ({"password_hash": FIREBASE}, {**CONFIG, "rounds": True}, "password_hash needs rounds"),
        ({"password_hash": FIREBASE}, {**CONFIG, "mem_cost": 18}, "password_hash must not take more than 64 MB"),
        ({"enabled": "yes"}, {}, "enabled must be true or false"),
        ({"Attributes": {}}, {}, "Attributes must be a list"),
        ({"Attributes": [{"Name": "email", "Value": 7}]}, {}, "Attributes must be a list"),
        ({"Attributes": [], "Username": 7}, {}, "Username must be a text"),
        ({"Attributes": [], "Groups": "staff"}, {}, "Username must be a text"),
        ({"Attributes": [{"Name": "email_verified", "Value": "x"}]}, {}, "email_verified must be"),
    ],
)
def test_what_is_wrong_with_a_person_is_said_without_their_hash(person: Any, config: Any, why: str) -> None:
    found = one({"email": "a@example.net", **person}, hash_config=config)
    assert isinstance(found, Refusal)
    assert found.why.startswith(why)
    assert "secret" not in found.why
    assert FIREBASE["hash"] not in found.why


def test_a_header_that_is_no_object_and_people_that_are_no_list_are_refused() -> None:
    assert emails('{"hash_config": []}') == ["line 1 hash_config must be an object"]
    assert emails('{"Users": {"email": "ada@example.net"}}') == ["line 1 Users must be a list"]


def test_a_value_that_is_too_long_or_too_deep_is_refused() -> None:
    long = json.dumps({"email": "x" * (2 * 1024 * 1024)})
    assert emails(f"{long}\n{json.dumps(PEOPLE[0])}") == ["line 1 is no JSON, or too long", WANTED[0]]
    assert emails("[" * 2 + "[" * 100_000 + "\n")[0].endswith("nothing behind this was read")


class Endless(TextIOBase):
    """A list of many people that is never whole in memory."""

    def __init__(self, people: int) -> None:
        self.left = people

    def read(self, size: int = -1) -> str:
        part, self.left = min(self.left, 500), max(0, self.left - 500)
        return "".join(f'{{"email": "person{number}@example.net", "name": "Somebody with a name"}},\n' for number in range(part))


def test_many_people_take_as_much_memory_as_a_few(untraced: None) -> None:
    tracemalloc.start()
    count = sum(1 for each in read_json(Endless(20_000)) if isinstance(each, Entry))  # type: ignore[arg-type]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 20_000
    assert peak < 1024 * 1024


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=9),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=9), inner),
    )
)
def test_any_json_is_read_or_refused_never_a_fault(document: Any) -> None:
    for text in (
        json.dumps(document),
        json.dumps(document)[:-1],
        json.dumps({"users": document}),
        json.dumps({"users": [document, document]}),
    ):
        for each in read(text):
            assert each.line == 1
