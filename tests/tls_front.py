"""TLS in front of a PostgreSQL that has none, which passes on what is said inside; and the beginning of a MySQL as RDS has it."""

import socket
import ssl
import threading
from pathlib import Path
from types import TracebackType

REQUEST = bytes.fromhex("0000000804d2162f")
"""How a client of PostgreSQL asks for TLS (PostgreSQL: SSLRequest)."""


class TlsFront:
    """Listens at `port` on all of 127.0.0.0/8. Without a certificate it says that it has no TLS. `said` is what came inside."""

    def __init__(self, behind: Path, certificate: tuple[Path, Path] | None) -> None:
        self._behind = behind
        self._context: ssl.SSLContext | None = None
        if certificate is not None:
            self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            self._context.load_cert_chain(*certificate)
        self._listener = socket.create_server(("0.0.0.0", 0))
        self.port = self._listener.getsockname()[1]
        self.said = b""

    def __enter__(self) -> "TlsFront":
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(self, _kind: type[BaseException] | None, _fault: BaseException | None, _trace: TracebackType | None) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _listen(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            if client.recv(len(REQUEST)) != REQUEST:
                return
            if self._context is None:
                client.sendall(b"N")
                self.said += client.recv(4096)
                return
            client.sendall(b"S")
            inside = self._context.wrap_socket(client, server_side=True)
            server = socket.socket(socket.AF_UNIX)
            server.connect(str(self._behind))
            threading.Thread(target=self._pass, args=(server, inside), daemon=True).start()
            self._pass(inside, server, is_said=True)
        except OSError:
            client.close()

    def _pass(self, origin: socket.socket, target: socket.socket, *, is_said: bool = False) -> None:
        try:
            while data := origin.recv(65536):
                if is_said:
                    self.said += data
                target.sendall(data)
        except OSError:
            pass
        for end in (origin, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class MysqlThatAsksForClearText:
    """What RDS says to a user of its IAM plugin: TLS first, then the password as it is. It keeps that and lets nobody in."""

    CAPABILITIES = 0x8 | 0x200 | 0x800 | 0x8000 | 0x80000 | 0x200000

    def __init__(self, certificate: tuple[Path, Path]) -> None:
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(*certificate)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.password = b""

    def __enter__(self) -> "MysqlThatAsksForClearText":
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, _kind: type[BaseException] | None, _fault: BaseException | None, _trace: TracebackType | None) -> None:
        self._thread.join(5)
        self._listener.close()

    def _serve(self) -> None:
        client, _ = self._listener.accept()
        low, high = (self.CAPABILITIES & 0xFFFF).to_bytes(2, "little"), (self.CAPABILITIES >> 16).to_bytes(2, "little")
        salt = b"s" * 8 + b"\0" + low + b"\x2d\x02\0" + high + b"\x15" + bytes(10) + b"s" * 12 + b"\0"
        self._send(client, 0, b"\x0a8.0.40\0\x01\0\0\0" + salt + b"caching_sha2_password\0")
        self._receive(client)
        inside = self._context.wrap_socket(client, server_side=True)
        self._receive(inside)
        self._send(inside, 3, b"\xfemysql_clear_password\0")
        self.password = self._receive(inside).removesuffix(b"\0")
        self._send(inside, 5, b"\xff\x15\x04#28000Access denied")
        inside.close()

    def _send(self, end: socket.socket, number: int, payload: bytes) -> None:
        end.sendall(len(payload).to_bytes(3, "little") + bytes([number]) + payload)

    def _receive(self, end: socket.socket) -> bytes:
        length = int.from_bytes(end.recv(4)[:3], "little")
        payload = b""
        while len(payload) < length:
            payload += end.recv(length - len(payload))
        return payload
