"""The OpenAPI document: valid, complete, the same as what is served; and the page on which people read it."""

import re
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from authserver.admin.authority import PERMISSIONS
from authserver.runtime import Runtime
from authserver.web.administration import create_admin_app
from authserver.web.api.problems import PROBLEMS
from tests.administrators import sign_in_to_console
from tests.factories import ISSUER, make_user
from tests.http_client import InProcess
from tests.pages import read
from tests.web.api.conftest import ROOT, Caller, document
from tests.web.api.examples import endpoints

OPERATIONS = [
    pytest.param(path, method, operation, id=operation["operationId"])
    for path, operations in document()["paths"].items()
    for method, operation in operations.items()
]


def test_anybody_gets_the_document(http: InProcess) -> None:
    answer = http.get("/admin/api/openapi.json")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    assert answer.json == document()
    assert answer.json["openapi"] == "3.1.0"
    assert answer.json["servers"] == [{"url": ISSUER}]


def test_the_document_is_valid() -> None:
    assert [error.message for error in OpenAPIV31SpecValidator(document()).iter_errors()] == []


def test_the_document_has_every_route_and_no_other(runtime: Runtime) -> None:
    app = create_admin_app(runtime)
    rules = [rule for rule in app.url_map.iter_rules() if rule.rule.startswith(f"{ROOT}/")]
    served = {(method, rule.endpoint.removeprefix("api.")) for rule in rules for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}}
    written = {(method.upper(), operation["operationId"]) for _, method, operation in (param.values for param in OPERATIONS)}
    assert served == written == {(endpoint.method, endpoint.name) for endpoint in endpoints()}


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS)
def test_every_operation_says_what_it_needs_and_what_can_go_wrong(path: str, method: str, operation: dict[str, Any]) -> None:
    assert operation["summary"].endswith(".")
    ((scopes,),) = (requirement.values() for requirement in operation["security"])
    assert set(scopes) <= set(PERMISSIONS)
    answers = operation["responses"]
    for status, answer in answers.items():
        if int(status) >= 400:
            assert list(answer["content"]) == ["application/problem+json"]
            assert [code for code, problem in PROBLEMS.items() if f"`{code}`" in answer["description"] and problem.status == int(status)]
    assert {"400", "401", "403", "500", "503"} <= set(answers)
    assert ("404" in answers) or "{" not in path
    assert ("415" in answers) == ("requestBody" in operation)
    named = {parameter["name"] for parameter in operation["parameters"]}
    assert ("Idempotency-Key" in named) == (method == "post")
    assert ("412" in answers) == ("If-Match" in named)


def test_no_body_and_no_document_has_room_for_what_it_does_not_declare() -> None:
    open_schemas = [name for name, schema in document()["components"]["schemas"].items() if schema.get("additionalProperties") is not False]
    assert open_schemas == []


def test_every_member_that_needs_words_has_some() -> None:
    bodies = [name for name in document()["components"]["schemas"] if name.startswith("New") or name.endswith("Changes")]
    silent = [
        f"{name}.{member}"
        for name in bodies
        for member, schema in document()["components"]["schemas"][name]["properties"].items()
        if not schema.get("description")
    ]
    assert silent == []


# The page


def test_the_page_explains_every_operation_document_problem_and_scope(http: InProcess) -> None:
    answer = http.get("/admin/api")
    assert answer.status == 200
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    for operation in (param.values[2] for param in OPERATIONS):
        assert f'id="{operation["operationId"]}"' in answer.text
    for name in document()["components"]["schemas"]:
        assert f'id="schema-{name}"' in answer.text
    for code in PROBLEMS:
        assert f'<tr id="{code}">' in answer.text
    for scope in PERMISSIONS:
        assert scope in answer.text


def test_every_link_within_the_page_leads_somewhere_and_no_id_is_there_twice(http: InProcess) -> None:
    text = http.get("/admin/api").text
    ids = re.findall(r' id="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r' href="#([^"]+)"', text)) <= set(ids)
    assert text.count("<h1") == 1
    assert "style=" not in text


def test_the_type_of_a_problem_leads_to_its_explanation(http: InProcess, api: Caller) -> None:
    problem = api.get("/clients/nobody").json
    address, _, anchor = problem["type"].partition("#")
    assert f'id="{anchor}"' in http.get(address).text


def test_who_is_signed_in_to_the_console_sees_the_page_in_its_frame(
    http: InProcess, runtime: Runtime, admin_api_exists: None, give_role: Any
) -> None:
    assert "Sign out" not in http.get("/admin/api").text
    someone = give_role(make_user(runtime), "owner")
    sign_in_to_console(http, someone)
    page = read(http.get("/admin/api"))
    assert "Sign out" in page.text
    assert someone.email in page.text
    assert f"{ISSUER}/admin/audit" in page.links
