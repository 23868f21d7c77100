"""authserver as a contestant: `authserver serve` with one worker on a fresh, migrated database, prepared through admin/."""

import contextlib
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from authserver.admin import schema
from authserver.admin.clients import create_client
from authserver.admin.operation import Operation
from authserver.admin.resource_servers import change_resource_server, create_resource_server
from authserver.admin.users import create_user
from authserver.identity import session
from authserver.runtime import Runtime
from authserver.store.base import transaction
from authserver.web.cookies import cookie_name
from bench.contestant import APIS, APP, NAMES, PEOPLE, REDIRECT_URI, SCOPES, SECRET, SERVICE, Contestant, new_folder
from tests import databases
from tests.servers import RealServer, descendants

TITLES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


def start(kind: str, parent: Path) -> Contestant:
    """Start a server on a database of that kind, with its files below `parent`."""
    undo = contextlib.ExitStack()
    try:
        folder = undo.enter_context(new_folder(parent))
        url, database_pids = _database(kind, folder, undo)
        server = RealServer(url, folder / "server.log")
        schema.upgrade(server.runtime.engine)
        cookies = list(_prepare(server.runtime))
        undo.callback(server.stop)
        server.start()
    except BaseException:
        undo.close()
        raise
    assert server.process is not None
    return Contestant(
        name=f"authserver, {TITLES[kind]}",
        port=server.port,
        pids=[server.process.pid, *server.workers_running()],
        cookies=cookies,
        at_userinfo=APIS["RS256"],
        stop=undo.close,
        database_pids=database_pids,
    )


def _database(kind: str, folder: Path, undo: contextlib.ExitStack) -> tuple[str, Callable[[], list[int]]]:
    if kind == "sqlite":
        return f"sqlite:///{folder / 'authserver.db'}", list
    warnings.filterwarnings("ignore", "XDG_RUNTIME_DIR")
    server: Any = databases.start(kind)
    undo.callback(server.stop)
    server.run("ALTER SYSTEM RESET fsync", "SELECT pg_reload_conf()")  # tests do without; a measurement does not
    postmaster = int((server.folder / "data" / "postmaster.pid").read_text().split()[0])
    return server.empty(), lambda: [postmaster, *descendants(postmaster)]


def _prepare(runtime: Runtime) -> Iterator[str]:
    """Register what the operations need; yield the Cookie header of each signed-in browser."""
    name = cookie_name(runtime.settings, "session")
    with transaction(runtime.engine) as db:
        operation = Operation(db, runtime)
        for alg, identifier in APIS.items():
            create_resource_server(
                operation, identifier, f"{alg} API", {"scopes": SCOPES, "signing_alg": alg, "claims": {"roles": "roles"}}
            )
        apis = list(APIS.values())
        create_client(operation, "service", "Service", {"apis": apis}, client_id=SERVICE, secret=SECRET)
        for_people = {"redirect_uris": [REDIRECT_URI], "apis": apis, "consent": "skipped"}
        create_client(operation, "spa", "Application", for_people, client_id=APP)
        for identifier in apis:
            change_resource_server(operation, identifier, {"introspected_by": [SERVICE]})
        for number in range(PEOPLE):
            user = create_user(operation, f"person-{number}@example.com", {**NAMES, "roles": ["editor"]}).user
            token, _ = session.begin(db, runtime, user, acr="urn:authserver:password", amr=["pwd"], previous=None)
            yield f"{name}={token}"
