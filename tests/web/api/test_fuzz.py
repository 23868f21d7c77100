"""Requests that nobody would write, made from the document by Schemathesis: no 5xx, and no answer that is not in it."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import hypothesis
import pytest
import schemathesis
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from authserver.runtime import Runtime
from tests.conftest import IN_CI
from tests.http_client import InProcess
from tests.relying_party import RelyingParty
from tests.web.api.conftest import ALL, ROOT, document
from tests.web.api.examples import EXAMPLES, World

AS_DOCUMENTED = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
"""Not positive_data_acceptance: that an API must exist, and other such rules, no schema can say."""

schema = schemathesis.openapi.from_dict(document())


@pytest.fixture
def world(runtime: Runtime, http: InProcess) -> World:
    return World(runtime, http)


@pytest.fixture
def client(service: Callable[..., RelyingParty]) -> RelyingParty:
    return service(*ALL)


@pytest.mark.slow
@pytest.mark.usefixtures("untraced")
@schema.parametrize()
@hypothesis.settings(
    max_examples=15,
    derandomize=IN_CI,
    deadline=None,
    database=None,
    suppress_health_check=list(hypothesis.HealthCheck),
    phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
)
def test_no_request_breaks_the_server_or_gets_an_undocumented_answer(
    case: schemathesis.Case, app: Any, client: RelyingParty, world: World
) -> None:
    token = client.token(grant_type="client_credentials").json["access_token"]
    case.headers = {**(case.headers or {}), "Authorization": f"Bearer {token}"}
    case.validate_response(case.call(app=app), checks=[*AS_DOCUMENTED, negative_data_rejection])
    if "{" in case.operation.path:
        case.path_parameters = existing(world, case.operation.path, case.operation.definition.raw["operationId"])
        case.validate_response(case.call(app=app), checks=AS_DOCUMENTED)


def existing(world: World, template: str, operation: str) -> dict[str, str]:
    """The parts of a path that leads to something."""
    pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template)
    match = re.fullmatch(pattern, ROOT + EXAMPLES[operation](world).path)
    assert match is not None
    return {name: unquote(part) for name, part in match.groupdict().items()}
