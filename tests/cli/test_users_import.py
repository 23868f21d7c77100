"""`authserver users import` and `users migration`, from a file to the first sign-in."""

import json
from pathlib import Path
from typing import Any

import bcrypt
import pytest

from authserver.identity.sign_in import SignInRefused, complete, sign_in
from authserver.runtime import Runtime
from authserver.store.base import transaction
from tests.cognito import Pool
from tests.command_line import CommandLine, on_database
from tests.crypto.test_foreign_hash import SALT

SUB = "5b0e5a0e-1111-4222-8333-444455556666"
PASSWORD = "a password that bcrypt has hashed"
BCRYPT = bcrypt.hashpw(PASSWORD.encode(), SALT).decode()


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    file = tmp_path / "users.csv"
    file.write_text(
        f"\ufeffemail,sub,name,cognito:groups\r\nada@example.net,{SUB},Ada,staff\r\nnobody,,Bob,\r\ncarol@example.net,,Carol,\r\n"
    )
    return file


def test_a_csv_is_taken_over_row_by_row_and_the_exit_code_says_that_one_is_missing(cli: CommandLine, csv: Path) -> None:
    for dry_run, created, skipped in ((["--dry-run"], 2, 0), ([], 2, 0), ([], 0, 2)):
        result = cli("users", "import", "--from", "cognito-csv", str(csv), *dry_run, code=1)
        shown = dict(line.split() for line in result.stdout.splitlines())
        assert shown == {
            "created": str(created),
            "skipped": str(skipped),
            "refused": "1",
            "with_password_hash": "0",
            "dry_run": "yes" if dry_run else "no",
        }
        assert "line 3: email must be an address like alice@example.com" in result.stderr
        assert "1 could not be taken over" in result.stderr
    assert cli.json("users", "get", "ada@example.net")["id"] == SUB
    assert cli.json("users", "get", SUB)["groups"] == ["staff"]


