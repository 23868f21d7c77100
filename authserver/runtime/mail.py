"""Mail by SMTP (RFC 5321), under TLS except to this machine itself (RFC 3207, RFC 8314): one text per letter, to one person."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote, urlsplit

from authserver.runtime.aws import NO_AWS, Aws, AwsRefused, AwsUnreachable
from authserver.runtime.secret_text import SecretText, check_arn, is_arn

if TYPE_CHECKING:
    from email.message import EmailMessage
    from smtplib import SMTP

SECONDS = 10
PORTS = {"smtp": 587, "smtps": 465}
SENDER = re.compile(r"(?=.{3,254}$)(?:[^\x00-\x1f\x7f<>\"@,;:]*<[^\s<>@,;]+@[^\s<>@,;]+>|[^\s<>@,;]+@[^\s<>@,;]+)")
ADDRESS = re.compile(r"[^\s<>@,;:\"\x00-\x1f\x7f]+@[^\s<>@,;:\"\x00-\x1f\x7f]+")
SERVER = "like smtp://USER:PASSWORD@smtp.example.com:587 or smtps://…:465"
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class NotSent(Exception):
    """The letter did not go out; the text says why, without anything of the letter. `for_good`: another attempt is of no use."""

    def __init__(self, because: str, *, for_good: bool = False) -> None:
        """Keep both."""
        super().__init__(because)
        self.for_good = for_good


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A letter. `identifier` is the same at every attempt to send it, so that a mailbox can tell a repetition."""

    to: str
    subject: str
    text: str
    identifier: str
    written_at: datetime


Send = Callable[[Letter], None]


def send_nothing(_letter: Letter) -> None:
    """Send nothing, since it is not said how. Raises NotSent."""
    raise NotSent("AUTHSERVER_SMTP_URL is not set")


def make_mail(smtp_url: str, mail_from: str, aws: Aws = NO_AWS) -> Send:
    """Make the function that sends a letter, or raises NotSent; nothing is fetched or connected yet."""
    if not smtp_url:
        return send_nothing
    secret = SecretText(smtp_url, aws)
    return lambda letter: _send(_find_server(secret), mail_from, letter)


def check_mail(smtp_url: str, mail_from: str) -> None:
    """Refuse a way to send mail that cannot work. ValueError names the setting and says what to change."""
    if not smtp_url:
        return
    if is_arn(smtp_url):
        check_arn("SMTP_URL", smtp_url)
    elif not _is_server(smtp_url):
        raise ValueError(f"SMTP_URL must be {SERVER}")
    if not SENDER.fullmatch(mail_from):
        raise ValueError("MAIL_FROM must be an address beside AUTHSERVER_SMTP_URL, like Example <login@example.com>")


def _is_server(smtp_url: str) -> bool:
    try:
        parts = urlsplit(smtp_url)
        return bool(parts.scheme in PORTS and parts.hostname and parts.path in ("", "/") and parts.port != 0)
    except ValueError:
        return False


def _find_server(secret: SecretText) -> SplitResult:
    try:
        smtp_url = secret.read()
    except (AwsRefused, AwsUnreachable, ValueError) as error:
        raise NotSent(f"the value of AUTHSERVER_SMTP_URL cannot be had: {error}") from None
    if not _is_server(smtp_url):
        raise NotSent(f"the value that AUTHSERVER_SMTP_URL names must be {SERVER}")
    return urlsplit(smtp_url)


def _send(server: SplitResult, sender: str, letter: Letter) -> None:
    from smtplib import SMTPException, SMTPRecipientsRefused, SMTPResponseException

    try:
        message = compose(sender, letter)
        with _connect(server, _domain(sender)) as smtp:
            smtp.send_message(message)
    except SMTPRecipientsRefused as error:
        code = next(iter(error.recipients.values()))[0]
        raise NotSent(f"the mail server refused the recipient ({code})", for_good=500 <= code < 600) from None
    except SMTPResponseException as error:
        raise NotSent(f"the mail server refused it ({error.smtp_code})") from None
    except (SMTPException, OSError) as error:
        raise NotSent(f"the mail server cannot be used: {type(error).__name__} {error}"[:200]) from None
    except ValueError as error:
        raise NotSent(f"it cannot be written as a letter: {type(error).__name__}", for_good=True) from None


def compose(sender: str, letter: Letter) -> "EmailMessage":
    """Write a letter as a message (RFC 5322). ValueError for an address or subject that would begin another header."""
    from email.message import EmailMessage
    from email.policy import SMTP as WIRE
    from email.utils import format_datetime

    if not ADDRESS.fullmatch(letter.to):
        raise ValueError("not an address")
    message = EmailMessage(policy=WIRE)
    message["From"] = sender
    message["To"] = letter.to
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(letter.written_at)
    message["Message-ID"] = f"<{letter.identifier}@{_domain(sender)}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
    message.set_content(letter.text)
    return message


def _domain(sender: str) -> str:
    return sender.rpartition("@")[2].rstrip("> ")


def _connect(server: SplitResult, domain: str) -> "SMTP":
    import ssl
    from smtplib import SMTP, SMTP_SSL

    host, port = server.hostname or "", server.port or PORTS[server.scheme]
    if server.scheme == "smtps":
        smtp: SMTP = SMTP_SSL(host, port, domain, timeout=SECONDS, context=ssl.create_default_context())
    else:
        smtp = SMTP(host, port, domain, timeout=SECONDS)
    try:
        if server.scheme == "smtp" and server.hostname not in LOOPBACK:
            smtp.starttls(context=ssl.create_default_context())  # raises where the server does not offer it
        if server.username:
            smtp.login(unquote(server.username), unquote(server.password or ""))
    except BaseException:
        smtp.close()
        raise
    return smtp
