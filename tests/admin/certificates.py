"""A certificate authority of a test's own, and server certificates by it, strict enough for every Python."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

USES = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign")


class Authority:
    """Signs certificates; `file` is what a client has to trust."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.file = folder, folder / "authority.pem"
        self.key, self.name = ec.generate_private_key(ec.SECP256R1()), _name("Authority of tests")
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder(
            self.name, self.name, self.key.public_key(), 1, now - timedelta(days=1), now + timedelta(days=900)
        )
        self.identifier = x509.SubjectKeyIdentifier.from_public_key(self.key.public_key())
        uses = x509.KeyUsage(**{use: use in ("key_cert_sign", "crl_sign") for use in USES}, encipher_only=False, decipher_only=False)
        signed = (
            builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(self.identifier, critical=False)
            .add_extension(uses, critical=True)
            .sign(self.key, hashes.SHA256())
        )
        self.file.write_bytes(signed.public_bytes(Encoding.PEM))

    def context(self, host: str, *, lasts: timedelta = timedelta(days=90)) -> ssl.SSLContext:
        """What a server of that host needs."""
        key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
        subject, number = _name(host), x509.random_serial_number()
        builder = x509.CertificateBuilder(self.name, subject, key.public_key(), number, now - timedelta(days=2), now + lasts)
        by = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(self.identifier)
        signed = (
            builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
            .add_extension(by, critical=False)
            .sign(self.key, hashes.SHA256())
        )
        file = self.folder / f"{number}.pem"
        secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        file.write_bytes(signed.public_bytes(Encoding.PEM) + secret)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