def test_the_document_names_who_was_refused(cli: CommandLine, csv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    document = json.loads(cli("users", "import", "--from", "cognito-csv", str(csv), "--json", code=1).stdout)
    assert document["refusals"] == [{"line": 3, "why": "email must be an address like alice@example.com"}]
    monkeypatch.setattr("authserver.cli.users_import.MOST_SHOWN", 0)
    assert json.loads(cli("users", "import", "--from", "cognito-csv", str(csv), "--json", code=1).stdout)["refusals"] == []


def test_hashes_come_from_standard_input_and_are_never_printed(cli: CommandLine, runtime: Runtime) -> None:
    people = [
        {"email": "ada@example.net", "sub": SUB, "password_hash": BCRYPT},
        {"email": "bob@example.net", "password_hash": BCRYPT + "x"},
    ]
    result = cli("users", "import", "--from", "json", "-", stdin=json.dumps(people), code=1)
    assert "line 1: password_hash must be a hash of bcrypt" in result.stderr
    assert BCRYPT[7:] not in result.output
    assert BCRYPT[7:] not in cli("users", "list", "--json").stdout + cli("audit", "list", "--json").stdout
    assert cli.json("users", "migration") == {
        "imported": 1,
        "migrated": 0,
        "to_come": 1,
        "without_password": 0,
        "with_foreign_hash": 1,
        "user_pool": None,
        "until": None,
        "cognito_is_asked": False,
    }
    with transaction(runtime.engine) as db:
        with pytest.raises(SignInRefused):
            sign_in(db, runtime, "ada@example.net", "wrong")
        complete(db, runtime, sign_in(db, runtime, "ada@example.net", PASSWORD), None)
    progress = cli.json("users", "migration")
    assert (progress["migrated"], progress["to_come"], progress["with_foreign_hash"]) == (1, 0, 0)


def test_what_cognito_lists_is_imported_and_waits_for_its_people(moto, database_url: str) -> None:
    pool = Pool(moto)
    subject = pool.add("ada@example.net", email_verified="true", custom__team="engine", name="Ada")
    environment = {f"AUTHSERVER_{name.upper()}": text for name, text in pool.settings().items() if text}
    cli = on_database(database_url)
    cli.environment.update(environment)
    assert cli.json("users", "import", "--from", "json", "-", stdin=json.dumps(pool.listed()))["created"] == 1
    user = cli.json("users", "get", "ada@example.net")
    assert (user["id"], user["claims"], user["attributes"]) == (
        subject,
        {"name": "Ada", "email_verified": True},
        {"custom:team": "engine", "cognito:username": subject},
    )
    progress = cli.json("users", "migration")
    assert (progress["imported"], progress["without_password"], progress["until"]) == (1, 1, "2030-12-31")
    assert (progress["user_pool"], progress["cognito_is_asked"]) == (pool.id, True)


@pytest.mark.parametrize(
    ("content", "code", "text"),
    [
        (b"name\nAda\n", 2, "header must be that of Cognito's user import"),
        (b"email,shoe_size\n", 2, "'shoe_size', which Cognito does not know"),
        (b"", 2, "header must be that of Cognito's user import"),
        (b"\xff\xfe\x00", 2, "header must be that of Cognito's user import"),
        (b"email;name\na@example.net;Ada\n", 2, "columns separated by commas and one of them email"),
        (b"email,name\na@example.net,\xff\n", 1, "line 2: is not UTF-8: convert the file"),
    ],
)
def test_a_file_that_is_none_is_refused(cli: CommandLine, content: bytes, code: int, text: str) -> None:
    assert text in cli("users", "import", "--from", "cognito-csv", "-", stdin=content, code=code).stderr


def test_the_compatible_claims_come_from_what_was_imported(cli: CommandLine, csv: Path, http: Any, runtime: Runtime, clock: Any) -> None:
    """As docs/leaving-cognito.md has it: an API's registration brings `username` and `cognito:groups` into its tokens."""
    from tests.factories import Person, make_client
    from tests.relying_party import RelyingParty

    person = {
        "Username": "ada",
        "Attributes": [{"Name": "email", "Value": "ada@example.net"}, {"Name": "sub", "Value": SUB}],
        "Groups": ["staff"],
    }
    cli("users", "import", "--from", "json", "-", stdin=json.dumps([person]))
    cli("users", "set-password", SUB, "--password-stdin", stdin=PASSWORD)
    wanted = ("--claim", "cognito:groups=groups", "--claim", "username=cognito:username")
    cli("apis", "create", "--identifier", "https://api.example.com", "--name", "API", "--scope", "read=Read", *wanted)
    party = RelyingParty(http, make_client(runtime, apis=["https://api.example.com"]), clock=clock)
    from authserver.store.user import find_user_by_email

    with transaction(runtime.engine) as db:
        user = find_user_by_email(db, "ada@example.net")
    assert user is not None
    token = party.sign_in(Person(user, user.email, PASSWORD), scope="openid read", resource="https://api.example.com")["access_token"]
    minted = party.verify(token, "https://api.example.com")
    assert (minted["sub"], minted["username"], minted["cognito:groups"]) == (SUB, "ada", ["staff"])


def test_what_a_file_has_in_it_does_nothing_to_the_terminal(cli: CommandLine, tmp_path: Path) -> None:
    escape = "\u001b]0;mine\u0007\u009b2J"
    own, csv = tmp_path / "users.json", tmp_path / "users.csv"
    own.write_text(json.dumps({"email": "ada@example.net", escape: 1}))
    csv.write_text(f"email,custom:{escape},custom:{escape}\r\n")
    for form, file, code in (("json", own, 1), ("cognito-csv", csv, 2)):
        result = cli("users", "import", "--from", form, str(file), code=code)
        assert "mine" in result.stderr
        assert not {"\u001b", "\u0007", "\u009b"} & set(result.stderr)
    own.write_text('{"email": "ada@example.net", "half\\ud800": 1}')
    document = json.loads(cli("users", "import", "--from", "json", str(own), "--json", code=1).stdout)
    assert document["refusals"][0]["why"].startswith("half? must be named")
