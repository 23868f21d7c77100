"""Times of the console's lists with 100,000 clients and 1,000,000 audit events in PostgreSQL: `python -m bench.pages`.

Processor time of this process, and elapsed time with the database's, for each page; the median of some rounds.
"""

import argparse
import statistics
import time
from typing import Any

from authserver.admin.operation import Operation
from authserver.admin.own import ensure_own
from authserver.admin.roles import give_role
from authserver.app import create_app
from authserver.store.base import transaction
from tests import databases
from tests.administrators import sign_in_to_console
from tests.clock import Clock
from tests.counts import Counts
from tests.crowd import fill
from tests.factories import insert_keys, make_settings, make_test_runtime, make_user
from tests.http_client import InProcess

PAGES = {
    "overview, 30 days": "/admin?period=30d",
    "applications": "/admin/applications",
    "applications found": "/admin/applications?q=app77",
    "application": "/admin/applications/of/client-7",
    "its people": "/admin/applications/people/client-7",
    "users": "/admin/users",
    "users found": "/admin/users?q=somebody77",
    "sessions": "/admin/sessions",
    "grants": "/admin/grants",
    "audit log": "/admin/audit",
    "audit log of a client": "/admin/audit?client_id=client-7",
    "recent failures": "/admin/failures",
}


def main() -> None:
    """Fill a database, sign in, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=100_000)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    server = databases.start("postgresql")
    runtime = make_test_runtime(make_settings(database_url=server.new()), Clock())
    insert_keys(runtime)
    fill(runtime, clients=arguments.clients, events=arguments.events)
    http = sign_in(runtime)
    print(f"{arguments.clients:,} clients, {arguments.events:,} audit events, PostgreSQL")
    print(f"{'page':<24}{'queries':>8}{'KB':>7}{'CPU ms':>9}{'ms':>9}")
    counts = Counts(runtime.engine)
    for name, path in PAGES.items():
        print(f"{name:<24}{measure(http, counts, path, arguments.rounds)}")
    runtime.engine.dispose()
    server.stop()


def sign_in(runtime: Any) -> InProcess:
    """Return a browser in which an owner is signed in."""
    person = make_user(runtime)
    with transaction(runtime.engine) as db:
        ensure_own(db, runtime)
        give_role(Operation(db, runtime), person.user, "owner")
    http = InProcess(create_app(runtime), runtime.settings.issuer)
    sign_in_to_console(http, person)
    return http


def measure(http: InProcess, counts: Counts, path: str, rounds: int) -> str:
    """Open a page some times; return its line of the table."""
    spent, elapsed = [], []
    with counts.measure() as tally:
        page = http.get(path)
    if page.status != 200:
        raise SystemExit(f"{path} answered {page.status}")
    for _ in range(rounds):
        processor, wall = time.process_time(), time.perf_counter()
        http.get(path)
        spent.append(time.process_time() - processor)
        elapsed.append(time.perf_counter() - wall)
    figures = 1000 * statistics.median(spent), 1000 * statistics.median(elapsed)
    return f"{len(tally.reads):>8}{len(page.body) / 1024:>7.0f}{figures[0]:>9.1f}{figures[1]:>9.1f}"


if __name__ == "__main__":
    main()
