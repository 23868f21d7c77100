"""The one fetch refuses what could reach inside (RFC 9700 section 4.7), and reads little, and not for long."""

import datetime as dt
import ipaddress
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from authserver.runtime import fetch
from authserver.runtime.fetch import FetchRefused, fetch_public, is_public, public_address


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/keys",
        "ftp://example.com/keys",
        "https://user:pass@example.com/",
        "https:///keys",
        "https://127.0.0.1/",
        "https://127.1/",
        "https://0x7f000001/",
        "https://2130706433/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://169.254.169.254/latest/meta-data/",
        "https://10.0.0.1/",
        "https://192.168.1.1/",
        "https://172.16.0.1/",
        "https://100.64.0.1/",
        "https://0.0.0.0/",
        "https://224.0.0.1/",
        "https://[fe80::1%25eth0]/",
        "https://[fd00::1]/",
        "https://localhost/",
        "https://no-such-host.invalid/",
    ],
)
def test_what_could_reach_inside_is_refused_before_any_connection(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "_get", lambda *_: pytest.fail("a connection was tried"))
    with pytest.raises(FetchRefused):
        fetch_public(url)


@pytest.mark.parametrize(
    ("address", "public"), [("93.184.216.34", True), ("2606:2800:220:1::1", True), ("::ffff:8.8.8.8", True), ("::", False)]
)
def test_public_addresses_are_told_from_others(address: str, public: bool) -> None:
    assert is_public(address) is public


def test_one_private_address_among_public_ones_is_enough_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(addresses: list[str]) -> None:
        monkeypatch.setattr("socket.getaddrinfo", lambda *_a, **_k: [(2, 1, 6, "", (address, 443)) for address in addresses])

    resolve(["93.184.216.34", "10.0.0.1"])
    with pytest.raises(FetchRefused, match="not public"):
        public_address("rebinding.example", 443)
    resolve(["93.184.216.34"])
    assert public_address("good.example", 443) == "93.184.216.34"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        kind = self.path.partition("?")[0]
        self.send_response({"/redirect": 302, "/missing": 404}.get(kind, 200))
        self.send_header("Location", "https://127.0.0.1/secret")
        self.end_headers()
        self.wfile.write(b"x" * 70_000 if kind == "/large" else f"{self.headers['Host']} {self.path}".encode())

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A TLS server for keys.example on loopback, whose certificate is trusted, and loopback taken for public."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "keys.example")])
    now = dt.datetime.now(dt.UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("keys.example"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    builder = builder.not_valid_before(now - dt.timedelta(days=1)).not_valid_after(now + dt.timedelta(days=1)).add_extension(names, False)
    certificate = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), True).sign(key, hashes.SHA256())
    (tmp_path / "cert.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    (tmp_path / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
    monkeypatch.setattr("socket.getaddrinfo", lambda host, port, *_a, **_k: [(2, 1, 6, "", ("127.0.0.1", port))])
    monkeypatch.setattr(fetch, "is_public", lambda _address: True)
    yield server.server_port
    server.shutdown()
    server.server_close()


def test_a_public_document_is_fetched_by_the_address_that_was_checked(port: int) -> None:
    assert fetch_public(f"https://keys.example:{port}/keys?a=b") == b"keys.example /keys?a=b"
    assert fetch_public(f"https://keys.example:{port}") == b"keys.example /"


@pytest.mark.parametrize("path", ["/redirect", "/missing", "/large"])
def test_redirects_errors_and_large_answers_are_refused(port: int, path: str) -> None:
    with pytest.raises(FetchRefused):
        fetch_public(f"https://keys.example:{port}{path}")


def test_another_certificate_is_refused(port: int) -> None:
    with pytest.raises(FetchRefused, match="could not be fetched"):
        fetch_public(f"https://other.example:{port}/")


def test_an_answer_that_drips_is_cut(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "SECONDS", 0.0001)
    with pytest.raises(FetchRefused):
        fetch_public(f"https://keys.example:{port}/keys")
