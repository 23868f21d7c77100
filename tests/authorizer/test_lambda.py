"""The built zip under AWS's own runtime client: every shape of event once, as Lambda hands it over and takes the answer back."""

import json
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.authorizer import forge
from tests.authorizer.events import RAISING, SHAPES
from tests.aws.containers import Container, link_runtime

pytestmark = pytest.mark.slow

HANDLER = "authserver.authorizer.handler.handler"


@pytest.fixture(scope="module")
def function(authorizer_zip: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    """The function, with nothing but its zip, the standard library and what the managed runtime has."""
    folder = tmp_path_factory.mktemp("function")
    with zipfile.ZipFile(authorizer_zip) as archive:
        archive.extractall(folder / "task")
    environment = {"AUTHORIZER_ISSUER": forge.ISSUER, "AUTHORIZER_AUDIENCE": forge.API, "AUTHORIZER_JWKS": forge.jwks()}
    made = Container(folder / "task", HANDLER, environment, link_runtime(folder / "runtime"), folder / "log")
    made.wait()
    yield made
    made.stop()


def token(**changes: object) -> str:
    """A token of now: the function has the clock of the machine."""
    now = int(time.time())
    return forge.token(**{"iat": now, "exp": now + 600, **changes})


@pytest.mark.parametrize("shape", SHAPES)
def test_a_good_token_comes_back_as_a_policy_for_the_stage(function: Container, shape: str) -> None:
    outcome = function.invoke(SHAPES[shape](f"Bearer {token()}"))
    assert outcome.error == "", outcome.payload
    (statement,) = outcome.answer["policyDocument"]["Statement"]
    assert (statement["Effect"], statement["Resource"].rpartition("/")[2]) == ("Allow", "*")
    assert (outcome.answer["principalId"], outcome.answer["context"]["scope"]) == ("248289761001", "read write")


@pytest.mark.parametrize("shape", SHAPES)
def test_a_bad_token_comes_back_as_the_one_text_that_means_401(function: Container, shape: str) -> None:
    """API Gateway compares the error's message; an HTTP API gets a Deny instead. No trace holds the token."""
    bad = token(exp=forge.NOW - 3600)
    outcome = function.invoke(SHAPES[shape](f"Bearer {bad}"))
    if shape in RAISING:
        assert (outcome.error, outcome.answer["errorMessage"]) == ("Unhandled", "Unauthorized")
    else:
        assert outcome.answer["policyDocument"]["Statement"][0]["Effect"] == "Deny"
    assert "expired" in outcome.log
    for part in bad.split("."):
        assert part not in outcome.log + outcome.payload.decode()


def test_what_is_no_event_comes_back_as_an_error_without_its_content(function: Container) -> None:
    outcome = function.invoke({"type": "REQUEST", "secret": "canary-of-the-event"})
    assert outcome.error == "Unhandled"
    assert outcome.answer["errorMessage"] != "Unauthorized"
    assert "canary" not in outcome.log + json.dumps(outcome.answer)
