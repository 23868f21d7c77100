"""`authserver keys data-key`: an item that only KMS can open, made without a database or any setting."""

import pytest

from authserver.runtime.aws import Aws
from authserver.runtime.keys import KeyEncryptionKeys
from tests.clock import Clock
from tests.command_line import CommandLine


@pytest.fixture
def key(moto):
    return moto.client("kms").create_key()["KeyMetadata"]["Arn"]


@pytest.fixture
def bare(moto):
    return CommandLine(moto.environment())


def test_an_item_is_made_that_a_server_can_open(bare, moto, key):
    aws = Aws(moto.environment(), Clock().now)
    shown = bare("keys", "data-key", "--kms-key", key).stdout.strip()
    for item in (shown, bare.json("keys", "data-key", "--kms-key", key)["secret_key"]):
        identifier, opened = KeyEncryptionKeys((item,), aws).current()
        assert item.startswith(f"kms:{identifier}:")
        assert len(opened) == 32


def test_what_aws_refuses_is_said(bare, key):
    missing = key[:-4] + "0000"
    assert "AWS: kms GenerateDataKey: NotFoundException" in bare.error("keys", "data-key", "--kms-key", missing, code=1)
    away = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    assert "AWS: 127.0.0.1 cannot be reached" in bare.error("keys", "data-key", "--kms-key", key, code=1, **away)
    assert "AWS_REGION is not set" in bare.error("keys", "data-key", "--kms-key", "a", code=1, AWS_REGION="", AWS_DEFAULT_REGION="")
