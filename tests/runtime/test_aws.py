"""Calls to AWS: signed byte for byte as botocore signs, in bounded time and size, refused with a reason and never a value."""

import json
from datetime import UTC, datetime, timedelta

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials
from botocore.loaders import create_loader
from botocore.regions import EndpointResolver
from botocore.session import get_session
from hypothesis import given
from hypothesis import strategies as st

from authserver.runtime.aws import OVERRIDES, TARGETS, Aws, AwsRefused, AwsUnreachable, suffix
from authserver.runtime.aws_http import MOST_BYTES
from authserver.runtime.sigv4 import Credentials, Scope, presign, sign_headers
from tests.aws_server import REGION, FakeAws

NOW = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
ENVIRONMENT = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG", "AWS_REGION": REGION}
TOKEN = "IQoJb3JpZ2luX2VjE/+=="
HOST = "db.abcdefghijkl.eu-central-1.rds.amazonaws.com"


def aws(**changes):
    return Aws({**ENVIRONMENT, **changes}, lambda: NOW)


@pytest.fixture
def at_noon(monkeypatch):
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: NOW.replace(tzinfo=None))


@pytest.fixture(scope="module")
def listening():
    with FakeAws() as server:
        yield server


@pytest.fixture
def fake(listening):
    listening.reset()
    return listening


@pytest.fixture
def near(fake):
    """AWS whose every service is the fake."""
    return aws(AWS_ENDPOINT_URL=fake.url)


KEYS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40)


@pytest.mark.parametrize("token", ["", TOKEN])
@given(secret=KEYS, body=st.binary(max_size=100), target=KEYS)
def test_headers_are_signed_as_botocore_signs_them(at_noon, token, secret, body, target):
    headers = {"host": "kms.eu-central-1.amazonaws.com", "content-type": "application/x-amz-json-1.1", "x-amz-target": target}
    theirs = AWSRequest("POST", "https://kms.eu-central-1.amazonaws.com/", headers=headers, data=body)
    botocore.auth.SigV4Auth(BotocoreCredentials("AKID", secret, token or None), "kms", REGION).add_auth(theirs)
    ours = sign_headers(Credentials(key_id="AKID", secret=secret, token=token), Scope("kms", REGION, NOW), headers, body)
    assert ours == {name.lower(): value for name, value in theirs.headers.items()}


@pytest.mark.parametrize("token", ["", TOKEN])
@given(secret=KEYS, user=st.text(min_size=1, max_size=20).filter(lambda text: text.isprintable() and text.strip() == text))
def test_a_presigned_query_is_botocore_s(at_noon, token, secret, user):
    theirs = AWSRequest("GET", f"https://{HOST}:5432/", params={"Action": "connect", "DBUser": user})
    signer = botocore.auth.SigV4QueryAuth(BotocoreCredentials("AKID", secret, token or None), "rds-db", REGION, expires=900)
    signer.add_auth(theirs)
    credentials = Credentials(key_id="AKID", secret=secret, token=token)
    query = presign(credentials, Scope("rds-db", REGION, NOW), f"{HOST}:5432", {"Action": "connect", "DBUser": user}, 900)
    assert theirs.url == f"https://{HOST}:5432/?{query}"


@pytest.mark.parametrize("changes", [{}, {"AWS_SESSION_TOKEN": TOKEN}])
def test_a_token_for_rds_is_the_one_that_boto3_makes(at_noon, changes):
    session = get_session()
    session.set_credentials(ENVIRONMENT["AWS_ACCESS_KEY_ID"], ENVIRONMENT["AWS_SECRET_ACCESS_KEY"], changes.get("AWS_SESSION_TOKEN"))
    theirs = session.create_client("rds", region_name=REGION).generate_db_auth_token(HOST, 5432, "authserver")
    assert aws(**changes).rds_token(HOST, 5432, "authserver") == theirs
    assert aws(**changes, AWS_REGION="us-east-1").rds_token(HOST, 5432, "authserver", REGION) == theirs


def test_endpoints_are_where_botocore_finds_them():
    resolver = EndpointResolver(create_loader().load_data("endpoints"))
    regions = [region for partition in resolver.get_available_partitions() for region in resolver.get_available_endpoints("kms", partition)]
    regions = [region for region in regions if not region.endswith("-fips") and region != "ProdFips"]
    assert len(regions) > 30
    for region in regions:
        for service in TARGETS:
            assert resolver.construct_endpoint(service, region)["hostname"] == f"{service}.{region}.{suffix(region)}"


