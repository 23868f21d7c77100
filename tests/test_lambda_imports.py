"""What a function on Lambda has imported once a user has signed in through it: nothing that a token does not need."""

import pytest

from authserver.runtime import make_runtime
from tests.clock import RealTime
from tests.factories import ISSUER, SECRET_KEY, make_client, make_settings, make_user
from tests.http_client import InProcess
from tests.lambda_function import Function, environment
from tests.relying_party import RelyingParty
from tests.web.events import Front, http_2

SCOPE = "openid email offline_access"
LIBRARIES = {"boto3", "botocore", "alembic", "pydantic", "spectree", "webauthn", "zappa", "requests", "rich", "yaml", "pygal"}
ROOMS = {"authserver.admin", "authserver.cli", "authserver.jobs", "authserver.web.administration", "authserver.web.console"}


@pytest.mark.databases("postgresql")
def test_a_whole_sign_in_imports_nothing_that_a_token_does_not_need(database_url, tmp_path):
    runtime = make_runtime(make_settings(database_url=database_url))
    person, made = make_user(runtime), make_client(runtime, "web", scope=SCOPE)
    runtime.engine.dispose()
    function = Function(environment(database_url, ISSUER, SECRET_KEY), tmp_path / "log")
    try:
        rp = RelyingParty(InProcess(Front(function, http_2), ISSUER), made, clock=RealTime())
        tokens = rp.sign_in(person, scope=SCOPE)
        assert rp.refresh(tokens["refresh_token"]).status == 200
        assert rp.userinfo(tokens["access_token"]).json["email"] == person.email
        loaded = function.modules()
    finally:
        function.stop()
    assert {"authserver.web.login", "authserver.web.consent", "psycopg"} <= loaded
    assert {name for name in loaded for unwanted in LIBRARIES | ROOMS if name == unwanted or name.startswith(unwanted + ".")} == set()
