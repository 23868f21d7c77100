"""Tables with their rules and queries, one file per aggregate. A file holds the `Table`, the frozen dataclass of its
row with its rules as methods (which take `now`), and its queries as functions. Nothing here commits.

base.py has the column types, `Database`, `consume()` and `insert_once()`. Importing this room imports every table,
which is what migrations need.
"""

from authserver.store import (  # noqa: F401
    access_token,
    audit,
    authorization_code,
    authorization_request,
    browser_session,
    client,
    consent,
    credential,
    grant,
    rate_limit,
    replay,
    resource_server,
    signing_key,
    user,
)
from authserver.store.base import metadata as metadata