def test_targets_and_variables_are_botocore_s():
    session = get_session()
    for service, target in TARGETS.items():
        model = session.get_service_model(service)
        assert model.metadata["targetPrefix"] == target
        assert f"application/x-amz-json-{model.metadata['jsonVersion']}" == "application/x-amz-json-1.1"
        assert model.service_id.hyphenize().replace("-", "_").upper() == OVERRIDES[service]


def test_a_call_is_a_signed_post_whose_answer_is_returned(fake, near):
    fake.says(200, b'{"Plaintext":"x"}')
    assert near.call("kms", "Decrypt", {"CiphertextBlob": "é"}) == {"Plaintext": "x"}
    (request,) = fake.requests
    assert (request.path, json.loads(request.body)) == ("/", {"CiphertextBlob": "é"})
    assert request.headers["X-Amz-Target"] == "TrentService.Decrypt"
    assert "/eu-central-1/kms/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-target," in request.headers["Authorization"]


def test_each_service_can_have_an_endpoint_of_its_own(fake):
    fake.says(200, b"{}")
    elsewhere = aws(AWS_ENDPOINT_URL="http://127.0.0.1:9", AWS_ENDPOINT_URL_SECRETS_MANAGER=fake.url)
    assert elsewhere.call("secretsmanager", "GetSecretValue", {}) == {}


def test_another_region_is_asked_where_it_is_named(fake, near):
    fake.says(200, b"{}")
    near.call("ssm", "GetParameter", {}, region="us-west-2")
    assert "/us-west-2/ssm/" in fake.requests[0].headers["Authorization"]


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (400, b'{"__type":"InvalidCiphertextException"}', "InvalidCiphertextException"),
        (400, b'{"__type":"com.amazonaws.kms#NotFoundException:http://x/","message":"secret-value"}', "NotFoundException"),
        (400, b'{"__type":"secret value\\n"}', "status 400"),
        (403, b"<html>", "status 403"),
        (200, b"[]", "status 200"),
        (404, b"", "status 404"),
    ],
)
def test_a_refusal_has_the_reason_s_name_and_nothing_else(fake, near, status, body, code):
    fake.says(status, body)
    with pytest.raises(AwsRefused) as refused:
        near.call("kms", "Decrypt", {"CiphertextBlob": "secret-value"})
    assert (refused.value.code, refused.value.status, str(refused.value)) == (code, status, f"kms Decrypt: {code}")
    assert len(fake.requests) == 1, "which is not asked again"


def test_a_role_that_may_not_is_told_what_it_needs(fake, near):
    fake.says(400, b'{"__type":"AccessDeniedException"}')
    with pytest.raises(AwsRefused, match="needs kms:Decrypt"):
        near.call("kms", "Decrypt", {})


@pytest.mark.parametrize(
    ("status", "body"),
    [(500, b"{}"), (503, b""), (400, b'{"__type":"ThrottlingException"}'), (429, b'{"__type":"TooManyRequestsException"}'), (0, b"")],
)
def test_what_may_pass_is_tried_once_more(fake, near, status, body):
    fake.says(status, body)
    fake.says(200, b'{"a":1}')
    assert near.call("kms", "Decrypt", {}) == {"a": 1}
    fake.says(status, body)
    fake.says(status, body)
    with pytest.raises((AwsRefused, AwsUnreachable)):
        near.call("kms", "Decrypt", {})
    assert len(fake.requests) == 4


def test_an_answer_is_read_up_to_a_limit(fake, near):
    fake.says(200, b'{"a":"' + b"x" * MOST_BYTES + b'"}')
    with pytest.raises(AwsUnreachable, match="more than"):
        near.call("kms", "Decrypt", {})


def test_a_server_that_says_nothing_is_not_waited_for_long(fake, near, monkeypatch):
    monkeypatch.setattr("authserver.runtime.aws_http.SECONDS", 0.05)
    fake.says(-1, b"")
    with pytest.raises(AwsUnreachable, match=r"127\.0\.0\.1 cannot be reached: TimeoutError"):
        near.call("kms", "Decrypt", {})
    assert len(fake.requests) == 1


@pytest.mark.parametrize("url", ["http://kms.example.com", "http://169.254.170.2", "ftp://127.0.0.1", "https://", "nonsense"])
def test_only_this_machine_is_spoken_to_without_tls(url):
    with pytest.raises(AwsUnreachable, match="https"):
        aws(AWS_ENDPOINT_URL=url).call("kms", "Decrypt", {})


