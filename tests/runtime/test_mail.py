"""Mail, sent to a real server on loopback: under TLS, as one letter to one person, and with a reason where it fails."""

import socket
import ssl
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authserver.runtime import make_runtime
from authserver.runtime.mail import Letter, NotSent, compose, make_mail
from authserver.runtime.settings import SettingsError
from tests.factories import make_settings
from tests.smtp_server import mail_server, write_certificate

SENDER = "Example <login@example.com>"
LETTER = Letter(
    to="ada@example.com",
    subject="Grüße",
    text="Hello Ada,\n\n.a line with a dot\nhttps://login.example.com/password?token=abc\n",
    identifier="one-letter",
    written_at=datetime(2026, 12, 1, 12, 0, tzinfo=UTC),
)


def send(url, letter=LETTER):
    make_mail(url, SENDER)(letter)


@pytest.fixture
def tls(tmp_path, monkeypatch):
    """A server's TLS whose certificate is for 127.0.0.1 and 127.0.0.2, and trusted here."""
    certificate, key = write_certificate(tmp_path, "127.0.0.1", "127.0.0.2")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return context


def test_a_letter_arrives_as_it_was_written():
    with mail_server() as box:
        send(f"smtp://127.0.0.1:{box.port}")
    (letter,), ((sender, recipients),) = box.letters, box.envelopes
    assert letter["From"] == SENDER
    assert letter["To"] == "ada@example.com"
    assert letter["Subject"] == "Grüße"
    assert letter["Message-ID"] == "<one-letter@example.com>"
    assert letter["Date"] == "Tue, 01 Dec 2026 12:00:00 +0000"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter.get_content().replace("\r\n", "\n") == LETTER.text
    assert sender.upper().startswith("MAIL FROM:<LOGIN@EXAMPLE.COM>")
    assert [recipient.upper() for recipient in recipients] == ["RCPT TO:<ADA@EXAMPLE.COM>"]


def test_the_runtime_of_the_settings_sends():
    with mail_server() as box:
        settings = make_settings(smtp_url=f"smtp://localhost:{box.port}", mail_from="login@example.com")
        make_runtime(settings).mail(LETTER)
    assert box.letters[0]["From"] == "login@example.com"


def test_without_a_server_nothing_is_sent_and_that_is_said():
    with pytest.raises(NotSent, match="AUTHSERVER_SMTP_URL is not set"):
        make_runtime(make_settings()).mail(LETTER)


def test_another_machine_must_speak_tls_before_it_is_told_anything(tls):
    with mail_server(host="127.0.0.2", password="secret") as box:
        with pytest.raises(NotSent, match="STARTTLS"):
            send(f"smtp://user:secret@127.0.0.2:{box.port}")
        assert not {"AUTH", "MAIL"} & set(box.said)
    with mail_server(host="127.0.0.2", tls=tls, password="p@ss word/") as box:
        send(f"smtp://user:p%40ss%20word%2F@127.0.0.2:{box.port}")
        assert box.said.index("STARTTLS") < box.said.index("AUTH")
        assert len(box.letters) == 1


def test_tls_from_the_start_works_too(tls):
    with mail_server(tls=tls, is_tls_from_the_start=True, password="secret") as box:
        send(f"smtps://user:secret@127.0.0.1:{box.port}")
        assert len(box.letters) == 1


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_a_certificate_of_somebody_else_is_refused(tls, tmp_path, monkeypatch, scheme):
    monkeypatch.delenv("SSL_CERT_FILE")
    with mail_server(host="127.0.0.2", tls=tls, is_tls_from_the_start=scheme == "smtps") as box:
        with pytest.raises(NotSent, match="CERTIFICATE_VERIFY_FAILED"):
            send(f"{scheme}://127.0.0.2:{box.port}")
        assert box.letters == []


