"""The command line in this process: `cli("clients", "list")` on a test's database, `cli.json(…)` for its document."""

import json
from typing import Any

from click.testing import CliRunner, Result

from authserver.cli import main
from tests.factories import SECRET_KEY

ISSUER = "http://localhost:9000"


class CommandLine:
    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment
        self.printed: list[str] = []

    def __call__(self, *arguments: str, stdin: str | bytes | None = None, code: int = 0, **environment: str) -> Result:
        """Run a command and expect an exit code."""
        result = CliRunner().invoke(main, arguments, input=stdin, env={**self.environment, **environment})
        self.printed.append(result.output)
        shown = f"{result.output}\n{result.exception!r}"
        assert result.exit_code == code, shown
        assert result.exception is None or isinstance(result.exception, SystemExit), shown
        return result

    def json(self, *arguments: str, **rest: Any) -> Any:
        """Run a command with --json and return its document."""
        return json.loads(self(*arguments, "--json", **rest).stdout)

    def error(self, *arguments: str, code: int, **rest: Any) -> str:
        """Run a command that fails and return what it says; nothing is on standard output."""
        result = self(*arguments, code=code, **rest)
        assert result.stdout == ""
        return result.stderr


def on_database(url: str) -> CommandLine:
    """The command line with the settings of a server on a database."""
    return CommandLine(
        {
            "AUTHSERVER_ISSUER": ISSUER,
            "AUTHSERVER_DATABASE_URL": url,
            "AUTHSERVER_SECRET_KEY": SECRET_KEY,
            "AUTHSERVER_PASSWORD_HASH_MEMORY_BYTES": "65536",
            "AUTHSERVER_PASSWORD_HASH_ITERATIONS": "1",
        }
    )