def test_a_certificate_of_nobody_we_trust_is_refused(fake):
    with fake.tls() as url, pytest.raises(AwsUnreachable, match="SSLCertVerificationError"):
        aws(AWS_ENDPOINT_URL=url).call("kms", "Decrypt", {})
    assert fake.requests == []


@pytest.mark.parametrize(
    ("missing", "why"),
    [(["AWS_REGION"], "AWS_REGION is not set"), (["AWS_ACCESS_KEY_ID"], "no AWS credentials"), (["AWS_SECRET_ACCESS_KEY"], "no AWS cred")],
)
def test_what_is_missing_is_named(missing, why):
    with pytest.raises(AwsUnreachable, match=why):
        aws(**dict.fromkeys(missing, "")).call("kms", "Decrypt", {})


CONTAINER = {"AWS_ACCESS_KEY_ID": "", "AWS_CONTAINER_AUTHORIZATION_TOKEN": "let me in"}
"""A function that SnapStart restores has no keys among its variables."""


def document(minutes, key_id="ASIA1"):
    expiration = (NOW + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return json.dumps({"AccessKeyId": key_id, "SecretAccessKey": "s", "Token": TOKEN, "Expiration": expiration}).encode()


def test_credentials_of_the_container_are_kept_until_shortly_before_they_expire(fake, clock):
    process = Aws({**ENVIRONMENT, **CONTAINER, "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{fake.url}/creds?a=b"}, clock.now)
    fake.says(200, document(60))
    first = process.rds_token(HOST, 5432, "u")
    clock.advance(minutes=54)
    assert "ASIA1" in process.rds_token(HOST, 5432, "u")
    assert "X-Amz-Security-Token=IQo" in first
    (request,) = fake.requests
    assert (request.method, request.path, request.headers["Authorization"]) == ("GET", "/creds?a=b", "let me in")
    clock.advance(minutes=1)
    fake.says(200, document(60, "ASIA2"))
    assert "ASIA2" in process.rds_token(HOST, 5432, "u")


def test_the_token_for_the_container_may_lie_in_a_file(fake, tmp_path):
    (tmp_path / "token").write_text("from a file\n")
    fake.says(200, document(60))
    variables = {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(tmp_path / "token"), "AWS_CONTAINER_CREDENTIALS_FULL_URI": fake.url}
    aws(**CONTAINER | variables).rds_token(HOST, 5432, "u")
    assert fake.requests[0].headers["Authorization"] == "from a file"
    with pytest.raises(AwsUnreachable, match="TOKEN_FILE cannot be read"):
        aws(**CONTAINER | variables | {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/no/such"}).rds_token(HOST, 5432, "u")


@pytest.mark.parametrize(
    ("status", "body"),
    [(403, b"{}"), (200, b"{}"), (200, b"[]"), (200, b"no"), (200, document(60).replace(b"2026", b"x")), (200, b'{"Expiration":1}')],
)
def test_credentials_that_cannot_be_read_are_an_error_without_them(fake, status, body):
    fake.says(status, body)
    with pytest.raises(AwsUnreachable, match="credentials cannot be read") as fault:
        aws(**CONTAINER, AWS_CONTAINER_CREDENTIALS_FULL_URI=fake.url).rds_token(HOST, 5432, "u")
    assert "ASIA" not in str(fault.value)


def test_the_endpoint_of_a_container_service_is_asked_by_its_path(monkeypatch, fake):
    fake.says(200, document(60))
    monkeypatch.setattr("authserver.runtime.aws_credentials.CONTAINER", fake.url)
    aws(**CONTAINER, AWS_CONTAINER_CREDENTIALS_RELATIVE_URI="/v2/credentials/1").rds_token(HOST, 5432, "u")
    assert fake.requests[0].path == "/v2/credentials/1"


@pytest.mark.parametrize("url", ["http://169.254.169.254/latest", "http://example.com/"])
def test_credentials_come_from_nowhere_else(url):
    with pytest.raises(AwsUnreachable, match="https"):
        aws(**CONTAINER, AWS_CONTAINER_CREDENTIALS_FULL_URI=url).rds_token(HOST, 5432, "u")


def test_what_is_secret_is_not_shown():
    shown = repr(Credentials(key_id="AKID", secret="the-secret", token="the-token"))
    assert "the-" not in shown
