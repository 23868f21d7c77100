"""The command line: `authserver clients create …`. One file per resource, same names as admin/, each loaded when called.

place.py finds settings and opens the database · output.py shows documents as tables or JSON · options.py the options
that commands share · failure.py exit codes · server.py granian, drained on SIGTERM.
"""

from typing import Any, NamedTuple

import click


class Entry(NamedTuple):
    """Where a command lives and what `--help` says of it without loading it."""

    module: str
    attribute: str
    help: str


COMMANDS = {
    "dev": Entry("dev", "dev", "Start a server to try things out; asks nothing."),
    "init": Entry("init", "init", "Write and check the settings of a first production server."),
    "serve": Entry("serve", "serve", "Start the server for production."),
    "clients": Entry("clients", "clients", "Applications and services that use this server."),
    "apis": Entry("resource_servers", "apis", "APIs that accept its tokens."),
    "users": Entry("users", "users", "People who sign in."),
    "sessions": Entry("sessions", "sessions", "Signed-in browsers."),
    "grants": Entry("grants", "grants", "What users gave to clients."),
    "admins": Entry("admins", "admins", "People who may use the console."),
    "keys": Entry("keys", "keys", "Keys that sign tokens."),
    "diff": Entry("configuration", "diff", "Show what `apply` would do, and change nothing."),
    "apply": Entry("configuration", "apply", "Make the database what a file says."),
    "export": Entry("configuration", "export", "Write APIs, clients and admin roles as a file."),
    "explain": Entry("failures", "explain", "Say why a request was refused."),
    "audit": Entry("audit", "audit", "Who did what to whom."),
    "token": Entry("tokens", "token", "Look into a token."),
    "db": Entry("database", "db", "Tables: upgrade, check, after a restore."),
    "janitor": Entry("janitor", "janitor", "Delete what has expired and rotate keys; run it hourly."),
    "doctor": Entry("doctor", "doctor", "Look for what is wrong here, or with a server at a URL, and say what to change."),
    "config": Entry("config", "config", "Settings and where they come from."),
    "version": Entry("version", "version", "Show the version."),
}


class LazyGroup(click.Group):
    """The top of the command line: lists its commands from COMMANDS and imports one when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands in the order in which they are useful."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        from importlib import import_module

        command: click.Command = getattr(import_module(f"authserver.cli.{entry.module}"), entry.attribute)
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; of one that is mistyped, name the nearest."""
        try:
            return super().resolve_command(ctx, args)
        except click.exceptions.NoSuchCommand as error:
            raise click.exceptions.NoSuchCommand(error.command_name, possibilities=COMMANDS, ctx=ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; turn what can go wrong into an exit code and one line of text."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            from authserver.cli.failure import explain

            raise explain(error) from error


@click.group("authserver", cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
def main() -> None:
    """An OAuth 2.0 and OpenID Connect authorization server.

    \b
    Try it out:      authserver dev
    For production:  authserver init

    Exit codes: 0 done, 1 failed, 2 wrong usage or value, 3 not found, 5 conflict, 6 `diff` found a difference.
    """
