"""Tables with their rules and queries, one file per aggregate. A file holds the `Table`, the frozen dataclass of its
row with its rules as methods (which take `now`), and its queries as functions. Nothing here commits.

base.py has the column types, `Database`, `consume()` and `insert_once()`. Importing this room imports every table,
which is what migrations need.
"""

from authserver.store import (  # noqa: F401 - imported for their tables
    access_token,
    admin_role,
    audit,
    authorization_code,
    authorization_request,
    browser_session,
    client,
    consent,
    credential,
    figure,
    grant,
    idempotency,
    link,
    outbox,
    rate_limit,
    refusal,
    replay,
    resource_server,
    search,
    signing_key,
    user,
)
from authserver.store.base import metadata as metadata
