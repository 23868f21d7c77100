"""Zappa calls this before each command (`callbacks` of zappa_settings.json): it must not package this folder by itself.

Its own package would have in it whatever lies here: keys, databases, the tools of development. `make lambda-package` builds one
of what git knows, and `--zip` hands it over.
"""

from typing import Any

WOULD_PACKAGE = ("deploy", "update", "package")
GIVEN = ("zip", "no_upload", "docker_image_uri")


def only_what_was_built(zappa: Any) -> None:
    """End a command that would package this folder, and say what to type instead."""
    command, stage = zappa.command, zappa.api_stage
    if command in WOULD_PACKAGE and not any(zappa.vargs.get(option) for option in GIVEN):
        instead = f"zappa {'update' if command == 'update' else 'deploy'} {stage} --zip dist/authserver-lambda.zip"
        raise SystemExit(f"this would package all that lies here; instead: make lambda-package && {instead}")
