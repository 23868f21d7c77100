"""The command line on the test's database, without any setting around it."""

import os

import pytest

from tests.command_line import CommandLine, on_database


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AUTHSERVER_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def cli(database_url: str) -> CommandLine:
    return on_database(database_url)
