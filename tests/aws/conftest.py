"""The server's package, and Lambda on loopback."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.aws.control import Control
from tests.aws.package import built_once
from tests.aws_server import MotoServer


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The server's zip for this interpreter."""
    base = tmp_path_factory.getbasetemp()
    return built_once(base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base)


@pytest.fixture
def control(moto: MotoServer, tmp_path: Path) -> Iterator[Control]:
    """Lambda; its functions find the rest of AWS at moto."""
    folder = tmp_path / "lambda"
    folder.mkdir()
    made = Control(moto.url, folder, {"AWS_ENDPOINT_URL": moto.url})
    yield made
    made.stop()