@pytest.mark.parametrize(
    ("refuse", "says", "for_good"),
    [
        ({"RCPT": "550 no such user"}, "refused the recipient (550)", True),
        ({"RCPT": "451 later"}, "refused the recipient (451)", False),
        ({"MAIL": "451 busy"}, "refused it (451)", False),
        ({"DATA END": "554 spam"}, "refused it (554)", False),
        ({"EHLO": "421 gone", "HELO": "421 gone"}, "refused it (421)", False),
    ],
)
def test_a_refusal_says_with_which_code_and_whether_for_good(refuse, says, for_good):
    with mail_server(refuse=refuse) as box, pytest.raises(NotSent) as raised:
        send(f"smtp://127.0.0.1:{box.port}")
    assert says in str(raised.value)
    assert raised.value.for_good is for_good
    assert "ada" not in str(raised.value)


def test_a_wrong_password_and_a_server_that_is_not_there_are_said():
    with mail_server(password="secret") as box, pytest.raises(NotSent, match="535"):
        send(f"smtp://user:wrong@127.0.0.1:{box.port}")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(NotSent, match="ConnectionRefusedError"):
        send(f"smtp://127.0.0.1:{port}")


def test_a_server_that_says_nothing_is_not_waited_for_long(monkeypatch):
    monkeypatch.setattr("authserver.runtime.mail.SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as mute, pytest.raises(NotSent, match=r"imed ?out"):
        send(f"smtp://127.0.0.1:{mute.getsockname()[1]}")


@pytest.mark.parametrize(
    "change",
    [
        {"to": "ada@example.com\r\nBcc: eve@example.com"},
        {"to": "ada@example.com, eve@example.com"},
        {"to": "Ada <ada@example.com>"},
        {"to": "ada@example.com>\n"},
        {"subject": "Hello\r\nBcc: eve@example.com"},
        {"subject": "Hello\nX: y"},
    ],
)
def test_nothing_in_a_letter_begins_another_header_or_adds_a_recipient(change):
    letter = Letter(**{name: getattr(LETTER, name) for name in LETTER.__dataclass_fields__} | change)
    with mail_server() as box, pytest.raises(NotSent) as raised:
        send(f"smtp://127.0.0.1:{box.port}", letter)
    assert raised.value.for_good
    assert box.letters == []


@given(subject=st.text(max_size=100), to=st.text(max_size=40), text=st.text(max_size=300))
def test_whatever_is_written_has_these_headers_alone(subject, to, text):
    letter = Letter(to=to, subject=subject, text=text, identifier="x", written_at=LETTER.written_at)
    try:
        raw = bytes(compose(SENDER, letter))
    except (ValueError, UnicodeError):
        return
    head = raw.partition(b"\r\n\r\n")[0].decode()
    names = {line.split(":")[0].lower() for line in head.split("\r\n") if not line.startswith((" ", "\t"))}
    own = {"from", "to", "subject", "date", "message-id", "auto-submitted"}
    assert names <= own | {"content-type", "content-transfer-encoding", "mime-version"}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"smtp_url": "http://mail.example"}, "AUTHSERVER_SMTP_URL must be like smtp://"),
        ({"smtp_url": "mail.example:25"}, "AUTHSERVER_SMTP_URL must be like"),
        ({"smtp_url": "smtp://"}, "AUTHSERVER_SMTP_URL must be like"),
        ({"smtp_url": "smtp://mail.example:port"}, "AUTHSERVER_SMTP_URL must be like"),
        ({"smtp_url": "smtp://mail.example/path"}, "AUTHSERVER_SMTP_URL must be like"),
        ({"smtp_url": "smtp://mail.example"}, "AUTHSERVER_MAIL_FROM must be an address"),
        ({"smtp_url": "smtp://mail.example", "mail_from": "Example"}, "AUTHSERVER_MAIL_FROM"),
        ({"smtp_url": "smtp://mail.example", "mail_from": "a@b.example, c@d.example"}, "AUTHSERVER_MAIL_FROM"),
        ({"smtp_url": "smtp://mail.example", "mail_from": "a@b.example\nBcc: c@d.example"}, "AUTHSERVER_MAIL_FROM"),
    ],
)
def test_a_setting_that_cannot_work_is_named(changes, says):
    with pytest.raises(SettingsError, match=says):
        make_settings(**changes)
