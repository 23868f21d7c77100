"""People who come over from Cognito, as a browser sees it: the way in, and the pages that say what to do."""

from collections.abc import Iterator
from typing import Any

import pytest

from authserver.runtime import Runtime, Settings
from authserver.store.audit import list_events
from authserver.store.base import count, transaction
from authserver.store.user import users
from tests.clock import Clock
from tests.cognito import PASSWORD, Pool, Told, told
from tests.factories import ISSUER, Person, make_client, make_settings
from tests.http_client import Answer, InProcess
from tests.pages import read
from tests.relying_party import RelyingParty
from tests.test_house import loaded_after

EMAIL = "Ada@example.net"
SUB = "5b0e5a0e-1111-4222-8333-444455556666"


@pytest.fixture
def pool(moto, monkeypatch: pytest.MonkeyPatch) -> Pool:
    for name, value in moto.environment().items():
        monkeypatch.setenv(name, value)
    return Pool(moto)


@pytest.fixture
def cognito(monkeypatch: pytest.MonkeyPatch) -> Iterator[Told]:
    with told(monkeypatch) as known:
        yield known


@pytest.fixture
def settings(request: pytest.FixtureRequest, database_url: str) -> Settings:
    if "pool" in request.fixturenames:
        own = request.getfixturevalue("pool").settings()
    else:
        own = {"cognito_user_pool": "eu-central-1_Told", "cognito_client_id": "client", "cognito_until": "2030-12-31"}
    return make_settings(database_url=database_url, sign_in_limit_account="3/5minutes", **own)


@pytest.fixture
def party(http: InProcess, runtime: Runtime, clock: Clock) -> RelyingParty:
    return RelyingParty(http, make_client(runtime, client_name="Acme Photos", consent="skipped"), clock=clock)


def send(http: InProcess, email: str = EMAIL, password: str = PASSWORD, language: str = "en") -> Answer:
    headers = {"Accept-Language": language, "Origin": ISSUER, "Sec-Fetch-Site": "same-origin"}
    form = read(http.get("/login", headers={"Accept-Language": language})).form("password")
    return http.post(form.action, {**form.fields, "email": email, "password": password}, headers=headers)


def someone(email: str, password: str) -> Any:
    return Person(None, email, password)  # type: ignore[arg-type]


def test_a_person_of_cognitos_gets_a_token_with_the_sub_that_they_had(pool: Pool, party: RelyingParty, clock: Clock) -> None:
    subject = pool.add(EMAIL.lower(), email_verified="true", name="Ada")
    tokens = party.sign_in(someone(EMAIL.lower(), PASSWORD), scope="openid email profile")
    claims = party.verify(tokens["id_token"])
    assert claims["sub"] == subject
    userinfo = party.userinfo(tokens["access_token"]).json
    assert (userinfo["email"], userinfo["email_verified"], userinfo["name"]) == (EMAIL.lower(), True, "Ada")
    pool.aws.delete_user_pool(UserPoolId=pool.id)
    again = RelyingParty(party.http.fresh(), party.made, clock=clock)
    assert again.verify(again.sign_in(someone(EMAIL.lower(), PASSWORD))["id_token"])["sub"] == subject


def test_the_address_is_sent_as_it_was_typed(cognito: Told, http: InProcess) -> None:
    """Older pools tell upper from lower case."""
    cognito.knows(SUB, EMAIL)
    assert send(http, f" {EMAIL} ").status == 303
    assert cognito.asked[0][1]["AuthParameters"]["USERNAME"] == EMAIL


@pytest.mark.spec("ASVS 5.0", "6.3.8")
def test_a_wrong_password_and_an_unknown_person_read_the_same(cognito: Told, http: InProcess, runtime: Runtime) -> None:
    texts = set()
    for code in ("NotAuthorizedException", "UserNotFoundException"):
        cognito.refuse(code)
        answer = send(http)
        assert answer.status == 422
        texts.add(read(answer).text)
    cognito.knows("not-a-uuid", EMAIL)
    texts.add(read(send(http)).text)
    assert len(texts) == 1
    with transaction(runtime.engine) as db:
        assert count(db, users) == 0


@pytest.mark.parametrize(
    ("answer", "english", "german"),
    [
        ({"ChallengeName": "NEW_PASSWORD_REQUIRED"}, "You need a new password", "Sie brauchen ein neues Passwort"),
        ({"ChallengeName": "SOFTWARE_TOKEN_MFA"}, "Your code cannot be checked here", "Ihr Code kann hier nicht geprüft werden"),
        ("UserNotConfirmedException", "Your account was never confirmed", "Ihr Konto wurde nie bestätigt"),
    ],
)
def test_what_stands_in_the_way_is_told_with_what_to_do(
    cognito: Told, http: InProcess, runtime: Runtime, answer: Any, english: str, german: str
) -> None:
    if isinstance(answer, str):
        cognito.refuse(answer)
    else:
        cognito.answer("AdminInitiateAuth", answer)
    for language, title in (("en", english), ("de", german)):
        page = send(http, language=language)
        assert page.status == 403
        assert f"<h1>{title}</h1>" in page.text
        assert "session" not in "".join(http.cookies())
    assert "Bitten Sie die Betreiber dieses Dienstes um einen Link" in read(page).text
    with transaction(runtime.engine) as db:
        assert count(db, users) == 0
        assert {event.request_id for event in list_events(db)} & set(read(page).text.split())


@pytest.mark.parametrize("code", ["TooManyRequestsException", "ResourceNotFoundException"])
def test_while_cognito_cannot_say_nobody_reads_of_a_wrong_password(cognito: Told, http: InProcess, code: str) -> None:
    cognito.refuse(code)
    answer = send(http)
    assert answer.status == 503
    assert answer.headers["Retry-After"]
    assert "Not available at the moment" in read(answer).text
    assert "not right" not in read(answer).text
    assert code not in answer.text


def test_our_limits_come_before_cognito_is_asked(cognito: Told, http: InProcess) -> None:
    cognito.refuse("NotAuthorizedException")
    assert [send(http).status for _ in range(5)] == [422, 422, 422, 429, 429]
    assert len(cognito.asked) == 3


def test_what_cognito_and_the_person_said_is_in_no_log(cognito: Told, http: InProcess, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    cognito.knows(SUB, EMAIL)
    send(http)
    cognito.refuse("InternalErrorException", status=500)
    send(http.fresh(), "other@example.net")
    written = " ".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)
    assert "InternalErrorException" in written
    for secret in (PASSWORD, "a text that nobody is to see", "argon2"):
        assert secret not in written


def test_where_no_pool_is_set_up_the_import_is_not_even_loaded() -> None:
    code = "import authserver.wsgi, authserver.web.login, authserver.identity.sign_in"
    loaded = loaded_after(code, {"AUTHSERVER_ISSUER": "http://127.0.0.1:9000", "AUTHSERVER_SECRET_KEY": "A" * 43})
    unwanted = {
        "authserver.identity.cognito",
        "authserver.admin.user_import",
        "authserver.admin",
        "authserver.crypto.foreign_hash",
    }
    assert loaded & unwanted == set()
