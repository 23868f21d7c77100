"""Structured JSON logs on stderr, each line with the request it belongs to. Names are logged, never values.

No token, code, secret, cookie or password may be handed to a logger; the loggers of libraries that would print them
are held at WARNING.
"""

import ipaddress
import logging
import sys
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

QUIET = ("authlib", "joserfc", "sqlalchemy", "urllib3", "psycopg", "asyncio", "_granian")


@dataclass(frozen=True, slots=True)
class Circumstances:
    """From where something is done: a request's id, the caller's address prefix and browser; or a command line."""

    request_id: str = ""
    address: str = ""
    user_agent: str = ""

    @property
    def address_prefix(self) -> str:
        """The caller's network: /24 of IPv4, /64 of IPv6, empty where unknown."""
        return address_prefix(self.address)


circumstances: ContextVar[Circumstances] = ContextVar("circumstances", default=Circumstances())  # noqa: B039 - Circumstances is frozen


Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def parse_address(text: str) -> Address | None:
    """Read an address, with IPv4 in IPv6 as IPv4, without the zone or the port that some proxies write beside it."""
    bare = text.partition("]")[0].removeprefix("[") if text.startswith("[") else text
    bare = bare.partition(":")[0] if bare.count(":") == 1 else bare
    try:
        ip = ipaddress.ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    mapped: Address = getattr(ip, "ipv4_mapped", None) or ip
    return mapped


@lru_cache(maxsize=4096)
def address_prefix(address: str) -> str:
    """Shorten an address to its network; empty for what is no address."""
    ip = parse_address(address)
    if ip is None:
        return ""
    return str(ipaddress.ip_network((ip, 24 if ip.version == 4 else 64), strict=False))


class _AddRequest(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        record.request_id = circumstances.get().request_id
        return True


def _leave_out_what_is_not_logged() -> None:
    """Save the look-ups of caller, thread and process (the logging HOWTO's section on optimization)."""
    logging._srcfile = None
    for name in ("logThreads", "logProcesses", "logMultiprocessing", "logAsyncioTasks"):
        setattr(logging, name, False)


def configure(level: str) -> None:
    """Send every log line to stderr as JSON."""
    from pythonjsonlogger.msgspec import MsgspecFormatter

    _leave_out_what_is_not_logged()
    handler = logging.StreamHandler(sys.stderr)
    names = {"levelname": "level", "name": "logger"}
    handler.setFormatter(MsgspecFormatter(["at", "levelname", "name", "message", "request_id"], rename_fields=names))
    handler.addFilter(_AddRequest())
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(level.upper())
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
