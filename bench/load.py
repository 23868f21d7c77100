"""A process of its own that keeps some connections busy with prepared requests: a line of JSON in, a line of JSON out.

It reads the CPU clocks of the server's processes right before the first and right after the last request, so that
what is measured is the server alone, however busy the machine is. One thread; one outstanding request a connection.
"""

import json
import re
import selectors
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any

SCHED_CLOCK = 2
TIMEOUT_SECONDS = 30
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
SLOT = "{}"


@dataclass(frozen=True, kw_only=True)
class Order:
    """Send `heads[i % n]` with `bodies[i % n]`, `times` times; every answer must have `status`.

    `capture` is a pattern whose first group is kept of every answer. Where there are `slots`, the first body has a place
    for one of them, and what is captured takes its place for a later request: refresh tokens that rotate.
    """

    port: int
    heads: list[str]
    bodies: list[str] = field(default_factory=lambda: [""])
    times: int
    status: int = 200
    connections: int = 4
    pids: list[int] = field(default_factory=list)
    database_pids: list[int] = field(default_factory=list)
    capture: str = ""
    slots: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Sent:
    """What came of an order: wall time, CPU time of the server and of its database, each request's latency in nanoseconds."""

    seconds: float
    cpu_seconds: float
    database_cpu_seconds: float
    latencies: list[int]
    captured: list[str]
    slots: list[str]


class Failed(Exception):
    """The server did not answer as it should; the text has the answer."""


class Load:
    """The process, seen from the one that started it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen([sys.executable, "-m", "bench.load"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def send(self, order: Order) -> Sent:
        """Have an order carried out. Raises Failed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asdict(order)) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline() or '{"failed": "the load process ended"}')
        if "failed" in answer:
            raise Failed(answer["failed"])
        return Sent(**answer)

    def stop(self) -> None:
        """End the process."""
        self._process.communicate()


class Exchange:
    """One connection with its outstanding request."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), TIMEOUT_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, message: bytes) -> None:
        """Send a request."""
        self.answer = bytearray()
        self.begun = time.perf_counter_ns()
        self.socket.sendall(message)

    def read(self) -> bool:
        """Read what came; tell whether the answer is whole. Raises Failed."""
        data = self.socket.recv(65536)
        self.answer += data
        if not data:
            raise Failed(f"connection closed after {bytes(self.answer)!r}")
        return is_whole(self.answer)


class Run:
    """One order being carried out."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.slots = deque(order.slots)
        self.latencies: list[int] = []
        self.answers: list[bytes] = []
        self._pattern = re.compile(order.capture.encode())
        self._messages = [] if order.slots else list(map(write, order.heads, order.bodies * (len(order.heads) // len(order.bodies))))

    def carry_out(self) -> Sent:
        """Send everything and measure. Raises Failed, OSError."""
        order = self.order
        exchanges = [Exchange(order.port) for _ in range(min(order.connections, order.times))]
        before, database_before = cpu_clocks(order.pids), cpu_clocks(order.database_pids)
        began = time.perf_counter()
        self._go_round(exchanges)
        seconds = time.perf_counter() - began
        cpu, database_cpu = used_since(before), used_since(database_before)
        for exchange in exchanges:
            exchange.socket.close()
        return Sent(
            seconds=seconds,
            cpu_seconds=cpu,
            database_cpu_seconds=database_cpu,
            latencies=self.latencies,
            captured=[self._captured(answer) for answer in self.answers],
            slots=list(self.slots),
        )

    def _go_round(self, exchanges: list[Exchange]) -> None:
        numbers = iter(range(self.order.times))
        with selectors.DefaultSelector() as selector:
            for exchange, number in zip(exchanges, islice(numbers, len(exchanges)), strict=True):
                selector.register(exchange.socket, selectors.EVENT_READ, exchange)
                exchange.ask(self._message(number))
            while selector.get_map():
                for key, _events in selector.select(TIMEOUT_SECONDS) or fail(f"no answer in {TIMEOUT_SECONDS} s"):
                    if key.data.read() and not self._go_on(key.data, numbers):
                        selector.unregister(key.fileobj)

    def _go_on(self, exchange: Exchange, numbers: Iterator[int]) -> bool:
        """Keep an answer and send the next request; False where there is none."""
        self.latencies.append(time.perf_counter_ns() - exchange.begun)
        self._take(bytes(exchange.answer))
        number = next(numbers, None)
        if number is not None:
            exchange.ask(self._message(number))
        return number is not None

    def _message(self, number: int) -> bytes:
        if not self.order.slots:
            return self._messages[number % len(self._messages)]
        return write(self.order.heads[0], self.order.bodies[0].replace(SLOT, self.slots.popleft()))

    def _take(self, answer: bytes) -> None:
        if int(answer[9:12]) != self.order.status:
            fail(answer.decode(errors="replace"))
        if self.order.slots:
            self.slots.append(self._captured(answer))
        elif self.order.capture:
            self.answers.append(answer)

    def _captured(self, answer: bytes) -> str:
        found = self._pattern.search(answer) or fail(answer.decode(errors="replace"))
        return str(found[1], "ascii")


def fail(text: str) -> Any:
    """Raise Failed."""
    raise Failed(text)


def write(head: str, body: str) -> bytes:
    """Write a request: `head` is its first line and headers, without the body's length."""
    data = body.encode()
    length = "" if head.startswith("GET ") else f"Content-Length: {len(data)}\r\n"
    return f"{head}{length}\r\n".encode() + data


def is_whole(answer: bytearray) -> bool:
    """Tell whether an answer has arrived. Raises Failed for one without a length."""
    end = answer.find(b"\r\n\r\n")
    if end < 0:
        return False
    length = LENGTH.search(answer, 0, end + 2) or fail(f"no Content-Length: {bytes(answer)!r}")
    return len(answer) >= end + 4 + int(length[1])


def cpu_clocks(pids: list[int]) -> dict[int, float]:
    """Return the CPU seconds, user and system, that each process has used with all its threads (Linux); without those that ended."""
    clocks = {}
    for pid in pids:
        try:
            clocks[pid] = time.clock_gettime((~pid << 3) | SCHED_CLOCK)
        except OSError:
            pass
    return clocks


def used_since(before: dict[int, float]) -> float:
    """Return the CPU seconds that the processes have used since, without those that ended."""
    return sum(now - before[pid] for pid, now in cpu_clocks(list(before)).items())


def main() -> None:
    """Carry out the orders that come in."""
    for line in sys.stdin:
        try:
            answer = asdict(Run(Order(**json.loads(line))).carry_out())
        except (Failed, OSError) as error:
            answer = {"failed": str(error) or repr(error)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
