"""The audit log sent as a file, as admin/audit_export.py writes it: while it is read, in pieces.

No connection to the database is held between two pieces, however slowly they are fetched.
"""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from flask import Response

from authserver.admin.audit import every_document
from authserver.admin.audit_export import as_csv, as_ndjson
from authserver.admin.operation import Operation

FORMATS = {"ndjson": ("application/x-ndjson", as_ndjson), "csv": ("text/csv; charset=utf-8", as_csv)}
AT_ONCE = 200


def export(operation: Operation, kind: str, filters: Mapping[str, Any]) -> Response:
    """Answer with every event that the filters let through, newest first."""
    content_type, write = FORMATS[kind]
    headers = {"Content-Disposition": f'attachment; filename="audit-{operation.now():%Y-%m-%d}.{kind}"'}
    return Response(_in_pieces(write(every_document(operation, filters))), content_type=content_type, headers=headers)


def _in_pieces(lines: Iterator[str]) -> Iterator[str]:
    while piece := "".join(islice(lines, AT_ONCE)):
        yield piece
