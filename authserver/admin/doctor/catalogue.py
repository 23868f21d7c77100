"""Every check there is, by what it looks at: a configuration, or a server at a URL; docs/doctor.md lists them (RFC 9700 and others)."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from authserver.admin.doctor import (
    aws_checks,
    client_checks,
    database_checks,
    discovery_checks,
    front_checks,
    jwks_checks,
    lifetime_checks,
    page_checks,
    reach_checks,
    settings_checks,
    template_checks,
    token_checks,
)
from authserver.admin.doctor.deployment import Deployment
from authserver.admin.doctor.finding import Checks, Seen, check, error
from authserver.admin.doctor.inspection import Inspection
from authserver.admin.doctor.report import Report, examine
from authserver.admin.doctor.template import Template
from authserver.admin.doctor.template_checks import Named
from authserver.runtime import Runtime


@check(
    "settings.valid",
    holds="The settings can be read",
    section="authserver: config show",
    fix="change the setting that the reason names; authserver config show tells where each comes from",
)
def settings_valid(refusal: str) -> Iterator[Seen]:
    """Without them nothing else can be looked at. `refusal` is empty where they can."""
    if refusal:
        yield error(refusal)


class Part(NamedTuple):
    """Checks that run together: what they need, for people, and the checks."""

    title: str
    checks: Checks


CONFIGURATION = (
    Part("The settings", (settings_valid, *settings_checks.CHECKS)),
    Part("Lifetimes", lifetime_checks.CHECKS),
    Part("The database and its keys", database_checks.CHECKS),
    Part("Clients and APIs", client_checks.CHECKS),
)
DEPLOYMENT = (
    Part("The way to it", reach_checks.CHECKS),
    Part("Discovery", discovery_checks.CHECKS),
    Part("Published keys", jwks_checks.CHECKS),
    Part("Proxies and gateways in front", front_checks.CHECKS),
    Part("Pages and cookies", page_checks.CHECKS),
    Part("Tokens and authorization responses, with a client that you lend", token_checks.CHECKS),
)
AWS = Part("AWS's verifiers (`--aws`)", tuple(dict.fromkeys((*aws_checks.OF_A_CONFIGURATION, *aws_checks.OF_A_DEPLOYMENT))))
TEMPLATES = Part("Templates (`--template FILE`)", template_checks.CHECKS)


def examine_settings(refusal: str) -> Report:
    """Report settings that cannot be read."""
    return examine("", ((settings_valid,), refusal))


def examine_configuration(runtime: Runtime, *, aws: bool = False, templates: Sequence[Template] = ()) -> Report:
    """Look at settings and database; nothing is written."""
    inspection = Inspection(runtime, aws=aws)
    checks = tuple(one for part in CONFIGURATION for one in part.checks if one is not settings_valid)
    ours, issuer = checks + (aws_checks.OF_A_CONFIGURATION if aws else ()), runtime.settings.issuer
    return examine(issuer, ((settings_valid,), ""), (ours, inspection), *_named(templates, issuer, inspection))


def examine_deployment(server: Deployment, *, aws: bool = False, templates: Sequence[Template] = ()) -> Report:
    """Look at a server from outside."""
    checks = tuple(one for part in DEPLOYMENT for one in part.checks) + (aws_checks.OF_A_DEPLOYMENT if aws else ())
    try:
        return examine(server.issuer, (checks, server), *_named(templates, server.issuer, None))
    finally:
        server.close()


def _named(templates: Sequence[Template], issuer: str, inspection: Inspection | None) -> list[tuple[Checks, Any]]:
    return [(template_checks.CHECKS, Named(template, issuer, inspection)) for template in templates]
