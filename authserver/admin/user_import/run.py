"""People of a file, stored in batches that are committed one by one; who is there already stays as they are (OWASP ASVS 5.0 section 6.3).

A second run changes nothing. What is wrong with one person does not keep the others out.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from authserver.admin.authority import COMMAND_LINE
from authserver.admin.user_import.check import Checked, check_entry
from authserver.admin.user_import.entry import Entry, Refusal
from authserver.admin.user_import.storing import user_row, words_of
from authserver.crypto.foreign_hash import decoy, scheme_of
from authserver.runtime import Runtime
from authserver.store.audit import Happening, event_values, find_deleted, insert_events
from authserver.store.base import Database, new_id, show_id, transaction
from authserver.store.credential import NOBODY, insert_password_hashes, set_password_hash
from authserver.store.search import USER, insert_terms
from authserver.store.user import find_users, find_users_by_email, insert_new_user

AT_ONCE = 500
TAKEN = "there is a user with this email and another sub"
DELETED = "was deleted here, and no sub is given out twice: leave it out, and the person gets a new one"


@dataclass(slots=True)
class Report:
    """How many were created, were there already, or could not be taken over; and how many of the new ones have a hash."""

    created: int = 0
    skipped: int = 0
    refused: int = 0
    with_password_hash: int = 0


@dataclass(slots=True)
class _Known:
    """Who is there: ids, and ids by email; and which ids nobody has any more."""

    ids: set[bytes] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    emails: dict[str, bytes] = field(default_factory=dict)

    def add(self, identifier: bytes, email: str) -> None:
        self.ids.add(identifier)
        self.emails[email] = identifier


def import_users(runtime: Runtime, entries: Iterable[Entry | Refusal], refuse: Callable[[Refusal], None], *, dry_run: bool) -> Report:
    """Add everybody who is not there yet; `refuse` is told, in their order, of those who cannot be. Commits for itself."""
    report, known, remaining = Report(), _Known(), iter(entries)
    while batch := list(islice(remaining, AT_ONCE)):
        checked = [check_entry(entry) if isinstance(entry, Entry) else entry for entry in batch]
        with transaction(runtime.engine) as db:
            outcome = _Batch(runtime, db, known if dry_run else _Known(), Report(), dry_run)
            refusals = list(outcome.take(checked))
        for refusal in refusals:
            refuse(refusal)
        _add_up(report, outcome.report)
    return report


def _add_up(total: Report, part: Report) -> None:
    for name in Report.__slots__:
        setattr(total, name, getattr(total, name) + getattr(part, name))


@dataclass(slots=True)
class _Batch:
    """One transaction's part of the file. A dry run keeps `known` from batch to batch, since it stores nobody."""

    runtime: Runtime
    db: Database
    known: _Known
    report: Report
    dry_run: bool

    def take(self, people: list[Checked | Refusal]) -> Iterator[Refusal]:
        """Store those who are new; yield those who are refused."""
        self._find_known([person for person in people if isinstance(person, Checked)])
        added: list[tuple[dict[str, Any], str | None]] = []
        for person in people:
            verdict = person if isinstance(person, Refusal) else self._judge(person, added)
            if verdict is not None:
                self.report.refused += 1
                yield verdict
        self._store_rest(added)

    def _find_known(self, people: list[Checked]) -> None:
        """Look everybody up by id and by email at once."""
        by_id = find_users(self.db, [person.id for person in people if person.id is not None])
        for user in (*by_id, *find_users_by_email(self.db, [person.email for person in people])):
            self.known.add(user.id, user.email)
        self.known.deleted |= find_deleted(self.db, [show_id(person.id) for person in people if person.id is not None])

    def _judge(self, person: Checked, added: list[tuple[dict[str, Any], str | None]]) -> Refusal | None:
        if person.id in self.known.ids or (person.id is None and person.email in self.known.emails):
            self.report.skipped += 1
            return None
        if person.email in self.known.emails:
            return Refusal(person.line, TAKEN)
        if person.id is not None and show_id(person.id) in self.known.deleted:
            return Refusal(person.line, DELETED)
        row = user_row(
            person.id or new_id(self.runtime.new_secret(16)), person.email, person.columns, self.runtime.now(), is_enabled=person.is_enabled
        )
        if not self.dry_run and not insert_new_user(self.db, row):
            return Refusal(person.line, "was added by somebody else just now: run the import again")
        self.known.add(row["id"], person.email)
        self.report.created += 1
        self.report.with_password_hash += person.password_hash is not None
        added.append((row, person.password_hash))
        return None

    def _store_rest(self, added: list[tuple[dict[str, Any], str | None]]) -> None:
        """Add what goes with the new users: words to be found under, hashes, and an audit event each."""
        if self.dry_run:
            return
        now, hashes = self.runtime.now(), [(row["id"], hashed) for row, hashed in added if hashed is not None]
        insert_terms(self.db, USER, {show_id(row["id"]): words_of(row) for row, _ in added})
        insert_password_hashes(self.db, [{"user_id": identifier, "hash": hashed, "changed_at": now} for identifier, hashed in hashes])
        insert_events(self.db, [event_values(self.runtime, _happening(row, hashed)) for row, hashed in added])
        if hashes:
            set_password_hash(self.db, NOBODY, decoy(hashes[-1][1]), now)


def _happening(row: dict[str, Any], hashed: str | None) -> Happening:
    details = {"email": row["email"], **({} if hashed is None else {"password_hash": scheme_of(hashed)})}
    return Happening(action="user.import", actor=COMMAND_LINE.actor, subject=show_id(row["id"]), details=details)
