"""What AWS Lambda calls, `authserver.lambda_handler.handler`: requests go to the application, commands and schedules to the jobs.

What runs at import is Lambda's INIT phase: the application is built, the key ring loaded, the database connected. Where a
snapshot is taken then (SnapStart), all that is random, keyed or connected waits for the hook after the restore: two
functions that are restored from one snapshot must share none of it. A database that is away then is no failure yet.

A command or schedule can call the jobs of a fixed list, nothing else: who may invoke the function shall not thereby run
code as the authorization server. Zappa's own handler is asked about events alone whose function the package names.
"""

import logging
from importlib import import_module
from typing import Any

from authserver import wsgi  # first: it holds the garbage collector while it imports what the others need too
from authserver.oauth.signing_keys import key_ring
from authserver.runtime import Runtime
from authserver.runtime.embedded_metrics import write_embedded_metrics
from authserver.runtime.metrics import answered, answers_5xx
from authserver.runtime.settings import environ
from authserver.store.base import transaction
from authserver.web.context import EXTENSION
from authserver.web.gateway import answer, is_http

log = logging.getLogger("authserver.lambda")

JOBS = "authserver.jobs."
SCHEDULED = "Scheduled Event"
KEEPS_WARM = "keep_warm_callback"
"""What a rule of Zappa's ends in that only keeps the function warm, as any invocation does."""
ZAPPA_SETTINGS = "zappa_settings"
"""The module that Zappa writes into its package."""
FOR_ZAPPA = ("Records", "bot", "triggerSource")
NEVER_FOR_ZAPPA = frozenset({"command", "raw_command", "manage", "detail-type", "httpMethod", "requestContext", "stageVariables"})

runtime: Runtime = wsgi.app.extensions[EXTENSION]


class Refused(Exception):
    """The event is none that is served here; the text is constant."""


def handler(event: Any, context: Any) -> Any:
    """Answer an event. Raises Refused, and JobFailed where a job was not done; neither has a value in it but an operator's own."""
    try:
        return _answer(event) if is_http(event) else _other(event, context)
    finally:
        write_embedded_metrics(runtime)


def warm_up(runtime: Runtime) -> None:
    """Connect and load the key ring, so that the first request need not; what fails is left to that request."""
    try:
        with transaction(runtime.engine) as db:
            key_ring(runtime, db)
    except Exception as error:
        log.warning("not warmed up", extra={"because": type(error).__name__})


def _answer(event: dict[str, Any]) -> dict[str, Any]:
    """Answer an HTTP request; count a fault that the application does not know of, as where its answer cannot be handed back."""
    known = answers_5xx()
    written = answer(wsgi.app, event)
    if written["statusCode"] >= 500 and answers_5xx() == known:
        answered("gateway", written["statusCode"])
    return written


def _other(event: Any, context: Any) -> Any:
    if not isinstance(event, dict) or "raw_command" in event or "manage" in event:
        raise Refused("This event is not served here.")
    if "command" in event:
        return _command(event, context)
    if event.get("detail-type") == SCHEDULED:
        return _scheduled(event, context)
    return _zappa(event, context)


def _command(event: dict[str, Any], context: Any) -> Any:
    """Run a job: `authserver.jobs.NAME name=value …`, where a value with spaces is in quotes; or with `arguments` of the event."""
    import shlex

    command = event["command"]
    try:
        name, *words = shlex.split(command) or [""] if isinstance(command, str) else [""]
    except ValueError:
        raise Refused("The command must be authserver.jobs.NAME, then words like name=value, with balanced quotes.") from None
    arguments: dict[str, Any] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals:
            raise Refused("The words of a command must be written name=value.")
        arguments.setdefault(key, []).append(value)
    return _job(name, {"arguments": arguments or event.get("arguments")}, context)


def _scheduled(event: dict[str, Any], context: Any) -> Any:
    """Run the job that the rule's name ends in, as Zappa names rules: `authserver-production-authserver.jobs.janitor`."""
    from authserver.jobs import SCHEDULED as MAY_BE_SCHEDULED

    resources = event.get("resources")
    rule = resources[0] if isinstance(resources, list) and resources and isinstance(resources[0], str) else ""
    name = rule.rpartition("/")[2].rpartition("-")[2]
    if name.rpartition(".")[2] == KEEPS_WARM:
        return {}
    if name.removeprefix(JOBS) not in MAY_BE_SCHEDULED:
        raise Refused("The schedule's rule names none of the jobs that may be scheduled.")
    return _job(name, {}, context)


def _job(name: str, event: dict[str, Any], context: Any) -> Any:
    from authserver import jobs

    if not name.startswith(JOBS) or name.removeprefix(JOBS) not in jobs.JOBS:
        raise Refused(f"The command must be one of {', '.join(JOBS + job for job in jobs.JOBS)}.")
    return jobs.call(name.removeprefix(JOBS), event, context, runtime)


def _zappa(event: dict[str, Any], context: Any) -> Any:
    """Let Zappa answer an event whose function the package's own settings name, never the event itself."""
    is_theirs = any(event.get(kind) for kind in FOR_ZAPPA) and NEVER_FOR_ZAPPA.isdisjoint(event) and event.get("version") != "2.0"
    if not is_theirs or _names_function(event.get("Records")):
        raise Refused("This event is not served here.")
    try:
        import_module(ZAPPA_SETTINGS)
        found = import_module("zappa.handler").lambda_handler
    except ImportError:
        raise Refused("This event is for Zappa, which is not in the package.") from None
    return found(event, context)


def _names_function(records: Any) -> bool:
    """Tell whether records are from S3 or SNS, which may say by themselves what is to be called, or are none at all."""
    if not records:
        return False
    first = records[0] if isinstance(records, list) else None
    return not isinstance(first, dict) or "s3" in first or "Sns" in first


def _begin() -> None:
    if environ().get("AWS_LAMBDA_INITIALIZATION_TYPE") != "snap-start":
        warm_up(runtime)
        return
    import_module("snapshot_restore_py").register_after_restore(warm_up, runtime)


_begin()
