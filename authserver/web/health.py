"""Health and metrics: /livez (no database), /readyz (what is missing, by name), /metrics (behind a token).

/readyz says 503 while the process drains: a balancer then sends nobody here, and what still comes is answered.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from flask import Blueprint, Response, jsonify, request
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from authserver.crypto.digest import same
from authserver.crypto.sealing import SealBroken
from authserver.oauth.access_token import DEFAULT_ALG
from authserver.oauth.signing_keys import key_ages, signing_key
from authserver.runtime import metrics
from authserver.store.schema import HEAD, find_revision
from authserver.web.context import db, runtime
from authserver.web.errors import RETRY_SECONDS

routes = Blueprint("health", __name__)

OK = "ok"


@routes.get("/livez")
def livez() -> Response:
    """Tell that the process answers."""
    return jsonify(status=OK)


@routes.get("/readyz")
def readyz() -> Response:
    """Tell whether the process can do its work, check by check."""
    checks = {name: _outcome(check) for name, check in CHECKS.items()}
    if all(outcome == OK for outcome in checks.values()):
        return jsonify(status=OK, checks=checks)
    answer = jsonify(status="unavailable", checks=checks)
    answer.status_code = 503
    answer.headers["Retry-After"] = str(RETRY_SECONDS)
    return answer


@routes.get("/metrics")
def show_metrics() -> tuple[Response, int]:
    """Show the metrics to whoever has the token; without one in the settings there is no such page."""
    token = runtime().settings.metrics_token
    if not token:
        return jsonify(error="not_found", error_description="Set AUTHSERVER_METRICS_TOKEN to open /metrics."), 404
    if not same(request.headers.get("Authorization", "").encode(), f"Bearer {token}".encode()):
        refusal = jsonify(error="invalid_token", error_description="Send the token of AUTHSERVER_METRICS_TOKEN as a Bearer token.")
        refusal.headers["WWW-Authenticate"] = "Bearer"
        return refusal, 401
    return Response(metrics.exposition(key_ages(runtime(), db())), content_type=metrics.CONTENT_TYPE), 200


@routes.after_app_request
def count(response: Response) -> Response:
    """Count every answer by endpoint."""
    metrics.answered(request.endpoint or "none", response.status_code)
    return response


def _outcome(check: Callable[[], str]) -> str:
    try:
        return check()
    except SQLAlchemyError:
        return "the database does not answer"
    except (SealBroken, LookupError):
        return "the keys do not open: AUTHSERVER_SECRET_KEY is missing or another"


def _database() -> str:
    db().execute(select(1))
    return OK


def _tables() -> str:
    revision = find_revision(db()) or ""
    return OK if revision >= HEAD else f"the tables are at {revision or 'no revision'}, not {HEAD}: run authserver db upgrade"


def _signing_key() -> str:
    signing_key(runtime(), db(), DEFAULT_ALG, runtime().now())
    return OK


def _not_draining() -> str:
    marker = runtime().settings.drain_marker
    return "shutting down" if marker and Path(marker).exists() else OK


CHECKS: Mapping[str, Callable[[], str]] = {
    "database": _database,
    "tables": _tables,
    "signing_key": _signing_key,
    "draining": _not_draining,
}
