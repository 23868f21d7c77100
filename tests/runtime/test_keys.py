"""Key encryption keys that AWS holds: opened or fetched at first need, once; refused where they are not what they should be."""

import base64
import itertools
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from authserver.crypto.sealing import SealBroken, is_current, seal, unseal
from authserver.runtime.aws import Aws, AwsRefused
from authserver.runtime.keys import CONTEXT, KeyEncryptionKeys, KeyUnavailable, key_id, make_data_key
from authserver.store.base import transaction
from tests.aws_server import REGION
from tests.factories import SECRET_KEY, insert_keys, make_settings, make_test_runtime

PLAIN = base64.b64encode(bytes(range(32))).decode()
OTHER = base64.b64encode(bytes(range(1, 33))).decode()
numbers = itertools.count()


class CountedAws(Aws):
    """AWS in moto, with the calls that were made."""

    def __init__(self, environ):
        super().__init__(environ, lambda: datetime.now(UTC))
        self.calls = []

    def call(self, service, target, body, *, region=""):
        self.calls.append(target)
        return super().call(service, target, body, region=region)


@pytest.fixture
def aws(moto):
    return CountedAws(moto.environment())


@pytest.fixture(scope="module")
def kms_key(moto):
    return moto.client("kms").create_key()["KeyMetadata"]["Arn"]


@pytest.fixture
def item(aws, kms_key):
    made = make_data_key(aws, kms_key)
    aws.calls.clear()
    return made


@pytest.fixture
def keep(moto):
    """Keep a text in Secrets Manager, or in Parameter Store; return its ARN."""

    def run(service, text):
        name = f"key-{next(numbers)}"
        if service == "ssm":
            moto.client("ssm").put_parameter(Name=f"/authserver/{name}", Value=text, Type="SecureString")
            return f"arn:aws:ssm:{REGION}:123456789012:parameter/authserver/{name}"
        return moto.client("secretsmanager").create_secret(Name=name, SecretString=text)["ARN"]

    return run


def test_a_data_key_is_opened_once_and_only_when_it_is_needed(aws, item):
    keys = KeyEncryptionKeys((item, PLAIN), aws)
    plain_id = key_id(bytes(range(32)))
    assert keys.find(plain_id) == bytes(range(32))
    assert keys.find("00000000") is None
    assert aws.calls == []
    identifier, key = keys.current()
    assert (identifier, len(key)) == (item.split(":")[1], 32)
    assert keys.find(identifier) == key
    assert keys.current() == (identifier, key)
    assert aws.calls == ["Decrypt"]


def test_threads_that_need_a_key_at_once_open_it_once(aws, keep, item):
    keys = KeyEncryptionKeys((keep("secretsmanager", item),), aws)
    with ThreadPoolExecutor(8) as threads:
        found = set(threads.map(lambda _: keys.current(), range(8)))
    assert len(found) == 1
    assert aws.calls == ["GetSecretValue", "Decrypt"]


def test_a_process_with_several_data_keys_opens_the_one_it_needs(aws, kms_key, item):
    older = make_data_key(aws, kms_key)
    aws.calls.clear()
    keys = KeyEncryptionKeys((item, older), aws)
    assert key_id(keys.find(older.split(":")[1])) == older.split(":")[1]
    assert aws.calls == ["Decrypt"]


def test_the_key_itself_is_not_in_the_item(aws, item):
    _, key = KeyEncryptionKeys((item,), aws).current()
    assert key not in base64.b64decode(item.split(":")[2])


def test_an_item_with_another_s_blob_is_refused(aws, kms_key, item):
    blob = make_data_key(aws, kms_key).split(":")[2]
    keys = KeyEncryptionKeys((f"kms:{item.split(':')[1]}:{blob}",), aws)
    with pytest.raises(KeyUnavailable, match="is not the key"):
        keys.current()


def test_a_data_key_that_was_made_for_something_else_is_refused(moto, aws, kms_key):
    made = moto.client("kms").generate_data_key(KeyId=kms_key, KeySpec="AES_256", EncryptionContext={"another": "purpose"})
    blob = base64.b64encode(made["CiphertextBlob"]).decode()
    with pytest.raises(KeyUnavailable, match="kms Decrypt: InvalidCiphertextException"):
        KeyEncryptionKeys((f"kms:{key_id(made['Plaintext'])}:{blob}",), aws).current()
    assert CONTEXT == {"authserver": "secret key"}, "which is part of what is in use, and never changes"


def test_what_kms_opens_must_be_a_key(moto, aws, kms_key):
    made = moto.client("kms").encrypt(KeyId=kms_key, Plaintext=b"short", EncryptionContext=CONTEXT)["CiphertextBlob"]
    with pytest.raises(KeyUnavailable, match="garbled"):
        KeyEncryptionKeys((f"kms:00000000:{base64.b64encode(made).decode()}",), aws).current()


