"""The audit log sent as a file, as admin/audit_export.py writes it: while it is read, in pieces.

No connection to the database is held between two pieces, however slowly they are fetched.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any

from flask import Response

from authserver.admin.audit import every_event
from authserver.admin.audit_export import as_csv, as_ndjson
from authserver.admin.documents import event_document
from authserver.admin.operation import Operation
from authserver.store.base import Database

FORMATS = {"ndjson": ("application/x-ndjson", as_ndjson), "csv": ("text/csv; charset=utf-8", as_csv)}
AT_ONCE = 200


def export(operation: Operation, kind: str, filters: Mapping[str, Any]) -> Response:
    """Answer with every event that the filters let through, newest first."""
    content_type, write = FORMATS[kind]
    headers = {"Content-Disposition": f'attachment; filename="audit-{operation.now():%Y-%m-%d}.{kind}"'}
    return Response(_in_pieces(write(_documents(operation, filters))), content_type=content_type, headers=headers)


def _documents(operation: Operation, filters: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Read on a connection of its own: the request's is given back before the first piece is sent."""
    own = Database(operation.runtime.engine)
    try:
        for event in every_event(replace(operation, db=own), **filters):
            own.release()
            yield event_document(event)
    finally:
        own.close()


def _in_pieces(lines: Iterator[str]) -> Iterator[str]:
    while piece := "".join(islice(lines, AT_ONCE)):
        yield piece
