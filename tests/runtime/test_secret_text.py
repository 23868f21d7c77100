"""Texts of settings that lie with AWS: fetched once, and again when they turn out not to hold any more."""

import pytest

from authserver.runtime.aws import Aws, AwsRefused
from authserver.runtime.mail import NotSent, make_mail
from authserver.runtime.secret_text import SecretText
from authserver.runtime.settings import SettingsError
from tests.aws_server import REGION, FakeAws
from tests.factories import make_settings
from tests.runtime.test_mail import LETTER, SENDER
from tests.smtp_server import mail_server

ARN = f"arn:aws:secretsmanager:{REGION}:123456789012:secret:database-AbCdEf"
PARAMETER = f"arn:aws-us-gov:ssm:{REGION}:123456789012:parameter/authserver/smtp"


@pytest.fixture
def fake():
    with FakeAws() as server:
        yield server


@pytest.fixture
def aws(fake, clock):
    variables = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_REGION": REGION, "AWS_ENDPOINT_URL": fake.url}
    return Aws(variables, clock.now)


def test_a_text_is_itself(aws, fake):
    secret = SecretText("the password", aws)
    assert secret.read() == "the password"
    assert not secret.has_changed("the password")
    assert fake.requests == []


def test_a_secret_is_fetched_once_and_anew_when_it_was_used_in_vain(aws, fake, clock):
    secret = SecretText(ARN, aws)
    fake.says(200, b'{"SecretString":"one"}')
    assert (secret.read(), secret.read()) == ("one", "one")
    assert not secret.has_changed("one"), "it was fetched a moment ago"
    clock.advance(seconds=5)
    fake.says(200, b'{"SecretString":"one"}')
    assert not secret.has_changed("one")
    clock.advance(seconds=5)
    fake.says(200, b'{"SecretString":"two"}')
    assert secret.has_changed("one")
    assert secret.has_changed("one"), "somebody else has fetched it meanwhile"
    assert secret.read() == "two"
    assert len(fake.requests) == 3


def test_a_refusal_is_passed_on(aws, fake):
    fake.says(400, b'{"__type":"ResourceNotFoundException"}')
    with pytest.raises(AwsRefused, match="secretsmanager GetSecretValue: ResourceNotFoundException"):
        SecretText(ARN, aws).read()


@pytest.mark.parametrize("name", ["database_password", "smtp_url"])
@pytest.mark.parametrize("arn", ["arn:aws:s3:::bucket", "arn:aws:ssm:eu-central-1:123456789012:document/x", "arn:"])
def test_an_arn_of_anything_else_is_refused_by_its_setting(name, arn):
    with pytest.raises(SettingsError, match=f"AUTHSERVER_{name.upper()}: an ARN must be that of a secret"):
        make_settings(database_url="postgresql://u@h/d", mail_from=SENDER, **{name: arn})


def test_mail_goes_where_the_parameter_says(aws, fake):
    make_settings(smtp_url=PARAMETER, mail_from=SENDER)
    with mail_server() as box:
        fake.says(200, f'{{"Parameter":{{"Value":"smtp://127.0.0.1:{box.port}"}}}}'.encode())
        send = make_mail(PARAMETER, SENDER, aws)
        send(LETTER)
        send(LETTER)
    assert len(box.letters) == 2
    assert [request.headers["X-Amz-Target"] for request in fake.requests] == ["AmazonSSM.GetParameter"]


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (400, b'{"__type":"AccessDeniedException"}', "needs ssm:GetParameter"),
        (200, b'{"Parameter":{"Value":"ftp://user:secret-value@x"}}', "names must be like smtp://"),
        (200, b'{"Parameter":{"Value":" "}}', "no text"),
        (200, b'{"Parameter":{"Value":"smtp://[secret-value"}}', "names must be like smtp://"),
    ],
)
def test_mail_waits_where_the_parameter_cannot_be_used(aws, fake, status, body, why):
    fake.says(status, body)
    with pytest.raises(NotSent, match=why) as fault:
        make_mail(PARAMETER, SENDER, aws)(LETTER)
    assert not fault.value.for_good
    assert "secret-value" not in str(fault.value)


def test_mail_from_is_needed_beside_an_arn_too():
    with pytest.raises(SettingsError, match="AUTHSERVER_MAIL_FROM"):
        make_settings(smtp_url=PARAMETER)