@pytest.mark.parametrize("service", ["secretsmanager", "ssm"])
def test_keys_behind_an_arn_are_fetched_once_and_only_when_it_is_their_turn(aws, keep, service):
    keys = KeyEncryptionKeys((PLAIN, keep(service, f" {OTHER}\n{SECRET_KEY} ")), aws)
    assert keys.current()[1] == bytes(range(32))
    assert aws.calls == []
    assert keys.find(key_id(bytes(range(1, 33)))) == bytes(range(1, 33))
    assert keys.find(key_id(bytes(32))) == bytes(32)
    assert keys.find("ffffffff") is None
    assert len(aws.calls) == 1


def test_a_secret_may_hold_a_data_key(aws, keep, item):
    keys = KeyEncryptionKeys((keep("secretsmanager", item),), aws)
    assert keys.current()[0] == item.split(":")[1]
    assert aws.calls == ["GetSecretValue", "Decrypt"]


@pytest.mark.parametrize("held", ["no key", "arn:aws:secretsmanager:eu-central-1:123456789012:secret:x", f"{PLAIN} kms:00"])
def test_a_secret_with_anything_else_is_refused_without_saying_it(aws, keep, held):
    with pytest.raises(KeyUnavailable) as refused:
        KeyEncryptionKeys((keep("secretsmanager", held),), aws).current()
    assert held not in str(refused.value)
    assert "AUTHSERVER_SECRET_KEY" in str(refused.value)


def test_a_secret_that_is_binary_is_refused(moto, aws):
    arn = moto.client("secretsmanager").create_secret(Name=f"key-{next(numbers)}", SecretBinary=b"x")["ARN"]
    with pytest.raises(KeyUnavailable, match="no text"):
        KeyEncryptionKeys((arn,), aws).current()


def test_a_secret_that_is_not_there_is_asked_for_again_next_time(aws, moto):
    arn = f"arn:aws:ssm:{REGION}:123456789012:parameter/authserver/later"
    keys = KeyEncryptionKeys((arn,), aws)
    with pytest.raises(KeyUnavailable, match="AUTHSERVER_SECRET_KEY: ssm GetParameter: ParameterNotFound"):
        keys.current()
    moto.client("ssm").put_parameter(Name="/authserver/later", Value=PLAIN, Type="SecureString")
    assert keys.current()[1] == bytes(range(32))


@pytest.mark.parametrize(
    "text",
    [
        "kms:",
        "kms:123:AAAA",
        "kms:0123456g:" + "A" * 40,
        "kms:01234567:" + "A" * 15,
        "kms:01234567:spaces%are%not%base64",
        "arn:aws:s3:::bucket",
        "arn:aws:secretsmanager:eu-central-1:12:secret:x",
        "arn:aws:kms:eu-central-1:123456789012:key/1",
    ],
)
def test_a_garbled_item_is_refused_before_anything_starts(aws, text):
    with pytest.raises(ValueError, match=r"secret key|AUTHSERVER_SECRET_KEY: an ARN must"):
        KeyEncryptionKeys((PLAIN, text), aws)
    assert aws.calls == []


def test_without_aws_a_data_key_does_not_open(item):
    with pytest.raises(KeyUnavailable, match="AWS_REGION is not set"):
        KeyEncryptionKeys((item,)).current()


def test_a_key_of_kms_can_be_named_by_alias_too(moto, aws, kms_key):
    name = f"alias/authserver-{next(numbers)}"
    moto.client("kms").create_alias(AliasName=name, TargetKeyId=kms_key)
    assert KeyEncryptionKeys((make_data_key(aws, name),), aws).current()
    with pytest.raises(AwsRefused, match="NotFoundException"):
        make_data_key(aws, "alias/nobody-made-it")


def test_from_a_plain_key_to_kms_by_listing_both(settings, clock, moto, aws, item, monkeypatch):
    from authserver.admin.keys import reseal
    from authserver.admin.operation import Operation
    from authserver.oauth.signing_keys import load_ring

    for name, value in moto.environment().items():
        monkeypatch.setenv(name, value)

    def runtime_with(*keys):
        return make_test_runtime(make_settings(database_url=settings.database_url, secret_key=keys), clock)

    insert_keys(runtime_with(SECRET_KEY))
    both, only_kms = runtime_with(item, SECRET_KEY), runtime_with(item)
    with transaction(only_kms.engine) as db, pytest.raises(SealBroken):
        load_ring(only_kms, db)
    with transaction(both.engine) as db:
        assert reseal(Operation(db, both)) == 5
    with transaction(only_kms.engine) as db:
        assert len(load_ring(only_kms, db).keys) == 5
    sealed = seal(only_kms.keys, os.urandom, "name", b"secret")
    assert is_current(both.keys, sealed)
    assert unseal(both.keys, "name", sealed) == b"secret"
    for runtime in (both, only_kms):
        runtime.engine.dispose()
