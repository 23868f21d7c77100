"""A mail server on loopback that keeps what it is sent: with or without TLS, with a password, or in a bad mood."""

import base64
import ipaddress
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass
class Mailbox:
    """What the server got, and how it behaves. `refuse` is an answer by command: `{"RCPT": "550 no such user"}`."""

    host: str = "127.0.0.1"
    tls: ssl.SSLContext | None = None
    is_tls_from_the_start: bool = False
    password: str | None = None
    refuse: dict[str, str] = field(default_factory=dict)
    letters: list[EmailMessage] = field(default_factory=list)
    envelopes: list[tuple[str, list[str]]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    port: int = 0


class _Session(socketserver.StreamRequestHandler):
    """One connection."""

    def handle(self) -> None:
        self.box: Mailbox = self.server.box  # type: ignore[attr-defined]
        self.sender, self.recipients, self.is_private, self.is_known = "", [], self.box.is_tls_from_the_start, False
        self.tell("220 mail.example")
        while line := self.rfile.readline():
            text = line.decode().rstrip("\r\n")
            command = text.split(" ")[0].split(":")[0].upper()
            self.box.said.append(command)
            if command in self.box.refuse:
                self.tell(self.box.refuse[command])
            elif not getattr(self, f"on_{command.lower()}", self.on_other)(text):
                return

    def tell(self, *lines: str) -> bool:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())
        return True

    def on_other(self, _text: str) -> bool:
        return self.tell("250 ok")

    def on_ehlo(self, _text: str) -> bool:
        offers = ["STARTTLS"] if self.box.tls and not self.is_private else []
        offers += ["AUTH PLAIN"] if self.box.password and (self.is_private or self.box.tls is None) else []
        return self.tell("250-mail.example", *(f"250-{offer}" for offer in offers), "250 8BITMIME")

    def on_starttls(self, _text: str) -> bool:
        self.tell("220 go on")
        assert self.box.tls is not None
        self.request = self.connection = self.box.tls.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile, self.is_private = self.connection.makefile("rb"), self.connection.makefile("wb", 0), True
        return True

    def on_auth(self, text: str) -> bool:
        given = base64.b64decode(text.split(" ")[2]).split(b"\0")[2].decode()
        self.is_known = given == self.box.password
        return self.tell("235 ok" if self.is_known else "535 wrong")

    def on_mail(self, text: str) -> bool:
        if self.box.password and not self.is_known:
            return self.tell("530 who are you")
        self.sender = text
        return self.tell("250 ok")

    def on_rcpt(self, text: str) -> bool:
        self.recipients.append(text)
        return self.tell("250 ok")

    def on_data(self, _text: str) -> bool:
        self.tell("354 go on")
        lines: list[bytes] = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        if "DATA END" in self.box.refuse:
            return self.tell(self.box.refuse["DATA END"])
        self.box.letters.append(message_from_bytes(b"".join(lines), policy=policy.default))  # type: ignore[arg-type]
        self.box.envelopes.append((self.sender, self.recipients))
        return self.tell("250 taken")

    def on_quit(self, _text: str) -> bool:
        self.tell("221 bye")
        return False


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, box: Mailbox) -> None:
        super().__init__((box.host, 0), _Session)
        self.box = box

    def get_request(self) -> Any:
        connection, address = super().get_request()
        if self.box.is_tls_from_the_start and self.box.tls:
            connection = self.box.tls.wrap_socket(connection, server_side=True)
        return connection, address

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no fault here."""


@contextmanager
def mail_server(**behaviour: Any) -> Iterator[Mailbox]:
    """Run a mail server."""
    box = Mailbox(**behaviour)
    with _Server(box) as server:
        box.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield box
        server.shutdown()
        thread.join()


def write_certificate(folder: Path, *addresses: str) -> tuple[Path, Path]:
    """Make a certificate for some addresses or names; return the files of certificate and key."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail")])
    names = x509.SubjectAlternativeName(
        [x509.IPAddress(ipaddress.ip_address(each)) if each[0].isdigit() else x509.DNSName(each) for each in addresses]
    )
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
    made = made.add_extension(names, critical=False).add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (folder / "mail.pem").write_bytes(made.sign(key, hashes.SHA256()).public_bytes(pem))
    (folder / "mail.key").write_bytes(key.private_bytes(pem, form, serialization.NoEncryption()))
    return folder / "mail.pem", folder / "mail.key"
