"""Faults: pages for people, JSON for machines, with an id and without a secret."""

from typing import Any

import pytest
from flask import Blueprint
from sqlalchemy.exc import OperationalError

from authserver.app import create_app
from authserver.runtime import Runtime
from authserver.runtime.keys import KeyUnavailable
from authserver.web.errors import EXPLANATIONS, PageError
from tests.factories import ISSUER
from tests.http_client import Answer, InProcess
from tests.pages import read

CANARY = "a-canary-in-a-query"


@pytest.fixture
def http(runtime: Runtime) -> InProcess:
    """An application with two routes that fail as the test says."""
    app, routes = create_app(runtime), Blueprint("faults", __name__)

    @routes.route("/oauth2/fails/<code>", endpoint="machine")
    @routes.route("/fails/<code>", endpoint="page")
    def fails(code: str) -> Any:
        if code == "bug":
            raise KeyError(CANARY)
        if code == "database":
            raise OperationalError("SELECT", {}, Exception(CANARY))
        if code == "key":
            raise KeyUnavailable("kms Decrypt: ThrottlingException")
        raise PageError(code, status=429 if code == "too_many_attempts" else 400, because=CANARY, retry_after=181, again="/login")

    app.register_blueprint(routes)
    return InProcess(app, ISSUER)


def error_id(answer: Answer) -> str:
    return answer.headers["X-Request-Id"]


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("code", list(EXPLANATIONS))
def test_every_code_has_a_page_that_says_what_to_do(http: InProcess, code: str, language: str) -> None:
    answer = http.get(f"/fails/{code}", headers={"Accept-Language": language})
    page = read(answer)
    title = answer.text.split("<title>")[1].split("</title>")[0]
    assert title.startswith({"en": "Error:", "de": "Fehler:"}[language])
    assert error_id(answer) in page.text
    assert answer.text.count("<h1>") == 1
    assert f"{ISSUER}/login" in page.links or code == "wrong_host"
    assert CANARY not in answer.text


def test_a_wait_is_told_in_the_header_and_in_words(http: InProcess) -> None:
    answer = http.get("/fails/too_many_attempts")
    assert (answer.status, answer.headers["Retry-After"]) == (429, "181")
    assert "in 4 minutes" in read(answer).text


@pytest.mark.parametrize(
    ("path", "method", "status", "error"),
    [
        ("/oauth2/fails/unavailable", "GET", 400, "temporarily_unavailable"),
        ("/oauth2/fails/invalid_request", "GET", 400, "invalid_request"),
        ("/oauth2/fails/bug", "GET", 500, "server_error"),
        ("/oauth2/fails/database", "GET", 503, "temporarily_unavailable"),
        ("/oauth2/no-such-endpoint", "GET", 404, "not_found"),
        ("/.well-known/no-such-document", "GET", 404, "not_found"),
        ("/oauth2/token", "GET", 405, "invalid_request"),
    ],
)
def test_machines_get_json(http: InProcess, path: str, method: str, status: int, error: str) -> None:
    answer = http.request(method, path)
    assert (answer.status, answer.error) == (status, error)
    assert set(answer.json) == {"error", "error_description"}
    assert len(error_id(answer)) == 18
    assert CANARY not in answer.text


@pytest.mark.parametrize(
    ("path", "method", "status"), [("/no/such/page", "GET", 404), ("/login/account", "PUT", 405), ("/fails/bug", "GET", 500)]
)
def test_people_get_pages(http: InProcess, path: str, method: str, status: int) -> None:
    answer = http.request(method, path)
    assert answer.status == status
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert error_id(answer) in answer.text
    assert CANARY not in answer.text


def test_a_wrong_method_says_which_are_right(http: InProcess) -> None:
    assert set(http.get("/oauth2/token").headers["Allow"].split(", ")) == {"POST", "OPTIONS"}


@pytest.mark.spec("RFC 9110", "15.6.4")
def test_an_unavailable_database_is_503_with_retry_after(http: InProcess) -> None:
    for path in ("/fails/database", "/oauth2/fails/database"):
        answer = http.get(path)
        assert (answer.status, answer.headers["Retry-After"]) == (503, "5")


@pytest.mark.parametrize("path", ["/login", "/oauth2/token"])
def test_a_body_that_is_too_large_is_refused(http: InProcess, path: str) -> None:
    answer = http.post(path, {"email": "a" * 70_000})
    assert answer.status == 413
    assert ("too large" in answer.text) is True


def test_a_bug_is_logged_with_its_request_and_shown_without_detail(http: InProcess, caplog: pytest.LogCaptureFixture) -> None:
    answer = http.get("/fails/bug")
    [record] = [record for record in caplog.records if record.getMessage() == "server error"]
    assert record.exc_info is not None
    assert "KeyError" not in answer.text


def test_what_was_refused_is_logged_with_its_private_reason(http: InProcess, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    http.get("/fails/unknown_client")
    [record] = [record for record in caplog.records if record.getMessage() == "refused"]
    assert (vars(record)["code"], vars(record)["because"]) == ("unknown_client", CANARY)


def test_a_key_that_aws_keeps_to_itself_is_unavailable_and_not_a_bug(http: InProcess, caplog: Any) -> None:
    for path in ("/fails/key", "/oauth2/fails/key"):
        answer = http.get(path)
        assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
        assert "Throttling" not in answer.text
    assert not [record for record in caplog.records if record.exc_info]
