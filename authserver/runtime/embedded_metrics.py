"""Metrics on AWS Lambda: one line of JSON on stdout, which CloudWatch makes metrics of (CloudWatch: Embedded metric format).

A container ends without notice, and nobody can ask it; so what it counted is written when an invocation ends. The only
dimension is the function's name: each other value of one would be a metric of its own, and cost as much.
"""

import json
import sys
from datetime import datetime
from typing import Any

from authserver.runtime import Runtime
from authserver.runtime.metrics import REFUSALS, REUSE, SIGN_INS, TOKENS, answers_5xx, janitor_lags
from authserver.runtime.settings import LAMBDA, environ

NAMESPACE = "authserver"
WRITTEN = "metrics written"
COUNTS = {
    "TokensIssued": TOKENS.sum,
    "SignInsSucceeded": lambda: SIGN_INS.sum("ok"),
    "SignInsFailed": lambda: SIGN_INS.sum("refused"),
    "SignInsLimited": lambda: SIGN_INS.sum("limited"),
    "RefreshReuse": REUSE.sum,
    "RequestsRefused": REFUSALS.sum,
    "Answers5xx": answers_5xx,
}
SIGN_IN_OUTCOMES = frozenset({"SignInsSucceeded", "SignInsFailed", "SignInsLimited"})
"""Written together, zeros among them: an alarm weighs one against the other, and CloudWatch cannot reckon with a metric that is silent."""
AGE, LAG = "SigningKeyAgeSeconds", "JanitorLagSeconds"


def begin(runtime: Runtime) -> None:
    """Count from now on."""
    runtime.caches.memo[WRITTEN] = _counted()


def write_embedded_metrics(runtime: Runtime) -> None:
    """Write what was counted since the last time, as one line on stdout; nothing where nothing was. To be called after an invocation."""
    counted = _counted()
    before: dict[str, int] = runtime.caches.memo.get(WRITTEN, {})
    runtime.caches.memo[WRITTEN] = counted
    values = _news(counted, before)
    lags = janitor_lags()
    if lags:
        values[LAG] = max(lags)
    if not values:
        return
    age = _key_age(runtime)
    if age is not None:
        values[AGE] = age
    sys.stdout.write(compose(values, environ().get(LAMBDA, "authserver"), runtime.now()) + "\n")
    sys.stdout.flush()


def _counted() -> dict[str, int]:
    return {name: sum_of() for name, sum_of in COUNTS.items()}


def _news(counted: dict[str, int], before: dict[str, int]) -> dict[str, float]:
    """Return what was counted beyond `before`, as metrics."""
    added = {name: count - before.get(name, 0) for name, count in counted.items()}
    grown = {name for name, more in added.items() if more > 0}
    written = grown | SIGN_IN_OUTCOMES if grown & SIGN_IN_OUTCOMES else grown
    return {name: more for name, more in added.items() if name in written}


def compose(values: dict[str, float], function: str, now: datetime) -> str:
    """Write a line with some metrics of a function."""
    metrics = [{"Name": name, "Unit": "Seconds" if name in (AGE, LAG) else "Count"} for name in values]
    directive = {"Namespace": NAMESPACE, "Dimensions": [["service"]], "Metrics": metrics}
    about: dict[str, Any] = {"Timestamp": int(now.timestamp() * 1000), "CloudWatchMetrics": [directive]}
    return json.dumps({"_aws": about, "service": function, **values})


def _key_age(runtime: Runtime) -> float | None:
    """Return how long the key that has signed for longest has done so, in seconds; None where this process has loaded no keys."""
    ring, now = runtime.caches.key_ring.stale("ring"), runtime.now()
    if ring is None:
        return None
    current = [ring.signing_key(alg, now) for alg in {key.alg for key in ring.keys}]
    return max(((now - key.signs_at).total_seconds() for key in current if key is not None), default=None)
