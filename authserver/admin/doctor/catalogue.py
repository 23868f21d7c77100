"""Every check there is, by what it looks at: a configuration, or a server at a URL; docs/doctor.md lists them (RFC 9700 and others)."""

from collections.abc import Sequence

from authserver.admin.doctor.aws_checks import AWS, AWS_INSIDE, AWS_OUTSIDE
from authserver.admin.doctor.client_checks import CLIENTS
from authserver.admin.doctor.database_checks import DATABASE
from authserver.admin.doctor.deployment import Deployment
from authserver.admin.doctor.discovery_checks import DISCOVERY, KEYS
from authserver.admin.doctor.finding import Part, Report, examine
from authserver.admin.doctor.inspection import Inspection
from authserver.admin.doctor.page_checks import PAGES
from authserver.admin.doctor.reach_checks import FRONT, REACH
from authserver.admin.doctor.settings_checks import LIFETIMES, READING, SETTINGS
from authserver.admin.doctor.template import Template
from authserver.admin.doctor.template_checks import TEMPLATES, Named
from authserver.admin.doctor.token_checks import TOKENS
from authserver.runtime import Runtime
from authserver.specs import specs_on

CONFIGURATION = (SETTINGS, LIFETIMES, DATABASE, CLIENTS)
DEPLOYMENT = (REACH, DISCOVERY, KEYS, FRONT, PAGES, TOKENS)
GROUPS: dict[str, tuple[Part, ...]] = {
    "A configuration": (READING, *CONFIGURATION),
    "A server at a URL": DEPLOYMENT,
    "AWS (`--aws`)": (AWS, AWS_INSIDE, AWS_OUTSIDE),
    "AWS (`--template FILE`)": (TEMPLATES,),
}


def examine_settings(refusal: str) -> Report:
    """Report settings that cannot be read."""
    return examine("", (READING, refusal))


def examine_configuration(runtime: Runtime, *, aws: bool = False, templates: Sequence[Template] = ()) -> Report:
    """Look at settings and database; nothing is written. Raises SettingsError for what no server would start by."""
    specs_on(runtime.settings)
    found = Inspection(runtime, aws=aws)
    parts = CONFIGURATION + ((AWS, AWS_INSIDE) if aws else ())
    named = [(TEMPLATES, Named(template, found.issuer, found)) for template in templates]
    return examine(found.issuer, (READING, ""), *((part, found) for part in parts), *named)


def examine_deployment(server: Deployment, *, aws: bool = False, templates: Sequence[Template] = ()) -> Report:
    """Look at a server from outside."""
    parts = DEPLOYMENT + ((AWS, AWS_OUTSIDE) if aws else ())
    named = [(TEMPLATES, Named(template, server.issuer, None)) for template in templates]
    try:
        return examine(server.issuer, *((part, server) for part in parts), *named)
    finally:
        server.close()
