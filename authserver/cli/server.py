"""granian, wrapped: SIGTERM first turns /readyz to 503 for the drain delay, then stops listening and ends what is in flight.

granian's main process only watches its workers, so it is the one that drains: it makes the file that every worker's
/readyz looks for (AUTHSERVER_DRAIN_MARKER), waits, and then stops the workers as granian does. A second signal, or
Ctrl-C, stops at once. Where a supervisor signals all processes at once, tell it not to: systemd's KillMode=mixed.
"""

import logging
import multiprocessing
import os
import signal
import socket
import threading
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server.mp import MPServer

from authserver.runtime.settings import Settings, SettingsError

LOOPBACK = "127.0.0.1"
MODULE = "authserver.wsgi"
KILL_AFTER_SECONDS = 30
PAUSE_SECONDS = 0.5
"""Ctrl-C reaches the workers as well; a second signal while they handle the first would deadlock them."""
BACKLOG = 1024
LOGS = {
    "filters": {"expected": {"()": "authserver.cli.server.Expected"}},
    "formatters": {
        "generic": {
            "()": "pythonjsonlogger.json.JsonFormatter",
            "fmt": "%(asctime)s %(levelname)s %(name)s %(message)s",
            "datefmt": "%Y-%m-%dT%H:%M:%S%z",
            "rename_fields": {"asctime": "at", "levelname": "level", "name": "logger"},
        },
        "access": {"()": "logging.Formatter", "fmt": "%(message)s"},
    },
    "handlers": {
        "console": {"formatter": "generic", "filters": ["expected"], "class": "logging.StreamHandler", "stream": "ext://sys.stderr"},
        "access": {"formatter": "access", "class": "logging.StreamHandler", "stream": "ext://sys.stderr"},
    },
}


class Expected(logging.Filter):
    """Leaves out granian's advice against more threads than processors: ours wait for the database, one per connection."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a record is news."""
        return "Python threads" not in str(record.msg)


class DrainedServer(MPServer):
    """granian's server with a drain before its stop, and a call once its workers are started."""

    drain_delay: float = 0
    drain_marker: Path | None = None
    on_started: Callable[[], None] | None = None
    _is_draining = False

    def run(self) -> None:
        """Serve until a signal comes."""
        self.serve(target_loader=load_app, wrap_loader=False)

    def signal_handler_interrupt(self, *args: Any, **kwargs: Any) -> None:
        """Drain at the first SIGTERM; stop at any other signal."""
        if args and args[0] == signal.SIGTERM and self.drain_marker and not self._is_draining:
            self._is_draining = True
            self.drain_marker.touch()
            self._stop_after(self.drain_delay)
            return
        self.interrupt_signal = True
        for worker in self.wrks:
            worker.interrupt_by_parent = True
        self._stop_after(PAUSE_SECONDS)

    def shutdown(self, exit_code: int = 0) -> None:
        """Stop the workers. One that a signal of the terminal ended before is no failure."""
        if self.interrupt_signal:
            self.interrupt_children.clear()
        super().shutdown(exit_code)  # type: ignore[no-untyped-call]

    def _spawn_workers(self, spawn_target: Any, target_loader: Any) -> None:
        super()._spawn_workers(spawn_target, target_loader)  # type: ignore[no-untyped-call]
        if self.on_started is not None:
            threading.Thread(target=self.on_started, daemon=True).start()

    def _stop_after(self, seconds: float) -> None:
        timer = threading.Timer(seconds, super().signal_handler_interrupt)
        timer.daemon = True
        timer.start()


def load_app() -> Any:
    """Load the application, in a worker; the worker ends with the main process, even where that was killed."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    return import_module(MODULE).app


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


def make_server(settings: Settings, host: str, port: int, workers: int, *, quiet: bool = False) -> DrainedServer:
    """Make a server for the application; nothing listens yet. Its workers are new processes, which inherit no state."""
    multiprocessing.set_start_method("spawn", force=True)
    return DrainedServer(
        f"{MODULE}:app",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        websockets=False,
        workers=workers,
        blocking_threads=settings.database_connections,
        backlog=BACKLOG,
        respawn_failed_workers=True,
        workers_kill_timeout=KILL_AFTER_SECONDS,
        log_level=LogLevels.error if quiet else LogLevels.info,
        log_dictconfig=LOGS,
        process_name=None,
    )


def check_port(host: str, port: int, option: str = "--port") -> None:
    """Refuse a port that somebody listens at already, which granian's shared sockets would not notice. Raises SettingsError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        why = str(error.strerror or error).partition(" (while")[0]
        raise SettingsError(f"cannot listen at {host} port {port}: {why}; choose another with {option}") from error
