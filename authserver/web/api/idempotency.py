"""Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): a repeated POST gets the first one's answer, for 24 hours.

The key is claimed by the first write of the request's transaction, so that a second request with it waits for the
first one to end. What failed spends no key. A secret is never kept, and so is not in the answer to a repetition.
"""

import re
from collections.abc import Callable
from datetime import timedelta

from flask import request

from authserver.crypto.digest import Digest, digest
from authserver.store.idempotency import Kept, claim_key, find_answer, forget_key, keep_answer
from authserver.web.api.answers import Answer
from authserver.web.api.problems import Refused
from authserver.web.context import db, runtime

KEPT_FOR = timedelta(hours=24)
REPLAYED = "Idempotent-Replayed"
KEY = re.compile(r'"([\x20\x21\x23-\x5b\x5d-\x7e]{1,255})"|([\x21\x23-\x7e]{1,255})')


def once(caller: str, act: Callable[[], Answer]) -> Answer:
    """Act, or repeat the answer that the caller got under the same key. Raises Refused."""
    header = request.headers.get("Idempotency-Key")
    if request.method != "POST" or header is None:
        return act()
    name, asked = digest(f"{caller}\n{_read(header)}"), _asked()
    now = runtime().now()
    forget_key(db(), name, now)
    if not claim_key(db(), name, asked, now + KEPT_FOR):
        return _repeat(find_answer(db(), name), asked)
    answer = act()
    keep_answer(db(), name, answer.status, {"document": answer.document, "headers": dict(answer.headers)})
    return answer


def _read(header: str) -> str:
    """Read a structured field's string (RFC 8941 section 3.3.3); bare ones, which many send, are taken too."""
    match = KEY.fullmatch(header.strip())
    if match is None:
        raise Refused("malformed-request", 'Idempotency-Key must be 1 to 255 printable ASCII characters, like "8e03978e-40d5".')
    return match[1] or match[2]


def _asked() -> Digest:
    return digest(f"{request.method} {request.full_path}\n{request.get_data().decode('latin-1')}")


def _repeat(kept: Kept | None, asked: Digest) -> Answer:
    if kept is not None and kept.request != asked:
        raise Refused("key-reused")
    if kept is None or kept.status is None or kept.answer is None:
        raise Refused("key-in-use")
    return Answer(status=kept.status, document=kept.answer["document"], headers={**kept.answer["headers"], REPLAYED: "true"})
