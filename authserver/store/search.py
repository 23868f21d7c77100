"""Search by the beginning of a word: the words by which clients and users are found, in an index of their own."""

from collections.abc import Iterable, Mapping

from sqlalchemy import Column, Index, Table, delete, select

from authserver.store.base import Database, ascii_text, metadata, ordered_text

CLIENT = "client"
CLIENT_OF_API = "client_of_api"
USER = "user"
LONGEST_TERM = 100
LAST = "\U0010ffff"

search_terms = Table(
    "search_terms",
    metadata,
    Column("kind", ascii_text(16), primary_key=True),
    Column("term", ordered_text(100), primary_key=True),
    Column("id", ascii_text(255), primary_key=True),
    Index("ix_search_terms_kind_id", "kind", "id"),
)


def terms_of(*texts: str) -> frozenset[str]:
    """Return the words under which texts are found: each text whole, and each of its words."""
    lowered = [text.casefold().strip() for text in texts]
    words = [word for text in lowered for word in text.split()]
    return frozenset(term[:LONGEST_TERM] for term in (*lowered, *words) if term)


def set_terms(db: Database, kind: str, identifier: str, terms: Iterable[str]) -> None:
    """Replace the words under which something is found."""
    delete_terms(db, kind, identifier)
    insert_terms(db, kind, {identifier: terms})


def insert_terms(db: Database, kind: str, terms: Mapping[str, Iterable[str]]) -> None:
    """Add the words under which new things are found, by id."""
    found = [
        {"kind": kind, "term": term, "id": identifier}
        for identifier, words in terms.items()
        for term in sorted({word[:LONGEST_TERM] for word in words})
    ]
    if found:
        db.execute(search_terms.insert(), found)


def delete_terms(db: Database, kind: str, identifier: str) -> None:
    """Let something be found no more."""
    db.execute(delete(search_terms).where(search_terms.c.kind == kind, search_terms.c.id == identifier))


def find_ids(db: Database, kind: str, sought: str, after: str, limit: int) -> list[str]:
    """Return the ids, in their order, of what is found under words that begin with `sought`."""
    term = sought.casefold().strip()[:LONGEST_TERM]
    begins = (search_terms.c.term >= term) & (search_terms.c.term < term + LAST)
    query = select(search_terms.c.id).where(search_terms.c.kind == kind, begins, search_terms.c.id > after)
    return list(db.execute(query.distinct().order_by(search_terms.c.id).limit(limit)).scalars())


def list_ids(db: Database, kind: str, term: str, after: str, limit: int) -> list[str]:
    """Return the ids, in their order, of what is found under exactly this term."""
    match = (search_terms.c.kind == kind) & (search_terms.c.term == term[:LONGEST_TERM]) & (search_terms.c.id > after)
    return list(db.execute(select(search_terms.c.id).where(match).order_by(search_terms.c.id).limit(limit)).scalars())
