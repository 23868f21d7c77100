"""The pages of the console: one blueprint per resource."""

from authserver.web.console import (
    audit,
    clients,
    credentials,
    failures,
    grants,
    keys,
    overview,
    resource_servers,
    sessions,
    setup,
    sign_in,
    test_drive,
    users,
    wizard,
)

BLUEPRINTS = (
    sign_in.routes,
    setup.routes,
    overview.routes,
    clients.routes,
    wizard.routes,
    credentials.routes,
    test_drive.routes,
    resource_servers.routes,
    users.routes,
    sessions.routes,
    grants.routes,
    keys.routes,
    audit.routes,
    failures.routes,
)
